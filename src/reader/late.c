/* What a reader is made of, its queue, and when it is left alone. One lock guards it: it is held for pointers and
 * copies of a row, never while something is computed or sent. Threads that wait are in late_wait.c, threads that
 * compute in late_work.c. A reader is made by whoever loads a model, lives as long as somebody may use the model, and
 * is freed when nobody waits any more. */
#include "reader/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "reader/late_int.h"

/* The encoder's part of the features: one row. */

static void *work_create(const struct encoder *e)
{
    return calloc(e->dense_count, sizeof(float));
}

static void work_free(void *work)
{
    free(work);
}

/* Making one */

static struct late_limits limits_of(const struct late_limits *given)
{
    return (struct late_limits){
        .queue = given->queue ? given->queue : LATE_QUEUE_USUAL,
        .cache_bytes = given->cache_bytes ? given->cache_bytes : LATE_CACHE_BYTES_USUAL,
        .max_wait_ms = given->max_wait_ms ? given->max_wait_ms : LATE_MAX_WAIT_MS_USUAL,
    };
}

static enum status copy(const char *text, char **ret, struct error *err)
{
    *ret = strdup(text ? text : "");
    return *ret ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status fill(struct late *l, const struct late_options *o, struct error *err)
{
    enum status status = copy(o->name, &l->name, err);
    if (status == OK)
        status = copy(o->fingerprint, &l->fingerprint, err);
    if (status == OK)
        status = copy(o->spec, &l->spec, err);
    l->cache = row_cache_create(l->width, l->limits.cache_bytes);
    if (status == OK && !l->cache)
        status = error_set(err, ERR_MEMORY, "out of memory");
    l->encoder = (struct encoder){
        .name = l->name,
        .fingerprint = l->fingerprint,
        .spec = l->spec,
        .dense_count = l->width,
        .state = l,
        .work_create = work_create,
        .work_free = work_free,
        .encode = late_encode,
        .begin = late_begin,
        .cancel = late_cancel,
        .encode_many = late_encode_many,
    };
    return status;
}

static enum status start_workers(struct late *l, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < l->worker_count && status == OK; i++) {
        struct late_worker *w = &l->workers[i];
        w->texts = calloc(l->batch_max, sizeof(*w->texts));
        w->rows = calloc(l->batch_max * l->width, sizeof(*w->rows));
        status = w->texts && w->rows ? worker_start(&w->thread, late_work, w, err)
                                     : error_set(err, ERR_MEMORY, "out of memory");
    }
    return status;
}

/* One piece: what late_free takes apart is complete before anything can fail. */
enum status late_create(const struct late_options *o, const struct late_compute *compute,
                        struct late **ret, struct error *err)
{
    struct late *l = calloc(1, sizeof(*l));
    if (!l) {
        if (compute->free)
            compute->free(compute->state);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    CHECK(o->width > 0 && o->width <= LATE_WIDTH_MAX);
    CHECK(o->batch <= LATE_BATCH_MAX && o->workers <= LATE_WORKERS_MAX);
    l->compute = *compute;
    l->width = o->width;
    l->batch_max = o->batch ? o->batch : LATE_BATCH_USUAL;
    l->worker_count = o->workers ? o->workers : 1;
    l->now_ms = o->now_ms ? o->now_ms : clock_now_ms;
    l->limits = limits_of(&o->limits);
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL); /* on Linux none of these can fail */
    pthread_cond_init(&l->answered, NULL);
    for (size_t i = 0; i < l->worker_count; i++) {
        l->workers[i] = (struct late_worker){.late = l};
        l->workers[i].index = i;
        worker_init(&l->workers[i].thread);
    }
    enum status status = fill(l, o, err);
    if (status == OK)
        status = start_workers(l, err);
    if (status != OK) {
        late_free(l);
        return status;
    }
    *ret = l;
    return OK;
}

void late_stop(struct late *l)
{
    for (size_t i = 0; i < l->worker_count; i++)
        (void)worker_stop_within(&l->workers[i].thread, LATE_STOP_MS);
}

void late_free(struct late *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->worker_count; i++) {
        worker_done(&l->workers[i].thread);
        free(l->workers[i].texts);
        free(l->workers[i].rows);
    }
    while (l->first) {
        struct late_job *j = l->first;
        CHECK(!j->waiters);
        l->first = j->next;
        free(j);
    }
    if (l->compute.free)
        l->compute.free(l->compute.state);
    row_cache_free(l->cache);
    pthread_cond_destroy(&l->answered);
    pthread_mutex_destroy(&l->lock);
    free(l->name);
    free(l->fingerprint);
    free(l->spec);
    free(l);
}

const struct encoder *late_encoder(const struct late *l)
{
    return &l->encoder;
}

struct late *late_of(const struct encoder *e)
{
    return e->begin == late_begin ? (struct late *)(uintptr_t)e->state : NULL;
}

enum status late_limit(struct late *l, const struct late_limits *limits, struct error *err)
{
    struct late_limits now = limits_of(limits);
    struct row_cache *fresh = NULL, *old = NULL;
    bool resize = now.cache_bytes != l->limits.cache_bytes;
    if (resize)
        fresh = row_cache_create(l->width, now.cache_bytes);
    if (resize && !fresh)
        return error_set(err, ERR_MEMORY, "out of memory");
    pthread_mutex_lock(&l->lock);
    l->limits = now;
    if (fresh) {
        old = l->cache;
        l->cache = fresh;
    }
    pthread_mutex_unlock(&l->lock);
    row_cache_free(old);
    return OK;
}

void late_read(struct late *l, struct late_reading *ret)
{
    pthread_mutex_lock(&l->lock);
    *ret = l->counts;
    ret->waiting = l->waiting;
    ret->cached = row_cache_count(l->cache);
    ret->left_alone = l->failures >= LATE_FAILURES_MAX;
    pthread_mutex_unlock(&l->lock);
}

/* The queue */

bool late_is_left_alone(const struct late *l)
{
    return l->failures >= LATE_FAILURES_MAX;
}

bool late_hangs(const struct late *l)
{
    uint64_t now = l->now_ms();
    for (size_t i = 0; i < l->worker_count; i++)
        if (!l->workers[i].batch || now < l->workers[i].since_ms + LATE_HANGS_MS)
            return false;
    return true;
}

static struct late_job *find_in(struct late_job *j, const struct digest *key)
{
    while (j && !digest_equal(&j->key, key))
        j = j->next;
    return j;
}

struct late_job *late_find(struct late *l, const struct digest *key)
{
    struct late_job *j = find_in(l->first, key);
    for (size_t i = 0; i < l->worker_count && !j; i++)
        j = find_in(l->workers[i].batch, key);
    return j;
}

struct late_job *late_unlink(struct late *l, struct late_job **at)
{
    struct late_job *j = *at;
    *at = j->next;
    if (!*at)
        l->last = at;
    j->next = NULL;
    l->waiting--;
    return j;
}

/* The oldest text that nobody waits for any more gives way. */
static bool make_room(struct late *l)
{
    struct late_job **at = &l->first;
    while (*at && (*at)->waiters)
        at = &(*at)->next;
    if (!*at)
        return false;
    free(late_unlink(l, at));
    return true;
}

struct late_job *late_enqueue(struct late *l, const struct digest *key, struct str text, bool need)
{
    if (l->waiting >= l->limits.queue && !need && !make_room(l))
        return NULL;
    struct late_job *j = malloc(sizeof(*j) + text.len + 1);
    if (!j)
        return NULL;
    char *bytes = (char *)(j + 1);
    memcpy(bytes, text.len ? text.ptr : "", text.len);
    *j = (struct late_job){.key = *key, .text = {bytes, text.len}};
    *l->last = j;
    l->last = &j->next;
    l->waiting++;
    return j;
}

void late_leave(struct encode_task *t)
{
    if (!t->job)
        return;
    struct encode_task **at = &t->job->waiters;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    t->job = NULL;
}

void late_wake(struct late *l)
{
    for (size_t i = 0; i < l->worker_count; i++)
        worker_wake(&l->workers[i].thread);
}
