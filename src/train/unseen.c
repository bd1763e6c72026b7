/* Estimates of whole domains held out: see unseen.h. Each fold's model is trained as any other, on a part of the data
 * set, so that what it says of an unseen domain is what its user would get. Folds of domains are balanced by their
 * rows, the largest domain first, and hang on nothing but the data. It runs on the thread that trains, between two
 * stages of a training, takes several times as long as one, and must not be called from within itself: the trainings
 * that it starts have no late sources. */
#include "train/unseen.h"

#include <stdlib.h>
#include <string.h>

#include "data/subset.h"
#include "train/groups.h"

struct domain {
    size_t number, rows;
    uint8_t fold;
};

static int compare_sizes(const void *a, const void *b)
{
    const struct domain *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows < y->rows ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct domain *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Each domain, the largest first, into the fold that has the fewest rows. */
static void deal(struct domain *domains, size_t count)
{
    size_t filled[UNSEEN_FOLDS] = {0};
    qsort(domains, count, sizeof(*domains), compare_sizes);
    for (size_t i = 0; i < count; i++) {
        size_t least = 0;
        for (size_t f = 1; f < UNSEEN_FOLDS; f++)
            least = filled[f] < filled[least] ? f : least;
        domains[i].fold = (uint8_t)least;
        filled[least] += domains[i].rows;
    }
    qsort(domains, count, sizeof(*domains), compare_numbers);
}

/* Who has no domain goes with its text. */
static enum status deal_rows(const struct train_work *w, uint8_t *folds, size_t *ret_domains,
                             struct error *err)
{
    size_t rows = w->table.rows, count = 0;
    uint32_t *of = ARENA_ARRAY(w->scratch, rows, uint32_t);
    if (!of)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = groups_domains(w->table.dataset, of, &count, err);
    struct domain *domains = ARENA_ARRAY(w->scratch, count + 1, struct domain);
    if (status != OK || !domains)
        return status != OK ? status : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t d = 0; d < count; d++)
        domains[d] = (struct domain){.number = d};
    for (size_t i = 0; i < rows; i++)
        if (of[i] != UINT32_MAX)
            domains[of[i]].rows++;
    deal(domains, count);
    for (size_t i = 0; i < rows; i++)
        folds[i] = of[i] != UINT32_MAX ? domains[of[i]].fold : w->table.folds[i] % UNSEEN_FOLDS;
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
    float in[EXPERTS_MAX], out[EXPERTS_MAX], spread, unfamiliar;
    struct features f = {.characters = (uint32_t)w->table.characters[row],
                         .scripts = w->table.scripts[row]};
    train_table_said(&w->table, row, f.said);
    predictor_run(p, &f, to->quality + row * w->table.experts, in, out, &spread, &unfamiliar);
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
