/* A small data set with texts, in a directory that lasts for one test. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/dataset.h"

static inline void set_write(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

/* Three questions: with choices, with a number, without a key. Experts a and b have texts, c has none. */
static inline void set_make(char folder[64])
{
    char path[128];
    snprintf(folder, 64, "/tmp/leeroo-judge-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/responses", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    set_write(folder, "queries.jsonl",
              "{\"id\":\"q1\",\"text\":\"One?\",\"choices\":[\"red\",\"green\"],\"answer\":\"B\"}\n"
              "{\"id\":\"q2\",\"text\":\"Two?\",\"answer\":\"1234\"}\n"
              "{\"id\":\"q3\",\"text\":\"Three?\"}\n");
    set_write(folder, "experts.csv",
              "model,usd_per_m_input,usd_per_m_output\na,1,1\nb,1,1\nc,1,1\n");
    set_write(folder, "outcomes.csv",
              "id,model,score,cost_usd,input_tokens,output_tokens\n"
              "q1,a,0,0.5,1,2\nq2,a,1,0.25,,\nq3,a,0.5,,,\nq1,b,1,,,\nq2,c,1,,,\n");
    set_write(folder, "responses/a.jsonl",
              "{\"id\":\"q1\",\"text\":\"The answer is (B).\"}\n"
              "{\"id\":\"q2\",\"text\":\"The answer is 1,234.\"}\n"
              "{\"id\":\"q3\",\"text\":\"The answer is Green  Tea.\"}\n"
              "{\"id\":\"other\",\"text\":\"The answer is (A).\"}\n");
    set_write(folder, "responses/b.jsonl",
              "{\"id\":\"q1\",\"text\":\"I cannot tell.\"}\n"
              "{\"id\":\"q2\",\"text\":\"So \\\\boxed{1234.0}\"}\n");
}

static inline void set_remove(const char *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

static inline struct dataset *set_load(const char *folder)
{
    struct dataset *d = NULL;
    struct error err = {0};
    cr_assert_eq(dataset_load(folder, DATASET_ALL, &d, &err), OK, "%s", err.text);
    return d;
}
