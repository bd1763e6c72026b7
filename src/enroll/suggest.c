/* See suggest.h. What an outcome tells of a newcomer's log-odds is p (1 − p), p being the chance that is believed, so
 * questions that look open are worth more than those that everybody answers, or nobody. But the most telling by the
 * model alone are where a newcomer is least like others, and the model least right: a batch of these was worse than one
 * at random. So a batch is drawn as all questions are: they are laid in a row, group by group and in a group by their
 * chance, and picked at equal distances, where an open question takes more room, the root of what it tells. One thread,
 * in the caller's arena. */
#include "enroll/suggest.h"

#include <math.h>
#include <stdlib.h>

#include "enroll/standing_terms.h"

struct design {
    struct seen seen;
    const struct enroll_row *rows;
    size_t count;      /* rows */
    bool *open;        /* [count] may be picked */
    struct laid *laid; /* [laid_count] of them, in their row */
    size_t laid_count;
};

struct laid {
    size_t group;
    double chance, room;
    uint32_t row;
};

static int compare_laid(const void *a, const void *b)
{
    const struct laid *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->chance != y->chance)
        return x->chance < y->chance ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static size_t group_of(const struct seen *s, size_t row)
{
    size_t best = 0;
    for (size_t g = 1; g < s->groups; g++)
        if (s->posterior[row * s->groups + g] > s->posterior[row * s->groups + best])
            best = g;
    return best;
}

static enum status lay(struct design *d, const struct standing_terms *t,
                       const struct enroll_belief *belief, struct arena *a, struct error *err)
{
    double share[MODEL_EXPERTS_MAX], *mean = ARENA_ARRAY(a, 2 * t->count, double);
    d->laid = ARENA_ARRAY(a, d->count + 1, struct laid);
    if (!mean || !d->laid)
        return error_set(err, ERR_MEMORY, "out of memory");
    standing_share(t, belief, belief->accuracy, share);
    standing_believe(t, belief, share, mean, mean + t->count);
    for (size_t i = 0; i < d->count; i++) {
        double p = seen_sigmoid(standing_logit(t, mean, t->x + i * t->count));
        if (d->open[i])
            d->laid[d->laid_count++] =
                (struct laid){group_of(&d->seen, i), p, sqrt(p * (1 - p)), (uint32_t)i};
    }
    qsort(d->laid, d->laid_count, sizeof(*d->laid), compare_laid);
    return OK;
}

static size_t greatest_divisor(size_t a, size_t b)
{
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* At equal distances of room; whoever asks only the first of them has such a batch, too, so they stand in leaps. */
static size_t pick(const struct design *d, size_t want, uint32_t *picks)
{
    double all = 0, at = 0;
    size_t n = want < d->laid_count ? want : d->laid_count, found = 0, leap = 1;
    for (size_t i = 0; i < d->laid_count; i++)
        all += d->laid[i].room;
    while (leap < n && (5 * leap < 3 * n || greatest_divisor(leap, n) > 1))
        leap++;
    for (size_t i = 0; i < d->laid_count && found < n; i++) {
        at += d->laid[i].room;
        bool due = at * (double)n > ((double)found + 0.5) * all;
        if (due || d->laid_count - i <= n - found)
            picks[found++ * leap % n] = d->laid[i].row;
    }
    return found;
}

struct text_place {
    uint64_t hash;
    uint32_t row;
};

static int compare_texts(const void *a, const void *b)
{
    const struct text_place *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* What may be picked: once each text, none that was answered. */
static enum status open_rows(struct design *d, const bool *may_ask, struct arena *a,
                             struct error *err)
{
    struct text_place *texts = ARENA_ARRAY(a, d->count + 1, struct text_place);
    if (!texts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < d->count; i++)
        texts[i] = (struct text_place){d->rows[i].text_hash, (uint32_t)i};
    qsort(texts, d->count, sizeof(*texts), compare_texts);
    for (size_t i = 0, first = 0; i < d->count; i++) {
        first = i && texts[i].hash && texts[i].hash == texts[i - 1].hash ? first : i;
        size_t row = texts[i].row;
        d->open[row] = first == i && d->rows[row].score < 0 && (!may_ask || may_ask[row]);
        if (d->rows[row].score >= 0)
            d->open[texts[first].row] = false;
    }
    return OK;
}

enum status enroll_suggest(const struct model *m, const struct enroll_belief *belief,
                           const struct enroll_row *rows, size_t count, const bool *may_ask,
                           size_t want, struct arena *a, uint32_t *picks, size_t *ret_count,
                           struct error *err)
{
    struct design d = {.rows = rows, .count = count, .open = ARENA_ARRAY(a, count + 1, bool)};
    struct standing_terms terms;
    if (!d.open)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = seen_make(m, rows, count, SEEN_HELD_OUT, a, &d.seen, err);
    if (status == OK)
        status = standing_make(m, &d.seen, a, &terms, err);
    if (status == OK)
        status = open_rows(&d, may_ask, a, err);
    if (status == OK)
        status = lay(&d, &terms, belief, a, err);
    if (status == OK)
        *ret_count = pick(&d, want, picks);
    return status;
}
