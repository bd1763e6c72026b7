/* Newcomers to a trained model: see prior_extend in prior.h. What a model has learnt of its experts cannot be learnt of
 * a newcomer without training, but how it lies among them can be told: the base model has a strength of each, and what
 * the model found their accuracies to be says what a strength means here. Its numbers are those of the experts around
 * that accuracy, mixed, with an offset that makes the mean over the model's sample right. Slow, for it writes the model
 * again once or twice: not on a thread that serves. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prior/base_file.h"
#include "prior/prior_int.h"
#include "train/linear_train.h"
#include "train/model_edit.h"

#define ARENA_CAP    ((size_t)4 << 30)
#define ACCURACY_MIN 0.02
#define NEAR_LOGITS  0.25 /* experts as far in accuracy count exp(-1/2) */
#define SLOPE_PRIOR  0.5 /* squared logits' worth of the belief that a strength here is one there */
#define OFFSET_STEPS 60
#define OFFSET_MAX   8.0
#define PLACE_SD_MIN 0.05

struct extension {
    const struct model *m;
    const struct base *b;
    struct arena *arena;
    size_t known;              /* experts of the model */
    double level[EXPERTS_MAX]; /* [known] logit of their accuracy in the model */
    double mean_level, mean_strength,
        slope; /* level = mean_level + slope · (strength − mean_strength) */
    struct expert_parameters *taken; /* [known] */
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
    double strength[EXPERTS_MAX], n = (double)x->known, cross = 0, square = 0;
    for (size_t e = 0; e < x->known; e++) {
        const struct model_expert *is = model_expert_at(x->m, e);
        const struct prior_expert as = {.name = is->name, .price = is->price};
        struct placed placed;
        enum status status = place_first(x->b, &as, x->arena, &placed, err);
        if (status != OK)
            return status;
        strength[e] = strength_of(x, &placed);
        x->level[e] = logit(is->accuracy);
        x->mean_level += x->level[e] / n;
        x->mean_strength += strength[e] / n;
    }
    for (size_t e = 0; e < x->known; e++) {
        double off = strength[e] - x->mean_strength;
        cross += off * (x->level[e] - x->mean_level);
        square += off * off;
    }
    x->slope = fmax(0, (cross + SLOPE_PRIOR) / (square + SLOPE_PRIOR));
    return OK;
}

static enum status take_all(struct extension *x, struct error *err)
{
    enum status status = OK;
    x->taken = ARENA_ARRAY(x->arena, x->known, struct expert_parameters);
    if (!x->taken)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < x->known && status == OK; e++)
        status = expert_parameters_take(x->m, e, x->arena, &x->taken[e], err);
    return status;
}

/* How much of each expert is in a newcomer of that level; they sum to 1. */
static void weigh(const struct extension *x, double level, double *weights)
{
    double sum = 0, nearest = INFINITY;
    for (size_t e = 0; e < x->known; e++)
        nearest = fmin(nearest, fabs(x->level[e] - level));
    for (size_t e = 0; e < x->known; e++) {
        double z = (fabs(x->level[e] - level) - nearest) / NEAR_LOGITS;
        sum += weights[e] = exp(-z * z / 2);
    }
    for (size_t e = 0; e < x->known; e++)
        weights[e] /= sum;
}

static float from_bf16(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* Slice k of the experts, mixed into `to`. Floats and bfloat16 are all that an expert's tensors hold. */
static void mix_slice(const struct extension *x, const double *weights, size_t k,
                      struct expert_slice *to)
{
    size_t width = to->is_floats ? sizeof(float) : sizeof(uint16_t);
    for (size_t i = 0; i < to->bytes / width; i++) {
        double sum = 0;
        for (size_t e = 0; e < x->known; e++) {
            const unsigned char *data = x->taken[e].slices[k].data;
            sum += weights[e] * (double)(to->is_floats ? ((const float *)data)[i]
                                                       : from_bf16(((const uint16_t *)data)[i]));
        }
        if (to->is_floats)
            ((float *)to->data)[i] = (float)sum;
        else
            ((uint16_t *)to->data)[i] = linear_to_bf16((float)sum);
    }
}

static enum status mix(const struct extension *x, const double *weights,
                       struct expert_parameters *ret, struct error *err)
{
    const struct expert_parameters *first = &x->taken[0];
    *ret = *first;
    ret->slices = ARENA_ARRAY(x->arena, first->slice_count, struct expert_slice);
    if (!ret->slices)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t k = 0; k < first->slice_count; k++) {
        ret->slices[k] = first->slices[k];
        ret->slices[k].data = arena_alloc(x->arena, first->slices[k].bytes + 1);
        if (!ret->slices[k].data)
            return error_set(err, ERR_MEMORY, "out of memory");
        mix_slice(x, weights, k, &ret->slices[k]);
    }
    return OK;
}

static double mean_moved(const float *quality, size_t n, double by)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += sigmoid(logit((double)quality[i]) + by);
    return n ? sum / (double)n : 0;
}

/* The offset at which the sample's mean quality is `accuracy`, by bisection. */
static double find_offset(const float *quality, size_t n, double accuracy)
{
    double low = -OFFSET_MAX, high = OFFSET_MAX;
    for (int step = 0; step < OFFSET_STEPS && n; step++) {
        double middle = (low + high) / 2;
        if (mean_moved(quality, n, middle) < accuracy)
            low = middle;
        else
            high = middle;
    }
    return n ? (low + high) / 2 : 0;
}

/* Moves every logit of the expert by so much, in what it estimates and in the sample. */
static void move(struct expert_parameters *p, double by)
{
    size_t n = 0;
    float *calibration = expert_parameters_floats(p, "stack.calibration", &n);
    if (calibration && n == 2)
        calibration[1] = (float)((double)calibration[1] + by);
    float *quality = expert_parameters_floats(p, "sample.quality", &n);
    for (size_t i = 0; quality && i < n; i++)
        quality[i] = (float)sigmoid(logit((double)quality[i]) + by);
    p->expert.accuracy = quality ? mean_moved(quality, n, 0) : p->expert.accuracy;
}

/* What an answer costs on average, for as many tokens as the base model expects of its sample. */
static double usual_cost_usd(const struct base *b, const struct price *price)
{
    static const struct script_counts none;
    const struct predictor p = {.tokens = b->tokens};
    size_t width = base_sample_width(b);
    double sum = 0;
    for (size_t i = 0; i < b->sample_rows; i++) {
        const float *end = b->sample + (i + 1) * width; /* characters, length */
        struct estimate e = {0};
        predictor_tokens(&p, 0, end[-2], &none, end[-1], &e.input_tokens, &e.output_tokens);
        sum += (double)model_cost_nano_usd(price, &e) / (double)NANO_PER_USD;
    }
    return b->sample_rows ? sum / (double)b->sample_rows : 0;
}

/* Costs at the newcomer's own price, for as many tokens as those it is mixed from; where those cost nothing, which says
 * nothing of tokens, for as many as are usual. */
static void price(const struct extension *x, const double *weights, const struct prior_expert *is,
                  struct expert_parameters *p)
{
    size_t n = 0;
    double mixed = 0, mean = 0;
    float *cost = expert_parameters_floats(p, "sample.cost_usd", &n);
    for (size_t e = 0; e < x->known; e++)
        mixed += weights[e] * base_blend_usd(&model_expert_at(x->m, e)->price);
    double scale = mixed > 0 ? base_blend_usd(&is->price) / mixed : 0;
    double usual = mixed > 0 ? 0 : usual_cost_usd(x->b, &is->price);
    for (size_t i = 0; cost && i < n; i++) {
        cost[i] = (float)((double)cost[i] * scale + usual);
        mean += (double)cost[i] / (double)n;
    }
    p->expert.price = is->price;
    p->expert.mean_cost_usd = mean;
}

static void name(struct expert_parameters *p, const struct prior_expert *is, bool copied)
{
    p->expert.name = is->name;
    p->expert.outcomes = 0;
    p->expert.hidden = p->expert.apart = false;
    if (!copied)
        p->expert.auc = p->expert.log_loss = p->expert.calibration_error = p->expert.length_log =
            p->expert.length_log_sd = (double)NAN;
}

/* As an expert of the model. */
static enum status copy_expert(struct extension *x, const struct prior_expert *is, size_t of,
                               struct expert_parameters *ret, struct prior_place *place,
                               struct error *err)
{
    double weights[EXPERTS_MAX] = {0};
    weights[of] = 1;
    enum status status = expert_parameters_take(x->m, of, x->arena, ret, err);
    if (status != OK)
        return status;
    price(x, weights, is, ret);
    name(ret, is, true);
    *place = (struct prior_place){.basis = PRIOR_LIKE, .accuracy = ret->expert.accuracy};
    snprintf(place->known, sizeof(place->known), "%.*s", STR_FMT(is->like));
    snprintf(place->words, sizeof(place->words),
             "no outcomes yet: placed as %s of the model (like)", place->known);
    return OK;
}

static enum status place_expert(struct extension *x, const struct prior_expert *is,
                                struct expert_parameters *ret, struct prior_place *place,
                                struct error *err)
{
    double weights[EXPERTS_MAX];
    struct placed placed;
    size_t n = 0;
    const struct prior_expert bare = {
        .name = is->name, .upstream = is->upstream, .like = is->like, .price = is->price};
    enum status status = place_first(x->b, &bare, x->arena, &placed, err);
    if (status != OK)
        return status;
    double level = x->mean_level + x->slope * (strength_of(x, &placed) - x->mean_strength);
    weigh(x, level, weights);
    status = mix(x, weights, ret, err);
    if (status != OK)
        return status;
    price(x, weights, is, ret);
    name(ret, is, false);
    const float *quality = expert_parameters_floats(ret, "sample.quality", &n);
    move(ret, quality ? find_offset(quality, n, sigmoid(level)) : 0);
    prior_place_fill(x->b, &placed, place);
    place->accuracy = ret->expert.accuracy;
    place->accuracy_sd = placed.strength_sd * place->accuracy * (1 - place->accuracy);
    return OK;
}

static enum status place_one(struct extension *x, const struct prior_expert *is,
                             struct expert_parameters *ret, struct prior_place *place,
                             struct error *err)
{
    size_t of = is->like.len ? model_expert_index(x->m, is->like) : SIZE_MAX;
    return of == SIZE_MAX ? place_expert(x, is, ret, place, err)
                          : copy_expert(x, is, of, ret, place, err);
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

/* How far an expert's logits are to move by its outcomes: Newton on their log loss and the doubt of its placing. */
static double offset_by_outcomes(const double *logits, const struct prior_expert *is, size_t count,
                                 double sd)
{
    double offset = 0;
    for (int step = 0; step < OFFSET_STEPS; step++) {
        double gradient = offset / (sd * sd), curve = 1 / (sd * sd);
        for (size_t i = 0; i < count; i++) {
            double q = sigmoid(logits[i] + offset), w = prior_outcome_weight(&is->outcomes[i]);
            gradient += w * (q - (double)is->outcomes[i].score);
            curve += w * q * (1 - q);
        }
        offset -= fmax(-1, fmin(1, gradient / curve));
    }
    return offset;
}

/* Moves a newcomer, expert `at` of `m`, by its outcomes. */
static enum status listen(struct extension *x, const struct model *m, size_t at,
                          const struct prior_expert *is, struct expert_parameters *p,
                          struct prior_place *place, struct error *err)
{
    struct features f;
    size_t n = is->outcome_count < PRIOR_OUTCOMES_MAX ? is->outcome_count : PRIOR_OUTCOMES_MAX;
    double *logits = ARENA_ARRAY(x->arena, n + 1, double), weights = 0;
    struct estimate *estimates = ARENA_ARRAY(x->arena, MODEL_ARMS_MAX, struct estimate);
    if (!logits || !estimates)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = features_init(&f, err);
    for (size_t i = 0; i < n && status == OK; i++) {
        weights += prior_outcome_weight(&is->outcomes[i]);
        status = model_estimate_text(m, is->outcomes[i].text, &f, estimates, err);
        logits[i] = logit((double)estimates[at].quality);
    }
    features_done(&f);
    if (status != OK)
        return status;
    double q = place->accuracy, sd = fmax(PLACE_SD_MIN, place->accuracy_sd / (q * (1 - q)));
    move(p, offset_by_outcomes(logits, is, n, sd));
    place->outcomes = p->expert.outcomes = n;
    place->accuracy = q = p->expert.accuracy;
    place->accuracy_sd = q * (1 - q) / sqrt(1 / (sd * sd) + weights * q * (1 - q));
    snprintf(place->words, sizeof(place->words), "placed by %s, moved by %zu outcome%s of its own",
             prior_basis_name(place->basis), n, n == 1 ? "" : "s");
    return OK;
}

/* The course of it: relate, take, place, write; then once more for those who have outcomes. */
static enum status extend(struct extension *x, const struct prior_expert *newcomers, size_t count,
                          struct model **ret, struct prior_place *places, struct error *err)
{
    struct expert_parameters *added = ARENA_ARRAY(x->arena, count + 1, struct expert_parameters);
    struct model *m = NULL;
    bool heard = false;
    enum status status = added ? relate(x, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = take_all(x, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = place_one(x, &newcomers[i], &added[i], &places[i], err);
    if (status == OK)
        status = rewrite(x->m, added, count, &m, err);
    for (size_t i = 0; i < count && status == OK; i++)
        if (newcomers[i].outcome_count) {
            heard = true;
            status = listen(x, m, x->known + i, &newcomers[i], &added[i], &places[i], err);
        }
    if (status == OK && heard) {
        model_free(m);
        m = NULL;
        status = rewrite(x->m, added, count, &m, err);
    }
    if (status == OK)
        *ret = m;
    else
        model_free(m);
    return status;
}

enum status prior_extend(const struct model *m, const struct prior_expert *newcomers, size_t count,
                         struct model **ret, struct prior_place *places, struct error *err)
{
    struct arena *a, *mine = NULL;
    struct base *b;
    enum status status = prior_base(&a, &b, err);
    if (status != OK)
        return status;
    mine = arena_create(ARENA_CAP);
    struct extension *x = mine ? ARENA_NEW(mine, struct extension) : NULL;
    if (x) {
        *x = (struct extension){.m = m, .b = b, .arena = mine, .known = model_expert_count(m)};
        status = extend(x, newcomers, count, ret, places, err);
    } else {
        status = error_set(err, ERR_MEMORY, "out of memory");
    }
    arena_free(mine);
    arena_free(a);
    return status;
}
