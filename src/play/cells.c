/* Every expert is asked the first so many questions of one order drawn from the seed: as many as one over the root of
 * its price, which is how a fixed sum is best divided between means that are equally uncertain (Neyman 1934). One order
 * for all, so that whom the dear experts answered the cheap ones did, too. */
#include "play/cells.h"

#include <math.h>

#include "base/check.h"
#include "base/rng.h"

struct choosing {
    const struct cells_problem *p;
    uint32_t *order; /* [questions] */
    double *pace;    /* [experts] questions of each for one of the most asked */
    size_t *next;    /* [experts] places of the order that are done */
    struct cell *cells;
    size_t count;
    int64_t left_nano_usd;
};

static double mean_cost(const struct cells_problem *p, size_t expert)
{
    double sum = 0;
    for (size_t q = 0; q < p->questions; q++)
        sum += (double)p->cost_nano_usd[q * p->experts + expert];
    return sum / (double)p->questions;
}

static void set_paces(struct choosing *c)
{
    double top = 0;
    for (size_t e = 0; e < c->p->experts; e++) {
        c->pace[e] = 1 / sqrt(mean_cost(c->p, e) + 1);
        top = fmax(top, c->pace[e]);
    }
    for (size_t e = 0; e < c->p->experts; e++)
        c->pace[e] /= top;
}

/* False: the money has ended. */
static bool take(struct choosing *c, size_t question, size_t expert)
{
    size_t at = question * c->p->experts + expert;
    if (c->p->states[at] != CELL_OPEN)
        return true;
    if (c->p->cost_nano_usd[at] > c->left_nano_usd)
        return false;
    c->left_nano_usd -= c->p->cost_nano_usd[at];
    c->cells[c->count++] =
        (struct cell){.question = (uint32_t)question, .expert = (uint32_t)expert, .random = true};
    return true;
}

/* All experts at their pace. */
static void choose(struct choosing *c)
{
    const struct cells_problem *p = c->p;
    bool more = p->questions > 0;
    for (size_t step = 1; more; step++) {
        size_t finished = 0;
        for (size_t e = 0; e < p->experts && more; e++) {
            size_t want = (size_t)((double)step * c->pace[e]);
            for (; c->next[e] < want && c->next[e] < p->questions && more; c->next[e]++)
                more = take(c, c->order[c->next[e]], e);
            finished += c->next[e] == p->questions;
        }
        more = more && finished < p->experts;
    }
}

enum status cells_choose(const struct cells_problem *p, struct arena *a, struct cells *ret,
                         struct error *err)
{
    struct rng rng;
    CHECK(p->experts <= CELLS_EXPERTS_MAX);
    struct choosing c = {.p = p,
                         .order = ARENA_ARRAY(a, p->questions + 1, uint32_t),
                         .pace = ARENA_ARRAY(a, p->experts + 1, double),
                         .next = ARENA_ARRAY(a, p->experts + 1, size_t),
                         .cells = ARENA_ARRAY(a, p->questions * p->experts + 1, struct cell),
                         .left_nano_usd = p->spend_nano_usd};
    if (!c.order || !c.pace || !c.next || !c.cells)
        return error_set(err, ERR_MEMORY, "out of memory");
    rng_seed(&rng, p->seed);
    for (size_t q = 0; q < p->questions; q++)
        c.order[q] = (uint32_t)q;
    rng_shuffle_u32(&rng, c.order, p->questions);
    if (p->questions)
        set_paces(&c);
    choose(&c);
    *ret = (struct cells){c.cells, c.count, p->spend_nano_usd - c.left_nano_usd};
    return OK;
}
