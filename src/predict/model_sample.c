/* The sample by which policies are calibrated, at other prices than the trained ones: what each expert would take in
 * and put out is reckoned from the text's length as for any text, so that costs follow prices exactly. Slow for what it
 * is, a pass over all rows and arms: when a pool is made, not for each request. */
#include "base/check.h"
#include "predict/model_int.h"

bool model_sample_tokens(const struct model_parts *p, const struct predictor *by, size_t column,
                         size_t row, struct estimate *into)
{
    struct script_counts scripts = {{0}};
    if (!p->sample_text)
        return false;
    const float *text = p->sample_text + row * p->sample_text_width;
    for (size_t s = 0; SAMPLE_TEXT + s < p->sample_text_width; s++) {
        float characters = text[SAMPLE_TEXT + s];
        scripts.of[s] = characters > 0 && characters < 1e15f ? (uint64_t)characters : 0;
    }
    predictor_tokens(by, column, text[SAMPLE_TEXT_CHARACTERS], &scripts, text[SAMPLE_TEXT_LENGTH],
                     &into->input_tokens, &into->output_tokens);
    return true;
}

static bool costs_the_same(const struct price *a, const struct price *b)
{
    return a->input_nano_usd_per_m == b->input_nano_usd_per_m &&
           a->output_nano_usd_per_m == b->output_nano_usd_per_m;
}

/* In proportion to what its tokens cost at either price, so that what the sample has of an expert that was added by
 * other means than training changes as prices do. */
static double repriced(const struct model_parts *p, size_t row, size_t column,
                       const struct price *price, double usd)
{
    struct estimate tokens = {0};
    if (!model_sample_tokens(p, &p->predictor, column, row, &tokens))
        tokens.input_tokens = tokens.output_tokens = 1000; /* it takes in as much as it puts out */
    double before = (double)model_cost_nano_usd(&p->experts[column].price, &tokens);
    double now = (double)model_cost_nano_usd(price, &tokens);
    return before > 0 ? usd * now / before : now / (double)NANO_PER_USD;
}

/* An expert's estimate of a row, as the sample has it, at its price now. */
static struct estimate single(const struct model_parts *p, const struct price *price, size_t row,
                              size_t expert)
{
    size_t arms = p->listed + p->plans.count, column = p->column[expert];
    double usd = (double)p->sample_cost_usd[row * arms + expert];
    struct estimate e = {.quality = p->sample_quality[row * arms + expert]};
    if (!costs_the_same(price, &p->experts[column].price))
        usd = repriced(p, row, column, price, usd);
    usd = usd > 0 ? usd : 0; /* also a NaN out of a forged model */
    e.cost_nano_usd = usd < 9e9 ? (int64_t)(usd * (double)NANO_PER_USD + 0.5) : INT64_MAX;
    e.cost_max_nano_usd = e.cost_nano_usd;
    return e;
}

bool model_sample_is_repriced(const struct model *m, const struct price *prices)
{
    for (size_t e = 0; e < m->parts.listed; e++)
        if (!costs_the_same(&prices[e], &m->parts.experts[m->parts.column[e]].price))
            return true;
    return false;
}

void model_sample_price(const struct model *m, const struct price *prices, float *cost_usd)
{
    const struct model_parts *p = &m->parts;
    struct estimate arms[MODEL_ARMS_MAX] = {{0}};
    CHECK(m->arm_count == p->listed + p->plans.count);
    for (size_t row = 0; row < p->sample; row++) {
        for (size_t e = 0; e < p->listed; e++)
            arms[e] = single(p, &prices[e], row, e);
        plan_set_estimate(&p->plans, arms, arms + p->listed);
        for (size_t i = 0; i < m->arm_count; i++)
            cost_usd[row * m->arm_count + i] =
                (float)((double)arms[i].cost_nano_usd / (double)NANO_PER_USD);
    }
}
