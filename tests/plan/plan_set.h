/* A small data set with texts and a model with plans over it, in a directory that lasts for one test. Experts "a"
 * and "b" are cheap and agree just where both are right; "c" is right on the rest; "d" has no texts. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/rng.h"
#include "judge/answer_table.h"
#include "train/train.h"

#define PLAN_SET_QUERIES 240
#define PLAN_SET_EXPERTS 4

struct plan_set_fixture {
    char path[64];
    struct dataset *data;
    struct arena *arena;
    struct answer_table answers;
    struct model *model;
    struct trained *trained;
};

static inline void plan_set_write(const char *folder, const char *name, const struct buf *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fwrite(text->ptr, 1, text->len, f);
    fclose(f);
}

/* The texts of a and c differ in length and wording, so that their statistics do. */
static inline void plan_set_row(int i, struct rng *r, struct buf *queries, struct buf *outcomes,
                                struct buf texts[3])
{
    static const double usd[PLAN_SET_EXPERTS] = {0.001, 0.0012, 0.01, 0.002};
    bool agree = rng_uniform(r) < 0.6;
    bool right[PLAN_SET_EXPERTS] = {agree, agree, !agree || rng_below(r, 2), rng_below(r, 2)};
    size_t key = rng_below(r, 4);
    buf_addf(queries,
             "{\"id\":\"q%d\",\"text\":\"question %d of %d\",\"choices\":[\"w\",\"x\",\"y\",\"z\"],"
             "\"answer\":\"%c\"}\n",
             i, i, (int)rng_below(r, 1000), (char)('A' + key));
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++) {
        size_t choice = right[e] ? key : (key + 1 + e) % 4;
        buf_addf(outcomes, "q%d,%c,%d,%.6f,100,%d\n", i, (char)('a' + e), right[e],
                 usd[e] * (0.9 + 0.2 * rng_uniform(r)), (int)(10 + rng_below(r, 20)));
        if (e < 3)
            buf_addf(&texts[e], "{\"id\":\"q%d\",\"text\":\"%.*sThe answer is (%c).\"}\n", i,
                     (int)rng_below(r, 20), "however thus it is so", (char)('A' + choice));
    }
}

static inline void plan_set_files(const char *folder)
{
    static const char *const names[] = {"responses/a.jsonl", "responses/b.jsonl",
                                        "responses/c.jsonl"};
    struct buf queries, outcomes, experts, texts[3];
    struct rng r;
    char path[128];
    rng_seed(&r, 17);
    snprintf(path, sizeof(path), "%s/responses", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    buf_init(&queries, 1 << 22);
    buf_init(&outcomes, 1 << 22);
    buf_init(&experts, 1 << 22);
    for (int e = 0; e < 3; e++)
        buf_init(&texts[e], 1 << 22);
    buf_add_c(&outcomes, "id,model,score,cost_usd,input_tokens,output_tokens\n");
    buf_add_c(&experts,
              "model,usd_per_m_input,usd_per_m_output\na,8,10\nb,10,12\nc,80,100\nd,9,9\n");
    for (int i = 0; i < PLAN_SET_QUERIES; i++)
        plan_set_row(i, &r, &queries, &outcomes, texts);
    plan_set_write(folder, "queries.jsonl", &queries);
    plan_set_write(folder, "outcomes.csv", &outcomes);
    plan_set_write(folder, "experts.csv", &experts);
    for (int e = 0; e < 3; e++) {
        plan_set_write(folder, names[e], &texts[e]);
        buf_done(&texts[e]);
    }
    buf_done(&queries);
    buf_done(&outcomes);
    buf_done(&experts);
}

static inline void plan_set_answers(struct plan_set_fixture *f)
{
    const size_t experts[] = {0, 1, 2, 3};
    struct error err = {0};
    size_t found = 0;
    cr_assert_eq(answer_table_classify(f->data, experts, 4, NULL, NULL, &found, &err), OK, "%s",
                 err.text);
    cr_assert_eq(found, 3);
    cr_assert_eq(answer_table_read(&f->data, 1, f->data, experts, 4, f->arena, &f->answers, &err),
                 OK, "%s", err.text);
}

static inline struct plan_set_fixture plan_set_make(void)
{
    struct plan_set_fixture f = {.path = "/tmp/leeroo-plans-XXXXXX",
                                 .arena = arena_create((size_t)1 << 28)};
    struct error err = {0};
    cr_assert_not_null(mkdtemp(f.path));
    plan_set_files(f.path);
    cr_assert_eq(dataset_load(f.path, DATASET_ALL, &f.data, &err), OK, "%s", err.text);
    plan_set_answers(&f);
    return f;
}

/* `plans`: named ones; NULL: none. */
static inline void plan_set_train(struct plan_set_fixture *f, const char *plans)
{
    struct train_options o;
    struct error err = {0};
    char path[128];
    train_options_default(&o);
    o.answers = plans ? &f->answers : NULL;
    o.plans = plans;
    cr_assert_eq(train_run(f->data, &o, &f->trained, &err), OK, "%s", err.text);
    snprintf(path, sizeof(path), "%s/model", f->path);
    cr_assert_eq(model_write(f->trained, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &f->model, &err), OK, "%s", err.text);
}

static inline void plan_set_done(struct plan_set_fixture *f)
{
    char command[128];
    model_free(f->model);
    trained_free(f->trained);
    dataset_free(f->data);
    arena_free(f->arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
    cr_assert_eq(system(command), 0);
}
