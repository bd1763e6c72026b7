/* What late.c, late_wait.c and late_work.c share: one lock guards all of it, but for what is constant. */
#pragma once

#include <pthread.h>

#include "base/digest.h"
#include "base/worker.h"
#include "reader/late.h"
#include "reader/row_cache.h"

/* A text that is to be computed, or is being. */
struct late_job {
    struct digest key;
    struct str text; /* behind the job, in the same memory */
    struct encode_paid paid;
    struct encode_task *waiters;
    struct late_job *next; /* in the queue, in order of coming; or of one batch */
};

enum late_place {
    LATE_IN_LINE, /* its job has not ended; or its message could not be sent, and its time will come */
    LATE_ANSWERED,   /* a message is under way to its thread */
    LATE_CALLED_OFF, /* ... which frees it, and that is all */
};

/* One who waits: a request on an event loop, or a thread that blocks. Guarded by the lock, but for what its own thread
 * alone looks at. */
struct encode_task {
    struct late *late;
    struct late_job *job; /* NULL: it has ended */
    struct encode_task *next;
    enum late_place place;
    float *
        row; /* [width] where the answer goes: behind the task, or where a thread that blocks wants it */
    enum status status;
    struct encode_paid paid;
    struct error *err; /* of one that blocks; else NULL */
    bool blocks;
    /* Of its thread. */
    struct encode_listener listener;
    struct encoding *ret;
    float *into; /* [width] the row of the features */
    struct scheduler_timer *timer;
};

struct late_worker {
    struct late *late;
    size_t index;
    struct worker_thread thread;
    struct late_job *batch; /* being computed; NULL: it is idle */
    uint64_t since_ms;      /* when that began */
    struct str *texts;      /* [batch_max] its own, as is the next */
    float *rows;            /* [batch_max × width] */
};

struct late {
    struct encoder encoder; /* constant */
    struct late_compute compute;
    size_t width, batch_max, worker_count;
    uint64_t (*now_ms)(void);
    char *name, *fingerprint, *spec;

    pthread_mutex_t lock;
    pthread_cond_t answered; /* those who block look whether it was them */
    struct late_limits limits;
    struct row_cache *cache;
    struct late_job *first, **last; /* the queue */
    size_t waiting;
    uint32_t failures; /* in a row */
    uint64_t alone_until_ms;
    bool tries;                   /* left alone, and a text tries whether it is back */
    struct encode_paid unclaimed; /* for texts that nobody waited for any more */
    struct late_reading counts;
    struct late_worker workers[LATE_WORKERS_MAX];
};

/* Under the lock. */
bool late_is_left_alone(const struct late *l);
bool late_hangs(const struct late *l);
struct late_job *late_find(struct late *l, const struct digest *key);
/* A job in the queue; `need`: beyond its limit, too. NULL: no room, or no memory. */
struct late_job *late_enqueue(struct late *l, const struct digest *key, struct str text, bool need);
struct late_job *late_unlink(struct late *l, struct late_job **at); /* takes *at out of the queue */
void late_leave(struct encode_task *t);                             /* its job goes on without it */
/* Without the lock: there is something to do. */
void late_wake(struct late *l);

/* late_work.c: what a worker's thread runs, and what it waits for. */
void late_work(void *worker);

/* late_wait.c */
enum status late_begin(const struct encoder *e, void *work, struct str text, struct encoding *ret,
                       const struct encode_listener *listener, struct encode_task **ret_task,
                       struct error *err);
void late_cancel(struct encode_task *t);
/* Tells one who waits that its job has ended, under the lock. `row` NULL: it failed. */
void late_tell(struct encode_task *t, const float *row, enum status status,
               const struct error *err);
/* Under the lock: what is unclaimed, to the request that is there. */
void late_claim(struct late *l, struct encode_paid *paid);
enum status late_encode(const struct encoder *e, void *work, struct str text, struct encoding *ret,
                        struct error *err);
enum status late_encode_many(const struct encoder *e, const struct str *texts, size_t count,
                             float *dense, encode_progress *progress, void *arg, struct error *err);
