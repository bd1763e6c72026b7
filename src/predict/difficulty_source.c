/* One difficulty for all experts as a source: see model_source.h. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "predict/linear.h"
#include "predict/model_read.h"
#include "predict/model_source.h"

#define WIDTH_MAX (LINEAR_GROUPS_MAX + 2)

enum { FACT_WORDS, FACT_GROUPS, FACT_TOP, FACT_ENTROPY, FACTS };

static enum status read_tensors(struct difficulty_head *h, const struct source *s,
                                const struct source_file *in, struct error *err)
{
    const char *weights = source_tensor_name(s, "weights", in->arena),
               *bias = source_tensor_name(s, "bias", in->arena),
               *level = source_tensor_name(s, "level", in->arena),
               *experts = source_tensor_name(s, "experts", in->arena);
    size_t width = difficulty_width(h->groups), shape[2] = {h->buckets, width};
    if (!weights || !bias || !level || !experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status =
        safetensors_get(in->file, weights, "U16", shape, 2, (const void **)&h->weights, err);
    if (status == OK)
        status = model_read_floats(in->file, bias, width, SIZE_MAX, 0, &h->bias, err);
    if (status == OK)
        status = model_read_floats(in->file, level, DIFFICULTY_LEVELS + h->groups, SIZE_MAX, 0,
                                   &h->level, err);
    if (status == OK)
        status = model_read_floats(in->file, experts, DIFFICULTY_PARAMETERS + h->groups, s->experts,
                                   0, &h->experts, err);
    return status;
}

static enum status read_head(struct source *s, const struct source_file *in, struct error *err)
{
    int64_t groups, buckets;
    struct difficulty_head *h = ARENA_NEW(in->arena, struct difficulty_head);
    if (!h)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (s->encoder == NOWHERE)
        return error_set(err, ERR_CORRUPT, "source '%.*s' has no encoder", STR_FMT(s->name));
    if (json_to_int64(json_get(in->item, "groups"), &groups) != OK ||
        json_to_int64(json_get(in->item, "buckets"), &buckets) != OK || groups < 0 ||
        groups > LINEAR_GROUPS_MAX || buckets < 1 || (buckets & (buckets - 1)) != 0 ||
        (size_t)buckets > in->encoders[s->encoder]->bucket_count)
        return error_set(err, ERR_CORRUPT, "source '%.*s' is not described well", STR_FMT(s->name));
    *h = (struct difficulty_head){.groups = (size_t)groups, .buckets = (size_t)buckets};
    s->columns = s->experts + 1;
    s->length_at = s->experts;
    s->state = h;
    return read_tensors(h, s, in, err);
}

/* sums[width] of the rows; returns the novelty, as of a linear source. */
static float sum_rows(const struct difficulty_head *h, const struct encoding *said, float *sums)
{
    size_t width = difficulty_width(h->groups);
    float novelty = 0;
    memcpy(sums, h->bias, width * sizeof(*sums));
    for (size_t i = 0; i < said->count; i++) {
        const uint16_t *row = h->weights + (said->buckets[i] & (h->buckets - 1)) * width;
        uint16_t any = 0;
        for (size_t j = 0; j < width; j++) {
            uint32_t bits = (uint32_t)row[j] << 16;
            float weight;
            memcpy(&weight, &bits, sizeof(weight));
            sums[j] += weight * said->values[i];
            any |= row[j];
        }
        novelty += any ? 0 : said->values[i] * said->values[i];
    }
    return novelty;
}

static float logit(float p)
{
    p = p < 1e-4f ? 1e-4f : p > 1 - 1e-4f ? 1 - 1e-4f : p;
    return logf(p / (1 - p));
}

void difficulty_say(const struct difficulty_head *h, const struct encoding *said,
                    struct difficulty_said *ret)
{
    float sums[WIDTH_MAX], mean = 0, *facts = ret->facts;
    CHECK(h->groups <= LINEAR_GROUPS_MAX);
    ret->novelty = sum_rows(h, said, sums);
    groups_posterior(sums + 1, h->groups, ret->posterior, &facts[FACT_TOP], &facts[FACT_ENTROPY]);
    for (size_t g = 0; g < h->groups; g++)
        mean += ret->posterior[g] * h->level[DIFFICULTY_LEVELS + g];
    facts[FACT_WORDS] = sums[0];
    facts[FACT_GROUPS] = h->groups ? logit(mean) : 0;
    ret->difficulty =
        h->level[0] + h->level[1] * facts[FACT_WORDS] + h->level[2] * facts[FACT_GROUPS];
    ret->length = sums[1 + h->groups];
}

static float run(const struct source *s, const struct source_view *v, float *columns, float *facts)
{
    const struct difficulty_head *h = s->state;
    struct difficulty_said said;
    DEBUG_CHECK(s->columns == s->experts + 1);
    difficulty_say(h, &v->said[s->encoder], &said);
    for (size_t e = 0; e < s->experts; e++) {
        const float *x = h->experts + e;
        columns[e] = x[0] + x[s->experts] * said.difficulty;
        for (size_t g = 0; g < h->groups; g++)
            columns[e] += said.posterior[g] * x[(DIFFICULTY_PARAMETERS + g) * s->experts];
    }
    columns[s->experts] = said.length;
    memcpy(facts, said.facts, FACTS * sizeof(*facts));
    return said.novelty;
}

const struct source_ops difficulty_source = {
    .kind = "difficulty",
    .facts = FACTS,
    .entropy_fact = FACT_ENTROPY,
    .read = read_head,
    .run = run,
};
