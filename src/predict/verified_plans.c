/* Which experts to ask in which order: see verified.h. One change after the other is made to the best plan so far
 * (somebody is asked in some place, goes for somebody else, or is left out), each time the one that adds most quality
 * per USD; what stands on the way is the frontier. Beliefs are numbers at the nodes of predict/shared_factor.h. There
 * experts are independent and being rejected is linear in being right, so one weighing tells what every expert would
 * change in a place. Every request does this: nothing is allocated, nothing kept, any thread, any numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "predict/verified_int.h"

#define CHANGES_MAX 40
#define GAIN_MIN    1e-3f /* quality: what adds less is no change */
#define SORTED_FROM 16    /* fewer experts are all looked at */

/* Who may take part, by their costs and chances. */
struct candidates {
    struct checking check;
    struct shared_factor field;
    const struct estimate *estimates; /* of all experts */
    size_t expert[VERIFIED_EXPERTS_MAX];
    float target[VERIFIED_EXPERTS_MAX]; /* log-odds of the estimated quality */
    float cost[VERIFIED_EXPERTS_MAX];   /* weighed, of a call and its check, nano-USD, > 0 */
};

struct chain {
    size_t count, members[PLAN_MEMBERS_MAX]; /* candidates */
    float quality, cost;                     /* weighed, nano-USD */
};

/* A chain place by place, given u at each node. Of place j: before it, and from it on. */
struct outlook {
    float mass[PLAN_MEMBERS_MAX + 1][NODES]; /* P(u is there, all before are rejected) */
    float right[PLAN_MEMBERS_MAX + 1];       /* P(one before has passed and is right) */
    float paid[PLAN_MEMBERS_MAX + 1];
    float gain[PLAN_MEMBERS_MAX + 1][NODES];  /* P(what stands in the end is right), */
    float clean[PLAN_MEMBERS_MAX + 1][NODES]; /* P(one passes and is right), */
    float none[PLAN_MEMBERS_MAX + 1][NODES];  /* P(all are rejected), */
    float due[PLAN_MEMBERS_MAX + 1][NODES];   /* expected cost from here on, if asked */
    size_t
        standing; /* place of whoever stands if all are rejected; PLAN_MEMBERS_MAX: nobody can be right then */
};

struct change {
    size_t place, with;
    bool replaces; /* the one in that place goes */
    bool leaves;   /* and nobody comes */
    float quality, cost;
};

/* Candidates */

struct ranked {
    float cost, target;
    size_t at;
};

/* The cheaper first, of those the better, then the lower index. */
static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    if (x->target != y->target)
        return x->target > y->target ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Whether fewer than `depth` before it are at least as good; best[depth] are the best so far, falling. */
static bool is_wanted(float target, float *best, size_t depth)
{
    if (!(target > best[depth - 1]))
        return false;
    size_t i = depth - 1;
    for (; i > 0 && best[i - 1] < target; i--)
        best[i] = best[i - 1];
    best[i] = target;
    return true;
}

/* A plan of `most` has no use for whom so many are cheaper and better. */
static void candidates_sieve(struct candidates *c, size_t most)
{
    struct ranked order[VERIFIED_EXPERTS_MAX];
    float best[PLAN_MEMBERS_MAX];
    size_t expert[VERIFIED_EXPERTS_MAX], n = 0;
    for (size_t i = 0; i < most; i++)
        best[i] = -INFINITY;
    for (size_t i = 0; i < c->field.count; i++)
        order[i] = (struct ranked){c->cost[i], c->target[i], i};
    qsort(order, c->field.count, sizeof(*order), compare_ranked);
    memcpy(expert, c->expert, c->field.count * sizeof(*expert));
    for (size_t i = 0; i < c->field.count; i++) {
        if (!is_wanted(order[i].target, best, most))
            continue;
        c->expert[n] = expert[order[i].at];
        c->target[n] = order[i].target;
        c->cost[n++] = order[i].cost;
    }
    c->field.count = n;
}

static void candidates_begin(struct candidates *c, const struct verified_terms *t,
                             const struct estimate *experts, const bool *use, size_t count,
                             size_t most)
{
    c->check = checking_of(&t->check);
    c->estimates = experts;
    c->field.count = 0;
    for (size_t e = 0; e < count; e++) {
        if (use && !use[e])
            continue;
        double weighed = (double)estimate_weighed_nano_usd(&experts[e]);
        size_t at = c->field.count++;
        c->expert[at] = e;
        c->target[at] = target_of(t, &experts[e], e);
        c->cost[at] = (float)fmax(weighed + c->check.price_nano_usd, 1);
    }
    if (c->field.count > SORTED_FROM)
        candidates_sieve(c, most);
    shared_factor_fill(&c->field, c->target, sd_of(t));
}

/* A chain as it is */

static void look_forward(const struct candidates *c, const struct chain *x, struct outlook *o)
{
    memcpy(o->mass[0], shared_weights, sizeof(o->mass[0]));
    o->right[0] = o->paid[0] = 0;
    for (size_t j = 0; j < x->count; j++) {
        float asked = 0, right = 0;
        for (size_t k = 0; k < NODES; k++) {
            float p = c->field.right[k][x->members[j]], mass = o->mass[j][k];
            asked += mass;
            right += mass * p;
            o->mass[j + 1][k] = mass * rejects(&c->check, p);
        }
        o->right[j + 1] = o->right[j] + (1 - c->check.false_alarm) * right;
        o->paid[j + 1] = o->paid[j] + asked * c->cost[x->members[j]];
    }
}

/* Who stands in the end, and how likely that is right. */
static float find_standing(const struct candidates *c, const struct chain *x, struct outlook *o)
{
    float best = 0;
    o->standing = PLAN_MEMBERS_MAX;
    for (size_t j = 0; j < x->count && c->check.false_alarm > 0; j++) {
        float sum = 0;
        for (size_t k = 0; k < NODES; k++)
            sum += o->mass[x->count][k] *
                   right_if_rejected(&c->check, c->field.right[k][x->members[j]]);
        if (sum > best) {
            best = sum;
            o->standing = j;
        }
    }
    return best;
}

static void look_back(const struct candidates *c, const struct chain *x, struct outlook *o)
{
    size_t n = x->count;
    for (size_t k = 0; k < NODES; k++) {
        bool stands = o->standing < n;
        o->gain[n][k] =
            stands ? right_if_rejected(&c->check, c->field.right[k][x->members[o->standing]]) : 0;
        o->clean[n][k] = o->due[n][k] = 0;
        o->none[n][k] = 1;
    }
    for (size_t j = n; j-- > 0;)
        for (size_t k = 0; k < NODES; k++) {
            float p = c->field.right[k][x->members[j]], on = rejects(&c->check, p);
            float right = (1 - c->check.false_alarm) * p;
            o->gain[j][k] = right + on * o->gain[j + 1][k];
            o->clean[j][k] = right + on * o->clean[j + 1][k];
            o->none[j][k] = on * o->none[j + 1][k];
            o->due[j][k] = c->cost[x->members[j]] + on * o->due[j + 1][k];
        }
}

/* Sets the chain's quality and cost, too. */
static void look(const struct candidates *c, struct chain *x, struct outlook *o)
{
    look_forward(c, x, o);
    x->quality = o->right[x->count] + find_standing(c, x, o);
    x->cost = o->paid[x->count];
    look_back(c, x, o);
}

/* Changes */

/* Whether a change that adds so much quality for so much more cost is the better one; what costs no more is best. */
static bool is_better(const struct chain *x, const struct change *a, const struct change *b)
{
    float gain_a = a->quality - x->quality, gain_b = b->quality - x->quality;
    float cost_a = a->cost - x->cost, cost_b = b->cost - x->cost;
    if (!(cost_a > 0) || !(cost_b > 0))
        return (cost_a > 0) != (cost_b > 0) ? !(cost_a > 0) : gain_a > gain_b;
    float left = gain_a * cost_b, right = gain_b * cost_a;
    return left != right ? left > right : cost_a < cost_b;
}

static void offer(const struct chain *x, const struct change *offered, float least,
                  struct change *best)
{
    if (!(offered->quality - x->quality > least))
        return;
    if (!(best->quality > x->quality) || is_better(x, offered, best))
        *best = *offered;
}

/* What asking each candidate in `place` makes of quality, with the chain going on at place `rest`: constant + sums. */
static float weigh_quality(const struct candidates *c, const struct outlook *o, size_t place,
                           const float *gain, const float *none, float *sums)
{
    float factor[NODES], constant = o->right[place], pass = c->check.false_pass,
                         alarm = c->check.false_alarm;
    for (size_t k = 0; k < NODES; k++) {
        float own = none ? alarm * none[k] : 0;
        factor[k] = o->mass[place][k] * (1 - alarm + (alarm + pass - 1) * gain[k] + own);
        constant += o->mass[place][k] * (1 - pass) * gain[k];
    }
    shared_factor_weigh(&c->field, factor, sums);
    return constant;
}

static float weigh_cost(const struct candidates *c, const struct outlook *o, size_t place,
                        size_t rest, float *ret_asked, float *sums)
{
    float factor[NODES], constant = o->paid[place], pass = c->check.false_pass,
                         alarm = c->check.false_alarm;
    *ret_asked = 0;
    for (size_t k = 0; k < NODES; k++) {
        factor[k] = o->mass[place][k] * (alarm + pass - 1) * o->due[rest][k];
        constant += o->mass[place][k] * (1 - pass) * o->due[rest][k];
        *ret_asked += o->mass[place][k];
    }
    shared_factor_weigh(&c->field, factor, sums);
    return constant;
}

/* Everybody who may come into `place`, before the one that is there or for it. In the end stands whoever does now, or
 * the one that came, whichever is likelier; that some third might is left out, so no change is worth less than it
 * seems. */
static void offer_coming(const struct candidates *c, const struct chain *x, const struct outlook *o,
                         size_t place, bool replaces, float least, const bool *taken,
                         struct change *best)
{
    float as_now[VERIFIED_EXPERTS_MAX], as_own[VERIFIED_EXPERTS_MAX], dear[VERIFIED_EXPERTS_MAX];
    size_t rest = place + replaces;
    bool errs = c->check.false_alarm > 0, goes = replaces && o->standing == place;
    float asked, own = 0;
    float now = weigh_quality(c, o, place, goes ? o->clean[rest] : o->gain[rest], NULL, as_now);
    float cost = weigh_cost(c, o, place, rest, &asked, dear);
    if (errs)
        own = weigh_quality(c, o, place, o->clean[rest], o->none[rest], as_own);
    for (size_t i = 0; i < c->field.count; i++) {
        struct change y = {.place = place, .with = i, .replaces = replaces};
        if (taken[i])
            continue;
        y.quality = now + as_now[i];
        if (errs && own + as_own[i] > y.quality)
            y.quality = own + as_own[i];
        y.cost = cost + asked * c->cost[i] + dear[i];
        offer(x, &y, least, best);
    }
}

static void offer_leaving(const struct chain *x, const struct outlook *o, size_t place,
                          struct change *best)
{
    struct change y = {.place = place, .replaces = true, .leaves = true};
    const float *gain = o->standing == place ? o->clean[place + 1] : o->gain[place + 1];
    y.quality = o->right[place];
    y.cost = o->paid[place];
    for (size_t k = 0; k < NODES; k++) {
        y.quality += o->mass[place][k] * gain[k];
        y.cost += o->mass[place][k] * o->due[place + 1][k];
    }
    offer(x, &y, GAIN_MIN, best);
}

static struct change best_change(const struct candidates *c, const struct chain *x,
                                 const struct outlook *o, size_t most)
{
    bool taken[VERIFIED_EXPERTS_MAX] = {false};
    struct change best = {.quality = x->quality};
    for (size_t j = 0; j < x->count; j++)
        taken[x->members[j]] = true;
    for (size_t j = 0; j <= x->count; j++) {
        if (x->count < most)
            offer_coming(c, x, o, j, false, x->count ? GAIN_MIN : 0, taken, &best);
        if (j < x->count)
            offer_coming(c, x, o, j, true, GAIN_MIN, taken, &best);
        if (j < x->count && x->count > 1)
            offer_leaving(x, o, j, &best);
    }
    return best;
}

static void apply(struct chain *x, const struct change *y)
{
    size_t *at = &x->members[y->place], behind = x->count - y->place;
    if (y->leaves) {
        memmove(at, at + 1, (behind - 1) * sizeof(*at));
        x->count--;
        return;
    }
    if (!y->replaces) {
        memmove(at + 1, at, behind * sizeof(*at));
        x->count++;
    }
    *at = y->with;
}

/* The frontier */

/* Takes what no mix of its neighbours beats: chains[count] rise in quality; returns how many are left. */
static size_t keep_hull(struct chain *chains, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct chain *new = &chains[i];
        for (; n > 0; n--) {
            const struct chain *last = &chains[n - 1], *before = n > 1 ? last - 1 : NULL;
            float dq = last->quality - (before ? before->quality : 0);
            float dc = last->cost - (before ? before->cost : 0);
            if (last->cost < new->cost &&
                dq *(new->cost - last->cost) >= (new->quality - last->quality) * dc)
                break;
        }
        chains[n++] = *new;
    }
    return n;
}

/* Leaves out, one by one, whichever a mix of its neighbours comes nearest to, at the price that quality has there. */
static size_t thin(struct chain *chains, size_t count, size_t most)
{
    while (count > most) {
        size_t worst = 1;
        float least = INFINITY;
        for (size_t i = 1; i + 1 < count; i++) {
            const struct chain *a = &chains[i - 1], *x = &chains[i], *b = &chains[i + 1];
            float share = (x->cost - a->cost) / (b->cost - a->cost);
            float lost = x->quality - a->quality - share * (b->quality - a->quality);
            if (lost < least) {
                least = lost;
                worst = i;
            }
        }
        memmove(&chains[worst], &chains[worst + 1], (count - worst - 1) * sizeof(*chains));
        count--;
    }
    return count;
}

/* chains[CHANGES_MAX]; returns how many. */
static size_t walk(const struct candidates *c, size_t most, struct chain *chains)
{
    struct outlook o;
    struct chain x = {.count = 0};
    size_t n = 0;
    look(c, &x, &o);
    while (n < CHANGES_MAX) {
        struct change y = best_change(c, &x, &o, most);
        if (!(y.quality > x.quality))
            break;
        float before = x.quality;
        apply(&x, &y);
        look(c, &x, &o);
        if (!(x.quality > before))
            break;
        chains[n++] = x;
    }
    return thin(chains, keep_hull(chains, n), VERIFIED_PLANS_MAX);
}

/* Estimates */

static int64_t to_nano(double nano_usd)
{
    return nano_usd < 9e18 ? (int64_t)(nano_usd + 0.5) : INT64_MAX;
}

/* Only forged costs are negative, or beyond 9e18. */
static void price(const struct candidates *c, const struct chain *x, struct estimate *e)
{
    double cost = 0, weighed = 0, most = 0, each = c->check.price_nano_usd;
    for (size_t j = 0; j < x->count; j++) {
        const struct estimate *member = &c->estimates[c->expert[x->members[j]]];
        double full = fmax((double)member->cost_nano_usd, 0) + each, asked = (double)e->asked[j];
        cost += asked * full;
        weighed += asked * ((double)estimate_weighed_nano_usd(member) + each);
        most += full;
    }
    e->cost_max_nano_usd = to_nano(most);
    e->cost_nano_usd = to_nano(cost);
    e->unweighed_nano_usd = e->cost_nano_usd - to_nano(fmax(weighed, 0));
}

static void describe(const struct candidates *c, const struct chain *x, struct verified_plan *ret)
{
    struct outlook o;
    struct estimate *e = &ret->estimate;
    float calls = 0;
    *ret = (struct verified_plan){.member_count = x->count};
    look_forward(c, x, &o);
    for (size_t j = 0; j < x->count; j++) {
        float asked = 0;
        for (size_t k = 0; k < NODES; k++)
            asked += o.mass[j][k];
        ret->members[j] = c->expert[x->members[j]];
        e->asked[j] = j ? verified_within(asked, 0, 1) : 1;
        calls += e->asked[j];
    }
    e->quality = verified_within(x->quality, 0, 1);
    e->unfamiliar = c->estimates[ret->members[0]].unfamiliar;
    if (x->count > 1)
        e->escalation = verified_within((calls - 1) / (float)(x->count - 1), 0, 1);
    price(c, x, e);
}

size_t verified_plans(const struct verified_terms *t, const struct estimate *experts,
                      const bool *use, size_t count, size_t most,
                      struct verified_plan plans[VERIFIED_PLANS_MAX])
{
    struct candidates c;
    struct chain chains[CHANGES_MAX];
    CHECK(count <= VERIFIED_EXPERTS_MAX);
    if (most == 0)
        return 0;
    most = most < PLAN_MEMBERS_MAX ? most : PLAN_MEMBERS_MAX;
    candidates_begin(&c, t, experts, use, count, most);
    size_t n = walk(&c, most, chains);
    for (size_t i = 0; i < n; i++)
        describe(&c, &chains[i], &plans[i]);
    return n;
}
