/* Verified plans (predict/verified.h) as arms: see verified_arms.h. For a request in its arena, for a
 * policy's sample on the heap, once when the pool is made. Nothing here knows how answers are checked: a check is two
 * error rates and a price. */
#include "route/verified_arms.h"

#include <stdlib.h>
#include <string.h>

#include "base/money.h"

static size_t most_calls(size_t most)
{
    return most && most < PLAN_MEMBERS_MAX ? most : PLAN_MEMBERS_MAX;
}

struct str verified_arms_label(const struct plan *plan, struct arena *a)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    plan_label_add(&text, plan->name);
    struct str copy = text.status == OK ? arena_copy(a, buf_str(&text)) : STR("");
    buf_done(&text);
    return copy.ptr ? copy : STR("");
}

static struct str name_of(const struct plan *plan, const struct str *names, struct arena *a)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    plan_name_add(&text, plan, names);
    struct str copy = text.status == OK ? arena_copy(a, buf_str(&text)) : STR("");
    buf_done(&text);
    return copy;
}

/* One piece: four arrays grow together. */
enum status verified_arms_add(const struct pool *p, const struct verified_terms *terms,
                              const bool *use, struct arena *a, struct pool_choice *c,
                              struct error *err)
{
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    size_t experts = p->settings.expert_count, before = c->arm_count;
    size_t count =
        verified_plans(terms, c->estimates, use, experts, most_calls(c->policy.max_calls), plans);
    struct plan *arms = ARENA_ARRAY(a, before + count, struct plan);
    struct estimate *estimates = ARENA_ARRAY(a, before + count, struct estimate);
    const char **ruled_out = ARENA_ARRAY(a, before + count, const char *);
    struct str *names = ARENA_ARRAY(a, experts, struct str);
    if (!arms || !estimates || !ruled_out || !names)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(arms, c->arms, before * sizeof(*arms));
    memcpy(estimates, c->estimates, before * sizeof(*estimates));
    memcpy(ruled_out, c->ruled_out, before * sizeof(*ruled_out));
    for (size_t i = 0; i < experts; i++)
        names[i] = p->settings.experts[i].name;
    for (size_t k = 0; k < count; k++) {
        struct plan plan = {.kind = PLAN_VERIFIED, .member_count = plans[k].member_count};
        memcpy(plan.members, plans[k].members, sizeof(plan.members));
        plan.name = name_of(&plan, names, a);
        if (!plan.name.len)
            return error_set(err, ERR_MEMORY, "out of memory for a decision");
        arms[before + k] = plan;
        estimates[before + k] = plans[k].estimate;
        estimates[before + k].unfamiliar = c->estimates[0].unfamiliar;
    }
    c->arms = arms;
    c->estimates = estimates;
    c->ruled_out = ruled_out;
    c->arm_count = before + count;
    return OK;
}

static void fill_row(struct verified_sample *s, const struct model_sample *from, size_t row,
                     const bool *use, size_t count, const struct verified_terms *terms, size_t most)
{
    struct estimate experts[MODEL_EXPERTS_MAX] = {{0}};
    struct verified_plan plans[VERIFIED_PLANS_MAX];
    for (size_t i = 0; i < count; i++) {
        double usd = (double)from->cost_usd[row * from->arms + i];
        experts[i].quality = from->quality[row * from->arms + i];
        experts[i].cost_nano_usd =
            usd > 0 && usd < 1e9 ? (int64_t)(usd * (double)NANO_PER_USD + 0.5) : 0;
        experts[i].cost_max_nano_usd = experts[i].cost_nano_usd;
    }
    size_t found = verified_plans(terms, experts, use, count, most_calls(most), plans);
    for (size_t k = 0; k < VERIFIED_PLANS_MAX && found; k++) {
        const struct estimate *e = &plans[k < found ? k : found - 1].estimate;
        s->quality[row * VERIFIED_PLANS_MAX + k] = e->quality;
        s->cost_usd[row * VERIFIED_PLANS_MAX + k] =
            (float)((double)e->cost_nano_usd / (double)NANO_PER_USD);
    }
}

enum status verified_sample_init(struct verified_sample *s, const struct model_sample *from,
                                 const bool *use, size_t count, const struct verified_terms *terms,
                                 size_t most, struct error *err)
{
    *s = (struct verified_sample){.sample = {.rows = from->rows, .arms = VERIFIED_PLANS_MAX}};
    if (!from->rows)
        return OK;
    s->quality = calloc(from->rows * VERIFIED_PLANS_MAX, sizeof(*s->quality));
    s->cost_usd = calloc(from->rows * VERIFIED_PLANS_MAX, sizeof(*s->cost_usd));
    if (!s->quality || !s->cost_usd) {
        verified_sample_done(s);
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    }
    for (size_t row = 0; row < from->rows; row++)
        fill_row(s, from, row, use, count, terms, most);
    s->sample.quality = s->quality;
    s->sample.cost_usd = s->cost_usd;
    return OK;
}

void verified_sample_done(struct verified_sample *s)
{
    free(s->quality);
    free(s->cost_usd);
    *s = (struct verified_sample){0};
}
