/* Counting over the choices at a place on the curve: see report_verified.h. */
#include "eval/report_verified.h"

#include <math.h>

/* Sums, each query by how much it counts. */
struct tally {
    double calls, checked, passed, wrong, down;
};

static void count(const struct eval_table *t, size_t q, size_t column, double weight,
                  struct tally *to)
{
    if (!eval_is_plan(t, column)) {
        to->calls += weight;
        return;
    }
    const struct eval_run *run = eval_plan_run(t, q, column);
    to->calls += weight * __builtin_popcount(run->calls);
    if (t->plans[column].kind != PLAN_VERIFIED)
        return;
    to->checked += weight;
    if (run->check == PLAN_PASSED) {
        to->passed += weight;
        to->wrong += weight * (1 - (double)eval_outcome(t, q, column)->score);
    }
    to->down += run->check == PLAN_CHECK_DOWN ? weight : 0;
}

struct verified_point verified_at(const struct curve *c, const struct curve_cut *cut,
                                  uint32_t *choices)
{
    const struct eval_table *t = c->table;
    struct tally sum = {0};
    double n = (double)t->queries;
    curve_choices(c, cut->steps, choices);
    for (size_t q = 0; q < t->queries; q++)
        count(t, q, choices[q], 1, &sum);
    if (cut->share > 0) {
        const struct curve_step *next = &c->steps[cut->steps];
        count(t, next->query, choices[next->query], -cut->share, &sum);
        count(t, next->query, next->to, cut->share, &sum);
    }
    return (struct verified_point){.calls = sum.calls / n,
                                   .checked = sum.checked / n,
                                   .passed = sum.passed / n,
                                   .wrong = sum.passed > 0 ? sum.wrong / sum.passed : NAN,
                                   .down = sum.down / n};
}
