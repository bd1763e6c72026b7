/* Newcomers to a trained model: see prior_extend in prior.h. What a model has learnt of its experts cannot be learnt of
 * a newcomer without training, but how it lies among them can be told: the base model has a strength of each, and what
 * the model found their accuracies to be says what a strength means here. That is what is believed of a newcomer; what
 * its numbers are then, by that and by its outcomes, is enroll's to say. Slow, for it writes the model again once or
 * twice: not on a thread that serves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prior/base_file.h"
#include "prior/prior_int.h"
#include "train/model_edit.h"

#define ARENA_CAP    ((size_t)4 << 30)
#define ACCURACY_MIN 0.02
#define SLOPE_PRIOR  0.5 /* squared logits' worth of the belief that a strength here is one there */

struct extension {
    const struct model *m;
    const struct base *b;
    struct arena *arena;
    size_t known; /* experts of the model */
    double mean_level, mean_strength,
        slope; /* level = mean_level + slope · (strength − mean_strength) */
};

static double logit(double p)
{
    p = fmax(ACCURACY_MIN, fmin(1 - ACCURACY_MIN, p));
    return log(p / (1 - p));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double strength_of(const struct extension *x, const struct placed *p)
{
    double q, sd;
    place_accuracy(x->b, p, &q, &sd);
    return logit(q);
}

/* Where the base model has the experts of the model, and what that means in the model. */
static enum status relate(struct extension *x, struct error *err)
{
    double strength[EXPERTS_MAX], level[EXPERTS_MAX], n = (double)x->known, cross = 0, square = 0;
    for (size_t e = 0; e < x->known; e++) {
        const struct model_expert *is = model_expert_at(x->m, e);
        const struct prior_expert as = {.name = is->name, .price = is->price};
        struct placed placed;
        enum status status = place_first(x->b, &as, x->arena, &placed, err);
        if (status != OK)
            return status;
        strength[e] = strength_of(x, &placed);
        level[e] = logit(is->accuracy);
        x->mean_level += level[e] / n;
        x->mean_strength += strength[e] / n;
    }
    for (size_t e = 0; e < x->known; e++) {
        double off = strength[e] - x->mean_strength;
        cross += off * (level[e] - x->mean_level);
        square += off * off;
    }
    x->slope = fmax(0, (cross + SLOPE_PRIOR) / (square + SLOPE_PRIOR));
    return OK;
}

/* Tokens of an answer of usual length, as the base model expects of its sample. */
static void usual_tokens(const struct base *b, struct enroll_belief *ret)
{
    static const struct script_counts none;
    const struct predictor p = {.tokens = b->tokens};
    size_t width = base_sample_width(b);
    for (size_t i = 0; i < b->sample_rows; i++) {
        const float *end = b->sample + (i + 1) * width; /* characters, length */
        float input = 0, output = 0;
        predictor_tokens(&p, 0, end[-2], &none, end[-1], &input, &output);
        ret->input_tokens += (double)input / (double)b->sample_rows;
        ret->output_tokens += (double)output / (double)b->sample_rows;
    }
}

/* As an expert of the model. */
static void believe_copy(const struct extension *x, const struct prior_expert *is, size_t of,
                         struct enroll_belief *ret, struct prior_place *place)
{
    ret->like = of;
    ret->accuracy = model_expert_at(x->m, of)->accuracy;
    *place = (struct prior_place){.basis = PRIOR_LIKE, .accuracy = ret->accuracy};
    snprintf(place->known, sizeof(place->known), "%.*s", STR_FMT(is->like));
    snprintf(place->words, sizeof(place->words),
             "no outcomes yet: placed as %s of the model (like)", place->known);
}

static enum status believe_one(const struct extension *x, const struct prior_expert *is,
                               struct enroll_belief *ret, struct prior_place *place,
                               struct error *err)
{
    struct placed placed;
    size_t of = is->like.len ? model_expert_index(x->m, is->like) : SIZE_MAX;
    const struct prior_expert bare = {
        .name = is->name, .upstream = is->upstream, .like = is->like, .price = is->price};
    *ret = (struct enroll_belief){.like = SIZE_MAX};
    usual_tokens(x->b, ret);
    if (of != SIZE_MAX) {
        believe_copy(x, is, of, ret, place);
        return OK;
    }
    enum status status = place_first(x->b, &bare, x->arena, &placed, err);
    if (status != OK)
        return status;
    double level = x->mean_level + x->slope * (strength_of(x, &placed) - x->mean_strength);
    prior_place_fill(x->b, &placed, place);
    ret->accuracy = place->accuracy = sigmoid(level);
    ret->accuracy_sd = place->accuracy_sd =
        placed.strength_sd * place->accuracy * (1 - place->accuracy);
    return OK;
}

static enum status believe(const struct model *m, const struct prior_expert *newcomers,
                           size_t count, struct arena *a, struct enroll_belief *beliefs,
                           struct prior_place *places, struct error *err)
{
    struct arena *mine;
    struct base *b;
    enum status status = prior_base(&mine, &b, err);
    if (status != OK)
        return status;
    struct extension x = {.m = m, .b = b, .arena = a, .known = model_expert_count(m)};
    status = relate(&x, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = believe_one(&x, &newcomers[i], &beliefs[i], &places[i], err);
    arena_free(mine);
    return status;
}

enum status prior_believe(const struct model *m, const struct prior_expert *newcomers, size_t count,
                          struct enroll_belief *beliefs, struct prior_place *places,
                          struct error *err)
{
    struct arena *a = arena_create(ARENA_CAP);
    enum status status = a ? believe(m, newcomers, count, a, beliefs, places, err)
                           : error_set(err, ERR_MEMORY, "out of memory");
    arena_free(a);
    return status;
}

/* By its outcomes, if it has any. */
static enum status enroll(const struct model *m, const struct prior_expert *is,
                          const struct enroll_belief *belief, struct arena *a,
                          struct expert_parameters *ret, struct prior_place *place,
                          struct error *err)
{
    struct enroll_figures figures;
    size_t n = is->outcome_count < PRIOR_OUTCOMES_MAX ? is->outcome_count : PRIOR_OUTCOMES_MAX;
    struct enroll_row *rows = ARENA_ARRAY(a, n + 1, struct enroll_row);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct enroll_row){.text = is->outcomes[i].text,
                                      .text_hash = is->outcomes[i].text_hash,
                                      .score = is->outcomes[i].score,
                                      .confidence = is->outcomes[i].confidence,
                                      .output_tokens = is->outcomes[i].output_tokens};
    const struct enroll_newcomer newcomer = {is->name, is->price, *belief, rows, n};
    enum status status = enroll_fit(m, &newcomer, a, ret, &figures, err);
    if (status != OK || !n)
        return status;
    place->outcomes = n;
    place->accuracy = figures.accuracy;
    place->accuracy_sd = figures.accuracy_sd;
    snprintf(place->words, sizeof(place->words), "placed by %s, moved by %zu outcome%s of its own",
             prior_basis_name(place->basis), n, n == 1 ? "" : "s");
    return OK;
}

static enum status rewrite(const struct model *m, const struct expert_parameters *added,
                           size_t count, struct model **ret, struct error *err)
{
    struct buf bytes;
    const struct model_edit edit = {.add = added, .add_count = count};
    buf_init(&bytes, MODEL_BYTES_MAX);
    enum status status = model_rewrite_bytes(m, &edit, &bytes, err);
    if (status == OK)
        status = model_load_bytes(bytes.ptr, bytes.len, ret, err);
    buf_done(&bytes);
    return status;
}

static enum status extend(const struct model *m, const struct prior_expert *newcomers, size_t count,
                          struct arena *a, struct model **ret, struct prior_place *places,
                          struct error *err)
{
    struct expert_parameters *added = ARENA_ARRAY(a, count + 1, struct expert_parameters);
    struct enroll_belief *beliefs = ARENA_ARRAY(a, count + 1, struct enroll_belief);
    if (!added || !beliefs)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = believe(m, newcomers, count, a, beliefs, places, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = enroll(m, &newcomers[i], &beliefs[i], a, &added[i], &places[i], err);
    return status == OK ? rewrite(m, added, count, ret, err) : status;
}

enum status prior_extend(const struct model *m, const struct prior_expert *newcomers, size_t count,
                         struct model **ret, struct prior_place *places, struct error *err)
{
    struct arena *a = arena_create(ARENA_CAP);
    enum status status = a ? extend(m, newcomers, count, a, ret, places, err)
                           : error_set(err, ERR_MEMORY, "out of memory");
    arena_free(a);
    return status;
}
