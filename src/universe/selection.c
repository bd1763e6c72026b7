/* Greedy, swaps and the exact search put together: see selection.h. */
#include "universe/selection.h"

#include <math.h>

/* The better of both greedy sets; without a limit of cost there is only one. */
static enum status greedy_better(const struct objective *o, const struct set_rules *rules,
                                 struct chosen_set *ret, struct error *err)
{
    struct chosen_set by_cost;
    enum status status = greedy_choose(o, rules, GREEDY_GAIN, o->submodular, ret, err);
    if (status != OK || rules->cost_max_nano_usd == INT64_MAX)
        return status;
    status = greedy_choose(o, rules, GREEDY_GAIN_PER_COST, o->submodular, &by_cost, err);
    if (status != OK)
        return status;
    size_t evaluations = ret->evaluations + by_cost.evaluations;
    if (chosen_value(&by_cost) > chosen_value(ret))
        *ret = by_cost;
    ret->evaluations = evaluations;
    return OK;
}

/* Whether all swaps once are no more work than the search was allowed. */
static bool swaps_are_cheap(const struct coverage *v, const struct chosen_set *set,
                            uint64_t work_max)
{
    uint64_t swaps = (uint64_t)(set->count + 1) * v->c->count;
    return swaps * set->count * v->row_count <= work_max;
}

enum status selection_by_coverage(const struct coverage *v, const struct set_rules *rules,
                                  const struct exact_options *options, struct selection *ret,
                                  struct error *err)
{
    struct objective o = coverage_objective(v);
    struct selection s = {.unit = o.unit};
    struct exact_end end;
    enum status status = greedy_better(&o, rules, &s.set, err);
    if (status == OK)
        status = exact_choose(v, rules, options, &s.set, &end, err);
    if (status == OK && !end.proved && swaps_are_cheap(v, &s.set, options->work_max))
        status = set_swap(&o, rules, &s.set, err);
    if (status != OK)
        return status;
    s.bound = end.bound;
    s.nodes = end.nodes;
    s.promise = end.bound <= chosen_value(&s.set) ? SELECTION_PROVED : SELECTION_BOUNDED;
    s.share = rules->cost_max_nano_usd == INT64_MAX && rules->keep_count == 0;
    *ret = s;
    return OK;
}

void selection_promise_add(const struct selection *s, struct buf *out)
{
    if (s->promise == SELECTION_PROVED) {
        buf_add_c(out, "optimal (proved)");
        return;
    }
    if (s->promise == SELECTION_NO_BOUND) {
        buf_add_c(out, "no bound");
        return;
    }
    buf_addf(out, "not proved to be the best; no set achieves more than %.2f %%",
             100 * s->bound * s->unit);
    if (s->share)
        buf_add_c(out, ", and greedy alone at least 63 % of the best one's (1 - 1/e)");
}
