/* What a round has learnt: a model of all outcomes but those of the validation questions, and its worth on these.
 *
 * One thread, for seconds to minutes; everything hangs on the outcomes and the seed. The model's file is the round's,
 * so that the next round finds it whoever runs it. That too little is known to learn from is a result, no failure. */
#include "play/play_int.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/progress.h"
#include "data/subset.h"
#include "eval/build.h"
#include "eval/report_area.h"
#include "train/train.h"

#define MEASURE_BYTES_MAX (UINT64_C(4) << 30)
#define AREA_POINTS       10  /* a tenth of the best expert's cost, two tenths, ... */
#define AREA_DRAWS        100 /* of the questions, for its error */
#define MEASURE_ROWS_MIN  10  /* on fewer no figure is worth its name */

/* Learning */

/* Questions that somebody has a score for; `validation` or the others. */
static size_t known_rows(const struct dataset *d, bool validation, uint32_t *rows)
{
    size_t count = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        bool known = false;
        for (size_t e = 0; e < d->expert_count && !known; e++)
            known = dataset_outcome(d, q, e)->known;
        if (known && publish_validates(d->queries[q].text_hash) == validation)
            rows[count++] = (uint32_t)q;
    }
    return count;
}

static size_t known_experts(const struct dataset *d, size_t *experts)
{
    size_t count = 0;
    for (size_t e = 0; e < d->expert_count; e++) {
        bool known = false;
        for (size_t q = 0; q < d->query_count && !known; q++)
            known = dataset_outcome(d, q, e)->known;
        if (known)
            experts[count++] = e;
    }
    return count;
}

static void on_progress(size_t done, size_t total, void *arg)
{
    struct progress *progress = arg;
    progress->total = total;
    progress_update(progress, done);
}

static enum status train_on(struct play *p, const struct dataset *d, struct trained **ret,
                            struct error *err)
{
    struct train_options options;
    struct progress progress;
    size_t experts[DATASET_EXPERTS_MAX];
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = known_experts(d, experts);
    options.seed = p->s->seed;
    options.late = p->o->late;
    options.late_count = p->o->late_count;
    options.progress = on_progress;
    options.progress_arg = &progress;
    progress_begin(&progress, "learning", 1);
    enum status status = train_run(d, &options, ret, err);
    progress_end(&progress);
    return status;
}

/* The round's model file, and the model as anybody would load it. */
static enum status keep_model(struct play *p, const struct trained *t, struct error *err)
{
    char path[PATH_MAX + 64];
    struct model *m;
    snprintf(path, sizeof(path), "%s/model.safetensors", p->folder);
    enum status status = model_write(t, path, err);
    if (status == OK)
        status = model_load(path, &m, err);
    if (status != OK)
        return status;
    p->checksum_before = p->model ? model_checksum(p->model) : 0;
    model_free(p->model_before);
    p->model_before = p->model;
    p->model = m;
    return OK;
}

enum status play_load_model(const struct play *p, size_t round, struct model **ret,
                            struct error *err)
{
    char path[PATH_MAX + 64];
    *ret = NULL;
    snprintf(path, sizeof(path), "%s/round-%zu/model.safetensors", run_path(p->run), round);
    enum status status = model_load(path, ret, err);
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status play_learn(struct play *p, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    struct dataset *part = NULL;
    struct error why = {0};
    uint32_t *rows = ARENA_ARRAY(p->arena, d->query_count + 1, uint32_t);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory for learning");
    enum status status = dataset_subset(d, rows, known_rows(d, false, rows), &part, err);
    if (status != OK)
        return status;
    p->trained = NULL;
    status = train_on(p, part, &p->trained, &why);
    dataset_free(part);
    if (status == ERR_INPUT) { /* too little to learn from: the next round may have more */
        p->r.problem = arena_printf(p->arena, "%s", why.text);
        return OK;
    }
    if (status == OK)
        return keep_model(p, p->trained, err);
    if (err)
        *err = why;
    return status;
}

/* Measuring */

static void measure_doubt(const struct eval_set *set, struct play_round *ret)
{
    double sum = 0;
    size_t count = set->table.queries * set->table.experts;
    for (size_t i = 0; i < count; i++)
        sum += (double)set->estimates[i].quality_sd;
    if (count > 0)
        ret->doubt = sum / (double)count;
}

/* Too few questions: no figure is worth its name, and all stay unknown. */
static enum status measure_model(const struct play *p, const struct model *m,
                                 struct dataset *validation, struct arena *a,
                                 struct play_round *ret, struct error *err)
{
    const struct eval_pool pool = {NULL, NULL, NULL};
    double fractions[AREA_POINTS];
    struct eval_set set;
    struct report report;
    for (size_t i = 0; i < AREA_POINTS; i++)
        fractions[i] = (double)(i + 1) / AREA_POINTS;
    const struct report_options options = {.draws = AREA_DRAWS,
                                           .seed = p->s->seed,
                                           .fractions = fractions,
                                           .fraction_count = AREA_POINTS};
    enum status status = eval_set_build(m, validation, &pool, a, &set, err);
    if (status != OK)
        return status;
    ret->validation = set.table.queries;
    if (set.table.queries < MEASURE_ROWS_MIN)
        return OK;
    measure_doubt(&set, ret);
    status = report_make(&set.table, &options, a, &report, err);
    if (status != OK)
        return status;
    const struct report_area area = report_area(&report);
    ret->area = area.area.value;
    ret->area_error = area.area.error;
    ret->gain_mix = area.area.value - area.mix;
    return OK;
}

/* Of the model of the round before. One that knows fewer experts chooses among fewer: nothing is said of it. */
static enum status measure_before(const struct play *p, struct dataset *validation, struct arena *a,
                                  struct play_round *ret, struct error *err)
{
    struct play_round before = {.area = NAN};
    if (!p->model_before || model_expert_count(p->model_before) != model_expert_count(p->model))
        return OK;
    enum status status = measure_model(p, p->model_before, validation, a, &before, err);
    if (status == OK && before.validation == ret->validation)
        ret->gain_last = ret->area - before.area;
    return status;
}

/* The model that was learnt, and, on the same questions, that of the round before and what was believed before anybody
 * was asked. */
static enum status measure_set(const struct play *p, struct dataset *validation, struct arena *a,
                               struct play_round *ret, struct error *err)
{
    struct play_round before = {.area = NAN};
    enum status status = measure_model(p, p->model, validation, a, ret, err);
    if (status == OK)
        status = measure_model(p, p->prior, validation, a, &before, err);
    if (status == OK && before.validation == ret->validation)
        ret->area_prior = before.area;
    return status == OK ? measure_before(p, validation, a, ret, err) : status;
}

/* Whole rows of the validation questions, as a data set. */
static enum status validation_set(const struct play *p, struct dataset **ret, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    uint32_t *rows = ARENA_ARRAY(p->arena, d->query_count + 1, uint32_t);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory for measuring");
    return dataset_subset(d, rows, known_rows(d, true, rows), ret, err);
}

enum status play_measure(struct play *p, struct error *err)
{
    struct dataset *validation = NULL;
    struct arena *a;
    if (!p->model || p->r.problem)
        return OK;
    enum status status = validation_set(p, &validation, err);
    if (status != OK)
        return status;
    a = arena_create(MEASURE_BYTES_MAX);
    status = a ? measure_set(p, validation, a, &p->r, err)
               : error_set(err, ERR_MEMORY, "out of memory for measuring");
    arena_free(a);
    dataset_free(validation);
    return status;
}
