/* What a pool has learnt of its policies' checks: see pool.h. Each policy that verifies has a cell with a lock; here
 * they are found, told, and written down together. */
#include "route/pool_int.h"

#include <math.h>
#include <stdlib.h>

#define EDGE 1e-6

static struct check_cell *cell_of(const struct pool *p, size_t policy)
{
    return policy == SIZE_MAX ? NULL : p->policies[policy].checks;
}

/* What has been learnt before is taken out again: it is learnt beside the model's estimates, not beside itself. */
static double by_estimates(double right, double shift)
{
    double p = right > EDGE ? right < 1 - EDGE ? right : 1 - EDGE : EDGE;
    return 1 / (1 + (1 - p) / p * exp(shift));
}

void pool_check_observe(struct pool *p, const struct pool_choice *c, size_t expert, bool passed,
                        double right)
{
    struct check_cell *cell = cell_of(p, c->target.policy);
    if (cell && c->is_verified)
        check_cell_observe(cell, expert, passed,
                           by_estimates(right, (double)c->terms.shift[expert]));
}

void pool_check_feedback(struct pool *p, size_t policy, bool passed, double score)
{
    if (cell_of(p, policy))
        check_cell_feedback(cell_of(p, policy), passed, score);
}

bool pool_verifies(const struct pool *p)
{
    for (size_t i = 0; i < p->policy_count; i++)
        if (p->policies[i].checks)
            return true;
    return false;
}

uint64_t pool_checks_heard(struct pool *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->policy_count; i++)
        if (p->policies[i].checks)
            sum += check_cell_answers(p->policies[i].checks);
    return sum;
}

struct listed {
    struct check_cell **cells;
    struct str *names;
    size_t count;
};

static bool list(const struct pool *p, struct listed *ret)
{
    *ret = (struct listed){.cells = calloc(p->policy_count + 1, sizeof(struct check_cell *)),
                           .names = calloc(p->policy_count + 1, sizeof(struct str))};
    for (size_t i = 0; ret->cells && ret->names && i < p->policy_count; i++) {
        if (!p->policies[i].checks)
            continue;
        ret->names[ret->count] = p->settings.policies[i].name;
        ret->cells[ret->count++] = p->policies[i].checks;
    }
    return ret->cells && ret->names;
}

static void unlist(struct listed *l)
{
    free(l->cells);
    free(l->names);
}

void pool_checks_write(struct pool *p, struct buf *out)
{
    struct listed l;
    if (list(p, &l))
        check_cells_write(l.cells, l.names, l.count, out);
    else
        out->status = ERR_MEMORY;
    unlist(&l);
}

enum status pool_checks_resume(struct pool *p, struct str text, const char *place,
                               struct error *err)
{
    struct listed l;
    enum status status =
        list(p, &l) ? check_cells_resume(l.cells, l.names, l.count, text, place, err)
                    : error_set(err, ERR_MEMORY, "out of memory for what checks have said");
    unlist(&l);
    return status;
}
