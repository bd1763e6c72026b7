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
struct figures;

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

/* What waits for a database or a disk: a job is written at the desk, and what it wrote, or why it could not, is
 * answered on the worker's loop. */
#define DESK_TEXT_BYTES_MAX  4096 /* of what is asked; longer ones are refused */
#define DESK_BYTES_MAX       (8u << 20)
#define DESK_ARENA_BYTES_MAX (16u << 20)

struct desk_job {
    struct snapshot *snapshot; /* held */
    struct buf out;            /* the answer */
    bool is_fresh;             /* of the ledger: its newest rows are in the database */
    bool is_page;              /* it is HTML of somebody else's making, not JSON */
    /* Beside an error: the code of a 409; static. NULL: the status says it all. */
    const char *conflict;
    bool reload;           /* the gateway looks at its files when this is over */
    char by[KEY_ID_BYTES]; /* of whoever asks; empty where nobody is asked for a key */
    struct str asked;      /* of the path or the query; in text */
    char text[DESK_TEXT_BYTES_MAX];
};

/* On the desk's thread. ERR_TIMEOUT is answered as 503, others as everywhere. */
typedef enum status desk_write(struct figures *f, struct desk_job *job, struct arena *a,
                               struct error *err);
/* Answers by itself in any case. */
void figures_ask(struct worker *w, struct http_exchange *x, const struct caller *caller,
                 desk_write *write, struct str asked);
/* For what is read of the ledger: ERR_NOT_FOUND with a 409 where there is none. Else rows that wait are written first.
 */
NODISCARD enum status desk_ledger(struct figures *f, struct desk_job *job, struct error *err);
/* What is wrong with the storage is "not now"; what was asked, and memory, stay as they are. */
enum status desk_ledger_status(enum status status, struct error *err);

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
void admin_requests(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_model(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_request(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_runs(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_run(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_publish(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_rollback(struct worker *w, struct http_exchange *x, struct caller *caller);
