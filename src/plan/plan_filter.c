/* Which plans may be chosen: see plan_filter.h. */
#include "plan/plan_filter.h"

#include <stdio.h>

static bool is_kind(struct str pattern)
{
    return str_equal(pattern, STR("all")) || str_equal(pattern, STR("none")) ||
           str_equal(pattern, STR("cascade")) || str_equal(pattern, STR("panel")) ||
           str_equal(pattern, STR("sequential"));
}

static enum status plan_unknown(const struct model *m, struct str pattern, struct error *err)
{
    char known[sizeof(err->text)] = "";
    size_t used = 0;
    for (size_t i = model_expert_count(m); i < model_arm_count(m) && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%.*s", used ? "; " : "",
                                 STR_FMT(model_arm_at(m, i)->name));
    if (!used)
        return error_set(err, ERR_NOT_FOUND,
                         "no plan '%.*s': the model has learnt none; train it on a data set with "
                         "responses",
                         STR_FMT(pattern));
    return error_set(err, ERR_NOT_FOUND, "the model has no plan '%.*s'; it has %s",
                     STR_FMT(pattern), known);
}

/* Marks the plans that the pattern means. */
static enum status mark(const struct model *m, struct str pattern, bool *use, struct error *err)
{
    bool found = is_kind(pattern);
    for (size_t i = model_expert_count(m); i < model_arm_count(m); i++)
        if (plan_matches(model_arm_at(m, i), pattern))
            found = use[i] = true;
    return found ? OK : plan_unknown(m, pattern, err);
}

enum status plan_filter_apply(const struct model *m, struct str patterns, bool *use,
                              struct error *err)
{
    enum status status = OK;
    bool marked[MODEL_ARMS_MAX] = {false};
    patterns = str_trim(patterns);
    if (!patterns.len)
        patterns = STR("all");
    while (patterns.len > 0 && status == OK) {
        struct str pattern = str_trim(str_split(&patterns, ';'));
        if (pattern.len)
            status = mark(m, pattern, marked, err);
    }
    for (size_t i = model_expert_count(m); i < model_arm_count(m) && status == OK; i++) {
        const struct plan *p = model_arm_at(m, i);
        use[i] = marked[i];
        for (size_t k = 0; k < p->member_count; k++)
            use[i] = use[i] && use[p->members[k]];
    }
    return status;
}

void plan_filter_calls(const struct model *m, uint32_t max_calls, bool *use)
{
    for (size_t i = model_expert_count(m); i < model_arm_count(m) && max_calls; i++) {
        const struct plan *p = model_arm_at(m, i);
        use[i] &= max_calls >= (p->kind == PLAN_SEQUENTIAL ? 2 : p->member_count);
    }
}
