/* Cross-validation of a pool on recorded outcomes, for the benches (cv.h): each fold is measured with a model that was
 * trained on the other folds, so that no query is measured by a model that has seen it; a fold's model must never be
 * given rows of that fold. One thread. Folds are by text and by a fixed seed, so the figures come out the same every
 * time. */
#include "cv.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/build.h"
#include "judge/answer_table.h"
#include "judge/rescore.h"
#include "train/train.h"

#define COLUMNS_MAX          (DATASET_EXPERTS_MAX + CV_FOLDS * MODEL_PLANS_MAX)
#define EXPERTS_LIST_MAX     65536
#define ABSENT_COST_NANO_USD (1000 * NANO_PER_USD)

struct run {
    struct dataset *d;
    const struct cv_pool *pool;
    struct arena *arena;
    size_t *experts;             /* indices of the pool */
    char *names, *reference;     /* "a,b,c" of the pool; the reference's */
    struct answer_table answers; /* of all queries; cells NULL: no plans */
    struct eval_set sets[CV_FOLDS];
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static enum status run_names(struct run *r, struct error *err)
{
    struct buf names;
    buf_init(&names, EXPERTS_LIST_MAX);
    r->experts = ARENA_ARRAY(r->arena, r->pool->experts, size_t);
    for (size_t i = 0; r->experts && i < r->pool->experts; i++) {
        r->experts[i] = i;
        buf_addf(&names, "%s%.*s", i ? "," : "", STR_FMT(r->d->experts[i].name));
    }
    struct str name = r->d->experts[r->pool->reference].name;
    r->names = arena_printf(r->arena, "%.*s", STR_FMT(buf_str(&names)));
    r->reference = arena_printf(r->arena, "%.*s", STR_FMT(name));
    enum status status = buf_status(&names, err);
    buf_done(&names);
    if (status != OK)
        return status;
    return r->experts && r->names && r->reference ? OK : no_memory(err);
}

/* The classes of all answers stay with the outcomes, so the folds need not read them again. */
static enum status run_answers(struct run *r, struct error *err)
{
    if (!r->pool->plans)
        return OK;
    enum status status = judge_answers_fill(r->d, NULL, 0, NULL, NULL, err);
    if (status == OK)
        status = answer_table_read(&r->d, 1, r->d, r->experts, r->pool->experts, r->arena,
                                   &r->answers, err);
    return status;
}

/* One fold */

static size_t fold_rows(const struct run *r, uint32_t fold, bool inside, uint32_t *rows)
{
    size_t n = 0;
    for (size_t q = 0; q < r->d->query_count; q++)
        if ((split_fold(r->d->queries[q].text_hash, r->pool->seed, CV_FOLDS) == fold) == inside)
            rows[n++] = (uint32_t)q;
    return n;
}

/* Through a file, as in use: only what the file keeps can be measured. */
static enum status model_of(const struct trained *t, struct model **ret, struct error *err)
{
    char path[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/leeroo-cv-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot write there", path);
    close(fd);
    enum status status = model_write(t, path, err);
    if (status == OK)
        status = model_load(path, ret, err);
    unlink(path);
    return status;
}

/* Trains on rows[count]. */
static enum status fold_train(const struct run *r, const uint32_t *rows, size_t count,
                              uint32_t fold, struct arena *scratch, struct model **ret,
                              struct error *err)
{
    struct dataset *part;
    struct trained *trained;
    struct train_options options;
    struct answer_table answers = {0};
    size_t width = r->d->expert_count;
    train_options_default(&options);
    options.experts = r->experts;
    options.expert_count = r->pool->experts;
    options.seed = r->pool->seed + fold;
    if (r->answers.cells) {
        struct answer_cell *cells = ARENA_ARRAY(scratch, count * width, struct answer_cell);
        if (!cells)
            return no_memory(err);
        for (size_t i = 0; i < count; i++)
            memcpy(cells + i * width, r->answers.cells + rows[i] * width, width * sizeof(*cells));
        answers.cells = cells;
        options.answers = &answers;
    }
    enum status status = dataset_subset(r->d, rows, count, &part, err);
    if (status != OK)
        return status;
    status = train_run(part, &options, &trained, err);
    if (status == OK) {
        status = model_of(trained, ret, err);
        trained_free(trained);
    }
    dataset_free(part);
    return status;
}

/* The names of plans belong to the model, which goes. */
static enum status names_keep(struct run *r, struct eval_table *t, struct error *err)
{
    struct str *names = ARENA_ARRAY(r->arena, t->experts, struct str);
    for (size_t i = 0; names && i < t->experts; i++) {
        names[i] = arena_copy(r->arena, t->names[i]);
        if (!names[i].ptr)
            return no_memory(err);
    }
    t->names = names;
    return names ? OK : no_memory(err);
}

static enum status fold_measure(struct run *r, const struct model *m, const uint32_t *rows,
                                size_t count, struct eval_set *set, struct error *err)
{
    const struct eval_pool pool = {.experts = r->names, .reference = r->reference};
    struct dataset *part;
    enum status status = dataset_subset(r->d, rows, count, &part, err);
    if (status != OK)
        return status;
    status = eval_set_build(m, part, &pool, r->arena, set, err);
    if (status == OK) {
        CHECK(set->trained_on == 0); /* or it is not held out */
        status = names_keep(r, &set->table, err);
    }
    dataset_free(part);
    return status;
}

static enum status fold_run(struct run *r, uint32_t fold, struct error *err)
{
    struct arena *scratch = arena_create((size_t)4 << 30);
    uint32_t *rows = scratch ? ARENA_ARRAY(scratch, r->d->query_count, uint32_t) : NULL;
    struct model *m = NULL;
    enum status status = rows ? OK : no_memory(err);
    if (status == OK)
        status = fold_train(r, rows, fold_rows(r, fold, false, rows), fold, scratch, &m, err);
    if (status == OK)
        status = fold_measure(r, m, rows, fold_rows(r, fold, true, rows), &r->sets[fold], err);
    model_free(m);
    arena_free(scratch);
    return status;
}

/* All folds as one table */

struct merge {
    struct eval_table table;
    struct estimate *estimates;
    struct outcome *outcomes;
    struct eval_run *runs;
    struct str *names;
    bool *pool;
    struct eval_plan *plans;
    size_t column[CV_FOLDS]
                 [COLUMNS_MAX]; /* of the fold, by column of the whole; SIZE_MAX: absent */
};

static size_t merge_column(struct merge *m, struct str name)
{
    size_t at = 0;
    while (at < m->table.experts && !str_equal(m->names[at], name))
        at++;
    return at;
}

/* Experts come first and are the same in every fold; plans follow as they are met. */
static void merge_columns(struct merge *m, const struct eval_set *sets)
{
    for (size_t f = 0; f < CV_FOLDS; f++)
        for (size_t i = 0; i < COLUMNS_MAX; i++)
            m->column[f][i] = SIZE_MAX;
    for (size_t f = 0; f < CV_FOLDS; f++) {
        const struct eval_table *t = &sets[f].table;
        for (size_t i = 0; i < t->experts; i++) {
            size_t to = merge_column(m, t->names[i]);
            CHECK(to < COLUMNS_MAX);
            m->column[f][to] = i;
            if (to < m->table.experts)
                continue;
            m->names[to] = t->names[i];
            m->pool[to] = eval_in_pool(t, i);
            m->plans[to] =
                t->plans
                    ? t->plans[i]
                    : (struct eval_plan){.kind = PLAN_SINGLE, .member_count = 1, .members = {i}};
            m->table.experts++;
        }
        m->table.queries += t->queries;
        m->table.reference = t->reference;
    }
}

static void merge_cell(struct merge *m, const struct eval_table *t, size_t q, size_t from,
                       size_t to)
{
    if (from == SIZE_MAX) {
        m->estimates[to] = (struct estimate){.cost_nano_usd = ABSENT_COST_NANO_USD};
        m->outcomes[to] = (struct outcome){.known = true, .cost_known = true};
        m->runs[to] = (struct eval_run){.calls = 1};
        return;
    }
    m->estimates[to] = *eval_estimate(t, q, from);
    m->outcomes[to] = *eval_outcome(t, q, from);
    if (eval_is_plan(t, from))
        m->runs[to] = *eval_plan_run(t, q, from);
}

static enum status merge_fill(struct merge *m, const struct eval_set *sets, struct arena *a,
                              struct error *err)
{
    struct eval_table *t = &m->table;
    size_t cells = t->queries * t->experts, at = 0;
    t->estimates = m->estimates = ARENA_ARRAY(a, cells + 1, struct estimate);
    t->outcomes = m->outcomes = ARENA_ARRAY(a, cells + 1, struct outcome);
    m->runs = ARENA_ARRAY(a, cells + 1, struct eval_run);
    if (!m->estimates || !m->outcomes || !m->runs)
        return no_memory(err);
    for (size_t f = 0; f < CV_FOLDS; f++)
        for (size_t q = 0; q < sets[f].table.queries; q++)
            for (size_t i = 0; i < t->experts; i++)
                merge_cell(m, &sets[f].table, q, m->column[f][i], at++);
    t->names = m->names;
    t->pool = m->pool;
    bool plans = m->plans[t->experts - 1].member_count > 1; /* they come last */
    t->plans = plans ? m->plans : NULL;
    t->runs = plans ? m->runs : NULL;
    return OK;
}

static enum status merge(struct run *r, struct cv *ret, struct error *err)
{
    struct merge *m = ARENA_NEW(r->arena, struct merge);
    if (!m)
        return no_memory(err);
    m->names = ARENA_ARRAY(r->arena, COLUMNS_MAX, struct str);
    m->pool = ARENA_ARRAY(r->arena, COLUMNS_MAX, bool);
    m->plans = ARENA_ARRAY(r->arena, COLUMNS_MAX, struct eval_plan);
    if (!m->names || !m->pool || !m->plans)
        return no_memory(err);
    merge_columns(m, r->sets);
    enum status status = merge_fill(m, r->sets, r->arena, err);
    if (status == OK)
        *ret = (struct cv){.table = m->table, .left_out = r->d->query_count - m->table.queries};
    return status;
}

enum status cv_run(struct dataset *d, const struct cv_pool *pool, struct arena *a, struct cv *ret,
                   struct error *err)
{
    struct run *r = ARENA_NEW(a, struct run);
    CHECK(pool->experts <= d->expert_count && pool->reference < d->expert_count);
    if (!r)
        return no_memory(err);
    *r = (struct run){.d = d, .pool = pool, .arena = a};
    enum status status = run_names(r, err);
    if (status == OK)
        status = run_answers(r, err);
    for (uint32_t fold = 0; fold < CV_FOLDS && status == OK; fold++) {
        status = fold_run(r, fold, err);
        if (pool->progress)
            pool->progress(fold + 1, CV_FOLDS, pool->arg);
    }
    return status == OK ? merge(r, ret, err) : status;
}
