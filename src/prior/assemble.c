/* A model out of the base and parameters: see assemble.h. All stages but the source say what they are given: the source
 * gives each expert's whole logit but for the trees' corrections, whose leaves are the base's times the expert's slope.
 * The bytes of a model file are made and read again, so that what serves was checked like any other model. That takes a
 * few copies of the base's weights in memory, for a moment, on the thread that calls: not one that serves. */
#include "prior/assemble.h"

#include <math.h>
#include <string.h>

#include "encode/ngram_encoder.h"
#include "train/model_edit.h"

#define ARENA_CAP ((size_t)256 << 20)

struct assembly {
    const struct base *b;
    const struct prior_expert *experts;
    const struct placed *placed;
    size_t count;
    struct arena *arena;
    struct model_parts parts;
};

static float *floats(struct assembly *s, size_t n, bool *good)
{
    float *p = ARENA_ARRAY(s->arena, n + 1, float);
    *good = *good && p;
    return p;
}

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory");
}

static enum status make_source(struct assembly *s, struct error *err)
{
    struct predictor *p = &s->parts.predictor;
    size_t n = base_parameters(s->b);
    bool good = true;
    struct difficulty_head *h = ARENA_NEW(s->arena, struct difficulty_head);
    float *experts = floats(s, n * s->count, &good);
    if (!h || !good)
        return no_memory(err);
    for (size_t e = 0; e < s->count; e++)
        for (size_t k = 0; k < n; k++)
            experts[k * s->count + e] = (float)s->placed[e].parameters[k];
    *h = s->b->head;
    h->experts = experts;
    p->experts = s->count;
    p->encoders[0] = &ngram_encoder;
    p->encoder_count = p->source_count = 1;
    p->sources[0] = (struct source){.ops = &difficulty_source,
                                    .name = STR("difficulty"),
                                    .of = NOWHERE,
                                    .experts = s->count,
                                    .columns = s->count + 1,
                                    .length_at = s->count,
                                    .state = h};
    return OK;
}

static enum status make_forest(struct assembly *s, struct error *err)
{
    const struct forest *f = &s->b->forest;
    bool good = true;
    float *leaves = floats(s, f->tree_count * TREE_LEAVES_MAX * s->count, &good);
    if (!good)
        return no_memory(err);
    for (size_t i = 0; i < f->tree_count * TREE_LEAVES_MAX; i++)
        for (size_t e = 0; e < s->count; e++)
            leaves[i * s->count + e] = f->leaves[i] * (float)s->placed[e].parameters[1];
    s->parts.predictor.forest = (struct forest){f->tree_count, s->count, f->trees, leaves};
    return OK;
}

/* Placing is one more doubt of a quality: sd · q (1 − q), taken as a share of q (1 − q) at the mean of that. */
static float placing_share(const struct assembly *s)
{
    double sum = 0;
    for (size_t e = 0; e < s->count; e++) {
        double q, sd;
        place_accuracy(s->b, &s->placed[e], &q, &sd);
        sum += s->placed[e].strength_sd * s->placed[e].strength_sd * q * (1 - q);
    }
    return (float)(sum / (double)s->count);
}

/* One piece, for it is a list of what each stage is given. */
static enum status make_stages(struct assembly *s, struct error *err)
{
    struct predictor *p = &s->parts.predictor;
    size_t e = s->count;
    bool good = true;
    float *base = floats(s, e + LEVEL_SLOPES, &good), *contrast = floats(s, e, &good),
          *calibration = floats(s, CALIBRATION_SLOPES + 2 * e, &good),
          *tokens = floats(s, e * TOKEN_PARAMETERS, &good),
          *spread = floats(s, SPREAD_TERMS, &good);
    if (!good)
        return no_memory(err);
    for (size_t k = 0; k < LEVEL_SLOPES; k++)
        base[e + k] = 1;
    for (size_t k = 0; k < CALIBRATION_SLOPES + e; k++)
        calibration[k] = 1;
    for (size_t i = 0; i < e; i++) {
        memcpy(tokens + i * TOKEN_PARAMETERS, s->b->tokens, TOKEN_PARAMETERS * sizeof(*tokens));
        tokens[i * TOKEN_PARAMETERS + TOKENS_OUT_SMEAR] *= (float)s->placed[i].output_ratio;
    }
    memcpy(spread, s->b->spread, SPREAD_TERMS * sizeof(*spread));
    spread[0] += placing_share(s);
    p->base = base;
    p->contrast = contrast;
    p->calibration = calibration;
    p->tokens = tokens;
    p->spread = spread;
    return OK;
}

static float sigmoid(double x)
{
    return (float)(1 / (1 + exp(-x)));
}

static void fill_sample_row(struct assembly *s, const float *row, float *quality, float *cost,
                            float *text)
{
    static const struct script_counts none;
    size_t width = base_sample_width(s->b);
    text[SAMPLE_TEXT_CHARACTERS] = row[width - 2];
    text[SAMPLE_TEXT_LENGTH] = row[width - 1];
    for (size_t e = 0; e < s->count; e++) {
        struct estimate x = {.quality = sigmoid(base_logit(s->b, s->placed[e].parameters, row))};
        predictor_tokens(&s->parts.predictor, e, row[width - 2], &none, row[width - 1],
                         &x.input_tokens, &x.output_tokens);
        quality[e] = x.quality;
        cost[e] = (float)((double)model_cost_nano_usd(&s->experts[e].price, &x) / NANO_PER_USD);
    }
}

static enum status make_sample(struct assembly *s, struct error *err)
{
    size_t rows = s->b->sample_rows;
    bool good = true;
    float *quality = floats(s, rows * s->count, &good), *cost = floats(s, rows * s->count, &good),
          *text = floats(s, rows * SAMPLE_TEXT, &good);
    if (!good)
        return no_memory(err);
    for (size_t i = 0; i < rows; i++)
        fill_sample_row(s, s->b->sample + i * base_sample_width(s->b), quality + i * s->count,
                        cost + i * s->count, text + i * SAMPLE_TEXT);
    s->parts.sample_quality = quality;
    s->parts.sample_cost_usd = cost;
    s->parts.sample = rows;
    s->parts.sample_text = text;
    s->parts.sample_text_width = SAMPLE_TEXT;
    return OK;
}

static double mean_column(const float *x, size_t rows, size_t stride)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)x[i * stride];
    return rows ? sum / (double)rows : 0;
}

static enum status make_experts(struct assembly *s, struct error *err)
{
    s->parts.experts = ARENA_ARRAY(s->arena, s->count, struct model_expert);
    if (!s->parts.experts)
        return no_memory(err);
    for (size_t e = 0; e < s->count; e++)
        s->parts.experts[e] = (struct model_expert){.name = s->experts[e].name,
                                                    .price = s->experts[e].price,
                                                    .outcomes = s->placed[e].outcomes,
                                                    .auc = (double)NAN,
                                                    .log_loss = (double)NAN,
                                                    .calibration_error = (double)NAN,
                                                    .length_log = (double)NAN,
                                                    .length_log_sd = (double)NAN};
    model_parts_list(&s->parts);
    return OK;
}

static enum status make_figures(struct assembly *s, struct error *err)
{
    for (size_t e = 0; e < s->count; e++) {
        s->parts.experts[e].accuracy =
            mean_column(s->parts.sample_quality + e, s->parts.sample, s->count);
        s->parts.experts[e].mean_cost_usd =
            mean_column(s->parts.sample_cost_usd + e, s->parts.sample, s->count);
    }
    const char *training =
        arena_printf(s->arena, "{\"queries\":0,\"prior\":%.*s}", STR_FMT(s->b->provenance));
    if (!training)
        return no_memory(err);
    s->parts.training = str_from(training);
    s->parts.leeroo = STR(LEEROO_VERSION);
    return OK;
}

static enum status assemble(struct assembly *s, struct error *err)
{
    enum status status = make_source(s, err);
    if (status == OK)
        status = make_experts(s, err);
    if (status == OK && !predictor_layout(&s->parts.predictor))
        status = error_set(err, ERR_INPUT, "more than %d features", FEATURES_MAX);
    if (status == OK)
        status = make_forest(s, err);
    if (status == OK)
        status = make_stages(s, err);
    if (status == OK)
        status = make_sample(s, err);
    return status == OK ? make_figures(s, err) : status;
}

enum status assemble_model(const struct base *b, const struct prior_expert *experts,
                           const struct placed *placed, size_t count, struct model **ret,
                           struct error *err)
{
    struct arena *a = arena_create(ARENA_CAP);
    struct assembly *s = a ? ARENA_NEW(a, struct assembly) : NULL;
    enum status status = OK;
    if (s) {
        *s = (struct assembly){
            .b = b, .experts = experts, .placed = placed, .count = count, .arena = a};
        status = assemble(s, err);
    } else {
        status = no_memory(err);
    }
    if (status == OK)
        status = model_parts_load(&s->parts, ret, err);
    arena_free(a);
    return status;
}
