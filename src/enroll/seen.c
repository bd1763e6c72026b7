/* See seen.h. The same encoder and estimates as at serving time. */
#include "enroll/seen.h"

#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "predict/model_parts.h"

#define QUALITY_MIN 1e-4

double seen_logit(double p)
{
    p = fmax(QUALITY_MIN, fmin(1 - QUALITY_MIN, p));
    return log(p / (1 - p));
}

double seen_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Held-out estimates instead: a text that a model was trained on it remembers, and so does what it says of it. */
struct held {
    uint64_t hash;
    size_t row; /* of the sample */
};

static int compare_held(const void *a, const void *b)
{
    const struct held *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static struct held *index_sample(const struct model_parts *p, struct arena *a)
{
    struct held *held = ARENA_ARRAY(a, p->sample + 1, struct held);
    for (size_t i = 0; held && p->sample_hashes && i < p->sample; i++)
        held[i] = (struct held){p->sample_hashes[i], i};
    if (held && p->sample_hashes)
        qsort(held, p->sample, sizeof(*held), compare_held);
    return held;
}

static const struct held *find_held(const struct model_parts *p, const struct held *held,
                                    uint64_t hash)
{
    size_t low = 0, high = p->sample_hashes ? p->sample : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (held[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return p->sample_hashes && low < p->sample && held[low].hash == hash ? &held[low] : NULL;
}

static void keep_held(const struct model_parts *p, size_t sample_row, struct seen *s, size_t row)
{
    size_t arms = p->listed + p->plans.count;
    for (size_t e = 0; e < s->known; e++)
        s->logits[row * s->known + e] =
            seen_logit((double)p->sample_quality[sample_row * arms + e]);
}

static void keep(struct seen *s, size_t row, const struct estimate *estimates,
                 const float *posterior)
{
    for (size_t e = 0; e < s->known; e++) {
        s->logits[row * s->known + e] = seen_logit((double)estimates[e].quality);
        s->input_tokens[row * s->known + e] = estimates[e].input_tokens;
        s->output_tokens[row * s->known + e] = estimates[e].output_tokens;
    }
    for (size_t g = 0; g < s->groups; g++)
        s->posterior[row * s->groups + g] = (double)posterior[g];
}

/* Reads whatever is to be read of every row; `held` as index_sample has it. */
static enum status look(const struct model *m, const struct enroll_row *rows, struct seen *s,
                        enum seen_as as, const struct held *held, struct features *f,
                        struct estimate *estimates, struct error *err)
{
    float posterior[LINEAR_GROUPS_MAX];
    for (size_t i = 0; i < s->rows; i++) {
        enum status status = model_estimate_text(m, rows[i].text, f, estimates, err);
        if (status != OK)
            return status;
        predictor_posterior(&model_parts(m)->predictor, f, posterior);
        keep(s, i, estimates, posterior);
        uint64_t hash = rows[i].text_hash;
        if (as == SEEN_NOW)
            continue;
        const struct held *found = find_held(model_parts(m), held, hash);
        for (size_t e = 0; e < s->known; e++)
            s->scores[i * s->known + e] = rows[i].others ? (double)rows[i].others[e] : -1;
        if (found)
            keep_held(model_parts(m), found->row, s, i);
        s->remembered[i] = !found && hash && model_trained_on(m, hash);
    }
    return OK;
}

enum status seen_make(const struct model *m, const struct enroll_row *rows, size_t count,
                      enum seen_as as, struct arena *a, struct seen *ret, struct error *err)
{
    struct features f;
    struct seen s = {.rows = count,
                     .known = model_expert_count(m),
                     .groups = predictor_groups(&model_parts(m)->predictor)};
    struct estimate *estimates = ARENA_ARRAY(a, MODEL_ARMS_MAX, struct estimate);
    s.logits = ARENA_ARRAY(a, count * s.known + 1, double);
    s.scores = ARENA_ARRAY(a, count * s.known + 1, double);
    s.posterior = ARENA_ARRAY(a, count * s.groups + 1, double);
    s.input_tokens = ARENA_ARRAY(a, count * s.known + 1, float);
    s.output_tokens = ARENA_ARRAY(a, count * s.known + 1, float);
    s.remembered = ARENA_ARRAY(a, count + 1, bool);
    struct held *held = index_sample(model_parts(m), a);
    if (!held || !estimates || !s.logits || !s.scores || !s.posterior || !s.input_tokens ||
        !s.output_tokens || !s.remembered)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = features_init(&f, err);
    if (status == OK)
        status = look(m, rows, &s, as, held, &f, estimates, err);
    features_done(&f);
    if (status == OK)
        *ret = s;
    return status;
}
