/* The threads that compute. A worker takes as many texts as one call may have, those first for which somebody waits;
 * while it computes, the next ones gather. Texts that nobody waits for any more are computed when there is nothing
 * else: the same question may come again.
 *
 * Runs on the workers' threads alone, and holds the lock only between calls. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "reader/late_int.h"

static bool has_work(void *arg)
{
    struct late_worker *w = arg;
    pthread_mutex_lock(&w->late->lock);
    bool has = w->late->waiting > 0;
    pthread_mutex_unlock(&w->late->lock);
    return has;
}

/* Moves jobs from the queue into the worker's batch: those with, or without, somebody who waits. */
static size_t take_some(struct late_worker *w, bool waited_for)
{
    struct late *l = w->late;
    struct late_job **to = &w->batch;
    size_t count = 0;
    for (struct late_job **at = &l->first; *at && count < l->batch_max;) {
        if (!(*at)->waiters == waited_for) {
            at = &(*at)->next;
            continue;
        }
        *to = late_unlink(l, at);
        to = &(*to)->next;
        count++;
    }
    return count;
}

static size_t take(struct late_worker *w)
{
    struct late *l = w->late;
    pthread_mutex_lock(&l->lock);
    size_t count = take_some(w, true);
    if (!count)
        count = take_some(w, false);
    w->since_ms = l->now_ms();
    pthread_mutex_unlock(&l->lock);
    return count;
}

static enum status check_rows(const struct late *l, const float *rows, size_t count,
                              struct error *err)
{
    for (size_t i = 0; i < count * l->width; i++)
        if (!isfinite(rows[i]))
            return error_set(err, ERR_UPSTREAM, "encoder '%s' gave something that is no number",
                             l->name);
    return OK;
}

static enum status compute(struct late_worker *w, const struct str *texts, size_t count,
                           struct error *err)
{
    struct late *l = w->late;
    enum status status = l->compute.rows(l->compute.state, w->index, texts, count, w->rows, err);
    return status == OK ? check_rows(l, w->rows, count, err) : status;
}

/* The first who waits for it pays, and for what nobody waited for any more. Training pays nobody. */
static void end_job(struct late *l, struct late_job *j, const float *row, enum status status,
                    const struct error *err)
{
    l->unclaimed.input += j->paid.input;
    l->unclaimed.output += j->paid.output;
    if (j->waiters)
        late_claim(l, &j->waiters->paid);
    while (j->waiters) {
        struct encode_task *t = j->waiters;
        j->waiters = t->next;
        late_tell(t, row, status, err);
    }
    if (row)
        row_cache_put(l->cache, &j->key, row);
    free(j);
}

/* Whoever waits is told at once: the others would have to find out one call after the other. */
static void leave_alone(struct late *l, const struct error *err)
{
    l->alone_until_ms = l->now_ms() + LATE_LEFT_ALONE_MS;
    while (l->first)
        end_job(l, late_unlink(l, &l->first), NULL, err->status, err);
}

/* A text that is not liked says nothing of the others, nor of whom was asked. */
static void judge(struct late *l, enum status status, const struct error *err)
{
    l->tries = false;
    if (status == OK) {
        l->failures = 0;
        return;
    }
    l->counts.failures++;
    snprintf(l->counts.trouble, sizeof(l->counts.trouble), "%s", err->text);
    if (status == ERR_INPUT)
        return;
    l->failures += status == ERR_TIMEOUT ? LATE_FAILURES_MAX : 1;
    if (late_is_left_alone(l))
        leave_alone(l, err);
}

/* What a call cost, dealt among its texts. */
static void deal(struct late_worker *w, size_t count)
{
    struct late *l = w->late;
    struct encode_paid all = {0};
    if (l->compute.paid)
        all = l->compute.paid(l->compute.state, w->index);
    l->counts.input_tokens += (uint64_t)all.input;
    l->counts.output_tokens += (uint64_t)all.output;
    for (struct late_job *j = w->batch; j && count > 0; j = j->next, count--) {
        j->paid = (struct encode_paid){all.input / (int64_t)count, all.output / (int64_t)count};
        all.input -= j->paid.input;
        all.output -= j->paid.output;
    }
}

/* Ends the first `count` jobs of the batch, whose rows are there unless it failed. */
static void end_batch(struct late_worker *w, size_t count, double seconds, enum status status,
                      const struct error *err)
{
    struct late *l = w->late;
    pthread_mutex_lock(&l->lock);
    l->counts.batches++;
    l->counts.texts += count;
    l->counts.seconds += seconds;
    deal(w, count);
    for (size_t i = 0; i < count; i++) {
        struct late_job *j = w->batch;
        w->batch = j->next;
        end_job(l, j, status == OK ? w->rows + i * l->width : NULL, status, err);
    }
    judge(l, status, err);
    w->since_ms = l->now_ms();
    pthread_cond_broadcast(&l->answered);
    pthread_mutex_unlock(&l->lock);
}

static void run_batch(struct late_worker *w, size_t count)
{
    struct error err = {0};
    size_t n = 0;
    for (const struct late_job *j = w->batch; j; j = j->next)
        w->texts[n++] = j->text;
    CHECK(n == count);
    uint64_t begin_ns = clock_now_ns();
    enum status status = compute(w, w->texts, count, &err);
    for (size_t i = 0; status == ERR_INPUT && count > 1 && i < count; i++) {
        begin_ns = clock_now_ns();
        enum status alone = compute(w, w->texts + i, 1, &err);
        end_batch(w, 1, (double)(clock_now_ns() - begin_ns) * 1e-9, alone, &err);
    }
    if (status != ERR_INPUT || count == 1)
        end_batch(w, count, (double)(clock_now_ns() - begin_ns) * 1e-9, status, &err);
}

void late_work(void *arg)
{
    struct late_worker *w = arg;
    while (worker_wait(&w->thread, has_work, WORKER_FOREVER_MS) != WORKER_STOP)
        for (size_t n; !worker_is_stopping(&w->thread) && (n = take(w)) > 0;)
            run_batch(w, n);
}
