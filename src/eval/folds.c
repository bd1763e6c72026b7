/* Cross-validation: see folds.h. Each fold's model learns from the other folds, is written to a file and loaded from
 * it, because only what the file keeps can be had in use, and goes when its fold is measured.
 *
 * One thread, for commands: it takes as long as training does, times the folds. Nothing here is for the gateway. */
#include "eval/folds.h"

#include <string.h>

#include "base/check.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/folds_int.h"
#include "judge/answer_table.h"
#include "train/model_edit.h"
#include "train/train.h"

#define FOLD_ARENA_BYTES ((size_t)4 << 30)
#define POOL_NAMES_BYTES 65536

struct folds_run {
    struct dataset *d;
    const struct folds_options *options;
    struct arena *arena;
    size_t *experts; /* [expert_count] indices of the pool */
    size_t expert_count;
    char *names, *reference;     /* "a,b,c" of the pool; the reference's */
    struct answer_table answers; /* of all queries; cells NULL: no plans */
    struct fold folds[FOLDS_MAX];
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static bool wants_plans(const struct folds_run *r)
{
    return !r->options->plans || strcmp(r->options->plans, "none") != 0;
}

/* What training is told: NULL where it shall search. */
static const char *plans_named(const struct folds_run *r)
{
    const char *plans = r->options->plans;
    return plans && *plans && strcmp(plans, "all") != 0 ? plans : NULL;
}

static enum status pool_choose(struct folds_run *r, struct error *err)
{
    r->experts = ARENA_ARRAY(r->arena, DATASET_EXPERTS_MAX, size_t);
    if (!r->experts)
        return no_memory(err);
    if (r->options->experts)
        return dataset_expert_list(r->d, r->options->experts, r->experts, &r->expert_count, err);
    for (size_t e = 0; e < r->d->expert_count; e++)
        if (eval_has_outcomes(r->d, e))
            r->experts[r->expert_count++] = e;
    return r->expert_count ? OK
                           : error_set(err, ERR_INPUT, "%.*s has no expert with outcomes and costs",
                                       STR_FMT(r->d->path));
}

/* The best of the pool on all queries, so that every fold is compared with the same. */
static size_t best_of_pool(const struct folds_run *r)
{
    size_t best = r->experts[0];
    for (size_t i = 1; i < r->expert_count; i++)
        if (eval_mean_score(r->d, r->experts[i]) > eval_mean_score(r->d, best))
            best = r->experts[i];
    return best;
}

static enum status pool_names(struct folds_run *r, struct error *err)
{
    struct buf names;
    struct str best = r->d->experts[best_of_pool(r)].name;
    buf_init(&names, POOL_NAMES_BYTES);
    for (size_t i = 0; i < r->expert_count; i++)
        buf_addf(&names, "%s%.*s", i ? "," : "", STR_FMT(r->d->experts[r->experts[i]].name));
    r->names = arena_printf(r->arena, "%.*s", STR_FMT(buf_str(&names)));
    r->reference = r->options->reference ? arena_printf(r->arena, "%s", r->options->reference)
                                         : arena_printf(r->arena, "%.*s", STR_FMT(best));
    enum status status = buf_status(&names, err);
    buf_done(&names);
    if (status != OK)
        return status;
    return r->names && r->reference ? OK : no_memory(err);
}

/* The classes of all answers stay with the outcomes, so that folds of equal texts agree on them. */
static enum status answers_read(struct folds_run *r, struct error *err)
{
    size_t found = 0;
    if (!wants_plans(r))
        return OK;
    enum status status =
        answer_table_classify(r->d, r->experts, r->expert_count, NULL, NULL, &found, err);
    if (status == OK && !found && (plans_named(r) || r->options->needs_texts))
        return error_set(err, ERR_NOT_FOUND,
                         "plans: %.*s has no responses/ of these experts to learn them from",
                         STR_FMT(r->d->path));
    if (status == OK && found)
        status = answer_table_read(&r->d, 1, r->d, r->experts, r->expert_count, r->arena,
                                   &r->answers, err);
    return status;
}

/* One fold */

static size_t fold_rows(const struct folds_run *r, uint32_t fold, bool inside, uint32_t *rows)
{
    size_t n = 0;
    for (size_t q = 0; q < r->d->query_count; q++)
        if ((split_fold(r->d->queries[q].text_hash, r->options->seed, r->options->folds) == fold) ==
            inside)
            rows[n++] = (uint32_t)q;
    return n;
}

/* The rows of the answers that go with a part of the queries. */
static enum status part_answers(const struct folds_run *r, const uint32_t *rows, size_t count,
                                struct arena *scratch, struct answer_table *ret, struct error *err)
{
    size_t width = r->d->expert_count;
    struct answer_cell *cells = ARENA_ARRAY(scratch, count * width + 1, struct answer_cell);
    if (!cells)
        return no_memory(err);
    for (size_t i = 0; i < count; i++)
        memcpy(cells + i * width, r->answers.cells + rows[i] * width, width * sizeof(*cells));
    ret->cells = cells;
    return OK;
}

/* Trains on rows[count]. */
static enum status fold_train(const struct folds_run *r, const uint32_t *rows, size_t count,
                              uint32_t fold, struct arena *scratch, struct model **ret,
                              struct error *err)
{
    struct dataset *part;
    struct trained *trained;
    struct train_options options;
    struct answer_table answers = {0};
    train_options_default(&options);
    options.experts = r->experts;
    options.expert_count = r->expert_count;
    options.seed = r->options->seed + fold;
    options.plans = r->answers.cells ? plans_named(r) : NULL;
    options.answers = r->answers.cells ? &answers : NULL;
    enum status status = OK;
    if (r->answers.cells)
        status = part_answers(r, rows, count, scratch, &answers, err);
    if (status == OK)
        status = dataset_subset(r->d, rows, count, &part, err);
    if (status != OK)
        return status;
    status = train_run(part, &options, &trained, err);
    if (status == OK) {
        status = model_parts_load(&trained->parts, ret, err);
        trained_free(trained);
    }
    dataset_free(part);
    return status;
}

/* The names of plans belong to the model, which goes. */
static enum status names_keep(const struct folds_run *r, struct eval_table *t, struct error *err)
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

static enum status fold_measure(const struct folds_run *r, const struct model *m, size_t count,
                                struct fold *fold, struct error *err)
{
    const struct eval_pool pool = {
        .experts = r->names, .reference = r->reference, .plans = r->answers.cells ? NULL : "none"};
    struct dataset *part;
    enum status status = dataset_subset(r->d, fold->rows, count, &part, err);
    if (status != OK)
        return status;
    status = eval_set_build(m, part, &pool, r->arena, &fold->set, err);
    if (status == OK) {
        CHECK(fold->set.trained_on == 0); /* or it is not held out */
        status = names_keep(r, &fold->set.table, err);
    }
    dataset_free(part);
    return status;
}

static enum status fold_run(struct folds_run *r, uint32_t index, struct error *err)
{
    struct fold *fold = &r->folds[index];
    struct arena *scratch = arena_create(FOLD_ARENA_BYTES);
    uint32_t *others = scratch ? ARENA_ARRAY(scratch, r->d->query_count + 1, uint32_t) : NULL;
    struct model *m = NULL;
    fold->rows = ARENA_ARRAY(r->arena, r->d->query_count + 1, uint32_t);
    enum status status = others && fold->rows ? OK : no_memory(err);
    size_t count = status == OK ? fold_rows(r, index, false, others) : 0;
    if (status == OK && count < TRAIN_ROWS_MIN)
        status = error_set(err, ERR_INPUT,
                           "%zu of the %zu queries of %.*s are outside it, and training wants %d; "
                           "more folds leave more, and so do more queries of different texts",
                           count, r->d->query_count, STR_FMT(r->d->path), TRAIN_ROWS_MIN);
    if (status == OK)
        status = fold_train(r, others, count, index, scratch, &m, err);
    if (status == OK)
        status = fold_measure(r, m, fold_rows(r, index, true, fold->rows), fold, err);
    model_free(m);
    arena_free(scratch);
    if (status != OK)
        error_prefix(err, "fold %u of %u", index + 1, r->options->folds);
    return status;
}

enum status eval_folds_build(struct dataset *d, const struct folds_options *options,
                             struct arena *a, struct eval_set *ret, struct error *err)
{
    CHECK(options->folds >= FOLDS_MIN && options->folds <= FOLDS_MAX);
    struct folds_run *r = ARENA_NEW(a, struct folds_run);
    if (!r)
        return no_memory(err);
    *r = (struct folds_run){.d = d, .options = options, .arena = a};
    enum status status = pool_choose(r, err);
    if (status == OK)
        status = pool_names(r, err);
    if (status == OK)
        status = answers_read(r, err);
    for (uint32_t fold = 0; fold < options->folds && status == OK; fold++) {
        status = fold_run(r, fold, err);
        if (options->progress)
            options->progress(fold + 1, options->folds, options->arg);
    }
    return status == OK ? folds_merge(r->folds, options->folds, a, ret, err) : status;
}
