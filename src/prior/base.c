/* Using the base model: see base.h. */
#include "prior/base.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "encode/ngram_encoder.h"

double base_blend_usd(const struct price *p)
{
    return (3 * (double)p->input_nano_usd_per_m + (double)p->output_nano_usd_per_m) / 4e9;
}

double base_price_usd(const struct price *p)
{
    double usd = base_blend_usd(p);
    return usd > BASE_PRICE_MIN ? usd : BASE_PRICE_MIN;
}

double base_strength_by_price(const struct base *b, const struct price *p)
{
    return b->price[0] + b->price[1] * log(base_price_usd(p));
}

void base_family(const struct base *b, double strength, double *parameters)
{
    for (size_t k = 0; k < base_parameters(b); k++)
        parameters[k] = b->family[0][k] + b->family[1][k] * strength;
}

double base_logit(const struct base *b, const double *parameters, const float *row)
{
    double logit = parameters[0] + parameters[1] * (double)row[0];
    for (size_t g = 0; g < b->head.groups; g++)
        logit += parameters[DIFFICULTY_PARAMETERS + g] * (double)row[1 + g];
    return logit;
}

enum status base_say(const struct base *b, struct str text, struct features *f, float *row,
                     struct error *err)
{
    static const struct encoder *const encoders[] = {&ngram_encoder};
    struct difficulty_said said;
    float features[FEATURES_MAX] = {0}, correction = 0;
    enum status status = features_encode(f, encoders, 1, text, err);
    if (status != OK)
        return status;
    difficulty_say(&b->head, &f->said[0], &said);
    /* as predictor_layout has it for one source: statistics, its mean, its facts */
    memcpy(features, f->said[0].dense, NGRAM_STATS * sizeof(*features));
    memcpy(features + NGRAM_STATS + 1, said.facts, difficulty_source.facts * sizeof(*features));
    forest_predict(&b->forest, features, &correction);
    row[0] = said.difficulty + correction;
    memcpy(row + 1, said.posterior, b->head.groups * sizeof(*row));
    row[1 + b->head.groups] = (float)f->characters;
    row[2 + b->head.groups] = said.length;
    return OK;
}
