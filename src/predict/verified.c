/* What to do between the calls of a verified plan: see verified.h. What the check has said of some answers tells of the
 * difficulty that all experts share, and so of the others: beliefs are numbers at the nodes of predict/shared_factor.h,
 * at each of which experts are independent. Evaluation and the gateway ask on the same kind of state and must get the
 * same verdicts. Functions of their arguments; any thread, and any numbers, forged ones too. */
#include "predict/verified.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "predict/timed.h"
#include "predict/verified_int.h"

/* How likely u is at each node, given what the check has said of all. */
static void posterior(const struct checking *c, const struct shared_factor *f,
                      const struct plan_state *s, float mass[NODES])
{
    float total = 0;
    for (size_t k = 0; k < NODES; k++) {
        mass[k] = shared_weights[k];
        for (size_t i = 0; i < f->count; i++) {
            float rejected = rejects(c, f->right[k][i]);
            enum plan_check said = s->answers[i].check;
            mass[k] *= said == PLAN_REJECTED ? rejected : said == PLAN_PASSED ? 1 - rejected : 1;
        }
        total += mass[k];
    }
    /* What can not happen (a check without errors contradicts itself) tells nothing. */
    for (size_t k = 0; k < NODES; k++)
        mass[k] = total > 0 ? mass[k] / total : shared_weights[k];
}

static float trust_in(const struct checking *c, const struct shared_factor *f,
                      const float mass[NODES], enum plan_check said, size_t i)
{
    float sum = 0;
    for (size_t k = 0; k < NODES; k++) {
        float p = f->right[k][i];
        p = said == PLAN_REJECTED ? right_if_rejected(c, p)
            : said == PLAN_PASSED ? right_if_passed(c, p)
                                  : p;
        sum += mass[k] * p;
    }
    return verified_within(sum, 0, 1);
}

/* The answer most likely to be right of those that are there; where a check without false alarms has rejected all, the
 * one that was most likely to be before. 0: there is none. */
static size_t most_likely(const struct plan *p, const struct plan_state *s, const float *trust,
                          const float *target)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < p->member_count; i++) {
        if (!s->answers[i].asked || s->answers[i].failed)
            continue;
        if (best == SIZE_MAX || trust[i] > trust[best] ||
            (trust[i] == trust[best] && target[i] > target[best]))
            best = i;
    }
    return best == SIZE_MAX ? 0 : best;
}

/* The first member that the plan does not go past: it has passed, could not be judged, is waited for or not asked yet;
 * member_count: all were rejected or have failed. */
static size_t stops_at(const struct plan *p, const struct plan_state *s)
{
    for (size_t i = 0; i < p->member_count; i++) {
        const struct plan_answer *a = &s->answers[i];
        if (!a->asked || (!a->failed && a->check != PLAN_REJECTED))
            return i;
    }
    return p->member_count;
}

/* Nobody is asked while the answer of `at` is waited for, or its check, and nobody after one that has stopped it. */
static void go_on(const struct plan_answer *a, size_t at, struct plan_verdict *v)
{
    if (a->asked && (a->check == PLAN_PASSED || a->check == PLAN_CHECK_DOWN))
        v->winner = at;
    else if (a->asked || a->pending)
        v->wait = true;
    else
        v->ask = (uint8_t)(1u << at);
}

void verified_verdict(const struct verified_terms *t, const struct plan *p,
                      const struct plan_state *s, struct plan_verdict *ret)
{
    struct checking check = checking_of(&t->check);
    struct shared_factor f = {.count = p->member_count};
    float target[PLAN_MEMBERS_MAX], mass[NODES];
    CHECK(p->member_count >= 1 && p->member_count <= PLAN_MEMBERS_MAX);
    for (size_t i = 0; i < p->member_count; i++)
        target[i] = target_of(t, s->members[i], p->members[i]);
    shared_factor_fill(&f, target, sd_of(t));
    posterior(&check, &f, s, mass);
    *ret = (struct plan_verdict){.ask = 0};
    for (size_t i = 0; i < p->member_count; i++)
        ret->trust[i] =
            s->answers[i].failed ? 0 : trust_in(&check, &f, mass, s->answers[i].check, i);
    ret->winner = most_likely(p, s, ret->trust, target);
    size_t at = stops_at(p, s);
    if (at < p->member_count)
        go_on(&s->answers[at], at, ret);
    timed_verdict(p, s, ret);
}
