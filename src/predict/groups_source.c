/* Groups of domains as a source: see model_source.h. */
#include <math.h>

#include "base/check.h"
#include "base/fmath.h"
#include "predict/linear.h"
#include "predict/model_read.h"
#include "predict/model_source.h"

enum { FACT_TOP, FACT_ENTROPY, FACTS };

/* As many as there are groups; anything else is no list of their names. */
static enum status read_names(const struct source_file *in, struct groups_head *h,
                              struct error *err)
{
    struct json_value list = json_get(in->item, "names"), item;
    struct json_iter it = json_iter_begin(list);
    struct str *names = ARENA_ARRAY(in->arena, h->groups + 1, struct str);
    size_t n = 0;
    if (!names)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (list.type != JSON_ARRAY)
        return OK;
    for (; n < h->groups && json_array_next(&it, &item); n++) {
        enum status status = json_string_decode(item, in->arena, &names[n]);
        if (status == ERR_MEMORY)
            return error_set(err, status, "out of memory");
        if (status != OK)
            return OK;
    }
    h->names = n == h->groups ? names : NULL;
    return OK;
}

static enum status read_head(struct source *s, const struct source_file *in, struct error *err)
{
    struct groups_head *h = ARENA_NEW(in->arena, struct groups_head);
    const char *name = source_tensor_name(s, "quality", in->arena);
    if (!h || !name)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (s->of == NOWHERE || in->before[s->of].ops != &linear_source)
        return error_set(err, ERR_CORRUPT, "source '%.*s' is of no linear source",
                         STR_FMT(s->name));
    h->groups = ((const struct linear_head *)in->before[s->of].state)->groups;
    s->columns = s->experts;
    s->state = h;
    enum status status = read_names(in, h, err);
    if (status != OK)
        return status;
    return model_read_floats(in->file, name, h->groups, s->experts, 0, &h->quality, err);
}

static float logit(float p)
{
    p = p < 1e-4f ? 1e-4f : p > 1 - 1e-4f ? 1 - 1e-4f : p;
    return logf(p / (1 - p));
}

void groups_posterior(const float *z, size_t groups, float *posterior, float *ret_top,
                      float *ret_entropy)
{
    float highest = -INFINITY, sum = 0, top = 0, entropy = 0;
    for (size_t g = 0; g < groups; g++)
        highest = z[g] > highest ? z[g] : highest;
    for (size_t g = 0; g < groups; g++)
        sum += posterior[g] = fmath_exp(z[g] - highest);
    for (size_t g = 0; g < groups; g++) {
        posterior[g] /= sum;
        top = posterior[g] > top ? posterior[g] : top;
        entropy -= posterior[g] * logf(posterior[g] + 1e-9f);
    }
    *ret_top = top;
    *ret_entropy = entropy;
}

static float run(const struct source *s, const struct source_view *v, float *columns, float *facts)
{
    const struct groups_head *h = s->state;
    float posterior[LINEAR_GROUPS_MAX];
    CHECK(h->groups <= LINEAR_GROUPS_MAX);
    groups_posterior(v->columns[s->of] + s->experts, h->groups, posterior, &facts[FACT_TOP],
                     &facts[FACT_ENTROPY]);
    for (size_t e = 0; e < s->experts; e++) {
        float sum = 0;
        for (size_t g = 0; g < h->groups; g++)
            sum += posterior[g] * h->quality[g * s->experts + e];
        columns[e] = h->groups ? logit(sum) : 0;
    }
    return 0;
}

const struct source_ops groups_source = {
    .kind = "groups",
    .facts = FACTS,
    .entropy_fact = FACT_ENTROPY,
    .read = read_head,
    .run = run,
};
