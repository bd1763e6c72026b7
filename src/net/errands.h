/* What an exchange wants that may take its time, a question to a database or a folder to read: one thread does one
 * errand after the other, and what comes of each is told on the loop that sent it. A client that leaves meanwhile is
 * told nothing. */
#pragma once

#include "net/http_server.h"

#define ERRANDS_QUEUE_MAX      128 /* waiting; more are refused */
#define ERRANDS_DATA_BYTES_MAX (64u << 10)

struct errands;

struct errand { /* a kind of errand, with whom it is for; texts are static */
    /* On the thread. What it allocates in `a` lives until `done` returns. */
    enum status (*work)(void *data, struct arena *a, void *user, struct error *err);
    /* On the loop, once, while the exchange lives. Unless the status is OK `err` is set, and of `data` only that may be
     * read which `work` never changes: it may still be at it. */
    void (*done)(struct http_exchange *x, void *user, enum status status, void *data,
                 const struct error *err);
    /* Once, behind all of that, whether anybody was told or not: what `data` holds is let go. NULL: nothing. On the
     * loop, or in errands_free. Not after an error of errands_send. */
    void (*release)(void *data);
    void *user;             /* for the first two; outlives it */
    const void *data;       /* copied, aligned as malloc does */
    size_t data_bytes;      /* at most ERRANDS_DATA_BYTES_MAX */
    size_t arena_bytes_max; /* of what `work` finds */
    uint32_t late_ms;
    const char *late; /* the sentence of ERR_OVERLOAD when it takes longer */
    const char *busy; /* and when the queue is full */
};

NODISCARD enum status errands_start(struct errands **ret, struct error *err);
/* When the loops have ended and before they are freed: nothing is told after it. NULL is fine. */
void errands_stop(struct errands *e);
void errands_free(struct errands *e); /* after the loops; NULL is fine */

/* Until `done` is called the exchange belongs to the errand, which uses its `user` and on_gone. `x` NULL: nobody waits,
 * it is never late, and `done` is told on the loop whenever it is over. ERR_OVERLOAD: the queue is full; ERR_MEMORY.
 * `done` is not called after an error. */
NODISCARD enum status errands_send(struct errands *e, struct loop *loop, struct http_exchange *x,
                                   const struct errand *what, struct error *err);
