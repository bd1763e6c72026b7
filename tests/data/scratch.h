/* A data set directory that lasts for one test. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

struct scratch {
    char path[64];
};

static inline struct scratch scratch_make(void)
{
    struct scratch s = {"/tmp/leeroo-test-XXXXXX"};
    cr_assert_not_null(mkdtemp(s.path));
    return s;
}

static inline void scratch_write(const struct scratch *s, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", s->path, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

static inline void scratch_remove(const struct scratch *s)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", s->path);
    cr_assert_eq(system(command), 0);
}

#define SCRATCH_QUERIES                                                                            \
    "{\"id\": \"a\", \"text\": \"One?\", \"choices\": [\"x\", \"y\"], \"answer\": \"B\"}\n"        \
    "{\"id\": \"b\", \"text\": \"Two\\u00e9?\", \"domain\": \"math\", \"extra\": {\"k\": []}}\n"
#define SCRATCH_EXPERTS "model,usd_per_m_input,usd_per_m_output\nbig,10,30\norg/small,0.6,0.075\n"
#define SCRATCH_OUTCOMES                                                                           \
    "id,model,score,cost_usd,input_tokens,output_tokens\n"                                         \
    "b,org/small,1,0.000027600,45,1\n"                                                             \
    "a,big,0.25,,100,10\n"                                                                         \
    "b,big,,,,\n"

/* Writes the three files; NULL takes the default above. */
static inline struct scratch scratch_dataset(const char *queries, const char *experts,
                                             const char *outcomes)
{
    struct scratch s = scratch_make();
    scratch_write(&s, "queries.jsonl", queries ? queries : SCRATCH_QUERIES);
    scratch_write(&s, "experts.csv", experts ? experts : SCRATCH_EXPERTS);
    scratch_write(&s, "outcomes.csv", outcomes ? outcomes : SCRATCH_OUTCOMES);
    return s;
}
