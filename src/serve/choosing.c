/* Estimates, then the choice among those who can be asked now. */
#include "serve/choosing.h"

#include "base/check.h"
#include "base/log.h"
#include "route/candidates.h"
#include "serve/errors.h"

/* Nobody answers here, but who read the question may have been paid. */
static void settle_reading(const struct choosing *c)
{
    struct cost sum = {.basis = COST_USAGE};
    for (size_t i = 0; i < ENCODERS_MAX; i++)
        cost_add(&sum, &c->estimates.reading[i]);
    if (sum.nano_usd > 0)
        caller_settle(c->caller, &sum);
}

static void choose(struct choosing *c, enum status status, struct error *err)
{
    const struct snapshot *s = c->snapshot;
    if (status == OK)
        settle_reading(c);
    if (status == OK)
        status = candidates_choose(s->pool, s->gates, &c->request, c->target,
                                   loop_now_ms(c->worker->loop), &c->estimates, c->x->arena,
                                   &c->choice, err);
    struct snapshot *held = c->snapshot;
    c->on_chosen(c, status, err); /* c is gone after it */
    snapshot_release(held);
}

static void on_estimates(enum status status, const struct error *err, void *arg)
{
    struct choosing *c = arg;
    struct error own = {0};
    CHECK(c->pending && status != AGAIN);
    c->pending = NULL;
    c->x->on_gone = NULL;
    if (status != OK)
        own = *err;
    choose(c, status, &own);
}

static void on_gone(struct http_exchange *x)
{
    struct choosing *c = x->user;
    CHECK(c->pending);
    estimating_cancel(c->pending);
    c->pending = NULL;
    if (c->event)
        log_event(LOG_INFO, c->event, "req=%s status=%d error=%s", c->id,
                  errors_row(ERR_CANCELLED)->http_status, status_name(ERR_CANCELLED));
    snapshot_release(c->snapshot);
}

void choosing_begin(struct choosing *c)
{
    struct error err = {0};
    c->snapshot = snapshot_hold(c->worker->snapshot);
    const struct estimator_ask ask = {.pool = c->snapshot->pool,
                                      .request = &c->request,
                                      .cached_tokens = c->target.cached_tokens,
                                      .arena = c->x->arena,
                                      .done = on_estimates,
                                      .arg = c};
    enum status status =
        estimator_begin(c->worker->estimator, &ask, &c->estimates, &c->pending, &err);
    if (status == AGAIN) {
        c->x->user = c;
        c->x->on_gone = on_gone;
    } else {
        choose(c, status, &err);
    }
}
