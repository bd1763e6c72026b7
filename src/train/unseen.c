/* Estimates of whole domains held out: see unseen.h. Each fold's model is trained as any other, on a part of the data
 * set, so that what it says of an unseen domain is what its user would get. Folds of domains are balanced by their
 * rows, the largest domain first, and hang on nothing but the data. It runs on the thread that trains, between two
 * stages of a training, takes several times as long as one, and must not be called from within itself: the trainings
 * that it starts have no late sources. */
#include "train/unseen.h"

#include <stdlib.h>
#include <string.h>

#include "data/subset.h"
#include "fit/deal.h"
#include "train/groups.h"

/* Who has no domain goes with its text. */
static enum status deal_rows(const struct train_work *w, uint8_t *folds, size_t *ret_domains,
                             struct error *err)
{
    size_t rows = w->table.rows, count = 0;
    uint32_t *of = ARENA_ARRAY(w->scratch, rows, uint32_t);
    if (!of)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = groups_domains(w->table.dataset, of, &count, err);
    uint8_t *fold_of = ARENA_ARRAY(w->scratch, count + 1, uint8_t);
    if (status == OK)
        status = fold_of ? deal_groups(of, rows, count, UNSEEN_FOLDS, fold_of, err)
                         : error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        folds[i] = of[i] != DEAL_NONE ? fold_of[of[i]] : w->table.folds[i] % UNSEEN_FOLDS;
    *ret_domains = count;
    return OK;
}

/* Whether every fold leaves enough to train on: half of the rows, and outcomes of each expert. */
static bool can_train(const struct train_work *w, const uint8_t *folds)
{
    const struct train_table *t = &w->table;
    for (uint8_t fold = 0; fold < UNSEEN_FOLDS; fold++) {
        size_t left = 0;
        for (size_t i = 0; i < t->rows; i++)
            left += folds[i] != fold;
        if (left * 2 < t->rows || left < TRAIN_ROWS_MIN)
            return false;
        for (size_t e = 0; e < t->experts; e++) {
            size_t known = 0;
            for (size_t i = 0; i < t->rows; i++)
                known += folds[i] != fold && t->scores[i * t->experts + e] >= 0;
            if (!known)
                return false;
        }
    }
    return true;
}

static void estimate(const struct train_work *w, const struct predictor *p, size_t row,
                     struct unseen *to)
{
    float in[EXPERTS_MAX], out[EXPERTS_MAX], spread;
    struct guard_view seen;
    struct features f = {.characters = (uint32_t)w->table.characters[row],
                         .scripts = w->table.scripts[row]};
    train_table_said(&w->table, row, f.said);
    predictor_run(p, &f, to->quality + row * w->table.experts, in, out, &spread, &seen);
    predictor_newness(p, &f, &to->novelty[row], &to->entropy[row]);
}

/* The sources of the base stage read the first encoders of either model, in the same order. */
static enum status run_fold(struct train_work *w, uint8_t fold, struct unseen *to,
                            struct error *err)
{
    struct train_options options = *w->options;
    struct dataset *part = NULL;
    struct trained *trained = NULL;
    size_t count = 0;
    options.experts = w->table.expert;
    options.expert_count = w->table.experts;
    options.late_count = 0;
    options.answers = NULL;
    options.progress = NULL;
    for (size_t i = 0; i < w->table.rows; i++)
        if (to->folds[i] != fold)
            w->order[count++] = (uint32_t)i;
    enum status status = dataset_subset(w->table.dataset, w->order, count, &part, err);
    if (status == OK)
        status = train_run(part, &options, &trained, err);
    if (status == OK)
        trained->parts.predictor.guard.kinds = 0; /* which stands behind the blend */
    for (size_t i = 0; status == OK && i < w->table.rows; i++)
        if (to->folds[i] == fold)
            estimate(w, &trained->parts.predictor, i, to);
    trained_free(trained);
    dataset_free(part);
    return status;
}

enum status train_unseen(struct train_work *w, struct unseen *ret, struct error *err)
{
    size_t rows = w->table.rows, domains = 0;
    struct unseen u = {.folds = ARENA_ARRAY(w->scratch, rows, uint8_t),
                       .quality = ARENA_ARRAY(w->scratch, rows * w->table.experts, float),
                       .novelty = ARENA_ARRAY(w->scratch, rows, float),
                       .entropy = ARENA_ARRAY(w->scratch, rows, float)};
    if (!u.folds || !u.quality || !u.novelty || !u.entropy)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = deal_rows(w, u.folds, &domains, err);
    if (status != OK)
        return status;
    *ret = u;
    if (domains < UNSEEN_FOLDS || !can_train(w, u.folds)) {
        ret->folds = NULL;
        return OK;
    }
    for (uint8_t fold = 0; fold < UNSEEN_FOLDS && status == OK; fold++) {
        status = run_fold(w, fold, &u, err);
        train_report(w);
    }
    return status;
}
