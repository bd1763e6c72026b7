/* Private to admin/: the figures of a gateway. A sampler on worker 0's loop keeps what was counted (watch/history.h)
 * and feeds whoever listens; what waits for a database or a disk is done by one thread, the desk. */
#pragma once

#include "admin/admin.h"
#include "net/errands.h"
#include "serve/serving.h"
#include "store/reader.h"
#include "watch/history.h"
#include "watch/last_errors.h"

#define FIGURES_TICK_MS 1000
#define FIGURES_LATE_MS 15000 /* then whoever asked the desk is told that it takes too long */

struct events;

struct figures {
    struct gateway *gateway;
    const struct admin_build *build;
    int64_t start_ms;
    struct history *history;
    struct last_errors *errors;
    struct loop_timer *tick;
    struct events *events;
    struct errands *desk;
    struct ledger_reader *reader; /* the desk's; NULL: there is no ledger */
    uint64_t ask_ledger_at_ms;    /* the sampler's: when to ask it for its sums; 0: not any more */
};

NODISCARD enum status figures_create(struct gateway *g, const struct admin_build *build,
                                     struct figures **ret, struct error *err);
void figures_stop(struct figures *f); /* as struct gateway_above has it; NULL is fine */
void figures_free(struct figures *f);

/* Errands of the desk: `work` and `done` have the struct figures as user. Answers by itself when it cannot be sent. */
void figures_ask(struct figures *f, struct worker *w, struct http_exchange *x,
                 const struct errand *what);
/* False: there is no ledger, and x was told so. */
bool figures_has_ledger(struct figures *f, struct http_exchange *x);

/* The object of GET /v1/admin/now, as it is for the worker's snapshot. On the worker's loop. */
void figures_write_now(struct figures *f, struct worker *w, struct buf *out);
#define FIGURES_NOW_BYTES_MAX (1u << 20)

/* Listeners */
NODISCARD enum status events_create(struct figures *f, struct events **ret, struct error *err);
void events_tick(struct events *e);          /* on worker 0's loop */
size_t events_count(const struct events *e); /* who listens; any thread */
void events_free(struct events *e);          /* NULL is fine */

/* ,"KEY":0.000000000 */
void figures_write_usd(struct buf *out, const char *key, int64_t nano_usd);
/* ,"KEY":1.5 and ,"KEY":"text"; null where it is not finite, or empty. */
void figures_write_real(struct buf *out, const char *key, double value);
void figures_write_text(struct buf *out, const char *key, struct str text);

/* Handlers */
void admin_now(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_history(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_events(struct worker *w, struct http_exchange *x, struct caller *caller);
