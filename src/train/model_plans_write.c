/* Plans to the model file: see model_plans_write.h. */
#include "train/model_plans_write.h"

static void add_number(struct buf *b, const char *name, double value)
{
    buf_addf(b, ",\"%s\":", name);
    json_write_double(b, value);
}

static void describe_plan(const struct trained *t, size_t k, struct buf *b)
{
    const struct plan *p = &t->plans.set.plans[k];
    const struct plan_figures *f = &t->plans.figures[k];
    buf_addf(b, "%s{\"kind\":\"%s\",\"rule\":\"%s\",\"members\":[", k ? "," : "",
             plan_kind_name(p->kind), p->rule == PLAN_TRUST ? "trust" : "agree");
    for (size_t i = 0; i < p->member_count; i++) {
        buf_add_c(b, i ? "," : "");
        json_write_string(b, t->expert[p->members[i]].name);
    }
    buf_add_char(b, ']');
    if (p->rule == PLAN_TRUST)
        buf_addf(b, ",\"check\":%u", (unsigned)t->plans.set.check_of[k]);
    add_number(b, "gain_per_usd", (double)p->gain_per_usd);
    add_number(b, "share", (double)p->share);
    add_number(b, "next_cost_ratio", (double)p->next_cost_ratio);
    add_number(b, "accuracy", f->accuracy);
    add_number(b, "mean_cost_usd", f->cost_usd);
    add_number(b, "gain", f->gain);
    buf_add_char(b, '}');
}

void model_plans_describe(const struct trained *t, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t k = 0; k < t->plans.set.count; k++)
        describe_plan(t, k, out);
    buf_add_char(out, ']');
}

static const char *const tensor_names[PLAN_CHECKS_MAX][5] = {
#define CHECK_TENSORS(n)                                                                           \
    {                                                                                              \
        "check." n ".calibration", "check." n ".before.leaves", "check." n ".after.leaves",        \
            "check." n ".before.trees", "check." n ".after.trees"                                  \
    }
    CHECK_TENSORS("0"),
    CHECK_TENSORS("1"),
    CHECK_TENSORS("2"),
    CHECK_TENSORS("3"),
};

size_t model_plans_items(const struct trained *t, struct safetensors_item *items,
                         size_t *ret_bytes_from)
{
    const struct plan_set *set = &t->plans.set;
    size_t n = 0;
    items[n++] =
        (struct safetensors_item){"plans.heads", "F32", 2, {set->count, PLAN_HEADS}, set->heads};
    for (size_t c = 0; c < set->check_count; c++) {
        const struct check *check = &set->checks[c];
        items[n++] = (struct safetensors_item){
            tensor_names[c][0], "F32", 3, {CHECK_STAGES, check->members, 2}, check->calibration};
        for (size_t s = 0; s < CHECK_STAGES; s++)
            items[n++] = (struct safetensors_item){
                tensor_names[c][1 + s],
                "F32",
                3,
                {check->forests[s].tree_count, TREE_LEAVES_MAX, check->members},
                check->forests[s].leaves};
    }
    *ret_bytes_from = n;
    for (size_t c = 0; c < set->check_count; c++)
        for (size_t s = 0; s < CHECK_STAGES; s++)
            items[n++] = (struct safetensors_item){
                tensor_names[c][3 + s],
                "U8",
                2,
                {set->checks[c].forests[s].tree_count, sizeof(struct tree)},
                set->checks[c].forests[s].trees};
    return n;
}
