/* The course of an enrolment: the questions as the model sees them, the newcomer's standing among the known experts,
 * its numbers; then the model with it is asked the same questions, and what is not as it should be is mended: the
 * offset, for what a source does not mix linearly, and the tokens, by those that were recorded. On the thread that
 * calls, which must not be one that serves: the model is written and loaded once in memory. Everything lives in the
 * caller's arena, and what goes wrong leaves the outputs as they were. */
#include "enroll/enroll.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "enroll/slice_mix.h"
#include "enroll/standing.h"
#include "predict/model_parts.h"

#define TOKENS_PRIOR_ROWS 5.0 /* of tokens, that stand for those whom it is mixed from */
#define TOKENS_RATIO_MAX  50.0

struct enrolment {
    const struct model *m;
    const struct enroll_newcomer *is;
    struct arena *arena;
    struct seen seen;
    struct standing standing;
    double *targets, *weights;
};

static double weight_of(const struct enroll_row *r)
{
    return r->score < 0 ? 0 : r->confidence > 0 ? (double)r->confidence : 1;
}

static enum status gather(struct enrolment *x, struct error *err)
{
    size_t n = x->is->row_count;
    x->targets = ARENA_ARRAY(x->arena, n + 1, double);
    x->weights = ARENA_ARRAY(x->arena, n + 1, double);
    if (!x->targets || !x->weights)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        x->weights[i] = weight_of(&x->is->rows[i]);
        x->targets[i] = fmax(0, (double)x->is->rows[i].score);
    }
    return seen_make(x->m, x->is->rows, n, SEEN_HELD_OUT, x->arena, &x->seen, err);
}

static enum status with_newcomer(const struct enrolment *x, const struct expert_parameters *p,
                                 struct model **ret, struct error *err)
{
    struct buf bytes;
    const struct model_edit edit = {.add = p, .add_count = 1};
    buf_init(&bytes, MODEL_BYTES_MAX);
    enum status status = model_rewrite_bytes(x->m, &edit, &bytes, err);
    if (status == OK)
        status = model_load_bytes(bytes.ptr, bytes.len, ret, err);
    buf_done(&bytes);
    return status;
}

/* How far the newcomer's logits lie from where its place says, on average. */
static double distance(const struct enrolment *x, const struct seen *now)
{
    double sum = 0;
    for (size_t i = 0; i < now->rows; i++) {
        double z = x->standing.offset;
        for (size_t e = 0; e < x->seen.known; e++)
            z += x->standing.weights[e] * now->logits[i * now->known + e];
        for (size_t g = 0; g < x->seen.groups; g++)
            z += x->standing.groups[g] * now->posterior[i * x->seen.groups + g];
        sum += z - now->logits[i * now->known + now->known - 1];
    }
    return now->rows ? sum / (double)now->rows : 0;
}

/* Which of the model with the newcomer it is. */
static size_t last(const struct seen *now)
{
    return now->known - 1;
}

static double ratio(double actual, double predicted, double rows)
{
    double prior = rows > 0 ? TOKENS_PRIOR_ROWS * predicted / rows : 1;
    double by = (actual + prior) / (predicted + prior);
    return fmax(1 / TOKENS_RATIO_MAX, fmin(TOKENS_RATIO_MAX, by));
}

/* What the recorded output is, or what the recorded cost leaves for it; 0: unknown. */
static double output_of(const struct enrolment *x, const struct enroll_row *r, double input)
{
    double price = (double)x->is->price.output_nano_usd_per_m * 1e-15;
    if (r->output_tokens > 0 || r->cost_usd <= 0 || price <= 0)
        return (double)r->output_tokens;
    if (r->input_tokens > 0)
        input = (double)r->input_tokens;
    double left = r->cost_usd - input * (double)x->is->price.input_nano_usd_per_m * 1e-15;
    return fmax(1, left / price);
}

/* Brings the tokens to the mean of what was recorded. */
static void settle_tokens(const struct enrolment *x, struct seen *now,
                          const struct expert_parameters *p)
{
    double in[3] = {0}, out[3] = {0}; /* actual, predicted, rows */
    size_t n, at = last(now);
    float *tokens = expert_parameters_floats(p, "tokens", &n);
    for (size_t i = 0; i < now->rows; i++) {
        const struct enroll_row *r = &x->is->rows[i];
        double input = (double)now->input_tokens[i * now->known + at],
               output = output_of(x, r, input);
        if (r->input_tokens > 0) {
            in[0] += r->input_tokens;
            in[1] += input;
            in[2]++;
        }
        if (output > 0) {
            out[0] += 1 + output;
            out[1] += 1 + (double)now->output_tokens[i * now->known + at];
            out[2]++;
        }
    }
    double by_in = ratio(in[0], in[1], in[2]), by_out = ratio(out[0], out[1], out[2]);
    tokens[TOKENS_IN_BASE] *= (float)by_in;
    tokens[TOKENS_IN_PER_CHARACTER] *= (float)by_in;
    tokens[TOKENS_OUT_SMEAR] *= (float)by_out;
    for (size_t i = 0; i < now->rows; i++) {
        now->input_tokens[i * now->known + at] *= (float)by_in;
        now->output_tokens[i * now->known + at] *= (float)by_out;
    }
    float *scripts = expert_parameters_floats(p, "tokens.scripts", &n);
    for (size_t s = 0; scripts && s < n; s++)
        scripts[s] *= (float)by_in;
}

static double cost_usd(const struct price *p, double input, double output)
{
    return 1e-15 *
           (input * (double)p->input_nano_usd_per_m + output * (double)p->output_nano_usd_per_m);
}

/* Where the model does not say how long its sample's texts are: as those whom it is mixed from cost, at its own price;
 * where they cost nothing, which says nothing of tokens, as is usual. */
static double cost_of_row(const struct enrolment *x, double mixed_usd)
{
    const struct enroll_belief *b = &x->is->belief;
    double own = cost_usd(&x->is->price, b->input_tokens, b->output_tokens), others = 0;
    for (size_t e = 0; e < x->seen.known; e++)
        others += x->standing.share[e] *
                  cost_usd(&model_expert_at(x->m, e)->price, b->input_tokens, b->output_tokens);
    return others > 0 ? mixed_usd * own / others : own;
}

/* Costs of the sample at its own price, for as many tokens as are expected of it. */
static void settle_costs(const struct enrolment *x, struct expert_parameters *p)
{
    const struct model_parts *parts = model_parts(x->m);
    size_t n = 0, none;
    double mean = 0;
    const struct predictor own = {.tokens = expert_parameters_floats(p, "tokens", &none),
                                  .scripts = expert_parameters_floats(p, "tokens.scripts", &none)};
    float *cost = expert_parameters_floats(p, "sample.cost_usd", &n);
    for (size_t i = 0; cost && i < n; i++) {
        struct estimate e = {0};
        bool is_known = model_sample_tokens(parts, &own, 0, i, &e);
        cost[i] = (float)(is_known ? cost_usd(&x->is->price, (double)e.input_tokens,
                                              (double)e.output_tokens)
                                   : cost_of_row(x, (double)cost[i]));
        mean += (double)cost[i] / (double)n;
    }
    p->expert.mean_cost_usd = n ? mean : cost_of_row(x, 0);
}

static enum status settle(const struct enrolment *x, struct expert_parameters *p, struct error *err)
{
    struct model *m = NULL;
    struct seen now;
    enum status status = with_newcomer(x, p, &m, err);
    if (status != OK)
        return status;
    status = seen_make(m, x->is->rows, x->is->row_count, SEEN_NOW, x->arena, &now, err);
    model_free(m);
    if (status != OK)
        return status;
    size_t n;
    float *calibration = expert_parameters_floats(p, "stack.calibration", &n);
    calibration[1] = (float)((double)calibration[1] + distance(x, &now) - x->standing.caution);
    settle_tokens(x, &now, p);
    settle_costs(x, p);
    return OK;
}
static bool has_others(const struct enrolment *x, size_t row)
{
    for (size_t e = 0; e < x->seen.known; e++)
        if (x->seen.scores[row * x->seen.known + e] >= 0)
            return true;
    return false;
}

static void describe(struct enrolment *x, struct expert_parameters *p, struct enroll_figures *f)
{
    *f = (struct enroll_figures){.accuracy = x->standing.accuracy,
                                 .accuracy_sd = x->standing.accuracy_sd};
    for (size_t i = 0; i < x->is->row_count; i++)
        if (x->weights[i] > 0) {
            f->outcomes++;
            f->compared += has_others(x, i);
        }
    memcpy(f->share, x->standing.share, sizeof(f->share));
    p->expert = (struct model_expert){.name = x->is->name,
                                      .price = x->is->price,
                                      .accuracy = f->accuracy,
                                      .outcomes = f->outcomes,
                                      .auc = (double)NAN,
                                      .log_loss = (double)NAN,
                                      .calibration_error = (double)NAN,
                                      .length_log = (double)NAN,
                                      .length_log_sd = (double)NAN};
}

enum status enroll_fit(const struct model *m, const struct enroll_newcomer *newcomer,
                       struct arena *a, struct expert_parameters *ret,
                       struct enroll_figures *figures, struct error *err)
{
    struct enrolment *x = ARENA_NEW(a, struct enrolment);
    if (!x)
        return error_set(err, ERR_MEMORY, "out of memory");
    *x = (struct enrolment){.m = m, .is = newcomer, .arena = a};
    enum status status = gather(x, err);
    if (status == OK)
        status = standing_find(m, &newcomer->belief, &x->seen, x->targets, x->weights, a,
                               &x->standing, err);
    if (status == OK)
        status = slice_mix(m, &x->standing, a, ret, err);
    if (status != OK)
        return status;
    describe(x, ret, figures);
    status = settle(x, ret, err);
    figures->usd_per_1k = 1000 * ret->expert.mean_cost_usd;
    return status;
}
