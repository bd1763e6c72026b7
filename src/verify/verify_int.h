/* A check's task and its verifier; private to the room.
 *
 * A task belongs to the thread that began it. Until a command's worker has posted its message, `place`, `next` and
 * `worker` are guarded by the verifier's lock; after that the worker never looks at it again. */
#pragma once

#include <pthread.h>

#include "base/worker.h"
#include "verify/verify.h"

#define VERIFY_HEADERS_MAX 3

enum verify_place {
    VERIFY_HERE,       /* with the thread that began */
    VERIFY_IN_LINE,    /* for a worker */
    VERIFY_RUNNING,    /* on one */
    VERIFY_ENDED,      /* its message is on its way */
    VERIFY_LOST,       /* ... and could not be sent: the timer tells it */
    VERIFY_CALLED_OFF, /* nobody waits: whoever has it frees it */
};

struct verify_task {
    struct verifier *verifier;
    struct verify_thread on;
    struct scheduler_timer *timer;
    verify_done *done;
    void *user;
    uint64_t begun_ms;
    bool at_once; /* its end is known, and the timer tells it */
    enum verify_place place;
    struct verify_end end;
    struct buf document;
    /* Of commands */
    struct verify_task *next; /* in line */
    struct verify_worker *worker;
    /* Of HTTP */
    struct transport_request request;
    struct http_header headers[VERIFY_HEADERS_MAX];
    struct transport_call *call;
    struct buf reply, credential;
    int http_status;
};

struct verify_worker {
    struct verifier *verifier;
    struct worker_thread thread;
    int stop[2];              /* a pipe: what is written ends the command that runs */
    struct verify_task *task; /* that runs; guarded by the verifier's lock */
};

struct verifier {
    const struct verify_settings *settings;
    pthread_mutex_t lock;
    struct verify_task *first, **last; /* in line */
    size_t waiting, running;
    size_t worker_count;
    struct verify_worker *workers; /* [worker_count] */
};

/* verify.c */
void verify_task_free(struct verify_task *t);
/* On its thread: tells the end and frees it. */
void verify_tell(struct verify_task *t);

/* verify_document.c */
/* {"question": ..., "answer": ..., "tool_calls": [...], "request": {...}}; look at buf_status(out). */
void verify_document(const struct verify_input *input, struct buf *out);
/* Sets verdict and why: printable, on one line. */
void verify_say(struct verify_end *end, enum verify_verdict verdict, struct str why);
void verify_sayf(struct verify_end *end, enum verify_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* verify_command.c */
NODISCARD enum status verify_workers_start(struct verifier *v, struct error *err);
void verify_workers_free(struct verifier *v);
/* Puts it in line, or sets its end and leaves it at once. */
void verify_command_begin(struct verify_task *t);
void verify_command_on_time(struct verify_task *t);
void verify_command_cancel(struct verify_task *t);

/* verify_http.c */
void verify_http_begin(struct verify_task *t);
void verify_http_cancel(struct verify_task *t);
/* {"pass": true, "reason": "...", "cost_usd": 0.001}, without the key of `s`. *ret has the usual price before. */
void verify_http_read(const struct verify_settings *s, int http_status, struct str reply,
                      struct verify_end *ret);

/* verify_schema.c */
void verify_schema(const struct verify_input *input, struct verify_end *ret);
bool verify_schema_applies(struct json_value request, const char **ret_why);
