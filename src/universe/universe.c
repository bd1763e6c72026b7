/* See universe.h. The set first; what each candidate is to it; then, where they are asked for, the sets of domains and
 * of the frontier, which are the same search under other rules. One thread; each search has a limit of work of its own,
 * so that many of them end in seconds. Nothing is read or printed here; progress is told to the caller's function, on
 * the caller's thread. */
#include "universe/universe.h"

#include <math.h>
#include <stdio.h>

static int64_t cost_of(const struct candidates *c, const size_t *members, size_t count)
{
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += c->cost_nano_usd[members[i]];
    return sum;
}

struct set_rules universe_rules(const struct candidates *c, const struct universe_options *o)
{
    return (struct set_rules){.candidates = c->count,
                              .cost_nano_usd = c->cost_nano_usd,
                              .count_max = o->count_max,
                              .cost_max_nano_usd = o->cost_max_nano_usd,
                              .keep = o->keep,
                              .keep_count = o->keep_count};
}

/* What the rules cannot be */

static enum status check_costs(const struct candidates *c, struct error *err)
{
    for (size_t i = 0; i < c->count; i++)
        if (!candidate_cost_known(c, i)) {
            struct str name = candidate_name(c, i);
            return error_set(err, ERR_INPUT,
                             "a limit of cost, and no cost of '%.*s' is known: add cost_usd, or "
                             "leave it out by --experts",
                             STR_FMT(name));
        }
    return OK;
}

enum status universe_check(const struct candidates *c, const struct universe_options *o,
                           struct error *err)
{
    int64_t cheapest = INT64_MAX, kept = cost_of(c, o->keep, o->keep_count);
    if (o->keep_count > o->count_max)
        return error_set(err, ERR_INPUT, "%zu members are to be kept in a set of %zu",
                         o->keep_count, o->count_max);
    if (o->per_domain && !c->domains)
        return error_set(err, ERR_INPUT,
                         "a set for each domain, but no question of %.*s names one: add \"domain\" "
                         "to queries.jsonl",
                         STR_FMT(c->d->path));
    if (o->cost_max_nano_usd == INT64_MAX)
        return OK;
    enum status status = check_costs(c, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < c->count; i++)
        cheapest = c->cost_nano_usd[i] < cheapest ? c->cost_nano_usd[i] : cheapest;
    int64_t needed = o->keep_count ? kept : cheapest;
    if (needed <= o->cost_max_nano_usd)
        return OK;
    return error_set(err, ERR_INPUT, "%.6g USD per 1,000 questions is less than %s (%.6g)",
                     (double)o->cost_max_nano_usd / (double)NANO_PER_USD,
                     o->keep_count ? "the members to be kept cost" : "the cheapest candidate costs",
                     (double)needed / (double)NANO_PER_USD);
}

/* Comparisons */

static size_t best_single(const struct coverage *v, double *ret_score)
{
    const int64_t *costs = v->c->cost_nano_usd;
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < v->c->count; i++) {
        double score = coverage_mean(v, &i, 1);
        if (score > most || (score == most && costs[i] < costs[best])) {
            best = i;
            most = score;
        }
    }
    *ret_score = most;
    return best;
}

static double covered_by_all(const struct coverage *v)
{
    size_t all[CANDIDATES_MAX];
    for (size_t i = 0; i < v->c->count; i++)
        all[i] = i;
    return coverage_mean(v, all, v->c->count);
}

/* Domains */

static enum status domain_make(const struct candidates *c, const struct set_rules *rules,
                               const struct exact_options *exact, uint32_t domain, struct arena *a,
                               struct domain_set *ret, struct error *err)
{
    struct coverage v;
    enum status status = coverage_domain(c, domain, a, &v, err);
    if (status == OK)
        status = selection_by_coverage(&v, rules, exact, &ret->s, err);
    if (status != OK)
        return status;
    ret->domain = domain;
    ret->questions = v.row_count;
    ret->best = best_single(&v, &ret->best_score);
    ret->all = covered_by_all(&v);
    return OK;
}

static void join_domains(struct universe *u)
{
    bool in[CANDIDATES_MAX] = {false};
    for (size_t i = 0; i < u->domain_count; i++)
        for (size_t m = 0; m < u->domains[i].s.set.count; m++)
            in[u->domains[i].s.set.members[m]] = true;
    for (size_t i = 0; i < u->c->count; i++)
        if (in[i])
            u->joint[u->joint_count++] = i;
    u->joint_covers = coverage_mean(&u->v, u->joint, u->joint_count);
    u->joint_cost_nano_usd = cost_of(u->c, u->joint, u->joint_count);
}

static enum status make_domains(struct universe *u, const struct set_rules *rules,
                                const struct exact_options *exact, struct arena *a,
                                struct error *err)
{
    enum status status = OK;
    u->domains = ARENA_ARRAY(a, u->c->domains, struct domain_set);
    if (!u->domains)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (uint32_t i = 0; status == OK && i < u->c->domains; i++)
        status = domain_make(u->c, rules, exact, i, a, &u->domains[u->domain_count++], err);
    if (status == OK)
        join_domains(u);
    return status;
}

/* The frontier */

static enum status point_add(const struct universe *u, const struct set_rules *rules,
                             const struct exact_options *exact, struct frontier_point *points,
                             size_t *count, struct error *err)
{
    struct selection s;
    enum status status = selection_by_coverage(&u->v, rules, exact, &s, err);
    if (status != OK)
        return status;
    struct frontier_point p = {.count = s.set.count,
                               .achieves = selection_mean(&s),
                               .cost_nano_usd = s.set.cost_nano_usd,
                               .proved = s.promise == SELECTION_PROVED};
    for (size_t i = 0; i < p.count; i++)
        p.members[i] = s.set.members[i];
    /* A wider limit that buys nothing is no point of its own. */
    if (*count == 0 || p.achieves > points[*count - 1].achieves)
        points[(*count)++] = p;
    return OK;
}

static enum status frontier_by_number(struct universe *u, struct set_rules rules,
                                      const struct exact_options *exact, struct error *err)
{
    enum status status = OK;
    size_t from = rules.keep_count ? rules.keep_count : 1;
    rules.cost_max_nano_usd = INT64_MAX;
    for (size_t k = from; status == OK && k < from + FRONTIER_NUMBERS && k <= u->c->count; k++) {
        rules.count_max = k;
        status = point_add(u, &rules, exact, u->by_number, &u->by_number_count, err);
    }
    return status;
}

/* Limits grow by equal factors from what the cheapest set costs. Without all costs there is no such frontier. */
static enum status frontier_by_cost(struct universe *u, struct set_rules rules,
                                    const struct exact_options *exact, struct error *err)
{
    enum status status = OK;
    double low = (double)cost_of(u->c, rules.keep, rules.keep_count), high = 0;
    for (size_t i = 0; i < u->c->count; i++) {
        double cost = (double)u->c->cost_nano_usd[i];
        if (!candidate_cost_known(u->c, i))
            return OK;
        low = rules.keep_count ? low : i ? fmin(low, cost) : cost;
        high += cost;
    }
    low = fmax(low, high / 1e5);
    rules.count_max = u->c->count;
    for (size_t i = 0; status == OK && i < FRONTIER_COSTS; i++) {
        double at = (double)i / (FRONTIER_COSTS - 1);
        rules.cost_max_nano_usd = high > 0 ? (int64_t)ceil(low * pow(high / low, at)) : 0;
        status = point_add(u, &rules, exact, u->by_cost, &u->by_cost_count, err);
    }
    return status;
}

static enum status make_frontier(struct universe *u, const struct set_rules *rules,
                                 const struct exact_options *exact, struct arena *a,
                                 struct error *err)
{
    u->by_number = ARENA_ARRAY(a, FRONTIER_NUMBERS, struct frontier_point);
    u->by_cost = ARENA_ARRAY(a, FRONTIER_COSTS, struct frontier_point);
    if (!u->by_number || !u->by_cost)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = frontier_by_number(u, *rules, exact, err);
    return status == OK ? frontier_by_cost(u, *rules, exact, err) : status;
}

/* The whole */

static enum status cover_domains(struct universe *u, struct arena *a, struct error *err)
{
    const struct chosen_set *set = &u->s.set;
    u->domain_covers = ARENA_ARRAY(a, u->c->domains + 1, double);
    if (!u->domain_covers)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t r = 0; u->c->domains && r < u->v.row_count; r++) {
        size_t domain = u->c->domain_of[u->v.rows[r]];
        u->domain_covers[domain] += coverage_best(&u->v, r, set->members, set->count) /
                                    (double)SCORE_ONE / (double)u->domain_sizes[domain];
    }
    return OK;
}

static enum status choose(struct universe *u, const struct universe_options *o,
                          const struct set_rules *rules, struct arena *a, struct error *err)
{
    enum status status = OK;
    if (o->chosen)
        u->s = *o->chosen;
    else
        status = selection_by_coverage(&u->v, rules, &o->exact, &u->s, err);
    if (status != OK)
        return status;
    const struct chosen_set *set = &u->s.set;
    double score;
    u->objective = o->chosen ? o->chosen_by : "coverage";
    u->covers = coverage_mean(&u->v, set->members, set->count);
    u->best = best_single(&u->v, &score);
    u->all = covered_by_all(&u->v);
    for (size_t i = 0; i < u->c->count; i++)
        u->all_cost_nano_usd += u->c->cost_nano_usd[i];
    status = domain_sizes(&u->v, a, &u->domain_sizes, err);
    if (status == OK)
        status = cover_domains(u, a, err);
    return status == OK ? member_uses(&u->v, set->members, set->count, a, &u->uses, err) : status;
}

enum status universe_make(const struct candidates *c, const struct universe_options *o,
                          struct arena *a, struct universe *ret, struct error *err)
{
    struct universe u = {.c = c};
    struct set_rules rules = universe_rules(c, o);
    struct exact_options smaller = o->exact;
    smaller.work_max /= FRONTIER_WORK;
    enum status status = coverage_all(c, a, &u.v, err);
    if (status == OK)
        status = choose(&u, o, &rules, a, err);
    if (status == OK && o->per_domain)
        status = make_domains(&u, &rules, &smaller, a, err);
    if (status == OK && o->frontier)
        status = make_frontier(&u, &rules, &smaller, a, err);
    if (status == OK)
        *ret = u;
    return status;
}
