/* Features → estimates; see predictor.h for the stages. There is no state but the predictor, and no failure: any
 * thread may run it, and whatever numbers a forged model holds, what comes out are probabilities and bounded tokens.
 * It allocates nothing; a gateway runs it for each request, so its loops are over experts, not over what a model
 * might have. Training calls the stages one by one and must get what predictor_run gets, bit for bit. */
#include "predict/predictor.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"

/* The experts' common level: the mean of those that it was learnt with. */
static float level(const struct predictor *p, const float *x)
{
    float sum = 0;
    if (p->counted == p->experts)
        for (size_t e = 0; e < p->experts; e++)
            sum += x[e];
    else
        for (size_t e = 0; e < p->experts; e++)
            sum += p->apart[e] ? 0 : x[e];
    return p->counted ? sum / (float)p->counted : 0;
}

static float project(const float *x, const float *direction, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * direction[i];
    return sum;
}

bool predictor_layout(struct predictor *p)
{
    CHECK(p->encoder_count <= ENCODERS_MAX && p->source_count + p->late_count <= SOURCES_MAX);
    p->statistics = p->facts = p->counted = 0;
    for (size_t e = 0; e < p->experts; e++)
        p->counted += !p->apart[e];
    p->entropy_at = p->length_source = NOWHERE;
    for (size_t i = 0; i < p->encoder_count; i++)
        p->statistics += p->encoders[i]->statistics;
    size_t first = p->statistics + p->source_count;
    for (size_t s = 0; s < p->source_count; s++) {
        const struct source *source = &p->sources[s];
        CHECK(source->ops->facts <= SOURCE_FACTS_MAX && source->columns <= SOURCE_COLUMNS_MAX);
        if (source->ops->entropy_fact != NOWHERE && p->entropy_at == NOWHERE)
            p->entropy_at = first + p->facts + source->ops->entropy_fact;
        if (source->length_at != NOWHERE && p->length_source == NOWHERE)
            p->length_source = s;
        p->facts += source->ops->facts;
    }
    p->features = first + p->facts + p->source_count;
    return p->features <= FEATURES_MAX;
}

float *predictor_facts(const struct predictor *p, size_t source, float *features)
{
    float *at = features + p->statistics + p->source_count;
    for (size_t s = 0; s < source; s++)
        at += p->sources[s].ops->facts;
    return at;
}

void predictor_stack(const struct predictor *p, const struct source_view *v, float *features)
{
    for (size_t i = 0; i < p->encoder_count; i++) {
        size_t count = p->encoders[i]->statistics;
        if (v->said[i].silent)
            memset(features, 0, count * sizeof(*features));
        else
            memcpy(features, v->said[i].dense, count * sizeof(*features));
        features += count;
    }
    float *along = features + p->source_count + p->facts;
    for (size_t s = 0; s < p->source_count; s++) {
        features[s] = level(p, v->columns[s]);
        along[s] = project(v->columns[s], p->contrast, p->experts);
    }
}

void predictor_combine(const struct predictor *p, const float *const *x, size_t count,
                       const float *intercepts, const float *slopes, float *logits)
{
    float levels[SOURCES_MAX], common = 0;
    CHECK(count <= SOURCES_MAX);
    for (size_t k = 0; k < count; k++) {
        levels[k] = level(p, x[k]);
        common += slopes[LEVEL_SLOPES * k] * levels[k];
    }
    for (size_t e = 0; e < p->experts; e++) {
        float logit = intercepts[e] + common;
        for (size_t k = 0; k < count; k++)
            logit += slopes[LEVEL_SLOPES * k + 1] * (x[k][e] - levels[k]);
        logits[e] = logit;
    }
}

void predictor_calibrate(const struct predictor *p, const float *base, const float *corrections,
                         float *quality)
{
    static const float no_intercepts[EXPERTS_MAX];
    const float *const parts[] = {base, corrections};
    size_t experts = p->experts;
    const float *scales = p->calibration + CALIBRATION_SLOPES, *offsets = scales + experts;
    predictor_combine(p, parts, 2, no_intercepts, p->calibration, quality);
    for (size_t e = 0; e < experts; e++) {
        float q = fmath_sigmoid(scales[e] * quality[e] + offsets[e]);
        quality[e] = q >= 0 && q <= 1 ? q : 0; /* also a NaN out of a forged model */
    }
}

static float clamp_tokens(float tokens)
{
    return tokens >= 0 ? (tokens < TOKENS_MAX ? tokens : TOKENS_MAX) : 0;
}

double predictor_script_tokens(const struct predictor *p, size_t expert, const double *characters,
                               double slope)
{
    const float *learnt = p->scripts ? p->scripts + expert * SCRIPTS : NULL;
    double more = 0;
    for (size_t s = 0; learnt && s < SCRIPTS; s++)
        if (learnt[s] > 0)
            more +=
                characters[s] * ((double)learnt[s] - slope * (double)script_weight((enum script)s));
    return more;
}

static float script_tokens(const struct predictor *p, size_t expert,
                           const struct script_counts *scripts, float slope)
{
    double characters[SCRIPTS];
    if (!p->scripts)
        return 0;
    for (size_t s = 0; s < SCRIPTS; s++)
        characters[s] = (double)scripts->of[s];
    return (float)predictor_script_tokens(p, expert, characters, (double)slope);
}

/* By the expert's own parameters or, of output tokens, others t[TOKEN_PARAMETERS]. */
static void count_tokens(const struct predictor *p, size_t expert, const float *t, float characters,
                         const struct script_counts *scripts, float length, float *input_tokens,
                         float *output_tokens)
{
    float slope = t[TOKENS_IN_PER_CHARACTER];
    *input_tokens = clamp_tokens(t[TOKENS_IN_BASE] + slope * characters +
                                 script_tokens(p, expert, scripts, slope));
    float log_out = t[TOKENS_OUT_BASE] + t[TOKENS_OUT_LENGTH] * length +
                    t[TOKENS_OUT_LOG_CHARACTERS] * log1pf(characters);
    *output_tokens = clamp_tokens(t[TOKENS_OUT_SMEAR] * fmath_exp(log_out) - 1);
}

void predictor_tokens(const struct predictor *p, size_t expert, float characters,
                      const struct script_counts *scripts, float length, float *input_tokens,
                      float *output_tokens)
{
    count_tokens(p, expert, p->tokens + expert * TOKEN_PARAMETERS, characters, scripts, length,
                 input_tokens, output_tokens);
}

void predictor_usual_tokens(const struct predictor *p, size_t expert, size_t kind,
                            float *input_tokens, float *output_tokens)
{
    const struct guard *g = &p->guard;
    static const struct script_counts none;
    float log_characters = g->limits[GUARD_LOG_CHARACTERS];
    predictor_tokens(p, expert, fmath_exp(log_characters) - 1, &none, g->limits[GUARD_LENGTH],
                     input_tokens, output_tokens);
    *input_tokens = clamp_tokens(
        *input_tokens * fmath_exp(guard_kind(g, kind, GUARD_KIND_INPUT, p->experts, expert)));
    *output_tokens = clamp_tokens(
        *output_tokens * fmath_exp(guard_kind(g, kind, GUARD_KIND_OUTPUT, p->experts, expert)));
}

/* Of those that were learnt together: who was added later changes nothing for the others. */
static float mean_parameter(const struct predictor *p, enum token_parameter which)
{
    float sum = 0;
    for (size_t e = 0; e < p->experts; e++)
        sum += p->apart[e] ? 0 : p->tokens[e * TOKEN_PARAMETERS + which];
    return p->counted > 0 ? sum / (float)p->counted : 0;
}

/* Quality and output tokens of a text far from training, by the guard's shares. */
static void guard_run(const struct predictor *p, const struct features *f,
                      const struct guard_view *seen, float length, float *quality,
                      float *input_tokens, float *output_tokens)
{
    static const enum token_parameter slopes[] = {TOKENS_OUT_LENGTH, TOKENS_OUT_LOG_CHARACTERS};
    const float means[] = {p->guard.limits[GUARD_LENGTH], p->guard.limits[GUARD_LOG_CHARACTERS]};
    const float common[] = {mean_parameter(p, slopes[0]), mean_parameter(p, slopes[1])};
    for (size_t e = 0; e < p->experts; e++) {
        float t[TOKEN_PARAMETERS];
        memcpy(t, p->tokens + e * TOKEN_PARAMETERS, sizeof(t));
        for (size_t k = 0; k < 2; k++) {
            float change = seen->far * (common[k] - t[slopes[k]]);
            t[slopes[k]] += change;
            t[TOKENS_OUT_BASE] -= change * means[k];
        }
        float level =
            p->guard.levels[e] + guard_kind(&p->guard, seen->kind, GUARD_KIND_LEVEL, p->experts, e);
        quality[e] = guard_quality(seen->share, level, quality[e]);
        count_tokens(p, e, t, (float)f->characters, &f->scripts, length, &input_tokens[e],
                     &output_tokens[e]);
    }
}

/* Asks the sources in their order; columns [sources][SOURCE_COLUMNS_MAX]. Returns the novelty: what is new to any. */
static float ask_sources(const struct predictor *p, float (*columns)[SOURCE_COLUMNS_MAX],
                         struct source_view *v, float *features)
{
    float novelty = 0, *facts = predictor_facts(p, 0, features);
    for (size_t s = 0; s < p->source_count; s++) {
        const struct source *source = &p->sources[s];
        float fresh = source->ops->run(source, v, columns[s], facts);
        novelty = fresh > novelty ? fresh : novelty;
        v->columns[s] = columns[s];
        facts += source->ops->facts;
    }
    return novelty;
}

/* Asks the late sources in their order, each of which may be silent, and blends in what they say. */
static void blend(const struct predictor *p, float (*columns)[SOURCE_COLUMNS_MAX],
                  const struct source_view *v, float novelty, float entropy, float *quality)
{
    struct blend_view said = {.novelty = novelty, .entropy = entropy};
    for (size_t k = 0; k < p->late_count; k++) {
        const struct source *s = &p->sources[p->source_count + k];
        float *logits = columns[p->source_count + k], facts[SOURCE_FACTS_MAX];
        bool spoke = s->ops->run(s, v, logits, facts) != SOURCE_SILENT;
        said.logits[k] = spoke ? logits : NULL;
    }
    blend_run(p->blend, p->late_count, &said, p->experts, p->apart, quality);
}

/* The first source that tells groups apart. */
static const struct source *groups_of(const struct predictor *p)
{
    for (size_t s = 0; s < p->source_count; s++)
        if (p->sources[s].ops == &groups_source || p->sources[s].ops == &difficulty_source)
            return &p->sources[s];
    return NULL;
}

size_t predictor_groups(const struct predictor *p)
{
    const struct source *s = groups_of(p);
    if (!s)
        return 0;
    return s->ops == &groups_source ? ((const struct groups_head *)s->state)->groups
                                    : ((const struct difficulty_head *)s->state)->groups;
}

void predictor_posterior(const struct predictor *p, const struct features *f, float *posterior)
{
    float columns[SOURCES_MAX][SOURCE_COLUMNS_MAX], features[FEATURES_MAX], top, entropy;
    const struct source *s = groups_of(p);
    struct source_view v = {.said = f->said};
    struct difficulty_said said;
    if (s && s->ops == &difficulty_source) {
        difficulty_say(s->state, &f->said[s->encoder], &said);
        memcpy(posterior, said.posterior, predictor_groups(p) * sizeof(*posterior));
    } else if (s) {
        ask_sources(p, columns, &v, features);
        groups_posterior(columns[s->of] + p->experts, predictor_groups(p), posterior, &top,
                         &entropy);
    }
}

void predictor_newness(const struct predictor *p, const struct features *f, float *ret_novelty,
                       float *ret_entropy)
{
    float columns[SOURCES_MAX][SOURCE_COLUMNS_MAX], features[FEATURES_MAX];
    struct source_view v = {.said = f->said};
    *ret_novelty = ask_sources(p, columns, &v, features);
    *ret_entropy = p->entropy_at == NOWHERE ? 0 : features[p->entropy_at];
}

void predictor_run(const struct predictor *p, const struct features *f, float *quality,
                   float *input_tokens, float *output_tokens, float *spread,
                   struct guard_view *seen)
{
    size_t experts = p->experts;
    float columns[SOURCES_MAX][SOURCE_COLUMNS_MAX], features[FEATURES_MAX];
    float base[EXPERTS_MAX], corrections[EXPERTS_MAX] = {0};
    struct source_view v = {.said = f->said};
    CHECK(p->features <= FEATURES_MAX);
    float novelty = ask_sources(p, columns, &v, features);
    predictor_stack(p, &v, features);
    predictor_combine(p, v.columns, p->source_count, p->base, p->base + experts, base);
    forest_predict(&p->forest, features, corrections);
    predictor_calibrate(p, base, corrections, quality);
    float entropy = p->entropy_at == NOWHERE ? 0 : features[p->entropy_at];
    if (p->late_count)
        blend(p, columns, &v, novelty, entropy, quality);
    *spread = spread_share(p->spread, level(p, quality), entropy, novelty);
    size_t at = p->length_source;
    float length = at == NOWHERE ? 0 : columns[at][p->sources[at].length_at];
    for (size_t e = 0; e < experts; e++)
        predictor_tokens(p, e, (float)f->characters, &f->scripts, length, &input_tokens[e],
                         &output_tokens[e]);
    guard_look(&p->guard, features, novelty, seen);
    *spread = spread_widen(*spread, seen->far);
    if (seen->share > 0)
        guard_run(p, f, seen, length, quality, input_tokens, output_tokens);
}
