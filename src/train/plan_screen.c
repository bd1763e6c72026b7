/* Choosing candidates without learning anything: see plan_screen.h. */
#include "train/plan_screen.h"

#define SCREEN_EXPERTS_MAX 6     /* experts among which combinations are sought */
#define SCREEN_SHARE_MIN   0.01f /* those come first to which routing among singles sends as much */

static double mean_score(const struct plan_rows *r, size_t e)
{
    double sum = 0, count = 0;
    for (size_t row = 0; row < r->rows; row++) {
        const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[e]);
        sum += o->known ? (double)o->score : 0;
        count += o->known;
    }
    return count > 0 ? sum / count : 0;
}

/* Mean recorded cost. */
static double mean_cost_usd(const struct plan_rows *r, size_t e)
{
    double sum = 0, count = 0;
    for (size_t row = 0; row < r->rows; row++) {
        const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[e]);
        sum += o->cost_known ? (double)o->cost_nano_usd / (double)NANO_PER_USD : 0;
        count += o->cost_known;
    }
    return count > 0 ? sum / count : 0;
}

struct screened {
    double score[DATASET_EXPERTS_MAX], cost_usd[DATASET_EXPERTS_MAX];
    bool taken[DATASET_EXPERTS_MAX];
};

/* The expert not yet taken that most lambdas would rather ask always than any other such; SIZE_MAX when none is left.
 * Routing may pass over a second opinion that is as good as the first. */
static size_t screen_next(const struct plan_rows *r, const struct plan_value *v,
                          const struct screened *x)
{
    size_t votes[DATASET_EXPERTS_MAX] = {0}, winner = SIZE_MAX;
    for (size_t l = 0; l < PLAN_LAMBDAS; l++) {
        size_t best = SIZE_MAX;
        double most = 0;
        for (size_t e = 0; e < r->experts; e++) {
            double utility = x->score[e] - v->lambdas[l] * x->cost_usd[e];
            if (!x->taken[e] && (best == SIZE_MAX || utility > most)) {
                best = e;
                most = utility;
            }
        }
        if (best != SIZE_MAX)
            votes[best]++;
    }
    for (size_t e = 0; e < r->experts; e++)
        if (votes[e] && (winner == SIZE_MAX || votes[e] > votes[winner]))
            winner = e;
    return winner;
}

size_t plan_screen_experts(const struct plan_rows *r, const struct plan_value *v, size_t max,
                           size_t *chosen)
{
    size_t n = 0, experts = r->experts;
    struct screened x = {.taken = {false}};
    for (size_t e = 0; e < experts; e++) {
        x.score[e] = mean_score(r, e);
        x.cost_usd[e] = mean_cost_usd(r, e);
    }
    while (n < max && n < experts) {
        size_t next = SIZE_MAX;
        for (size_t e = 0; e < experts; e++)
            if (!x.taken[e] && v->shares[e] >= SCREEN_SHARE_MIN &&
                (next == SIZE_MAX || v->shares[e] > v->shares[next]))
                next = e;
        if (next == SIZE_MAX)
            next = screen_next(r, v, &x);
        if (next == SIZE_MAX)
            break;
        x.taken[next] = true;
        size_t at = n++;
        for (; at > 0 && x.score[chosen[at - 1]] > x.score[next]; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = next;
    }
    return n;
}

static struct plan combine(enum plan_kind kind, size_t a, size_t b, size_t c)
{
    bool panel = kind == PLAN_PANEL;
    return (struct plan){.kind = kind,
                         .rule = PLAN_TRUST,
                         .member_count = panel ? 3 : 2,
                         .members = {a, b, panel ? c : 0}};
}

size_t plan_screen(const struct plan_rows *r, const struct plan_value *v, struct plan *candidates,
                   size_t max)
{
    size_t e[SCREEN_EXPERTS_MAX], experts, n = 0;
    experts = plan_screen_experts(r, v, SCREEN_EXPERTS_MAX, e);
    for (size_t c = 0; c < experts; c++)
        for (size_t b = 0; b < c; b++) {
            if (n < max)
                candidates[n++] = combine(PLAN_CASCADE, e[b], e[c], 0);
            for (size_t a = 0; a < b && n < max; a++)
                candidates[n++] = combine(PLAN_PANEL, e[a], e[b], e[c]);
        }
    return n;
}
