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

void model_parts_estimate(const struct model_parts *p, const struct features *f,
                          struct estimate *estimates)
{
    float quality[EXPERTS_MAX], in[EXPERTS_MAX], out[EXPERTS_MAX], spread;
    predictor_run(&p->predictor, f, quality, in, out, &spread);
    for (size_t i = 0; i < p->listed; i++) {
        size_t e = p->column[i];
        estimates[i] = (struct estimate){
            .quality = quality[e], .input_tokens = in[e], .output_tokens = out[e]};
        estimates[i].cost_nano_usd = model_cost_nano_usd(&p->experts[e].price, &estimates[i]);
        estimates[i].cost_max_nano_usd = estimates[i].cost_nano_usd;
    }
    plan_set_estimate(&p->plans, estimates, estimates + p->listed);
    for (size_t i = 0; i < p->listed + p->plans.count; i++)
        estimates[i].quality_sd = spread_quality_sd(spread, estimates[i].quality);
}
