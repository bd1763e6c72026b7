/* Several machines at one run, through Redis Streams. The run's leader keeps its journal and its money; it puts calls
 * out, and whoever takes one asks its expert and sends back what came of it:
 *
 *     leader ── share_add ──▶ leeroo:{RUN}:calls:EXPERT ── claimed ──▶ a worker (or the leader) ── asks the expert
 *        ▲                                                                        │
 *        └── SHARE_RESULT ◀── leeroo:{RUN}:results ◀────── share_answer ──────────┘
 *     leader ── share_settle, once stored ──▶ acknowledged, and taken off both streams
 *
 * A claim whose owner has not been heard of for SHARE_DEAD_MS is taken from him, and the leader hears SHARE_LOST. No
 * key of an API ever goes through Redis; texts do.
 *
 * A thread of its own talks to Redis; it waits and tries again while Redis is away, and says so. Everything else is of
 * the loop's thread, and events come there. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "expert/expert.h"
#include "net/loop.h"
#include "share/share_entry.h"

#define SHARE_CALLS_MAX   256 /* that one leader has out at a time, and one worker at hand */
#define SHARE_DEAD_MS     15000
#define SHARE_RESULTS_MAX 64 /* read at a time */

struct share;

enum share_event_kind {
    SHARE_CALL,   /* to be made here; to the leader: one of his own, by its key */
    SHARE_RESULT, /* to the leader: of another machine; `id` is for share_settle */
    SHARE_LOST, /* to the leader: who had the call of this key is gone, or Redis has lost it; it is not out any more */
    SHARE_SAID, /* for people: Redis is away, is back, no run is there */
    SHARE_OVER, /* to a worker: the run is over, or after share_stop: everything is sent */
    SHARE_FAILED, /* it cannot go on; `text` says why */
};

struct share_event { /* what it points to lasts as long as the callback */
    enum share_event_kind kind;
    struct share_call call;
    struct share_result result;
    struct str key, id;
    const char *text;
};

struct share_options {
    const char *url;
    const char *password; /* where the address has none; NULL: none */
    const char *run;      /* its name; NULL, to a worker: the only one that is there */
    bool leads;
    size_t
        takes; /* calls that are made here at a time; 0..SHARE_CALLS_MAX, of a worker at least 1 */
    const struct expert *experts; /* [expert_count]; outlive it */
    size_t expert_count;
    struct loop *loop; /* outlives it */
    void (*on_event)(void *arg, const struct share_event *e);
    void *arg;
};

/* Connects, and makes the run known where it leads. Fails when Redis cannot be reached now. */
NODISCARD enum status share_open(const struct share_options *o, struct share **ret,
                                 struct error *err);
/* Leader, before share_start: calls that an earlier process has put out and that are open yet. */
size_t share_found_count(const struct share *s);
const struct share_call *share_found(const struct share *s, size_t i);
NODISCARD enum status share_start(struct share *s, struct error *err);
/* Sends what is to be sent, for some seconds at most. `over`, by the leader: the workers go home, and Redis forgets the
 * run; otherwise calls that are out stay there. NULL is fine. */
void share_close(struct share *s, bool over);

/* Leader: puts a call out. Its key is not out already. Texts are copied. */
NODISCARD enum status share_add(struct share *s, const struct share_call *c, struct error *err);
/* Leader: what came of it is stored, or the call is withdrawn; `id`: of the result, empty where it came from here. */
NODISCARD enum status share_settle(struct share *s, struct str key, struct str id,
                                   struct error *err);
/* Worker: what came of a call that it had. */
NODISCARD enum status share_answer(struct share *s, const struct share_result *r,
                                   struct error *err);
/* Worker: takes no more calls of this expert, which refuses the key that it has here. */
NODISCARD enum status share_refuse(struct share *s, size_t expert, struct error *err);
/* Takes no more calls. To a worker SHARE_OVER follows when what it had is answered and sent. */
NODISCARD enum status share_stop(struct share *s, struct error *err);
