/* Plans out of the model file: see model_plans.h. What they are is a list in the metadata, their numbers are
 * tensors, and both come from a file that nobody has to trust: members must be experts of the model, an escalation
 * must have as many members as every plan that uses it, trees must lead somewhere. Only model_load.c calls it,
 * before the model is shared. */
#include "predict/model_plans.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "predict/model_read.h"

#define NAME_BYTES 64

static const char *const stage_names[ESCALATION_STAGES] = {"before", "after"};

static enum status damaged(struct error *err)
{
    return error_set(err, ERR_CORRUPT, "its list of plans is damaged");
}

static bool read_float(struct json_value object, const char *key, float *ret)
{
    double value;
    if (json_to_double(json_get(object, key), &value) != OK || !(fabs(value) < 1e30))
        return false;
    *ret = (float)value;
    return true;
}

static size_t expert_named(const struct model_expert *experts, size_t count, struct json_value name)
{
    for (size_t e = 0; e < count; e++)
        if (name.type == JSON_STRING && json_string_equal(name, experts[e].name))
            return e;
    return SIZE_MAX;
}

static bool read_kind(struct json_value item, struct plan *p)
{
    struct json_value kind = json_get(item, "kind"), rule = json_get(item, "rule");
    if (kind.type != JSON_STRING || rule.type != JSON_STRING)
        return false;
    for (p->kind = PLAN_CASCADE; p->kind <= PLAN_SEQUENTIAL; p->kind++)
        if (json_string_equal(kind, str_from(plan_kind_name(p->kind))))
            break;
    p->rule = json_string_equal(rule, STR("trust")) ? PLAN_TRUST : PLAN_AGREE;
    return p->kind <= PLAN_SEQUENTIAL &&
           (p->rule == PLAN_TRUST ||
            (p->kind == PLAN_PANEL && json_string_equal(rule, STR("agree"))));
}

static bool read_members(struct json_value item, const struct model_expert *experts, size_t count,
                         struct plan *p)
{
    struct json_value member;
    struct json_iter it = json_iter_begin(json_get(item, "members"));
    static const struct {
        size_t least, most;
    } members[] = {{0, 0}, {2, 2}, {3, 3}, {2, PLAN_MEMBERS_MAX}};
    while (json_array_next(&it, &member)) {
        if (p->member_count == members[p->kind].most)
            return false;
        size_t e = expert_named(experts, count, member);
        if (e == SIZE_MAX)
            return false;
        for (size_t i = 0; i < p->member_count; i++)
            if (p->members[i] == e)
                return false;
        p->members[p->member_count++] = e;
    }
    return p->member_count >= members[p->kind].least;
}

static void read_record(struct json_value item, struct plan_record *r)
{
    *r = (struct plan_record){(double)NAN, (double)NAN, (double)NAN};
    (void)!json_to_double(json_get(item, "accuracy"), &r->accuracy);
    (void)!json_to_double(json_get(item, "mean_cost_usd"), &r->mean_cost_usd);
    (void)!json_to_double(json_get(item, "gain"), &r->gain);
}

/* What a sequential plan asks, and a number of its panel. */
static bool read_sequential(struct json_value item, struct plan *p, int64_t *panel)
{
    struct json_value ratio;
    struct json_iter it = json_iter_begin(json_get(item, "cost_ratios"));
    size_t count = 0;
    while (json_array_next(&it, &ratio)) {
        double value;
        if (count == p->member_count || json_to_double(ratio, &value) != OK ||
            !(value >= 0 && value < 1e30))
            return false;
        p->cost_ratio[count++] = (float)value;
    }
    return count == p->member_count && read_float(item, "calls", &p->calls) && p->calls >= 1 &&
           p->calls <= (float)p->member_count && p->gain_per_usd >= 0 &&
           json_to_int64(json_get(item, "panel"), panel) == OK && *panel >= 0 &&
           *panel < PLAN_PANELS_MAX;
}

static bool read_plan(struct json_value item, const struct model_expert *experts, size_t count,
                      struct plan *p, uint8_t *escalation)
{
    int64_t index = NO_ESCALATION;
    if (!read_kind(item, p) || !read_members(item, experts, count, p) ||
        !read_float(item, "gain_per_usd", &p->gain_per_usd))
        return false;
    if (p->kind == PLAN_SEQUENTIAL) {
        bool good = read_sequential(item, p, &index);
        *escalation = (uint8_t)index;
        return good;
    }
    if (!read_float(item, "share", &p->share) ||
        !read_float(item, "next_cost_ratio", &p->next_cost_ratio))
        return false;
    if (p->rule == PLAN_TRUST && (json_to_int64(json_get(item, "escalation"), &index) != OK ||
                                  index < 0 || index >= PLAN_ESCALATIONS_MAX))
        return false;
    *escalation = (uint8_t)index;
    return p->share >= 0 && p->share <= 1 && p->next_cost_ratio >= 0;
}

static enum status name_plan(struct plan *p, const struct model_expert *experts, size_t count,
                             struct arena *a, struct error *err)
{
    struct str names[MODEL_EXPERTS_MAX];
    struct buf b;
    for (size_t e = 0; e < count; e++)
        names[e] = experts[e].name;
    buf_init(&b, 1u << 20);
    plan_name_add(&b, p, names);
    p->name = b.status == OK ? arena_copy(a, buf_str(&b)) : (struct str){NULL, 0};
    buf_done(&b);
    return p->name.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status read_check(const struct safetensors *s, size_t c, struct plan_set *set,
                              struct error *err)
{
    struct escalation *escalation = &set->escalations[c];
    if (escalation->members)
        return OK; /* several plans share it */
    for (size_t k = 0; k < set->count; k++)
        if (set->plans[k].kind != PLAN_SEQUENTIAL && set->escalation_of[k] == c)
            escalation->members = set->plans[k].member_count;
    char name[NAME_BYTES];
    snprintf(name, sizeof(name), "escalation.%zu.calibration", c);
    enum status status = model_read_floats(s, name, ESCALATION_STAGES, escalation->members, 2,
                                           &escalation->calibration, err);
    for (size_t stage = 0; stage < ESCALATION_STAGES && status == OK; stage++) {
        char prefix[NAME_BYTES];
        snprintf(prefix, sizeof(prefix), "escalation.%zu.%s", c, stage_names[stage]);
        status = model_read_forest(s, prefix, escalation->members, ESCALATION_FEATURES,
                                   &escalation->forests[stage], err);
    }
    return status;
}

/* Lambdas must rise, and hurdles be above nothing; infinite ones are as good as any. Offsets may be anything: gains are
 * made sound when they are used. */
static bool is_sound(const struct panel *p)
{
    for (size_t k = 0; k < p->lambda_count; k++)
        if (!(p->lambdas[k] > 0 && p->lambdas[k] < 1e30f) ||
            (k > 0 && p->lambdas[k] <= p->lambdas[k - 1]))
            return false;
    for (size_t i = 0; i < p->members; i++)
        for (size_t k = 0; k < p->lambda_count; k++)
            if (!(p->hurdles[i][k] >= 0))
                return false;
    return true;
}

static enum status read_numbers(const struct safetensors *s, size_t n, struct panel *p,
                                struct error *err)
{
    char lambdas_name[NAME_BYTES], hurdles_name[NAME_BYTES], offsets_name[NAME_BYTES];
    const float *lambdas, *hurdles = NULL, *offsets = NULL;
    snprintf(lambdas_name, sizeof(lambdas_name), "panel.%zu.lambdas", n);
    snprintf(hurdles_name, sizeof(hurdles_name), "panel.%zu.hurdles", n);
    snprintf(offsets_name, sizeof(offsets_name), "panel.%zu.offsets", n);
    enum status status = safetensors_dim(s, lambdas_name, 1, 0, &p->lambda_count, err);
    if (status == OK && (p->lambda_count == 0 || p->lambda_count > PANEL_LAMBDAS_MAX))
        return damaged(err);
    if (status == OK)
        status = model_read_floats(s, lambdas_name, p->lambda_count, SIZE_MAX, 0, &lambdas, err);
    if (status == OK)
        status = model_read_floats(s, hurdles_name, p->members, p->lambda_count, 0, &hurdles, err);
    size_t outputs = p->members * p->lambda_count;
    if (status == OK)
        status = model_read_floats(s, offsets_name, p->members, outputs, 0, &offsets, err);
    if (status != OK)
        return status;
    memcpy(p->lambdas, lambdas, p->lambda_count * sizeof(*lambdas));
    for (size_t i = 0; i < p->members; i++) {
        memcpy(p->hurdles[i], hurdles + i * p->lambda_count, p->lambda_count * sizeof(*hurdles));
        memcpy(p->offsets[i], offsets + i * outputs, outputs * sizeof(*offsets));
    }
    return is_sound(p) ? OK : damaged(err);
}

/* Whatever they are, who is right is told by probabilities. */
static enum status read_votes(const struct safetensors *s, size_t n, struct panel *p,
                              struct error *err)
{
    char name[NAME_BYTES];
    const float *weights;
    size_t terms = PANEL_TERMS(p->members);
    snprintf(name, sizeof(name), "panel.%zu.votes", n);
    enum status status = model_read_floats(s, name, 2 * p->members, terms, 0, &weights, err);
    for (size_t i = 0; i < 2 * p->members && status == OK; i++)
        memcpy(p->votes.weights[i / 2][i % 2], weights + i * terms, terms * sizeof(*weights));
    return status;
}

static enum status read_panel(const struct safetensors *s, size_t n, size_t members,
                              struct plan_set *set, struct error *err)
{
    struct panel *p = &set->panels[n];
    char prefix[NAME_BYTES];
    if (p->members)
        return p->members == members ? OK : damaged(err);
    p->members = members;
    enum status status = read_numbers(s, n, p, err);
    if (status == OK)
        status = read_votes(s, n, p, err);
    snprintf(prefix, sizeof(prefix), "panel.%zu.posterior", n);
    if (status == OK)
        status = model_read_forest(s, prefix, members, PANEL_FEATURES(members), &p->posterior, err);
    for (size_t i = 0; i < members && status == OK; i++) {
        snprintf(prefix, sizeof(prefix), "panel.%zu.values.%zu", n, i);
        status = model_read_forest(s, prefix, members * p->lambda_count, PANEL_VALUES(members),
                                   &p->values[i], err);
    }
    set->panel_count = n + 1 > set->panel_count ? n + 1 : set->panel_count;
    return status;
}

static enum status read_tensors(const struct safetensors *s, struct plan_set *set,
                                struct error *err)
{
    bool sequential = false;
    enum status status =
        model_read_floats(s, "plans.heads", set->count, PLAN_HEADS, 0, &set->heads, err);
    for (size_t k = 0; k < set->count && status == OK; k++) {
        size_t c = set->escalation_of[k], members = set->plans[k].member_count;
        if (set->plans[k].kind == PLAN_SEQUENTIAL) {
            sequential = true;
            status = read_panel(s, c, members, set, err);
            continue;
        }
        if (c == NO_ESCALATION)
            continue;
        status = read_check(s, c, set, err);
        if (status == OK && set->escalations[c].members != members)
            return damaged(err);
        set->escalation_count = c + 1 > set->escalation_count ? c + 1 : set->escalation_count;
    }
    if (status == OK && sequential)
        status = model_read_floats(s, "plans.panel_heads", set->count, PANEL_HEADS, 0,
                                   &set->panel_heads, err);
    return status;
}

enum status model_plans_read(const struct safetensors *s, struct str text,
                             const struct model_expert *experts, size_t expert_count,
                             struct arena *a, struct plan_set *ret, struct error *err)
{
    struct plan_set *set = ARENA_NEW(a, struct plan_set);
    struct json_value list, item;
    if (!set)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (json_parse(text, "plans", 1, &list, err) != OK || list.type != JSON_ARRAY)
        return damaged(err);
    struct json_iter it = json_iter_begin(list);
    while (json_array_next(&it, &item)) {
        size_t k = set->count;
        if (k == PLANS_MAX ||
            !read_plan(item, experts, expert_count, &set->plans[k], &set->escalation_of[k]))
            return damaged(err);
        read_record(item, &set->records[k]);
        enum status status = name_plan(&set->plans[k], experts, expert_count, a, err);
        if (status != OK)
            return status;
        set->count++;
    }
    enum status status = set->count ? read_tensors(s, set, err) : OK;
    if (status == OK)
        *ret = *set;
    return status;
}
