/* See exact.h. A node is searched in a loop: its bound is sought; candidates that can be in no better set leave it, and
 * those that must be in one join; then one candidate is tried with (a node on top of this one) and taken out (the same
 * node, smaller). Nodes lie on one stack of memory, each smaller than that below it, so that the deepest path needs
 * little more than the first node. One thread; nothing outlives the call but what it returns. */
#include "universe/exact_int.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

#define STEPS_FIRST  300 /* of the first node's split, from nothing */
#define STEPS_LATER  20  /* of the others', which begin with that of the node below */
#define SPLIT_FIRST  0.5f
#define ROUNDING     0.01 /* of a unit: what sums of doubles may be off */
#define STACK_NODES  8    /* as large as the first: what the stack has room for */
#define STACK_FLOATS (UINT64_C(1) << 28)

struct search {
    const struct coverage *v;
    const struct set_rules *rules;
    const struct exact_options *options;
    float *stack;
    size_t used, capacity;
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

/* Nodes */

/* Gives a node of up to so many rows its memory at the top of the stack; false when there is not enough. Its matrix
 * comes last: node_end() says how much of it is used. */
static bool node_begin(const struct search *x, size_t rows, size_t columns, struct node *n)
{
    size_t left = x->capacity - x->used;
    if (left < rows * (columns + 3))
        return false;
    n->most = x->stack + x->used;
    n->split = n->most + rows;
    n->slope = n->split + rows;
    n->adds = n->slope + rows;
    n->rows = 0;
    n->columns = columns;
    return true;
}

static void node_end(struct search *x, const struct node *n)
{
    x->used = (size_t)(n->adds - x->stack) + n->rows * n->columns;
}

/* Counts in a row that has been written behind the others, if it has anything to add. */
static void node_row(struct node *n, float split)
{
    const float *adds = n->adds + n->rows * n->columns;
    float most = 0;
    for (size_t c = 0; c < n->columns; c++)
        most = adds[c] > most ? adds[c] : most;
    if (most <= 0)
        return;
    n->most[n->rows] = most;
    n->split[n->rows++] = split;
}

/* Whoever is not kept and fits beside whoever is. */
static bool node_first(struct search *x, struct node *n)
{
    const struct coverage *v = x->v;
    bool kept[CANDIDATES_MAX] = {false};
    n->room = (struct room){x->rules->count_max, x->rules->cost_max_nano_usd};
    n->value = coverage_value(v, x->rules->keep, x->rules->keep_count);
    for (size_t i = 0; i < x->rules->keep_count; i++) {
        kept[x->rules->keep[i]] = true;
        n->room.count--;
        n->room.cost_nano_usd -= x->rules->cost_nano_usd[x->rules->keep[i]];
        x->path[x->path_count++] = x->rules->keep[i];
    }
    size_t columns = 0;
    for (size_t c = 0; c < x->rules->candidates; c++)
        if (!kept[c] && x->rules->cost_nano_usd[c] <= n->room.cost_nano_usd)
            n->candidate[columns++] = (uint16_t)c;
    if (!node_begin(x, v->row_count, columns, n))
        return false;
    for (size_t r = 0; r < v->row_count; r++) {
        const uint16_t *scores = v->c->scores + v->rows[r] * v->c->count;
        int has = coverage_best(v, r, x->rules->keep, x->rules->keep_count);
        float *adds = n->adds + n->rows * columns;
        for (size_t c = 0; c < columns; c++)
            adds[c] = (float)(scores[n->candidate[c]] > has ? scores[n->candidate[c]] - has : 0);
        node_row(n, SPLIT_FIRST);
    }
    node_end(x, n);
    return true;
}

/* Leaves only columns[count] of a node, and the rows to which they add. */
static void node_narrow(struct search *x, struct node *n, const size_t *columns, size_t count)
{
    struct node from = *n;
    for (size_t i = 0; i < count; i++)
        n->candidate[i] = from.candidate[columns[i]];
    n->columns = count;
    n->rows = 0;
    for (size_t r = 0; r < from.rows; r++) {
        float split = from.split[r];
        for (size_t i = 0; i < count; i++)
            n->adds[n->rows * count + i] = from.adds[r * from.columns + columns[i]];
        node_row(n, split);
    }
    node_end(x, n);
}

/* What is decided about the columns of a node: who joins, and who may join later. */
struct sorted_columns {
    size_t joins[CANDIDATES_MAX], join_count;
    size_t open[CANDIDATES_MAX], open_count; /* in their order */
};

/* The node on top of `from` in which some have joined, with those open that still fit. False when there is no memory
 * for it. One piece, as the matrix is written in one walk. */
static bool node_above(struct search *x, const struct node *from, const struct sorted_columns *s,
                       struct node *n)
{
    size_t left[CANDIDATES_MAX], count = 0;
    n->room = from->room;
    n->value = from->value;
    for (size_t i = 0; i < s->join_count; i++) {
        n->room.count--;
        n->room.cost_nano_usd -= x->rules->cost_nano_usd[from->candidate[s->joins[i]]];
    }
    for (size_t i = 0; i < s->open_count; i++)
        if (x->rules->cost_nano_usd[from->candidate[s->open[i]]] <= n->room.cost_nano_usd)
            left[count++] = s->open[i];
    if (!node_begin(x, from->rows, count, n))
        return false;
    for (size_t i = 0; i < count; i++)
        n->candidate[i] = from->candidate[left[i]];
    for (size_t r = 0; r < from->rows; r++) {
        const float *adds = from->adds + r * from->columns;
        float *into = n->adds + n->rows * count, has = 0;
        for (size_t i = 0; i < s->join_count; i++)
            has = fmaxf(adds[s->joins[i]], has);
        n->value += (double)has;
        for (size_t i = 0; i < count; i++)
            into[i] = fmaxf(adds[left[i]] - has, 0);
        node_row(n, from->split[r]);
    }
    x->end.work += from->rows * (count + 1);
    node_end(x, n);
    return true;
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

static void search_node(struct search *x, struct node *n, size_t steps);

static void search_above(struct search *x, const struct node *n, const struct node_bound *b,
                         const struct sorted_columns *s)
{
    struct node above;
    size_t used = x->used, path_count = x->path_count;
    for (size_t i = 0; i < s->join_count; i++)
        x->path[x->path_count++] = n->candidate[s->joins[i]];
    if (node_above(x, n, s, &above))
        search_node(x, &above, STEPS_LATER);
    else
        search_stop(x, b->value);
    x->used = used;
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
        node_bound_seek(n, x->rules->cost_nano_usd, x->best, search_target(x), steps, &b,
                        &x->end.work);
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
        node_narrow(x, n, s.open, s.open_count);
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

static enum status search_memory(struct search *x, struct arena *a, struct error *err)
{
    uint64_t first = (uint64_t)x->v->row_count * (x->rules->candidates + 3);
    x->capacity = first * STACK_NODES < STACK_FLOATS ? first * STACK_NODES : STACK_FLOATS;
    x->stack = a ? ARENA_ARRAY(a, x->capacity, float) : NULL;
    return x->stack ? OK : error_set(err, ERR_MEMORY, "out of memory");
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
    enum status status = search_memory(x, a, err);
    if (status != OK)
        return status;
    if (node_first(x, &first))
        search_node(x, &first, STEPS_FIRST);
    else
        search_stop(x, (double)x->v->row_count * SCORE_ONE);
    return search_set(x, set, err);
}

enum status exact_choose(const struct coverage *v, const struct set_rules *rules,
                         const struct exact_options *options, struct chosen_set *set,
                         struct exact_end *ret, struct error *err)
{
    struct search x = {.v = v, .rules = rules, .options = options, .best = chosen_value(set)};
    struct arena *a = arena_create(STACK_FLOATS * sizeof(float) + (1 << 20));
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
