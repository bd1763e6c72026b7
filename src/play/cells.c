/* The choice of cells by sampling with permanent random numbers (Brewer et al. 1972; Ohlsson 1995): every question has
 * one number u in 0..1, the same for all experts and in all rounds, and cells are bought in the order of
 *
 *     u / (worth of the expert's answers · worth of the question / root of the price)
 *
 * until the money ends. So every cell has a chance in proportion to what is below u. By the root of its price a sum is
 * best divided between means (Neyman 1934); of the worth that would be the root, too, but estimates blur it, and the
 * worth itself did better (bench/play.md). One u for all makes dear experts answer questions that cheap ones have
 * answered, too: only those tell who is better where. And a later round goes on from where the last one ended, buying
 * least where, by what is known now, too much was bought. */
#include "play/cells.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "play/cells_int.h"

#define WHOLE_SHARE 0.05 /* of the spend, unless told otherwise */

struct candidate {
    double key;
    struct cell cell;
};

struct choosing {
    const struct cells_problem *p;
    struct candidate *candidates;
    struct cell *cells;
    size_t count;
    bool *taken; /* [questions × experts] */
    int64_t left_nano_usd;
};

/* In (0, 1]; `salt` tells one use from another. */
static double permanent(uint64_t seed, size_t question, uint64_t salt)
{
    uint64_t x = hash64_mix(hash64_mix(seed, salt), (uint64_t)question);
    return ((double)(x >> 11) + 1) / 9007199254740992.0; /* 2^53 */
}

static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->cell.question != y->cell.question)
        return x->cell.question < y->cell.question ? -1 : 1;
    return (x->cell.expert > y->cell.expert) - (x->cell.expert < y->cell.expert);
}

static bool is_open(const struct choosing *c, size_t at)
{
    return c->p->states[at] == CELL_OPEN && !c->taken[at];
}

/* What the money does not reach is left out, and cheaper ones may follow. */
static void take(struct choosing *c, struct cell cell)
{
    size_t at = cell.question * c->p->experts + cell.expert;
    if (!is_open(c, at) || c->p->cost_nano_usd[at] > c->left_nano_usd)
        return;
    c->left_nano_usd -= c->p->cost_nano_usd[at];
    c->taken[at] = true;
    c->cells[c->count++] = cell;
}

static int64_t row_cost(const struct choosing *c, size_t question)
{
    int64_t sum = 0;
    for (size_t e = 0; e < c->p->experts; e++) {
        size_t at = question * c->p->experts + e;
        sum += is_open(c, at) ? c->p->cost_nano_usd[at] : 0;
    }
    return sum;
}

/* Whole rows, whatever they are worth, as far as their share of the money reaches. */
static void choose_whole(struct choosing *c, int64_t spend_nano_usd)
{
    const struct cells_problem *p = c->p;
    for (size_t q = 0; q < p->questions; q++)
        c->candidates[q] =
            (struct candidate){permanent(p->seed, q, 2), {.question = (uint32_t)q, .random = true}};
    qsort(c->candidates, p->questions, sizeof(*c->candidates), compare);
    for (size_t i = 0; i < p->questions; i++) {
        struct cell cell = c->candidates[i].cell;
        int64_t cost = row_cost(c, cell.question);
        if (cost > spend_nano_usd)
            return;
        spend_nano_usd -= cost;
        for (size_t e = 0; e < p->experts; e++) {
            cell.expert = (uint32_t)e;
            take(c, cell);
        }
    }
}

/* Costs of one expert's questions differ too little to be worth a bias towards short ones: the mean counts. */
static void set_paces(const struct cells_problem *p, const struct cells_worth *w, double *paces)
{
    for (size_t e = 0; e < p->experts; e++) {
        double cost = 0;
        for (size_t q = 0; q < p->questions; q++)
            cost += (double)p->cost_nano_usd[q * p->experts + e] / (double)p->questions;
        paces[e] =
            sqrt(w->experts[e] / (cost + 1)); /* a nano-USD, so that what is free comes first */
    }
}

static void choose_worth(struct choosing *c, const struct cells_worth *w)
{
    const struct cells_problem *p = c->p;
    double paces[CELLS_EXPERTS_MAX];
    size_t open = 0;
    set_paces(p, w, paces);
    for (size_t q = 0; q < p->questions; q++) {
        double u = permanent(p->seed, q, 1);
        for (size_t e = 0; e < p->experts; e++) {
            size_t at = q * p->experts + e;
            if (is_open(c, at))
                c->candidates[open++] =
                    (struct candidate){u / (paces[e] * (double)w->cells[at]),
                                       {.question = (uint32_t)q, .expert = (uint32_t)e}};
        }
    }
    if (open)
        qsort(c->candidates, open, sizeof(*c->candidates), compare);
    for (size_t i = 0; i < open; i++)
        take(c, c->candidates[i].cell);
}

enum status cells_choose(const struct cells_problem *p, struct arena *a, struct cells *ret,
                         struct error *err)
{
    size_t cells = p->questions * p->experts;
    double share = p->whole_share < 0 ? WHOLE_SHARE : p->whole_share;
    struct cells_worth worth;
    CHECK(p->experts <= CELLS_EXPERTS_MAX);
    CHECK(share <= 1);
    struct choosing c = {.p = p,
                         .candidates = ARENA_ARRAY(a, cells + p->questions + 1, struct candidate),
                         .cells = ARENA_ARRAY(a, cells + 1, struct cell),
                         .taken = ARENA_ARRAY(a, cells + 1, bool),
                         .left_nano_usd = p->spend_nano_usd};
    if (!c.candidates || !c.cells || !c.taken)
        return error_set(err, ERR_MEMORY, "out of memory for %zu cells", cells);
    enum status status = cells_worth(p, a, &worth, err);
    if (status != OK)
        return status;
    if (p->questions && share > 0)
        choose_whole(&c, (int64_t)(share * (double)p->spend_nano_usd));
    choose_worth(&c, &worth);
    for (size_t i = 0; i < c.count; i++)
        c.cells[i].tie = worth.ties[c.cells[i].question * p->experts + c.cells[i].expert];
    *ret = (struct cells){c.cells, c.count, p->spend_nano_usd - c.left_nano_usd};
    return OK;
}
