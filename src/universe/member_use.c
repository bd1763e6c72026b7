/* See member_use.h. One walk over the questions finds, for each, the best member and the next best: what the first has
 * over the second is lost without it, and what another candidate has over the first is gained with it. One thread; a
 * walk over 256 candidates and 10,000 questions takes milliseconds, all pairs of them half a second. */
#include "universe/member_use.h"

#include <math.h>

struct top {
    size_t member; /* the best on a question; SIZE_MAX: nobody has any of it */
    int best, next;
};

static struct top top_of(const uint16_t *scores, const size_t *members, size_t count)
{
    struct top t = {SIZE_MAX, 0, 0};
    for (size_t i = 0; i < count; i++) {
        int score = scores[members[i]];
        if (score > t.best) {
            t.next = t.best;
            t.best = score;
            t.member = members[i];
        } else if (score > t.next) {
            t.next = score;
        }
    }
    return t;
}

/* Adds what one question says of a candidate, in units. */
static void use_add(const struct candidates *c, struct candidate_use *u, size_t row, int units)
{
    if (units <= 0)
        return;
    u->worth += units;
    u->worth_error += (double)units * units;
    u->alone += 1;
    if (c->domains)
        u->domain_worth[c->domain_of[row]] += units;
}

static void walk(const struct coverage *v, const size_t *members, size_t count,
                 struct candidate_use *uses)
{
    const struct candidates *c = v->c;
    for (size_t r = 0; r < v->row_count; r++) {
        const uint16_t *scores = c->scores + v->rows[r] * c->count;
        struct top top = top_of(scores, members, count);
        if (top.member != SIZE_MAX)
            use_add(c, &uses[top.member], v->rows[r], top.best - top.next);
        for (size_t i = 0; i < c->count; i++)
            if (!uses[i].member)
                use_add(c, &uses[i], v->rows[r], scores[i] - top.best);
    }
}

enum status domain_sizes(const struct coverage *v, struct arena *a, size_t **ret, struct error *err)
{
    size_t *sizes = ARENA_ARRAY(a, v->c->domains + 1, size_t);
    if (!sizes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t r = 0; v->c->domains && r < v->row_count; r++)
        sizes[v->c->domain_of[v->rows[r]]]++;
    *ret = sizes;
    return OK;
}

/* Of a mean, from the mean of the squares. */
static double error_of(double mean, double square, double n)
{
    return n > 1 ? sqrt(fmax(square - mean * mean, 0) / (n - 1)) : INFINITY;
}

/* From sums of units to means. */
static void scale(const struct coverage *v, const size_t *sizes, struct candidate_use *u)
{
    double n = (double)v->row_count;
    u->worth /= SCORE_ONE * n;
    u->worth_error = error_of(u->worth, u->worth_error / n / SCORE_ONE / SCORE_ONE, n);
    u->alone /= n;
    for (size_t i = 0; i < v->c->domains; i++)
        u->domain_worth[i] /= sizes[i] ? SCORE_ONE * (double)sizes[i] : 1;
}

/* By how much `other` is better on the same questions, and the standard error of that. */
static void compare(const struct coverage *v, size_t candidate, size_t other, double *mean,
                    double *error)
{
    int64_t sum = 0, squares = 0;
    double n = (double)v->row_count;
    for (size_t r = 0; r < v->row_count; r++) {
        const uint16_t *scores = v->c->scores + v->rows[r] * v->c->count;
        int64_t difference = scores[other] - scores[candidate];
        sum += difference;
        squares += difference * difference;
    }
    *mean = (double)sum / n / SCORE_ONE;
    *error = error_of(*mean, (double)squares / n / SCORE_ONE / SCORE_ONE, n);
}

static void find_dominating(const struct coverage *v, size_t candidate, struct candidate_use *u)
{
    const struct candidates *c = v->c;
    double most = 0;
    u->dominated_by = SIZE_MAX;
    if (!candidate_cost_known(c, candidate)) /* then nobody is known to cost no more */
        return;
    for (size_t i = 0; i < c->count; i++) {
        double mean, error;
        if (c->cost_nano_usd[i] > c->cost_nano_usd[candidate] || c->score[i] <= c->score[candidate])
            continue;
        compare(v, candidate, i, &mean, &error);
        double sure = mean - DOMINATED_ERRORS * error;
        if (sure <= most)
            continue;
        most = sure;
        u->dominated_by = i;
        u->behind = mean;
        u->behind_error = error;
    }
}

enum status member_uses(const struct coverage *v, const size_t *members, size_t count,
                        struct arena *a, struct candidate_use **ret, struct error *err)
{
    const struct candidates *c = v->c;
    struct candidate_use *uses = ARENA_ARRAY(a, c->count, struct candidate_use);
    double *domains = ARENA_ARRAY(a, c->count * (c->domains + 1), double);
    size_t *sizes;
    if (!uses || !domains)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = domain_sizes(v, a, &sizes, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < c->count; i++)
        uses[i].domain_worth = c->domains ? domains + i * c->domains : NULL;
    for (size_t i = 0; i < count; i++)
        uses[members[i]].member = true;
    walk(v, members, count, uses);
    for (size_t i = 0; i < c->count; i++) {
        scale(v, sizes, &uses[i]);
        find_dominating(v, i, &uses[i]);
    }
    *ret = uses;
    return OK;
}
