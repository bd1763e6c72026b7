/* Questions to the ledger, asked by event loops and answered by one thread, which may wait for the storage.
 *
 * Each question is a block of its own, which outlives its exchange: the client may leave at any time. Blocks are in a
 * list, so that none is lost when the gateway ends. Of a block the loop owns x, and the thread owns the answer until it
 * is posted. lookup_free comes after the loops have ended. */
#include "watch/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/worker.h"

#define ANSWER_BYTES_MAX (256u << 10)
#define FLUSH_MS         1000
#define AWAY_MS          1000 /* after a failure others are told the same for so long */

struct question {
    struct lookup *lookup;
    struct question *previous, *next; /* in the list of all */
    struct question *behind;          /* in the queue */
    struct loop *loop;
    struct loop_message delivery; /* here, so that an answer can always be brought back */
    struct loop_timer *late;
    struct http_exchange *x; /* NULL: the client has gone, or was told that it takes too long */
    lookup_fn *answer;
    void *user;
    char id[LOOKUP_ID_BYTES];
    struct arena *arena; /* of found */
    struct ledger_found found;
    enum status status;
    struct error err;
};

struct lookup {
    struct ledger *ledger;
    struct ledger_reader *reader;
    struct worker_thread worker; /* its lock guards the questions */
    struct question *all, *first, *last;
    size_t waiting;
    /* The thread's */
    uint64_t away_until_ms;
    struct error away;
};

/* Questions */

static void unlink_question(struct question *q)
{
    struct lookup *l = q->lookup;
    if (q->previous)
        q->previous->next = q->next;
    else
        l->all = q->next;
    if (q->next)
        q->next->previous = q->previous;
}

static void free_question(struct question *q)
{
    loop_timer_free(q->late);
    arena_free(q->arena);
    free(q);
}

static void on_gone(struct http_exchange *x)
{
    struct question *q = x->user;
    q->x = NULL;
}

/* The storage hangs. What it says later is nobody's. */
static void on_late(void *arg)
{
    struct question *q = arg;
    struct http_exchange *x = q->x;
    struct error err;
    if (!x)
        return;
    q->x = NULL;
    x->on_gone = NULL;
    error_set(&err, ERR_OVERLOAD, "the ledger takes too long to answer; ask again later");
    q->answer(x, q->user, ERR_OVERLOAD, NULL, &err);
}

/* On the loop. */
static void deliver(void *arg)
{
    struct question *q = arg;
    worker_lock(&q->lookup->worker);
    unlink_question(q);
    worker_unlock(&q->lookup->worker);
    if (q->x) {
        q->x->on_gone = NULL;
        q->answer(q->x, q->user, q->status, q->status == OK ? &q->found : NULL, &q->err);
    }
    free_question(q);
}

static enum status enqueue(struct lookup *l, struct question *q)
{
    if (worker_is_stopping(&l->worker))
        return ERR_OVERLOAD;
    worker_lock(&l->worker);
    enum status status = l->waiting < LOOKUP_QUEUE_MAX ? OK : ERR_OVERLOAD;
    if (status == OK) {
        q->next = l->all;
        if (l->all)
            l->all->previous = q;
        l->all = q;
        if (l->last)
            l->last->behind = q;
        else
            l->first = q;
        l->last = q;
        l->waiting++;
    }
    worker_unlock_and_wake(&l->worker);
    return status;
}

/* One piece: a question is either filled, queued and the exchange's, or gone. */
enum status lookup_request(struct lookup *l, struct loop *loop, struct http_exchange *x,
                           struct str id, lookup_fn *answer, void *user, struct error *err)
{
    if (id.len == 0 || id.len >= LOOKUP_ID_BYTES)
        return error_set(err, ERR_NOT_FOUND, "no request of that id is in the ledger");
    struct question *q = calloc(1, sizeof(*q));
    if (q) {
        q->arena = arena_create(ANSWER_BYTES_MAX);
        q->late = loop_timer_create(loop, on_late, q);
    }
    if (!q || !q->arena || !q->late) {
        if (q)
            free_question(q);
        return error_set(err, ERR_MEMORY, "out of memory for a question to the ledger");
    }
    q->lookup = l;
    q->loop = loop;
    q->x = x;
    q->answer = answer;
    q->user = user;
    q->delivery = (struct loop_message){.fn = deliver, .arg = q};
    memcpy(q->id, id.ptr, id.len);
    if (enqueue(l, q) != OK) {
        free_question(q);
        return error_set(err, ERR_OVERLOAD, "too many questions to the ledger; ask again later");
    }
    x->user = q;
    x->on_gone = on_gone;
    loop_timer_start(q->late, LOOKUP_LATE_MS);
    return OK;
}

/* The thread */

static void answer_question(struct lookup *l, struct question *q)
{
    if (clock_now_ms() < l->away_until_ms) {
        q->status = ERR_OVERLOAD;
        q->err = l->away;
        return;
    }
    bool flushed = ledger_flush(l->ledger, FLUSH_MS);
    q->status = ledger_read_request(l->reader, str_from(q->id), q->arena, &q->found, &q->err);
    if (q->status == ERR_NOT_FOUND && !flushed)
        q->status = error_set(&q->err, ERR_OVERLOAD,
                              "the ledger's storage is away; if the request is a recent one, it is "
                              "not there yet");
    if (q->status == OK || q->status == ERR_NOT_FOUND || q->status == ERR_MEMORY ||
        q->status == ERR_OVERLOAD)
        return;
    q->status = error_set(&q->err, ERR_OVERLOAD, "the ledger cannot be read now; ask again later");
    l->away = q->err;
    l->away_until_ms = clock_now_ms() + AWAY_MS;
}

static bool has_question(void *arg)
{
    const struct lookup *l = arg;
    return l->first;
}

/* There is one: nobody else takes any. */
static struct question *take(struct lookup *l)
{
    worker_lock(&l->worker);
    struct question *q = l->first;
    l->first = q->behind;
    if (!l->first)
        l->last = NULL;
    l->waiting--;
    worker_unlock(&l->worker);
    return q;
}

static void lookup_main(void *arg)
{
    struct lookup *l = arg;
    while (worker_wait(&l->worker, has_question, WORKER_FOREVER_MS) == WORKER_READY) {
        struct question *q = take(l);
        answer_question(l, q);
        loop_post_message(q->loop, &q->delivery);
    }
}

/* Life */

enum status lookup_start(const char *store, struct ledger *ledger, struct lookup **ret,
                         struct error *err)
{
    struct lookup *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory for questions to the ledger");
    l->ledger = ledger;
    worker_init(&l->worker);
    enum status status = ledger_reader_create(store, &l->reader, err);
    if (status == OK)
        status = worker_start(&l->worker, lookup_main, l, err);
    if (status != OK) {
        lookup_free(l);
        return status;
    }
    *ret = l;
    return OK;
}

void lookup_stop(struct lookup *l)
{
    if (!l)
        return;
    (void)worker_stop(&l->worker);
    for (struct question *q = l->all; q; q = q->next) { /* timers go before their loops */
        loop_timer_free(q->late);
        q->late = NULL;
    }
}

void lookup_free(struct lookup *l)
{
    if (!l)
        return;
    lookup_stop(l);
    while (l->all) {
        struct question *q = l->all;
        unlink_question(q);
        CHECK(l->all != q);
        free_question(q);
    }
    ledger_reader_free(l->reader);
    worker_done(&l->worker);
    free(l);
}
