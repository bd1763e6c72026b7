/* See exact.h. A node is searched in a loop: its bound is sought; candidates that can be in no better set leave it, and
 * those that must be in one join; then one candidate is tried with (a node on top of this one) and taken out (the same
 * node, smaller). Whoever asks for progress is told after each node, and nothing hangs on the answer or on a clock. One
 * thread; nothing outlives the call but what it returns. */
#include "universe/exact_int.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

#define STEPS_FIRST 300  /* of the first node's split, from nothing */
#define STEPS_LATER 20   /* of the others', which begin with that of the node below */
#define ROUNDING    0.01 /* of a unit: what sums of doubles may be off */

struct search {
    const struct coverage *v;
    const struct set_rules *rules;
    const struct exact_options *options;
    struct node_stack stack;
    size_t path[CANDIDATES_MAX], path_count; /* members of the node on top */
    size_t members[CANDIDATES_MAX], count;   /* of the best set */
    double best;
    double grain; /* values differ by so much or not at all */
    bool stopped;
    double open; /* what may still be better, once stopped */
    struct exact_end end;
};

static double search_target(const struct search *x)
{
    return x->best + x->grain - ROUNDING;
}

/* Sets that are reached */

/* The node's partial set with columns[count], worth `value`, where that is the best so far. */
static void search_reach(struct search *x, const struct node *n, const size_t *columns,
                         size_t count, double value)
{
    if (value <= x->best)
        return;
    CHECK(count <= n->room.count);
    x->best = value;
    memcpy(x->members, x->path, x->path_count * sizeof(x->path[0]));
    x->count = x->path_count;
    for (size_t i = 0; i < count; i++)
        x->members[x->count++] = n->candidate[columns[i]];
}

static double value_with(const struct node *n, const size_t *columns, size_t count)
{
    double value = n->value;
    for (size_t r = 0; r < n->rows; r++) {
        const float *adds = n->adds + r * n->columns;
        float most = 0;
        for (size_t i = 0; i < count; i++)
            most = fmaxf(adds[columns[i]], most);
        value += (double)most;
    }
    return value;
}

struct rounding {
    const struct search *x;
    const struct node *n;
    size_t taken[CANDIDATES_MAX], count;
    bool in[CANDIDATES_MAX];
    int64_t left;
};

static void rounding_take(struct rounding *r, size_t column)
{
    int64_t cost = r->x->rules->cost_nano_usd[r->n->candidate[column]];
    if (r->in[column] || r->count >= r->n->room.count || cost > r->left)
        return;
    r->in[column] = true;
    r->left -= cost;
    r->taken[r->count++] = column;
}

/* The set that the relaxed knapsack suggests: whoever it takes whole, then whoever else fits, by its order. Returns
 * whether that is everybody. */
static bool search_round(struct search *x, const struct node *n, const struct node_bound *b)
{
    struct rounding r = {.x = x, .n = n, .left = n->room.cost_nano_usd};
    for (size_t i = 0; i < b->k.wanted; i++)
        if (b->share[b->k.by_ratio[i]] >= 1)
            rounding_take(&r, b->k.by_ratio[i]);
    for (size_t i = 0; i < b->k.wanted; i++)
        rounding_take(&r, b->k.by_ratio[i]);
    for (size_t c = 0; c < n->columns; c++)
        rounding_take(&r, c);
    search_reach(x, n, r.taken, r.count, value_with(n, r.taken, r.count));
    x->end.work += n->rows * (r.count + 1);
    return r.count == n->columns;
}

static void search_last(struct search *x, const struct node *n, const struct node_bound *b)
{
    for (size_t c = 0; c < n->columns; c++)
        search_reach(x, n, &c, 1, n->value + b->gain[c]);
}

/* Branching */

/* Who must join, who cannot, and among the others the one to try: it lowers the bound either way. Returns its place
 * among those open; SIZE_MAX when there is none. */
static size_t search_sort(const struct search *x, const struct node *n, const struct node_bound *b,
                          struct sorted_columns *s)
{
    const int64_t *costs = x->rules->cost_nano_usd;
    double target = search_target(x), most = -INFINITY;
    size_t try = SIZE_MAX;
    s->join_count = s->open_count = 0;
    for (size_t c = 0; c < n->columns; c++) {
        double with = node_bound_with(n, costs, b, c);
        if (b->gain[c] <= 0 || with < target)
            continue;
        double without = node_bound_without(n, costs, b, c);
        if (without < target) {
            s->joins[s->join_count++] = c;
            continue;
        }
        /* Where one side loses nothing, the other side's loss still tells candidates apart. */
        double worth = fmin(b->value - with, b->value - without) + 1e-3 * (b->value - without);
        if (worth > most) {
            most = worth;
            try = s->open_count;
        }
        s->open[s->open_count++] = c;
    }
    return try;
}

static bool joins_fit(const struct search *x, const struct node *n, const struct sorted_columns *s)
{
    int64_t cost = 0;
    for (size_t i = 0; i < s->join_count; i++)
        cost += x->rules->cost_nano_usd[n->candidate[s->joins[i]]];
    return s->join_count <= n->room.count && cost <= n->room.cost_nano_usd;
}

/* Gives up below this node, where nothing is worth more than `value`. */
static void search_stop(struct search *x, double value)
{
    x->stopped = true;
    x->open = fmax(x->open, value);
}

/* A large first node may want more than all the work there is. */
static size_t steps_allowed(const struct search *x, const struct node *n, size_t steps)
{
    uint64_t most = x->options->work_max, step = (uint64_t)n->rows * n->columns + 1;
    uint64_t left = x->end.work < most ? (most - x->end.work) / step : 0;
    return left < steps ? (size_t)left : steps;
}

static void search_node(struct search *x, struct node *n, size_t steps);

static void search_above(struct search *x, const struct node *n, const struct node_bound *b,
                         const struct sorted_columns *s)
{
    struct node above;
    size_t used = x->stack.used, path_count = x->path_count;
    for (size_t i = 0; i < s->join_count; i++)
        x->path[x->path_count++] = n->candidate[s->joins[i]];
    if (node_above(&x->stack, n, x->rules->cost_nano_usd, s, &above))
        search_node(x, &above, STEPS_LATER);
    else
        search_stop(x, b->value);
    x->end.work += n->rows * (s->open_count + 1);
    x->stack.used = used;
    x->path_count = path_count;
}

/* One piece: a node's life. Nothing is looked for below it once its bound is no better than what is reached. */
static void search_node(struct search *x, struct node *n, size_t steps)
{
    struct node_bound b;
    struct sorted_columns s;
    for (;; steps = STEPS_LATER) {
        search_reach(x, n, NULL, 0, n->value);
        if (n->room.count == 0 || n->columns == 0)
            return;
        x->end.nodes++;
        node_bound_seek(n, x->rules->cost_nano_usd, x->best, search_target(x),
                        steps_allowed(x, n, steps), &b, &x->end.work);
        if (x->options->progress)
            x->options->progress(x->end.work, x->options->arg);
        if (b.value < search_target(x) || search_round(x, n, &b))
            return;
        if (n->room.count == 1) {
            search_last(x, n, &b);
            return;
        }
        if (x->end.work > x->options->work_max) {
            search_stop(x, b.value);
            return;
        }
        size_t try = search_sort(x, n, &b, &s);
        bool forced = s.join_count > 0;
        if (!forced && try == SIZE_MAX)
            return;
        if (!forced) {
            s.joins[s.join_count++] = s.open[try];
            memmove(s.open + try, s.open + try + 1, (--s.open_count - try) * sizeof(s.open[0]));
        }
        if (joins_fit(x, n, &s))
            search_above(x, n, &b, &s);
        if (x->stopped)
            x->open = fmax(x->open, b.value);
        if (forced || x->stopped)
            return;
        node_narrow(&x->stack, n, s.open, s.open_count);
    }
}

/* The whole */

static double grain_of(const struct coverage *v)
{
    unsigned grain = 0;
    for (size_t r = 0; r < v->row_count; r++)
        for (size_t c = 0; c < v->c->count; c++)
            for (unsigned rest = v->c->scores[v->rows[r] * v->c->count + c]; rest;) {
                unsigned was = grain;
                grain = rest;
                rest = was % rest;
            }
    return grain ? grain : 1;
}

/* In the order of their gains, without those that add nothing on top of the others. */
static enum status search_set(const struct search *x, struct chosen_set *set, struct error *err)
{
    struct objective o = coverage_objective(x->v);
    size_t evaluations = set->evaluations;
    struct chosen_set s;
    enum status status = set_order(&o, x->rules, x->members, x->count, &s, err);
    if (status != OK)
        return status;
    while (s.count > x->rules->keep_count && s.count > 0 &&
           s.values[s.count - 1] <= (s.count > 1 ? s.values[s.count - 2] : 0))
        s.cost_nano_usd -= x->rules->cost_nano_usd[s.members[--s.count]];
    s.evaluations = evaluations;
    *set = s;
    return OK;
}

static enum status search_all(struct search *x, struct arena *a, struct chosen_set *set,
                              struct error *err)
{
    struct node first;
    enum status status = a ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = node_first(&x->stack, x->v, x->rules, a, &first, err);
    if (status != OK)
        return status;
    x->path_count = x->rules->keep_count;
    if (x->path_count)
        memcpy(x->path, x->rules->keep, x->path_count * sizeof(x->path[0]));
    search_node(x, &first, STEPS_FIRST);
    return search_set(x, set, err);
}

enum status exact_choose(const struct coverage *v, const struct set_rules *rules,
                         const struct exact_options *options, struct chosen_set *set,
                         struct exact_end *ret, struct error *err)
{
    struct search x = {.v = v, .rules = rules, .options = options, .best = chosen_value(set)};
    struct arena *a = arena_create(EXACT_BYTES);
    memcpy(x.members, set->members, set->count * sizeof(set->members[0]));
    x.count = set->count;
    x.grain = grain_of(v);
    enum status status = search_all(&x, a, set, err);
    arena_free(a);
    if (status != OK)
        return status;
    x.end.proved = !x.stopped;
    x.end.bound = x.stopped ? fmax(x.open, x.best) : x.best;
    *ret = x.end;
    return OK;
}
