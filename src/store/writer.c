/* The thread between journal and database. It sleeps until a row comes, gathers for LEDGER_INTERVAL_MS, and writes what
 * there is in transactions of up to LEDGER_BATCH_ROWS; only then the journal forgets them. A begin and its end that
 * meet in a batch become one statement.
 *
 * While storage is away the same batch is tried again, with growing pauses. A row that the database refuses for what
 * it says is found by writing the batch row by row, and lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/hash.h"
#include "store/ledger_int.h"
#include "store/retention_int.h"
#include "store/sql.h"

#define INDEX_SLOTS (2 * LEDGER_BATCH_ROWS)

struct batch {
    struct row rows[LEDGER_BATCH_ROWS]; /* texts are in the journal */
    size_t count;
    uint64_t end;                /* the journal's position behind them */
    uint16_t index[INDEX_SLOTS]; /* of begins by id: 1 + its place; 0: empty */
    char scratch[3 * ROW_BYTES_MAX];
};
_Static_assert((INDEX_SLOTS & (INDEX_SLOTS - 1)) == 0, "a power of two");

struct batch *batch_create(void)
{
    return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *b)
{
    free(b);
}

/* Gathering */

/* Where the begin of this id is, or the empty slot where it would be. */
static uint16_t *find_begin(struct batch *b, struct str id)
{
    size_t at = (size_t)hash64(id, 1) & (INDEX_SLOTS - 1);
    while (b->index[at] && !str_equal(b->rows[b->index[at] - 1].texts[ROW_ID], id))
        at = (at + 1) & (INDEX_SLOTS - 1);
    return &b->index[at];
}

static void add(struct batch *b, const struct row *row)
{
    uint16_t *slot = row->kind == ROW_FEEDBACK ? NULL : find_begin(b, row->texts[ROW_ID]);
    if (slot && *slot && row->kind == ROW_END) {
        struct row *begin = &b->rows[*slot - 1];
        struct str decision = begin->texts[ROW_DECISION];
        *begin = *row;
        begin->texts[ROW_DECISION] = decision;
        return;
    }
    CHECK(b->count < LEDGER_BATCH_ROWS);
    b->rows[b->count++] = *row;
    if (slot && !*slot && row->kind == ROW_BEGIN)
        *slot = (uint16_t)b->count;
}

/* Until the batch is full; up to `until`. */
static void gather(struct ledger *l, uint64_t until)
{
    struct batch *b = l->batch;
    uint64_t from = journal_tail(l->journal), at = from, damaged = 0;
    struct journal_record record;
    struct row row;
    b->count = 0;
    memset(b->index, 0, sizeof(b->index));
    while (b->count < LEDGER_BATCH_ROWS && at < until && at - from < LEDGER_BATCH_BYTES) {
        if (!journal_next(l->journal, &at, until, &record, &damaged))
            break;
        if (row_decode(&record, &row) == OK)
            add(b, &row);
        else
            damaged += journal_record_bytes(record.payload.len);
    }
    b->end = at;
    atomic_fetch_add(&l->damaged_bytes, damaged);
}

/* Writing */

static enum status put_row(struct ledger *l, const struct row *row, struct error *err)
{
    struct value values[BACKEND_COLUMNS_MAX];
    enum sql_statement which =
        sql_bind(row, journal_instance(l->journal), l->batch->scratch, values);
    return l->backend->ops->put(l->backend, which, values, sql_value_counts[which], err);
}

static enum status put_loss(struct ledger *l, const struct journal_loss *loss, struct error *err)
{
    const struct value values[] = {
        {.type = VALUE_TEXT, .text = str_from(journal_instance(l->journal))},
        {.type = VALUE_INT, .integer = loss->from_ms},
        {.type = VALUE_INT, .integer = loss->to_ms},
        {.type = VALUE_INT, .integer = loss->rows},
        {.type = VALUE_INT, .integer = loss->nano_usd},
    };
    return l->backend->ops->put(l->backend, SQL_LOSS, values, sql_value_counts[SQL_LOSS], err);
}

static enum status put_interrupt(struct ledger *l, struct error *err)
{
    const struct value instance = {.type = VALUE_TEXT,
                                   .text = str_from(journal_instance(l->journal))};
    return l->backend->ops->put(l->backend, SQL_INTERRUPT, &instance, 1, err);
}

static struct journal_loss loss_now(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct journal_loss loss = *journal_loss(l->journal);
    pthread_mutex_unlock(&l->lock);
    return loss;
}

/* Unless more was lost meanwhile: then the same row is written again with more. */
static void forget_loss(struct ledger *l, const struct journal_loss *written)
{
    pthread_mutex_lock(&l->lock);
    struct journal_loss *loss = journal_loss(l->journal);
    if (loss->rows == written->rows)
        *loss = (struct journal_loss){0};
    pthread_mutex_unlock(&l->lock);
}

struct sums {       /* what is written beside rows */
    bool interrupt; /* what an earlier process left open is closed */
    struct journal_loss loss;
};

static enum status put_sums(struct ledger *l, const struct sums *sums, struct error *err)
{
    enum status status = sums->interrupt ? put_interrupt(l, err) : OK;
    if (status == OK && sums->loss.rows > 0)
        status = put_loss(l, &sums->loss, err);
    return status;
}

/* What the backend found gone when it looked. */
static void note_gone(struct ledger *l)
{
    const struct backend_gone *now = &l->backend->gone;
    if (now->files == l->gone.files)
        return;
    ledger_lose_written(l, now->rows - l->gone.rows, now->nano_usd - l->gone.nano_usd);
    l->gone = *now;
    atomic_store(&l->gone_files, now->files);
}

/* One transaction: rows from `from` to before `to` of the batch, and `sums`. */
static enum status write_rows(struct ledger *l, size_t from, size_t to, const struct sums *sums,
                              struct error *err)
{
    const struct backend_ops *ops = l->backend->ops;
    atomic_store(&l->busy_since_ms, clock_now_ms());
    enum status status = backend_connect(l->backend, true, err);
    note_gone(l);
    if (status == OK) {
        status = ops->begin(l->backend, err);
        for (size_t i = from; i < to && status == OK; i++)
            status = put_row(l, &l->batch->rows[i], err);
        if (status == OK)
            status = put_sums(l, sums, err);
        if (status == OK)
            status = ops->commit(l->backend, err);
        if (status != OK)
            ops->rollback(l->backend);
    }
    atomic_store(&l->busy_since_ms, 0);
    if (status == OK && sums->loss.rows > 0)
        forget_loss(l, &sums->loss);
    return status;
}

/* What is refused is lost. Sums are never: when the database refuses those, something is wrong with it. */
static enum status write_one_by_one(struct ledger *l, const struct sums *sums, struct error *err)
{
    static const struct sums none = {0};
    for (size_t i = 0; i < l->batch->count; i++) {
        enum status status = write_rows(l, i, i + 1, &none, err);
        if (status == ERR_INPUT)
            ledger_lose(l, &l->batch->rows[i]);
        else if (status != OK)
            return status;
    }
    return write_rows(l, 0, 0, sums, err);
}

static void wake_flushers(struct ledger *l)
{
    pthread_mutex_lock(&l->flush_lock);
    pthread_cond_broadcast(&l->flushed);
    pthread_mutex_unlock(&l->flush_lock);
}

static void storage_is(struct ledger *l, bool up, const struct error *err)
{
    pthread_mutex_lock(&l->flush_lock);
    if (!up)
        snprintf(l->problem, sizeof(l->problem), "%s", err->text);
    atomic_store(&l->storage_up, up);
    pthread_cond_broadcast(&l->flushed);
    pthread_mutex_unlock(&l->flush_lock);
}

static bool has_work(struct ledger *l)
{
    return journal_tail(l->journal) < journal_head(l->journal) || !atomic_load(&l->recovered) ||
           loss_now(l).rows > 0;
}

/* One batch; what an earlier process left behind goes first and by itself. */
static enum status write_batch(struct ledger *l, struct error *err)
{
    bool recovered = atomic_load(&l->recovered);
    bool interrupt = !recovered && journal_tail(l->journal) >= l->recover_until;
    gather(l, recovered ? journal_head(l->journal) : l->recover_until);
    const struct sums sums = {interrupt, loss_now(l)};
    enum status status = write_rows(l, 0, l->batch->count, &sums, err);
    if (status == ERR_INPUT)
        status = write_one_by_one(l, &sums, err);
    if (status != OK)
        return status;
    if (interrupt)
        atomic_store(&l->recovered, true);
    atomic_fetch_add(&l->written_rows, l->batch->count);
    journal_release(l->journal, l->batch->end);
    storage_is(l, true, NULL);
    return OK;
}

static enum status write_all(struct ledger *l, struct error *err)
{
    enum status status = OK;
    while (status == OK && has_work(l)) {
        status = write_batch(l, err);
        journal_trim(l->journal);
        if (worker_is_stopping(&l->writer) && l->stop_at_ms && clock_now_ms() >= l->stop_at_ms)
            return error_set(err, ERR_TIMEOUT, "no time left");
    }
    pthread_mutex_lock(&l->lock);
    journal_rewind(l->journal);
    pthread_mutex_unlock(&l->lock);
    wake_flushers(l);
    return status;
}

/* Pruning: between batches, so that it never has the database when a row wants it, and on this thread's connection */

static void prune_failed(struct ledger *l, const struct error *err)
{
    l->prune_at_ms = clock_now_ms() + LEDGER_PRUNE_RETRY_MS;
    pthread_mutex_lock(&l->flush_lock);
    l->pruning.failures++;
    snprintf(l->problem, sizeof(l->problem), "%s", err->text);
    pthread_mutex_unlock(&l->flush_lock);
}

static void prune_ended(struct ledger *l)
{
    pthread_mutex_lock(&l->flush_lock);
    l->pruning.runs++;
    l->pruning.rows = l->prune_rows;
    l->pruning.before_ms = l->prune_before_ms;
    pthread_mutex_unlock(&l->flush_lock);
    l->prune_at_ms = clock_now_ms() + LEDGER_PRUNE_MS;
    l->prune_before_ms = 0;
}

static bool prune_is_due(const struct ledger *l)
{
    return l->keep_ms > 0 && clock_now_ms() >= l->prune_at_ms;
}

/* One step of a run, which begins with it where none is on. */
static void prune(struct ledger *l)
{
    struct error err = {0};
    int64_t rows = 0;
    bool done = false;
    if (!l->prune_before_ms) {
        l->prune_before_ms = clock_wall_ms() - l->keep_ms;
        l->prune_rows = 0;
    }
    atomic_store(&l->busy_since_ms, clock_now_ms());
    enum status status = backend_connect(l->backend, true, &err);
    note_gone(l);
    if (status == OK)
        status = retention_step(l->backend, l->prune_before_ms, &rows, &done, &err);
    atomic_store(&l->busy_since_ms, 0);
    if (status != OK) {
        prune_failed(l, &err);
        return;
    }
    l->prune_rows += (uint64_t)rows;
    atomic_fetch_add(&l->pruned_rows, (uint64_t)rows);
    if (done)
        prune_ended(l);
}

/* Sleeping */

static bool is_hurried(void *arg)
{
    struct ledger *l = arg;
    return atomic_load(&l->hurry);
}

static bool has_reason(void *arg)
{
    return has_work(arg) || is_hurried(arg);
}

/* A thread that waits for a flush, and the end of the process, cut the pause short. */
static void pause_ms(struct ledger *l, uint32_t ms)
{
    (void)worker_wait(&l->writer, is_hurried, ms);
}

/* Until there is a row. Who appends one looks at `idle` after it, so it is seen here or wakes the writer. */
static void idle(struct ledger *l)
{
    uint64_t now_ms = clock_now_ms(),
             left_ms = l->prune_at_ms > now_ms ? l->prune_at_ms - now_ms : 0;
    atomic_store(&l->idle, true);
    (void)worker_wait(&l->writer, has_reason,
                      l->keep_ms > 0 ? (uint32_t)left_ms : WORKER_FOREVER_MS);
    atomic_store(&l->idle, false);
}

/* The journal fills meanwhile; its pages need not stay in memory. */
static void pause_away(struct ledger *l, uint32_t ms)
{
    for (uint32_t slept = 0; slept < ms && !worker_is_stopping(&l->writer);
         slept += LEDGER_TRIM_MS) {
        atomic_store(&l->hurry, false); /* nobody can be served now */
        pause_ms(l, LEDGER_TRIM_MS);
        journal_trim(l->journal);
    }
}

/* The writer's life: wait for a row, gather, write, and try again after growing pauses while storage is away. The loop
 * is in one piece because stopping must be seen at each of its waits. */
void writer_main(void *arg)
{
    struct ledger *l = arg;
    struct error err = {0};
    uint32_t retry_ms = LEDGER_RETRY_MS;
    /* Requests go first: a batch is a burst of work that would keep an event loop from its processor. */
    int ignored = setpriority(PRIO_PROCESS, (id_t)gettid(), LEDGER_NICE);
    (void)ignored;
    for (;;) {
        bool last = worker_is_stopping(&l->writer);
        if (last && !l->stop_at_ms)
            l->stop_at_ms = clock_now_ms() + LEDGER_CLOSE_MS;
        atomic_store(&l->hurry, false);
        if (write_all(l, &err) == OK) {
            retry_ms = LEDGER_RETRY_MS;
            if (last)
                return;
            if (prune_is_due(l)) {
                prune(l);
                pause_ms(l, LEDGER_PRUNE_PAUSE_MS);
                continue;
            }
            idle(l);
            pause_ms(l, LEDGER_INTERVAL_MS);
            continue;
        }
        storage_is(l, false, &err);
        if (last)
            return; /* the journal keeps the rest */
        pause_away(l, retry_ms);
        retry_ms = retry_ms * 2 < LEDGER_RETRY_MAX_MS ? retry_ms * 2 : LEDGER_RETRY_MAX_MS;
    }
}
