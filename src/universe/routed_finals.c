/* See routed_finals.h. First come the proposals: two searches by held-out estimates of a model of all candidates, one
 * at the budget and one that looks at smaller budgets as well, then the sets that a person would name without a search.
 * Then every proposal is trained and measured as `leeroo eval --folds` does it. With plans a query without a member's
 * text is not measured, so only queries that all finals have are compared. One thread. */
#include "universe/routed_finals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "universe/routed_int.h"

#define TRIALS_ARENA_BYTES ((size_t)16 << 30)
#define LEAN_TIES          1e-6 /* smaller budgets decide where the budget itself does not */
#define LEAN_EVEN          1.0

/* Proposals */

static bool same_members(const struct routed_final *f, const size_t *members, size_t count)
{
    size_t shared = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < f->count; k++)
            shared += f->members[k] == members[i];
    return count == f->count && shared == count;
}

static void final_add(struct routed_choice *choice, const char *from, const size_t *members,
                      size_t count)
{
    for (size_t i = 0; i < choice->count; i++)
        if (same_members(&choice->finals[i], members, count))
            return;
    CHECK(choice->count < ROUTED_FINALS_MAX);
    struct routed_final *f = &choice->finals[choice->count++];
    *f = (struct routed_final){.from = from, .count = count};
    memcpy(f->members, members, count * sizeof(*members));
}

static enum status propose_searched(struct routed *r, const struct set_rules *rules, double lean,
                                    const char *from, struct routed_choice *choice,
                                    struct error *err)
{
    struct chosen_set set;
    struct routed_lens lens = {r, lean};
    const struct objective o = routed_objective(&lens);
    enum status status = greedy_choose(&o, rules, GREEDY_GAIN, false, &set, err);
    if (status == OK)
        status = set_swap(&o, rules, &set, err);
    if (status == OK)
        final_add(choice, from, set.members, set.count);
    return status;
}

static bool has(const size_t *members, size_t count, size_t c)
{
    for (size_t i = 0; i < count; i++)
        if (members[i] == c)
            return true;
    return false;
}

/* Whether no candidate is both better and no dearer. */
static bool is_on_frontier(const struct routed *r, const struct set_rules *rules, size_t c)
{
    for (size_t other = 0; other < r->count; other++) {
        int64_t saved = rules->cost_nano_usd[c] - rules->cost_nano_usd[other];
        double gained = r->scores[other] - r->scores[c];
        if (saved >= 0 && gained >= 0 && (saved > 0 || gained > 0))
            return false;
    }
    return true;
}

/* The next by a plain rule: the cheapest on the frontier, or else the most accurate; SIZE_MAX: nobody is left. */
static size_t plain_next(const struct routed *r, const struct set_rules *rules,
                         const size_t *members, size_t count, bool frontier)
{
    size_t next = SIZE_MAX;
    for (size_t c = 0; c < r->count; c++) {
        if (has(members, count, c) || (frontier && !is_on_frontier(r, rules, c)))
            continue;
        if (next == SIZE_MAX || (frontier ? rules->cost_nano_usd[c] < rules->cost_nano_usd[next]
                                          : r->scores[c] > r->scores[next]))
            next = c;
    }
    return next;
}

/* A set of `size` by a plain rule; where the frontier has fewer, the most accurate fill it up. */
static void propose_plain(const struct routed *r, const struct set_rules *rules, size_t size,
                          bool frontier, struct routed_choice *choice)
{
    size_t members[CANDIDATES_MAX], count = 0;
    int64_t cost = 0;
    for (; count < rules->keep_count; count++)
        members[count] = rules->keep[count];
    while (count < size) {
        size_t next = plain_next(r, rules, members, count, frontier);
        if (next == SIZE_MAX)
            next = plain_next(r, rules, members, count, false);
        members[count++] = next;
    }
    for (size_t i = 0; i < count; i++)
        cost += rules->cost_nano_usd[members[i]];
    if (cost <= rules->cost_max_nano_usd)
        final_add(choice, frontier ? "the cheapest on the frontier" : "the most accurate", members,
                  count);
}

static enum status propose(struct routed *r, const struct set_rules *rules,
                           struct routed_choice *choice, struct error *err)
{
    enum status status = propose_searched(r, rules, LEAN_TIES, "search at the budget", choice, err);
    if (status == OK)
        status =
            propose_searched(r, rules, LEAN_EVEN, "search at smaller budgets, too", choice, err);
    if (status != OK)
        return status;
    size_t size = choice->finals[0].count;
    if (size == 0)
        return error_set(err, ERR_INPUT,
                         "%.*s: no candidate is right on any question of which all outcomes are "
                         "known, so there is no set to route",
                         STR_FMT(r->d->path));
    propose_plain(r, rules, size, false, choice);
    propose_plain(r, rules, size, true, choice);
    return OK;
}

/* Trials */

/* One final as trained by itself. */
struct trial {
    struct eval_set set;
    float *scores; /* [queries of the data set]: of what is chosen at the budget */
};

struct trials {
    struct routed *r;
    struct arena *a;
    struct trial all[ROUTED_FINALS_MAX];
    size_t count, done;
    uint32_t *
        seen; /* [queries of the data set]: in how many tables, that of all candidates among them */
};

static void trials_progress(size_t done, size_t total, void *arg)
{
    const struct trials *t = arg;
    const struct routed_options *o = &t->r->options;
    if (o->progress)
        o->progress(t->done * total + done, t->count * total, o->arg);
}

static void see(struct trials *t, const struct eval_set *set)
{
    for (size_t row = 0; row < set->table.queries; row++)
        t->seen[set->query_index[row]]++;
}

static bool is_compared(const struct trials *t, uint32_t query)
{
    return t->seen[query] == t->count + 1;
}

static enum status trial_build(struct trials *t, const struct routed_final *f, struct error *err)
{
    struct routed *r = t->r;
    struct trial *trial = &t->all[t->done];
    bool plans = r->options.plans;
    struct folds_options folds = {.folds = ROUTED_FOLDS,
                                  .plans = plans ? "all" : "none",
                                  .needs_texts = plans,
                                  .seed = r->options.seed,
                                  .progress = trials_progress,
                                  .arg = t};
    enum status status = routed_names(r, f->members, f->count, t->a, &folds.experts, err);
    if (status == OK)
        status = eval_folds_build(r->d, &folds, t->a, &trial->set, err);
    if (status != OK)
        return status;
    see(t, &trial->set);
    t->done++;
    return OK;
}

/* What each query scores at the budget; a set that the budget cannot pay for answers its share of each. */
static void trial_scores(const struct trials *t, struct trial *trial, const struct routed_curve *c,
                         uint32_t *choices)
{
    double budget = routed_nano_usd(c, t->r->figures.budget_usd_per_1k), share = 1;
    struct curve_cut cut = {0};
    if (!curve_cut_at(c->points, c->curve.step_count + 1, budget, &cut))
        share = budget / (double)c->points[0].cost_nano_usd;
    curve_choices(&c->curve, cut.steps, choices);
    for (size_t row = 0; row < trial->set.table.queries; row++)
        trial->scores[trial->set.query_index[row]] =
            (float)share * eval_outcome(&trial->set.table, row, choices[row])->score;
}

static enum status trial_measure(struct trials *t, struct trial *trial, struct routed_final *f,
                                 struct error *err)
{
    const struct eval_table *table = &trial->set.table;
    double budgets[ROUTED_BUDGETS], scores[ROUTED_BUDGETS];
    struct routed_curve c;
    arena_reset(t->r->scratch);
    uint32_t *weights = ARENA_ARRAY(t->r->scratch, table->queries + 1, uint32_t);
    uint32_t *choices = ARENA_ARRAY(t->r->scratch, table->queries + 1, uint32_t);
    trial->scores = ARENA_ARRAY(t->a, t->r->d->query_count, float);
    if (!weights || !choices || !trial->scores)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t row = 0; row < table->queries; row++)
        weights[row] = is_compared(t, trial->set.query_index[row]);
    enum status status = routed_curve_make(table, weights, t->r->scratch, &c, err);
    if (status != OK)
        return status;
    routed_budgets(t->r, budgets);
    routed_curve_scores(&c, budgets, ROUTED_BUDGETS, scores);
    f->score = scores[ROUTED_BUDGETS - 1];
    f->below = routed_below(scores);
    trial_scores(t, trial, &c, choices);
    return OK;
}

/* The standard error of the difference of two trials, query by query. */
static double trials_error(const struct trials *t, const struct trial *x, const struct trial *y)
{
    double sum = 0, squares = 0, n = 0;
    for (uint32_t q = 0; q < t->r->d->query_count; q++) {
        if (!is_compared(t, q))
            continue;
        double difference = (double)x->scores[q] - (double)y->scores[q];
        sum += difference;
        squares += difference * difference;
        n++;
    }
    return n > 1 ? sqrt(fmax(0, squares - sum * sum / n) / (n - 1) / n) : 0;
}

static void trials_take(const struct trials *t, struct routed_choice *choice)
{
    struct routed_final *finals = choice->finals;
    size_t best = 0, taken;
    for (size_t i = 1; i < choice->count; i++)
        if (finals[i].score > finals[best].score)
            best = i;
    taken = best;
    for (size_t i = 0; i < choice->count; i++) {
        finals[i].behind = finals[best].score - finals[i].score;
        finals[i].behind_error = trials_error(t, &t->all[best], &t->all[i]);
        if (finals[i].behind <= finals[i].behind_error && finals[i].below > finals[taken].below)
            taken = i;
    }
    choice->taken = taken;
}

static enum status trials_run(struct trials *t, struct routed_choice *choice, struct error *err)
{
    enum status status = OK;
    t->count = choice->count;
    t->seen = ARENA_ARRAY(t->a, t->r->d->query_count, uint32_t);
    if (!t->seen)
        return error_set(err, ERR_MEMORY, "out of memory");
    see(t, &t->r->set);
    for (size_t i = 0; status == OK && i < choice->count; i++)
        status = trial_build(t, &choice->finals[i], err);
    for (uint32_t q = 0; status == OK && q < t->r->d->query_count; q++)
        choice->queries += is_compared(t, q);
    if (status == OK && choice->queries == 0)
        status = error_set(err, ERR_INPUT,
                           "%.*s: there is no query of which the members of all sets compared "
                           "have texts",
                           STR_FMT(t->r->d->path));
    for (size_t i = 0; status == OK && i < choice->count; i++)
        status = trial_measure(t, &t->all[i], &choice->finals[i], err);
    if (status == OK)
        trials_take(t, choice);
    return status;
}

/* The choice */

/* Everything of the trials lives in `a`. */
static enum status choose(struct routed *r, const struct set_rules *rules, struct arena *a,
                          struct routed_choice *choice, struct error *err)
{
    struct routed_lens lens = {r, LEAN_TIES};
    const struct objective o = routed_objective(&lens);
    struct trials *t = ARENA_NEW(a, struct trials);
    enum status status = t ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = propose(r, rules, choice, err);
    if (status != OK)
        return status;
    *t = (struct trials){.r = r, .a = a};
    status = trials_run(t, choice, err);
    const struct routed_final *taken = &choice->finals[choice->taken];
    if (status == OK)
        status = set_order(&o, rules, taken->members, taken->count, &choice->set, err);
    return status;
}

enum status routed_choose(struct routed *r, const struct set_rules *rules,
                          struct routed_choice *ret, struct error *err)
{
    struct routed_choice choice = {0};
    struct arena *a = arena_create(TRIALS_ARENA_BYTES);
    enum status status = a ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = choose(r, rules, a, &choice, err);
    arena_free(a);
    if (status == OK)
        *ret = choice;
    return status;
}
