/* Questions to the ledger as errands (net/errands.h): its thread may wait for the storage.
 *
 * After a failure others are told the same for a while, so that a queue of questions does not wait for a database that
 * is away as many times as it is long. What is away belongs to the thread. */
#include "watch/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/errands.h"

#define ANSWER_BYTES_MAX (256u << 10)
#define FLUSH_MS         1000
#define AWAY_MS          1000

struct lookup {
    struct ledger *ledger;
    struct ledger_reader *reader;
    struct errands *errands;
    /* The thread's */
    uint64_t away_until_ms;
    struct error away;
};

struct question {
    lookup_fn *answer;
    void *user;
    char id[LOOKUP_ID_BYTES];
    struct ledger_found found;
};

/* On the thread. */
static enum status look_up(void *data, struct arena *a, void *user, struct error *err)
{
    struct question *q = data;
    struct lookup *l = user;
    if (clock_now_ms() < l->away_until_ms) {
        *err = l->away;
        return ERR_OVERLOAD;
    }
    bool flushed = ledger_flush(l->ledger, FLUSH_MS);
    enum status status = ledger_read_request(l->reader, str_from(q->id), a, &q->found, err);
    if (status == ERR_NOT_FOUND && !flushed)
        return error_set(err, ERR_OVERLOAD,
                         "the ledger's storage is away; if the request is a recent one, it is "
                         "not there yet");
    if (status == OK || status == ERR_NOT_FOUND || status == ERR_MEMORY || status == ERR_OVERLOAD)
        return status;
    status = error_set(err, ERR_OVERLOAD, "the ledger cannot be read now; ask again later");
    l->away = *err;
    l->away_until_ms = clock_now_ms() + AWAY_MS;
    return status;
}

/* On the loop. */
static void tell(struct http_exchange *x, void *user, enum status status, void *data,
                 const struct error *err)
{
    struct question *q = data;
    (void)user;
    q->answer(x, q->user, status, status == OK ? &q->found : NULL, err);
}

enum status lookup_request(struct lookup *l, struct loop *loop, struct http_exchange *x,
                           struct str id, lookup_fn *answer, void *user, struct error *err)
{
    struct question q = {.answer = answer, .user = user};
    const struct errand errand = {
        .work = look_up,
        .done = tell,
        .user = l,
        .data = &q,
        .data_bytes = sizeof(q),
        .arena_bytes_max = ANSWER_BYTES_MAX,
        .late_ms = LOOKUP_LATE_MS,
        .late = "the ledger takes too long to answer; ask again later",
        .busy = "too many questions to the ledger; ask again later",
    };
    if (id.len == 0 || id.len >= LOOKUP_ID_BYTES)
        return error_set(err, ERR_NOT_FOUND, "no request of that id is in the ledger");
    memcpy(q.id, id.ptr, id.len);
    return errands_send(l->errands, loop, x, &errand, err);
}

enum status lookup_start(const char *store, struct ledger *ledger, struct lookup **ret,
                         struct error *err)
{
    struct lookup *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory for questions to the ledger");
    l->ledger = ledger;
    enum status status = ledger_reader_create(store, &l->reader, err);
    if (status == OK)
        status = errands_start(&l->errands, err);
    if (status != OK) {
        lookup_free(l);
        return status;
    }
    *ret = l;
    return OK;
}

void lookup_stop(struct lookup *l)
{
    if (l)
        errands_stop(l->errands);
}

void lookup_free(struct lookup *l)
{
    if (!l)
        return;
    errands_free(l->errands);
    ledger_reader_free(l->reader);
    free(l);
}
