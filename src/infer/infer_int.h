/* Private to infer/: a call on its way between the thread that asked and that of the model. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/scheduler.h"
#include "base/worker.h"
#include "expert/transport.h"
#include "infer/infer_answer.h"
#include "infer/infer_engine.h"

/* The way back to the thread that asked, one for all its calls: what has come is listed under a lock, and a message
 * posted where none is on its way. Lives until its owner and all calls are gone. */
struct infer_port {
    atomic_size_t holders;
    pthread_mutex_t lock; /* guards all below, and what calls say is guarded by it */
    struct scheduler *scheduler;
    struct infer_call *first; /* those with news; each is held */
    bool posted, closed;
};

/* Held by whoever asked until its end, by the engine until it is done with it, and while it is listed. */
struct infer_call {
    atomic_size_t holders;
    struct infer_port *port;
    struct infer_engine *engine; /* kept open by whoever asks */
    struct arena *arena;
    struct infer_request request;
    struct infer_call *next; /* in the engine's line */

    /* Guarded by the port's lock: */
    struct infer_call *next_news;
    bool listed, ended;
    int http_status; /* 0: not known yet */
    struct buf news; /* bytes of the answer that have not been told */

    atomic_bool gone;   /* nobody wants the answer: set by whoever asked, looked at by the engine */
    atomic_bool paused; /* the same */
    atomic_bool taken;  /* by a slot: from then on it costs */

    /* Of the thread that asked: */
    const struct transport_request *order;
    struct scheduler_timer *timer;
    uint64_t silence_ends_ms, total_ends_ms; /* UINT64_MAX: never */
    int told_status;                         /* 0: none yet */
    bool has_progress, over;
};

struct infer_call *infer_call_hold(struct infer_call *c);
void infer_call_release(struct infer_call *c); /* the last one frees it; NULL is fine */

/* infer_port.c, any thread: adds to what the call tells. http_status 0: as it was; `end`: nothing follows. */
void infer_tell(struct infer_call *c, int http_status, struct str bytes, bool end);
/* An error is the whole answer, or ends a stream that has begun. */
void infer_tell_error(struct infer_call *c, enum status status, const char *message,
                      const char *param);

/* infer_engine.c, any thread: the call waits for a slot. ERR_OVERLOAD: too many do. */
NODISCARD enum status infer_submit(struct infer_call *c, struct error *err);
/* Something about a call has changed: it is gone, or goes on. */
void infer_wake(struct infer_engine *e);
