/* Plans as learnt: see plan_set.h. */
#include "predict/plan_set.h"

#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "base/money.h"
#include "predict/timed.h"

void plan_set_terms(const struct plan *p, const struct estimate *experts, float *x)
{
    struct plan_state s = {.characters = 0};
    for (size_t i = 0; i < PLAN_MEMBERS_MAX; i++)
        x[i] = 0;
    for (size_t i = 0; i < p->member_count; i++)
        s.members[i] = &experts[p->members[i]];
    escalation_base(p, &s, x);
}

/* weights[1 + terms] */
static float head(const float *weights, const float *x, size_t terms)
{
    float z = weights[0];
    for (size_t i = 0; i < terms; i++)
        z += weights[1 + i] * x[i];
    float q = fmath_sigmoid(z);
    return q >= 0 && q <= 1 ? q : 0; /* also a NaN out of a forged model */
}

static struct estimate expect(const struct plan_set *s, size_t k, const float *x)
{
    const struct plan *p = &s->plans[k];
    if (p->kind != PLAN_SEQUENTIAL) {
        const float *weights = s->heads + k * PLAN_HEADS;
        return (struct estimate){.quality = head(weights, x, ESCALATION_MEMBERS_MAX),
                                 .escalation =
                                     head(weights + PLAN_HEAD, x, ESCALATION_MEMBERS_MAX)};
    }
    const float *weights = s->panel_heads + k * PANEL_HEADS;
    struct estimate e = {.quality = head(weights, x, PLAN_MEMBERS_MAX)};
    float calls = 0;
    for (size_t i = 0; i < p->member_count; i++) {
        e.asked[i] = head(weights + (1 + i) * PANEL_HEAD, x, PLAN_MEMBERS_MAX);
        calls += e.asked[i];
    }
    e.escalation = calls > 1 ? (calls - 1) / (float)(p->member_count - 1) : 0;
    return e;
}

void plan_set_estimate(const struct plan_set *s, const struct estimate *experts,
                       struct estimate *plans)
{
    for (size_t k = 0; k < s->count; k++) {
        const struct plan *p = &s->plans[k];
        const struct estimate *members[PLAN_MEMBERS_MAX] = {NULL};
        float x[PLAN_MEMBERS_MAX];
        plan_set_terms(p, experts, x);
        for (size_t i = 0; i < p->member_count; i++)
            members[i] = &experts[p->members[i]];
        plans[k] = expect(s, k, x);
        plan_price(p, members, &plans[k]);
    }
}

void plan_set_panel_state(const struct plan *p, const struct plan_state *s, struct panel_state *ret)
{
    *ret = (struct panel_state){
        .members = p->member_count, .characters = s->characters, .choice_count = s->choice_count};
    for (size_t i = 0; i < p->member_count; i++) {
        const struct plan_answer *a = &s->answers[i];
        const struct estimate *e = s->members[i];
        ret->asked |= (uint8_t)(a->asked << i);
        ret->barred |= (uint8_t)(a->pending << i);
        ret->member[i] = (struct panel_member){.quality = e->quality,
                                               .output_tokens = e->output_tokens,
                                               .cost_usd = money_usd(e->cost_nano_usd),
                                               .answer_class = a->answer_class,
                                               .stats = a->asked && !a->failed ? a->stats : NULL,
                                               .certainty = a->certainty};
    }
}

/* How likely each member is to be asked, before any call. */
static void likely_members(const struct plan_set *s, size_t plan, const struct plan_state *state,
                           float *likely)
{
    const float *weights = s->panel_heads + plan * PANEL_HEADS;
    float x[PLAN_MEMBERS_MAX] = {0};
    escalation_base(&s->plans[plan], state, x);
    for (size_t i = 0; i < s->plans[plan].member_count; i++)
        likely[i] = head(weights + (1 + i) * PANEL_HEAD, x, PLAN_MEMBERS_MAX);
}

static void timed_sequence(const struct plan_set *s, size_t plan, const struct plan_state *state,
                           struct plan_verdict *ret)
{
    struct panel_state panel;
    float likely[PLAN_MEMBERS_MAX];
    plan_set_panel_state(&s->plans[plan], state, &panel);
    likely_members(s, plan, state, likely);
    timed_panel_verdict(&s->panels[s->escalation_of[plan]], &s->plans[plan], state, &panel, likely,
                        ret);
}

/* Whoever is asked is waited for: its answer is what the next verdict hangs on. */
static void panel_plan_verdict(const struct panel *panel, const struct plan *p,
                               const struct plan_state *s, struct plan_verdict *ret)
{
    struct panel_state state;
    struct panel_verdict v;
    uint8_t pending = 0;
    plan_set_panel_state(p, s, &state);
    panel_verdict(panel, &state, (double)p->gain_per_usd, &v);
    for (size_t i = 0; i < p->member_count; i++)
        pending |= (uint8_t)(s->answers[i].pending << i);
    bool enough = s->calls_max && __builtin_popcount(state.asked) >= s->calls_max;
    *ret = (struct plan_verdict){.ask = pending || enough ? 0 : v.ask, .wait = pending != 0};
    ret->winner = v.winner < p->member_count ? v.winner : 0;
    memcpy(ret->trust, v.trust, p->member_count * sizeof(*v.trust));
}

void plan_set_verdict(const struct plan_set *s, size_t plan, const struct plan_state *state,
                      struct plan_verdict *ret)
{
    CHECK(plan < s->count);
    const struct plan *p = &s->plans[plan];
    size_t by = s->escalation_of[plan];
    if (p->kind == PLAN_SEQUENTIAL && state->is_timed)
        timed_sequence(s, plan, state, ret);
    else if (p->kind == PLAN_SEQUENTIAL)
        panel_plan_verdict(&s->panels[by], p, state, ret);
    else if (p->rule == PLAN_AGREE)
        escalation_agreement(p, state, ret);
    else
        escalation_verdict(&s->escalations[by], p, state, ret);
    if (p->kind != PLAN_SEQUENTIAL)
        timed_verdict(p, state, ret);
}
