/* The order of verified plans and what to do between their calls: see verified.h. Beliefs are numbers at the nodes of
 * predict/shared_factor.h: each expert's probability of being right there, and how likely it is that u is there and all
 * so far were rejected. Given u the experts are independent, so a rejection is one product per node. The gateway orders
 * by this on every request: loops run over experts, side by side in memory, and nothing is allocated. Functions of
 * their arguments; any thread, and any numbers, forged ones too. */
#include "predict/verified.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "predict/shared_factor.h"
#include "predict/timed.h"

#define NODES     SHARED_NODES
#define SHIFT_MAX 20.0f

/* NaN is low. */
static float within(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low;
}

/* What a check does, in probabilities whatever was given. */
struct checking {
    float false_pass, false_alarm;
    double price_nano_usd;
};

static struct checking checking_of(const struct verified_check *c)
{
    return (struct checking){.false_pass = within(c->false_pass, 0, 1),
                             .false_alarm = within(c->false_alarm, 0, 1),
                             .price_nano_usd = fmax((double)c->price_nano_usd, 0)};
}

static float rejects(const struct checking *c, float right)
{
    return c->false_alarm * right + (1 - c->false_pass) * (1 - right);
}

/* P(right | rejected) and P(right | passed), where P(right) was `right` */
static float right_if_rejected(const struct checking *c, float right)
{
    float rejected = rejects(c, right);
    return rejected > 0 ? c->false_alarm * right / rejected : 0;
}

static float right_if_passed(const struct checking *c, float right)
{
    float passed = (1 - c->false_alarm) * right + c->false_pass * (1 - right);
    return passed > 0 ? (1 - c->false_alarm) * right / passed : 0;
}

static float target_of(const struct verified_terms *t, const struct estimate *e, size_t expert)
{
    return shared_logit(e->quality) +
           (t->shift ? within(t->shift[expert], -SHIFT_MAX, SHIFT_MAX) : 0);
}

static float sd_of(const struct verified_terms *t)
{
    return within(t->shared_sd, 0, SHARED_SD_MAX);
}

/* The order */

struct ordering {
    struct checking check;
    struct shared_factor field;
    size_t expert[VERIFIED_EXPERTS_MAX];
    const struct estimate *estimates; /* by expert */
    float cost[VERIFIED_EXPERTS_MAX]; /* weighed, of a call and its check, nano-USD, > 0 */
    bool taken[VERIFIED_EXPERTS_MAX];
    size_t rejected[PLAN_MEMBERS_MAX]; /* so far, as indices above */
    size_t places;
    float mass[NODES];  /* P(u is there, all so far are rejected) */
    float passed_right; /* P(one so far has passed and is right) */
    float stands;       /* P(all so far are rejected, and the best of them is right) */
};

static void ordering_begin(struct ordering *o, const struct verified_terms *t,
                           const struct estimate *experts, const bool *use, size_t count)
{
    float target[VERIFIED_EXPERTS_MAX];
    size_t n = 0;
    o->check = checking_of(&t->check);
    o->estimates = experts;
    o->places = 0;
    o->passed_right = o->stands = 0;
    for (size_t e = 0; e < count; e++) {
        if (use && !use[e])
            continue;
        double weighed = (double)estimate_weighed_nano_usd(&experts[e]);
        o->expert[n] = e;
        o->taken[n] = false;
        o->cost[n] = (float)fmax(weighed + o->check.price_nano_usd, 1);
        target[n++] = target_of(t, &experts[e], e);
    }
    o->field.count = n;
    memcpy(o->mass, shared_weights, sizeof(o->mass));
    shared_factor_fill(&o->field, target, sd_of(t));
}

/* stands[i] = max(stands[i], base + slope · sums[i]) */
WIDE_LOOPS static void raise(float *stands, const float *sums, float base, float slope,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float stand = base + slope * sums[i];
        stands[i] = stand > stands[i] ? stand : stands[i];
    }
}

/* stands[i]: what o->stands would be if i were asked and rejected, too. Being rejected is linear in being right, so
 * each of those rejected before takes one weighing. */
static void stand_after(const struct ordering *o, const float *right, float *stands)
{
    float sums[VERIFIED_EXPERTS_MAX], factor[NODES], pass = o->check.false_pass,
                                                     alarm = o->check.false_alarm;
    for (size_t i = 0; i < o->field.count; i++)
        stands[i] = alarm * right[i];
    for (size_t j = 0; j < o->places && alarm > 0; j++) {
        float sum = 0;
        for (size_t k = 0; k < NODES; k++) {
            float p = o->field.right[k][o->rejected[j]];
            sum += factor[k] = o->mass[k] * right_if_rejected(&o->check, p);
        }
        shared_factor_weigh(&o->field, factor, sums);
        raise(stands, sums, (1 - pass) * sum, alarm + pass - 1, o->field.count);
    }
}

/* Whether i, which adds `gain` for its cost, goes before k. */
static bool goes_before(const struct ordering *o, size_t i, float gain, size_t k, float gain_k)
{
    float x = gain * o->cost[k], y = gain_k * o->cost[i];
    return x != y ? x > y : o->cost[i] < o->cost[k];
}

/* Takes the next; false: nobody adds anything. */
static bool take_next(struct ordering *o)
{
    float right[VERIFIED_EXPERTS_MAX], stands[VERIFIED_EXPERTS_MAX], best_gain = 0;
    size_t best = SIZE_MAX;
    shared_factor_weigh(&o->field, o->mass, right);
    stand_after(o, right, stands);
    for (size_t i = 0; i < o->field.count; i++) {
        float gain = (1 - o->check.false_alarm) * right[i] + stands[i] - o->stands;
        if (o->taken[i] || !(gain > 0))
            continue;
        if (best == SIZE_MAX || goes_before(o, i, gain, best, best_gain)) {
            best = i;
            best_gain = gain;
        }
    }
    if (best == SIZE_MAX)
        return false;
    o->taken[best] = true;
    o->rejected[o->places++] = best;
    o->passed_right += (1 - o->check.false_alarm) * right[best];
    o->stands = stands[best];
    for (size_t k = 0; k < NODES; k++)
        o->mass[k] *= rejects(&o->check, o->field.right[k][best]);
    return true;
}

static int64_t to_nano(double nano_usd)
{
    return nano_usd < 9e18 ? (int64_t)(nano_usd + 0.5) : INT64_MAX;
}

/* Costs of a plan, as they grow with every place. */
struct sums {
    double cost, weighed, most, calls;
};

static void add_call(const struct ordering *o, size_t place, float asked, struct sums *s)
{
    const struct estimate *e = &o->estimates[o->expert[o->rejected[place]]];
    double price = o->check.price_nano_usd, cost = fmax((double)e->cost_nano_usd, 0);
    s->calls += (double)asked;
    s->cost += (double)asked * (cost + price);
    s->weighed += (double)asked * ((double)estimate_weighed_nano_usd(e) + price);
    s->most += cost + price;
}

/* Only forged costs are negative, or beyond 9e18. */
static void price_plan(const struct sums *s, struct estimate *e)
{
    e->cost_max_nano_usd = to_nano(s->most);
    e->cost_nano_usd = to_nano(s->cost);
    e->unweighed_nano_usd = e->cost_nano_usd - to_nano(fmax(s->weighed, 0));
}

size_t verified_steps(const struct verified_terms *t, const struct estimate *experts,
                      const bool *use, size_t count, size_t most,
                      struct verified_step steps[PLAN_MEMBERS_MAX])
{
    struct ordering o;
    struct sums sums = {0};
    struct estimate e = {.quality = 0};
    CHECK(count <= VERIFIED_EXPERTS_MAX);
    ordering_begin(&o, t, experts, use, count);
    for (size_t place = 0; place < most && place < PLAN_MEMBERS_MAX; place++) {
        float asked = 0;
        for (size_t k = 0; k < NODES; k++)
            asked += o.mass[k];
        if (!take_next(&o))
            break;
        e.asked[place] = place ? within(asked, 0, 1) : 1;
        add_call(&o, place, e.asked[place], &sums);
        e.quality = within(o.passed_right + o.stands, 0, 1);
        e.unfamiliar = experts[o.expert[o.rejected[0]]].unfamiliar;
        e.escalation = place ? (float)(sums.calls - 1) / (float)place : 0;
        e.escalation = within(e.escalation, 0, 1);
        price_plan(&sums, &e);
        steps[place] = (struct verified_step){.expert = o.expert[o.rejected[place]], .estimate = e};
    }
    return o.places;
}

/* Between calls */

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
    return within(sum, 0, 1);
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
