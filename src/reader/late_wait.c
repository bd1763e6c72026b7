/* Those who wait for an answer: requests on event loops, and threads that block.
 *
 * A request's task belongs to the thread that began; it ends by whichever comes first: the answer's message, its time,
 * or being called off. A worker touches it only under the lock, and not any more once it has sent the message. Nothing
 * here may be called with the lock held, but late_tell. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "reader/late_int.h"

static struct encoding speak(const float *row)
{
    return (struct encoding){.dense = row};
}

static struct encoding silence(enum encode_silence why)
{
    return (struct encoding){.silent = true, .why = why};
}

/* What a text is known by, and as much of it as is read. */
static enum status key_of(struct str *text, struct digest *key, struct error *err)
{
    *text = utf8_cut(*text, LATE_TEXT_BYTES_MAX);
    return digest_sha256(*text, key, err);
}

static struct late *late_at(const struct encoder *e)
{
    return (struct late *)(uintptr_t)e->state;
}

static void count_silence(struct late *l, enum encode_silence why)
{
    l->counts.late += why == ENCODE_LATE;
    l->counts.full += why == ENCODE_FULL;
    l->counts.failed += why == ENCODE_FAILED;
}

static void join(struct late_job *j, struct encode_task *t)
{
    t->job = j;
    t->next = j->waiters;
    j->waiters = t;
}

/* Requests */

static void task_free(struct encode_task *t)
{
    scheduler_timer_free(t->timer);
    free(t);
}

static void end(struct encode_task *t, struct encoding said)
{
    struct encode_listener listener = t->listener;
    said.paid = t->paid;
    *t->ret = said;
    task_free(t);
    listener.done(OK, NULL, listener.arg);
}

/* The message, on the thread that began. */
static void on_answer(void *arg)
{
    struct encode_task *t = arg;
    if (t->place == LATE_CALLED_OFF) {
        free(t);
        return;
    }
    if (t->status != OK) {
        end(t, silence(ENCODE_FAILED));
        return;
    }
    memcpy(t->into, t->row, t->late->width * sizeof(*t->row));
    end(t, speak(t->into));
}

void late_claim(struct late *l, struct encode_paid *paid)
{
    paid->input += l->unclaimed.input;
    paid->output += l->unclaimed.output;
    l->unclaimed = (struct encode_paid){0};
}

/* An answer that is under way already is worth the moment it takes. */
static void on_time(void *arg)
{
    struct encode_task *t = arg;
    struct late *l = t->late;
    pthread_mutex_lock(&l->lock);
    bool answered = t->place == LATE_ANSWERED;
    if (!answered) {
        late_leave(t);
        late_claim(l, &t->paid);
        count_silence(l, ENCODE_LATE);
    }
    pthread_mutex_unlock(&l->lock);
    if (!answered)
        end(t, silence(ENCODE_LATE));
}

void late_cancel(struct encode_task *t)
{
    struct late *l = t->late;
    scheduler_timer_free(t->timer);
    t->timer = NULL;
    pthread_mutex_lock(&l->lock);
    bool answered = t->place == LATE_ANSWERED;
    if (answered)
        t->place = LATE_CALLED_OFF;
    else
        late_leave(t);
    l->unclaimed.input += t->paid.input;
    l->unclaimed.output += t->paid.output;
    pthread_mutex_unlock(&l->lock);
    if (!answered)
        free(t);
}

/* A message that cannot be sent is one that never comes: then the task's time ends it. */
void late_tell(struct encode_task *t, const float *row, enum status status, const struct error *err)
{
    struct late *l = t->late;
    t->job = NULL;
    t->status = status;
    if (row)
        memcpy(t->row, row, l->width * sizeof(*row));
    if (t->blocks) {
        if (status != OK && t->err)
            *t->err = *err;
        return;
    }
    t->place = LATE_ANSWERED;
    if (scheduler_post(t->listener.on, on_answer, t) != OK) {
        t->place = LATE_IN_LINE;
        return;
    }
    l->counts.spoke += status == OK;
    l->counts.failed += status != OK;
}

static struct encode_task *task_create(struct late *l, void *work, struct encoding *ret,
                                       const struct encode_listener *listener)
{
    struct encode_task *t = calloc(1, sizeof(*t) + l->width * sizeof(float));
    if (!t)
        return NULL;
    *t = (struct encode_task){.late = l, .listener = *listener, .ret = ret, .into = work};
    t->row = (float *)(t + 1);
    t->timer = scheduler_timer_create(listener->on, on_time, t);
    if (!t->timer) {
        free(t);
        return NULL;
    }
    return t;
}

/* Under the lock: whether there is an answer without waiting, and which. A text whose turn it is to try whether a
 * reader that was left alone is back goes into the queue by itself. */
static bool answers_at_once(struct late *l, const struct digest *key, struct str text, float *into,
                            struct encoding *ret, bool *ret_wake)
{
    const float *row = row_cache_get(l->cache, key);
    l->counts.asked++;
    if (row) {
        memcpy(into, row, l->width * sizeof(*row));
        l->counts.hits++;
        *ret = speak(into);
        return true;
    }
    if (late_is_left_alone(l)) {
        if (!l->tries && l->now_ms() >= l->alone_until_ms)
            *ret_wake = l->tries = late_enqueue(l, key, text, true) != NULL;
        count_silence(l, ENCODE_FAILED);
        *ret = silence(ENCODE_FAILED);
        return true;
    }
    if (late_hangs(l)) {
        count_silence(l, ENCODE_LATE);
        *ret = silence(ENCODE_LATE);
        return true;
    }
    return false;
}

/* Under the lock: its place in the queue. False: there is none. */
static bool takes_place(struct late *l, const struct digest *key, struct str text,
                        struct encode_task *t)
{
    struct late_job *j = late_find(l, key);
    if (!j)
        j = late_enqueue(l, key, text, false);
    if (!j)
        count_silence(l, ENCODE_FULL);
    else
        join(j, t);
    return j != NULL;
}

/* One piece: which answers need no task, and what has to be undone where there is no place for one. */
enum status late_begin(const struct encoder *e, void *work, struct str text, struct encoding *ret,
                       const struct encode_listener *listener, struct encode_task **ret_task,
                       struct error *err)
{
    struct late *l = late_at(e);
    struct digest key;
    struct encoding said;
    bool wake = false;
    CHECK(listener->on);
    enum status status = key_of(&text, &key, err);
    if (status != OK)
        return status;
    pthread_mutex_lock(&l->lock);
    bool at_once = answers_at_once(l, &key, text, work, &said, &wake);
    uint32_t max_wait_ms = l->limits.max_wait_ms;
    pthread_mutex_unlock(&l->lock);
    if (wake)
        late_wake(l);
    if (at_once) {
        *ret = said;
        return OK;
    }
    struct encode_task *t = task_create(l, work, ret, listener);
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for an encoder");
    scheduler_timer_start(t->timer, max_wait_ms);
    pthread_mutex_lock(&l->lock);
    bool waits = takes_place(l, &key, text, t);
    pthread_mutex_unlock(&l->lock);
    if (!waits) {
        task_free(t);
        *ret = silence(ENCODE_FULL);
        return OK;
    }
    late_wake(l);
    *ret_task = t;
    return AGAIN;
}

/* Threads that block */

/* Under the lock. */
static void ask(struct late *l, const struct digest *key, struct str text, struct encode_task *t)
{
    const float *row = row_cache_get(l->cache, key);
    if (row) {
        memcpy(t->row, row, l->width * sizeof(*row));
        return;
    }
    struct late_job *j = late_find(l, key);
    if (!j)
        j = late_enqueue(l, key, text, true);
    if (j)
        join(j, t);
    else
        t->status = error_set(t->err, ERR_MEMORY, "out of memory for an encoder");
}

/* Texts [count] at once, into rows [count × width]; tasks [count] is room for them. The first failure is returned
 * when all have ended, because every one of them must be out of the queue by then. */
static enum status ask_all(struct late *l, const struct str *texts, size_t count, float *rows,
                           struct encode_task *tasks, struct error *err)
{
    enum status status = OK;
    struct error own = {0};
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < count; i++) {
        struct digest key;
        struct str text = texts[i];
        tasks[i] = (struct encode_task){
            .late = l, .blocks = true, .row = rows + i * l->width, .err = &own};
        tasks[i].status = key_of(&text, &key, &own);
        if (tasks[i].status == OK)
            ask(l, &key, text, &tasks[i]);
    }
    pthread_mutex_unlock(&l->lock);
    late_wake(l);
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < count; i++) {
        while (tasks[i].job)
            pthread_cond_wait(&l->answered, &l->lock);
        status = status == OK ? tasks[i].status : status;
    }
    pthread_mutex_unlock(&l->lock);
    if (status != OK && err)
        *err = own;
    return status;
}

enum status late_encode(const struct encoder *e, void *work, struct str text, struct encoding *ret,
                        struct error *err)
{
    struct late *l = late_at(e);
    struct encode_task task;
    enum status status = ask_all(l, &text, 1, work, &task, err);
    if (status == OK)
        *ret = speak(work);
    return status;
}

enum status late_encode_many(const struct encoder *e, const struct str *texts, size_t count,
                             float *dense, encode_progress *progress, void *arg, struct error *err)
{
    struct late *l = late_at(e);
    size_t window = l->worker_count * l->batch_max * 2;
    enum status status = OK;
    struct encode_task *tasks = calloc(window, sizeof(*tasks));
    if (!tasks)
        return error_set(err, ERR_MEMORY, "out of memory for an encoder");
    for (size_t done = 0; done < count && status == OK;) {
        size_t n = count - done < window ? count - done : window;
        status = ask_all(l, texts + done, n, dense + done * l->width, tasks, err);
        done += n;
        if (status == OK && progress && !progress(done, arg))
            status = error_set(err, ERR_CANCELLED, "called off");
    }
    free(tasks);
    return status;
}
