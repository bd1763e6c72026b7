/* Estimates of a model, whether it was loaded or just trained. */
#include "predict/model_parts.h"

#include "base/check.h"

void model_parts_list(struct model_parts *p)
{
    CHECK(p->predictor.experts <= EXPERTS_MAX);
    p->listed = 0;
    for (size_t e = 0; e < p->predictor.experts; e++) {
        p->predictor.apart[e] = p->experts[e].apart;
        if (!p->experts[e].hidden)
            p->column[p->listed++] = (uint16_t)e;
    }
}

enum status model_parts_level(struct model_parts *p, struct arena *a, struct error *err)
{
    float *levels = ARENA_ARRAY(a, p->predictor.experts, float);
    if (!levels)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < p->predictor.experts; e++)
        levels[e] = guard_level(p->experts[e].accuracy);
    p->predictor.guard.levels = levels;
    return OK;
}

/* Far from training a plan is as good as it was on average, too; of a kind that little is known of, what its members
 * are tells. */
static void guard_plans(const struct plan_set *s, float far, struct estimate *plans)
{
    for (size_t k = 0; k < s->count && far > 0; k++)
        plans[k].quality =
            guard_quality(far, guard_level(s->records[k].accuracy), plans[k].quality);
}

/* What a decision weighs of the experts' costs far from training. All that were learnt together tell, the hidden ones,
 * too, so that nobody's costs are weighed otherwise because another was added or taken out. in[], out[]: tokens, by
 * column. */
static void guard_costs(const struct model_parts *p, const struct guard_view *seen, const float *in,
                        const float *out, struct estimate *listed)
{
    int64_t costs[EXPERTS_MAX], usual[EXPERTS_MAX], weighed[EXPERTS_MAX];
    const struct predictor *by = &p->predictor;
    for (size_t e = 0; e < by->experts; e++) {
        struct estimate tokens = {.input_tokens = in[e], .output_tokens = out[e]};
        costs[e] = model_cost_nano_usd(&p->experts[e].price, &tokens);
        predictor_usual_tokens(by, e, seen->kind, &tokens.input_tokens, &tokens.output_tokens);
        usual[e] = model_cost_nano_usd(&p->experts[e].price, &tokens);
    }
    guard_weigh(seen->share, costs, usual, by->apart, by->experts, weighed);
    for (size_t i = 0; i < p->listed; i++)
        listed[i].unweighed_nano_usd = costs[p->column[i]] - weighed[p->column[i]];
}

void model_parts_estimate(const struct model_parts *p, const struct features *f,
                          struct estimate *estimates)
{
    float quality[EXPERTS_MAX], in[EXPERTS_MAX], out[EXPERTS_MAX], spread;
    struct guard_view seen;
    predictor_run(&p->predictor, f, quality, in, out, &spread, &seen);
    for (size_t i = 0; i < p->listed; i++) {
        size_t e = p->column[i];
        estimates[i] = (struct estimate){.quality = quality[e],
                                         .unfamiliar = seen.share,
                                         .input_tokens = in[e],
                                         .output_tokens = out[e]};
        estimates[i].cost_nano_usd = model_cost_nano_usd(&p->experts[e].price, &estimates[i]);
        estimates[i].cost_max_nano_usd = estimates[i].cost_nano_usd;
    }
    if (seen.share > 0)
        guard_costs(p, &seen, in, out, estimates);
    plan_set_estimate(&p->plans, estimates, estimates + p->listed);
    guard_plans(&p->plans, seen.far, estimates + p->listed);
    for (size_t i = 0; i < p->listed + p->plans.count; i++) {
        estimates[i].unfamiliar = seen.share;
        estimates[i].quality_sd = spread_quality_sd(spread, estimates[i].quality);
    }
}
