/* See choice_json.h. */
#include "route/choice_json.h"

#include "base/json.h"
#include "base/money.h"

void choice_write_holder(const struct pool *p, const struct pool_choice *choice, struct buf *out)
{
    const struct pool_target *t = &choice->target;
    bool held = t->is_held && t->holder != SIZE_MAX;
    struct str name = held ? pool_arm_at(p, t->holder)->name : STR("null");
    buf_addf(out, ",\"turn_of\":%s%.*s%s", held ? "\"" : "", STR_FMT(name), held ? "\"" : "");
}

/* One piece: a list of members, each of which may be null. */
void choice_write_bounds(const struct pool_choice *choice, struct buf *out)
{
    const struct pool_target *t = &choice->target;
    const struct policy *in_force = &choice->policy;
    buf_add_c(out, ",\"asked\":{\"lambda\":");
    if (t->has_lambda)
        json_write_double(out, t->lambda);
    else
        buf_add_c(out, "null");
    buf_add_c(out, ",\"min_quality\":");
    if (t->min_quality > 0)
        json_write_double(out, t->min_quality);
    else
        buf_add_c(out, "null");
    buf_add_c(out, ",\"plans\":");
    if (t->plans_param)
        json_write_string(out, t->plans);
    else
        buf_add_c(out, "null");
    buf_add_c(out, "},\"floor\":");
    json_write_double(out, in_force->min_quality);
    buf_add_c(out, ",\"max_cost_usd\":");
    if (in_force->max_cost_nano_usd > 0)
        money_format_usd(out, in_force->max_cost_nano_usd);
    else
        buf_add_c(out, "null");
    if (in_force->max_latency_ms > 0)
        buf_addf(out, ",\"max_latency_ms\":%u", in_force->max_latency_ms);
    else
        buf_add_c(out, ",\"max_latency_ms\":null");
}

void choice_write_order(const struct pool *p, const struct pool_choice *choice, const char *key,
                        size_t from, size_t to, struct buf *out)
{
    buf_addf(out, ",\"%s\":[", key);
    for (size_t i = from; i < to; i++)
        buf_addf(out, "%s\"%.*s\"", i > from ? "," : "",
                 STR_FMT(pool_arm_at(p, choice->order[i])->name));
    buf_add_char(out, ']');
}
