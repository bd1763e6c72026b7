/* Which rows go is said by a time, so that a step is two deletions over the index of begin_ms: first the time of the
 * 512th oldest request is looked up, then everything up to it goes. Requests of one millisecond go together.
 *
 * The backend's thread, which waits for the disk and for others' locks: the ledger's writer or a command's, never an
 * event loop's. */
#include "store/retention.h"

#include <time.h>

#include "base/check.h"
#include "store/reader_int.h"
#include "store/retention_int.h"
#include "store/sql.h"

#define COUNT_MS     600000 /* sums over years take their time */
#define PAUSE_MS     20     /* between two steps: others have their turn */
#define BUSY_MS      100
#define BUSY_MAX     600 /* so a minute in a row */
#define OLD          "begin_ms < $1 AND outcome <> 'open'"
#define NEXT_COLUMNS 2

static const char count_old[] =
    "SELECT COUNT(*), (SELECT COUNT(*) FROM feedback JOIN requests ON id = request_id WHERE " OLD
    "), CAST(COALESCE(SUM(cost_nano_usd), 0) AS BIGINT), COALESCE(MIN(begin_ms), 0), "
    "COALESCE(MAX(begin_ms), 0), "
    "(SELECT COUNT(*) FROM requests WHERE begin_ms < $1 AND outcome = 'open') "
    "FROM requests WHERE " OLD;

static enum status take_old(const struct value *v, size_t count, void *arg, struct error *err)
{
    struct ledger_old *o = arg;
    (void)err;
    CHECK(count == 6);
    *o = (struct ledger_old){.requests = reader_integer(&v[0], 0),
                             .feedback = reader_integer(&v[1], 0),
                             .nano_usd = reader_integer(&v[2], 0),
                             .first_ms = reader_integer(&v[3], 0),
                             .last_ms = reader_integer(&v[4], 0),
                             .open = reader_integer(&v[5], 0)};
    return OK;
}

enum status ledger_count_old(struct ledger_reader *r, int64_t before_ms, struct ledger_old *ret,
                             struct error *err)
{
    struct ledger_old found = {0};
    const struct value before = {.type = VALUE_INT, .integer = before_ms};
    enum status status = reader_ask(r, COUNT_MS, count_old, &before, 1, take_old, &found, err);
    if (status == OK)
        *ret = found;
    return status;
}

/* A step */

/* The time up to which the next step goes: of the last of its rows, or just before the limit. */
static const char next_step[] =
    "SELECT begin_ms, 0 FROM requests WHERE " OLD " ORDER BY begin_ms LIMIT 1 OFFSET $2";
static const char count_step[] =
    "SELECT 0, COUNT(*) FROM requests WHERE begin_ms <= $1 AND outcome <> 'open'";

struct next {
    bool there;
    int64_t up_to_ms, rows;
};

static enum status take_next(const struct value *v, size_t count, void *arg, struct error *err)
{
    struct next *n = arg;
    (void)err;
    CHECK(count == NEXT_COLUMNS);
    n->there = true;
    n->up_to_ms = reader_integer(&v[0], 0);
    n->rows = reader_integer(&v[1], 0);
    return OK;
}

static enum status put(struct backend *b, enum sql_statement which, int64_t ms, struct error *err)
{
    const struct value value = {.type = VALUE_INT, .integer = ms};
    CHECK(sql_value_counts[which] == 1);
    return b->ops->put(b, which, &value, 1, err);
}

/* With the last step go what was lost before, and what was said of requests that were never written. */
static enum status erase(struct backend *b, int64_t up_to_ms, bool last, struct error *err)
{
    enum status status = b->ops->begin(b, err);
    if (status == OK)
        status = put(b, SQL_PRUNE_FEEDBACK, up_to_ms, err);
    if (status == OK)
        status = put(b, SQL_PRUNE_REQUESTS, up_to_ms, err);
    if (status == OK && last)
        status = put(b, SQL_PRUNE_LOSSES, up_to_ms, err);
    if (status == OK && last)
        status = put(b, SQL_PRUNE_ORPHANS, up_to_ms, err);
    if (status == OK)
        status = b->ops->commit(b, err);
    if (status != OK)
        b->ops->rollback(b);
    return status;
}

/* One piece: what is looked up for a step, and the step. */
enum status retention_step(struct backend *b, int64_t before_ms, int64_t *ret_rows, bool *ret_done,
                           struct error *err)
{
    struct next next = {0}, count = {0};
    const struct value limits[] = {{.type = VALUE_INT, .integer = before_ms},
                                   {.type = VALUE_INT, .integer = RETENTION_STEP_ROWS - 1}};
    enum status status = b->ops->query(b, next_step, limits, 2, take_next, &next, err);
    if (status != OK)
        return status;
    bool last = !next.there;
    int64_t up_to_ms = last ? before_ms - 1 : next.up_to_ms;
    const struct value up_to = {.type = VALUE_INT, .integer = up_to_ms};
    CHECK(up_to_ms < before_ms);
    status = b->ops->query(b, count_step, &up_to, 1, take_next, &count, err);
    if (status == OK)
        status = erase(b, up_to_ms, last, err);
    if (status != OK)
        return status;
    *ret_rows = count.rows;
    *ret_done = last;
    return OK;
}

/* The whole of it */

static void sleep_ms(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

static enum status prune(struct backend *b, int64_t before_ms, const volatile sig_atomic_t *stop,
                         uint64_t *ret, struct error *err)
{
    bool done = false;
    unsigned busy = 0;
    while (!done) {
        int64_t rows = 0;
        enum status status = backend_connect(b, true, err);
        if (status == OK)
            status = retention_step(b, before_ms, &rows, &done, err);
        if (status == ERR_IO && ++busy < BUSY_MAX) { /* its writer has the lock, as a rule */
            sleep_ms(BUSY_MS);
            continue;
        }
        if (status != OK)
            return status;
        busy = 0;
        *ret += (uint64_t)rows;
        if (!done && stop && *stop)
            return error_set(err, ERR_CANCELLED, "stopped; what is gone so far is gone");
        if (!done)
            sleep_ms(PAUSE_MS);
    }
    return OK;
}

enum status ledger_prune(const char *store, int64_t before_ms, const volatile sig_atomic_t *stop,
                         uint64_t *ret, struct error *err)
{
    struct backend *b = NULL;
    *ret = 0;
    enum status status = backend_create(store, &b, err);
    if (status == OK)
        status = prune(b, before_ms, stop, ret, err);
    backend_free(b);
    return status;
}
