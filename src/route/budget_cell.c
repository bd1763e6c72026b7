/* A lock and a count around struct budget. */
#include "route/budget_cell.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"

struct budget_cell {
    atomic_size_t holders;
    pthread_mutex_t lock;
    struct budget budget; /* guarded by lock */
};

struct budget_cell *budget_cell_create(const struct model_sample *sample, const bool *use,
                                       double usd_per_1k)
{
    struct budget_cell *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    atomic_store(&c->holders, 1);
    pthread_mutex_init(&c->lock, NULL); /* on Linux it cannot fail */
    budget_init_sample(&c->budget, sample, use, usd_per_1k);
    return c;
}

struct budget_cell *budget_cell_hold(struct budget_cell *c)
{
    atomic_fetch_add_explicit(&c->holders, 1, memory_order_relaxed);
    return c;
}

void budget_cell_release(struct budget_cell *c)
{
    if (!c || atomic_fetch_sub(&c->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c);
}

enum status budget_cell_decide(struct budget_cell *c, const struct policy *p,
                               const struct estimate *estimates, const bool *eligible, size_t count,
                               struct decision *ret, double *ret_usual_usd, struct error *err)
{
    pthread_mutex_lock(&c->lock);
    enum status status =
        budget_decide(&c->budget, p, estimates, eligible, count, ret, ret_usual_usd, err);
    pthread_mutex_unlock(&c->lock);
    return status;
}

void budget_cell_observe(struct budget_cell *c, double cost_usd, double usual_usd)
{
    pthread_mutex_lock(&c->lock);
    budget_observe(&c->budget, cost_usd, usual_usd);
    pthread_mutex_unlock(&c->lock);
}

double budget_cell_lambda(struct budget_cell *c)
{
    pthread_mutex_lock(&c->lock);
    double lambda = budget_lambda(&c->budget);
    pthread_mutex_unlock(&c->lock);
    return lambda;
}

struct budget_state budget_cell_state(struct budget_cell *c)
{
    pthread_mutex_lock(&c->lock);
    struct budget_state state = c->budget.state;
    pthread_mutex_unlock(&c->lock);
    return state;
}

void budget_cell_resume(struct budget_cell *c, const struct budget_state *state)
{
    pthread_mutex_lock(&c->lock);
    CHECK(budget_resume(&c->budget, state, NULL) == OK);
    pthread_mutex_unlock(&c->lock);
}

void budget_cell_renew(struct budget_cell *c, const struct budget_cell *fresh)
{
    pthread_mutex_lock(&c->lock);
    struct budget_state state = c->budget.state;
    c->budget = fresh->budget;
    if (budget_resume(&c->budget, &state, NULL) != OK)
        c->budget.state = (struct budget_state){0}; /* as after a damaged file: it begins anew */
    pthread_mutex_unlock(&c->lock);
}
