/* What appenders see of the ledger: rows go into the journal, losses are counted. The rest is writer.c.
 *
 * Appending may be done by any thread, event loops included: a copy under a lock that is never held while anything
 * waits. Opening, closing and flushing wait for the disk or the database and must not be called on an event loop. */
#include "store/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/saturate.h"
#include "store/ledger_int.h"

/* Rows of requests */

static struct row row_of(const struct ledger_request *r, enum row_kind kind)
{
    return (struct row){.kind = kind,
                        .numbers = {.at_ms = r->begin_wall_ms,
                                    .quality = r->quality,
                                    .lambda = r->lambda,
                                    .predicted_nano_usd = r->predicted_nano_usd,
                                    .reference_nano_usd = r->reference_nano_usd,
                                    .stream = r->stream},
                        .texts = {[ROW_ID] = str_from(r->id),
                                  [ROW_FRONT] = r->front,
                                  [ROW_KEY] = r->key,
                                  [ROW_POLICY] = r->policy,
                                  [ROW_MODEL] = r->model,
                                  [ROW_EXPERT] = r->expert,
                                  [ROW_PLAN] = r->plan}};
}

static void fill_end(const struct ledger_end *e, struct row *row)
{
    struct row_numbers *n = &row->numbers;
    n->cost_nano_usd = e->cost_nano_usd;
    n->input_tokens = e->input_tokens;
    n->cached_tokens = e->cached_tokens;
    n->cache_write_tokens = e->cache_write_tokens;
    n->output_tokens = e->output_tokens;
    n->reasoning_tokens = e->reasoning_tokens;
    n->first_token_ms = e->first_token_ms;
    n->total_ms = e->total_ms;
    n->http_status = e->http_status;
    n->attempts = e->attempts;
    n->cached = e->cached;
    row->texts[ROW_OUTCOME] = e->outcome;
    row->texts[ROW_BASIS] = e->basis;
    row->texts[ROW_PROBLEM] = e->problem;
    row->texts[ROW_CALLS] = e->calls;
}

/* Losses, under the lock */

static void count_loss(struct ledger *l, uint64_t rows, int64_t nano_usd)
{
    struct journal_loss *loss = journal_loss(l->journal);
    int64_t now_ms = clock_wall_ms();
    if (loss->rows == 0)
        loss->from_ms = now_ms;
    loss->to_ms = now_ms;
    loss->rows = add_saturated(loss->rows, (int64_t)rows);
    loss->nano_usd = add_saturated(loss->nano_usd, nano_usd);
    l->lost_rows += rows;
    l->lost_nano_usd = add_saturated(l->lost_nano_usd, nano_usd);
}

void ledger_lose(struct ledger *l, const struct row *row)
{
    pthread_mutex_lock(&l->lock);
    count_loss(l, 1, row->numbers.cost_nano_usd);
    pthread_mutex_unlock(&l->lock);
}

void ledger_lose_written(struct ledger *l, uint64_t rows, int64_t nano_usd)
{
    if (rows == 0)
        return;
    pthread_mutex_lock(&l->lock);
    count_loss(l, rows, nano_usd);
    pthread_mutex_unlock(&l->lock);
}

/* Appending */

/* One end for each open request; and one more, for what the end of a lap may take. */
static uint64_t reserve_bytes(const struct ledger *l)
{
    return (open_set_count(l->open) + 1) * journal_record_bytes(ROW_BARE_MAX);
}

void ledger_wake(struct ledger *l)
{
    if (atomic_load(&l->idle) && atomic_exchange(&l->idle, false))
        worker_wake(&l->writer);
}

void ledger_begin(struct ledger *l, const struct ledger_begin *begin)
{
    char bytes[ROW_BYTES_MAX];
    struct row row = row_of(&begin->request, ROW_BEGIN);
    row.texts[ROW_DECISION] = begin->decision;
    struct str payload = {bytes, row_encode(&row, bytes)};
    pthread_mutex_lock(&l->lock);
    bool kept = open_set_add(l->open, row.texts[ROW_ID]);
    if (!journal_append(l->journal, ROW_BEGIN, payload, reserve_bytes(l)) && kept)
        (void)open_set_remove(l->open, row.texts[ROW_ID]); /* its end will say it all, if it fits */
    pthread_mutex_unlock(&l->lock);
    ledger_wake(l);
}

/* In the room that is kept for it, stripped if need be. */
static bool append_promised(struct ledger *l, struct row *row, struct str payload)
{
    char bytes[ROW_BYTES_MAX];
    if (journal_append(l->journal, ROW_END, payload, reserve_bytes(l)))
        return true;
    row_strip(row);
    payload = (struct str){bytes, row_encode(row, bytes)};
    return journal_append(l->journal, ROW_END, payload, 0);
}

void ledger_end(struct ledger *l, const struct ledger_end *end)
{
    char bytes[ROW_BYTES_MAX];
    struct row row = row_of(&end->request, ROW_END);
    fill_end(end, &row);
    struct str payload = {bytes, row_encode(&row, bytes)};
    pthread_mutex_lock(&l->lock);
    bool promised = open_set_remove(l->open, row.texts[ROW_ID]), fits;
    if (promised)
        fits = append_promised(l, &row, payload);
    else
        fits = journal_append(l->journal, ROW_END, payload, reserve_bytes(l));
    if (!fits)
        count_loss(l, 1, end->cost_nano_usd);
    pthread_mutex_unlock(&l->lock);
    ledger_wake(l);
}

enum status ledger_feedback(struct ledger *l, struct str request_id, double score,
                            struct str comment, int64_t wall_ms)
{
    char bytes[ROW_BYTES_MAX];
    const struct row row = {.kind = ROW_FEEDBACK,
                            .numbers = {.at_ms = wall_ms, .score = score},
                            .texts = {[ROW_ID] = request_id, [ROW_COMMENT] = comment}};
    struct str payload = {bytes, row_encode(&row, bytes)};
    pthread_mutex_lock(&l->lock);
    bool fits = journal_append(l->journal, ROW_FEEDBACK, payload, reserve_bytes(l));
    pthread_mutex_unlock(&l->lock);
    ledger_wake(l);
    return fits ? OK : ERR_OVERLOAD;
}

void ledger_state(struct ledger *l, struct ledger_state *ret)
{
    uint64_t since_ms = atomic_load(&l->busy_since_ms);
    bool stalled = since_ms && clock_now_ms() > since_ms + LEDGER_STALL_MS;
    *ret = (struct ledger_state){
        .storage_up = atomic_load(&l->storage_up) && !stalled,
        .written_rows = atomic_load(&l->written_rows),
        .damaged_bytes = atomic_load(&l->damaged_bytes),
        .gone_files = atomic_load(&l->gone_files),
        .pruned_rows = atomic_load(&l->pruned_rows),
        .journal_bytes = journal_bytes(l->journal),
        .journal_used_bytes = journal_head(l->journal) - journal_tail(l->journal),
    };
    pthread_mutex_lock(&l->lock);
    ret->lost_rows = l->lost_rows;
    ret->lost_nano_usd = l->lost_nano_usd;
    pthread_mutex_unlock(&l->lock);
    pthread_mutex_lock(&l->flush_lock);
    ret->pruning = l->pruning;
    snprintf(ret->problem, sizeof(ret->problem), "%s", l->problem);
    pthread_mutex_unlock(&l->flush_lock);
    if (stalled && !ret->problem[0])
        snprintf(ret->problem, sizeof(ret->problem), "storage does not answer");
}

static bool is_written(struct ledger *l, uint64_t until)
{
    return atomic_load(&l->recovered) && journal_tail(l->journal) >= until;
}

bool ledger_flush(struct ledger *l, uint32_t timeout_ms)
{
    uint64_t until = journal_head(l->journal);
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_nsec -= 1000000000L;
        deadline.tv_sec++;
    }
    int woken = 0;
    if (is_written(l, until))
        return true;
    if (!atomic_load(&l->storage_up))
        return false;
    atomic_store(&l->hurry, true);
    worker_wake(&l->writer);
    pthread_mutex_lock(&l->flush_lock);
    while (!is_written(l, until) && woken == 0 && atomic_load(&l->storage_up))
        woken = pthread_cond_timedwait(&l->flushed, &l->flush_lock, &deadline);
    pthread_mutex_unlock(&l->flush_lock);
    return is_written(l, until);
}

/* Life */

static void init(struct ledger *l)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(&l->lock, NULL); /* on Linux none of these can fail */
    pthread_mutex_init(&l->flush_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&l->flushed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    worker_init(&l->writer);
    atomic_store(&l->storage_up, true); /* until it is known better */
}

static size_t open_limit(const struct journal *j)
{
    uint64_t fitting = journal_bytes(j) / 2 / journal_record_bytes(ROW_BARE_MAX);
    return fitting < LEDGER_OPEN_MAX ? (size_t)fitting : LEDGER_OPEN_MAX;
}

static enum status open_parts(struct ledger *l, const struct ledger_options *o, struct error *err)
{
    uint64_t bytes = o->journal_bytes ? o->journal_bytes : LEDGER_JOURNAL_BYTES;
    enum status status = journal_open(o->journal_path, bytes, o->instance, &l->journal, err);
    if (status == OK)
        status = backend_create(o->store, &l->backend, err);
    if (status != OK)
        return status;
    l->recover_until = journal_head(l->journal);
    l->keep_ms = o->keep_ms;
    l->open = open_set_create(open_limit(l->journal));
    l->batch = batch_create();
    if (!l->open || !l->batch)
        return error_set(err, ERR_MEMORY, "out of memory for the ledger");
    return worker_start(&l->writer, writer_main, l, err);
}

enum status ledger_open(const struct ledger_options *o, struct ledger **ret, struct error *err)
{
    struct ledger *l = calloc(1, sizeof(*l));
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory for the ledger");
    init(l);
    enum status status = open_parts(l, o, err);
    if (status != OK) {
        ledger_close(l);
        return status;
    }
    *ret = l;
    return OK;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    worker_done(&l->writer);
    batch_free(l->batch);
    open_set_free(l->open);
    backend_free(l->backend);
    journal_close(l->journal);
    pthread_cond_destroy(&l->flushed);
    pthread_mutex_destroy(&l->flush_lock);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
