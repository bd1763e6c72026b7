/* One thread: waits, looks at files, loads, hands over. It owns the newest snapshot until there is a newer one. */
#include "serve/reload.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "serve/gateway_int.h"
#include "serve/keeper.h"
#include "serve/notify.h"
#include "serve/secure.h"

#define KEYS_BYTES_MAX 1024

struct stamp { /* which file is there, and which writing of it */
    bool exists;
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec written;
};

struct stamps {
    struct stamp config, model;
};

struct reload {
    struct gateway *gateway;
    gateway_load *load;
    void *arg;
    struct snapshot *current; /* held; the newest */
    struct stamps tried;      /* what was loaded or refused last */
    bool model_moved;         /* the last load took the model from another path */
    int wake_fd;              /* somebody wants a reload, or the end */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    size_t taken; /* workers that have the current snapshot */
    bool stopping;
    struct reload_counts counts;
};

/* Files */

static struct stamp stamp_of(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return (struct stamp){0};
    return (struct stamp){.exists = true,
                          .device = s.st_dev,
                          .inode = s.st_ino,
                          .bytes = s.st_size,
                          .written = s.st_mtim};
}

static bool stamp_same(const struct stamp *a, const struct stamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->bytes == b->bytes && a->written.tv_sec == b->written.tv_sec &&
           a->written.tv_nsec == b->written.tv_nsec;
}

static struct stamps look(const struct reload *r)
{
    const struct config *c = r->current->config;
    return (struct stamps){stamp_of(c->place), stamp_of(c->model_path)};
}

static bool stamps_same(const struct stamps *a, const struct stamps *b)
{
    return stamp_same(&a->config, &b->config) && stamp_same(&a->model, &b->model);
}

/* Waiting */

static bool is_stopping(struct reload *r)
{
    pthread_mutex_lock(&r->lock);
    bool stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    return stopping;
}

static void wake(const struct reload *r)
{
    const uint64_t one = 1;
    while (write(r->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/* Whether somebody woke us. */
static bool rest(const struct reload *r, int ms)
{
    struct pollfd p = {.fd = r->wake_fd, .events = POLLIN};
    uint64_t count;
    return poll(&p, 1, ms) > 0 && read(r->wake_fd, &count, sizeof(count)) > 0;
}

/* Whoever writes a file may take a while; false: the process ends. */
static bool settle(struct reload *r)
{
    struct stamps before = look(r);
    for (int i = 0; i < RELOAD_SETTLES_MAX; i++) {
        rest(r, RELOAD_SETTLE_MS);
        if (is_stopping(r))
            return false;
        struct stamps now = look(r);
        if (stamps_same(&before, &now))
            break;
        before = now;
    }
    return true;
}

/* Handing over */

/* On the worker's loop. */
static void take_next(void *arg)
{
    struct worker *w = arg;
    struct gateway *g = w->gateway;
    struct snapshot *next = atomic_exchange(&w->next, NULL), *before = w->snapshot;
    if (!next)
        return;
    w->snapshot = next;
    if (w == &g->workers[0]) { /* whose thread alone looks at the gateway's own */
        snapshot_release(g->snapshot);
        g->snapshot = snapshot_hold(next);
    }
    snapshot_release(before);
    reload_taken(g->reload);
}

void reload_taken(struct reload *r)
{
    pthread_mutex_lock(&r->lock);
    r->taken++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void wait_for_workers(struct reload *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->taken < r->gateway->worker_count && !r->stopping)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static void hand_over(struct reload *r, struct snapshot *s)
{
    struct gateway *g = r->gateway;
    pthread_mutex_lock(&r->lock);
    r->taken = 0;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < g->worker_count; i++) {
        struct worker *w = &g->workers[i];
        snapshot_release(atomic_exchange(&w->next, snapshot_hold(s)));
        while (loop_post(w->loop, take_next, w) != OK && !is_stopping(r))
            rest(r, RELOAD_SETTLE_MS); /* out of memory: nothing is lost but time */
    }
    wait_for_workers(r);
    r->model_moved = strcmp(s->config->model_path, r->current->config->model_path) != 0;
    snapshot_release(r->current);
    r->current = s;
}

/* Loading */

static void warn_of_fixed(const struct config *running, struct config *fresh)
{
    struct buf keys;
    buf_init(&keys, KEYS_BYTES_MAX);
    if (reload_keep_fixed(running, fresh, &keys) > 0)
        log_event(LOG_WARN, "needs a restart to change", "keys=%.*s", STR_FMT(buf_str(&keys)));
    buf_done(&keys);
}

static enum status load_snapshot(struct reload *r, struct snapshot **ret, struct error *err)
{
    struct config *config = NULL;
    struct model *model = NULL;
    enum status status = r->load(r->arg, &config, &model, err);
    if (status != OK)
        return status;
    warn_of_fixed(r->current->config, config);
    status = snapshot_create(config, model, r->gateway->gates, true, ret, err);
    if (status != OK) {
        config_free(config);
        model_free(model);
    }
    return status;
}

static void count(struct reload *r, bool done)
{
    pthread_mutex_lock(&r->lock);
    if (done) {
        r->counts.done++;
        r->counts.last_wall_ms = clock_wall_ms();
    } else {
        r->counts.refused++;
    }
    pthread_mutex_unlock(&r->lock);
}

static void refuse(struct reload *r, const struct error *err)
{
    char quoted[sizeof(err->text) + 80];
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_ERROR, "reload refused, the old configuration stays", "err=%s", quoted);
    count(r, false);
}

static void follow_budgets(struct reload *r, struct snapshot *s)
{
    struct error err;
    pool_budgets_share(s->pool, r->current->pool);
    if (r->gateway->keeper && keeper_follow(r->gateway->keeper, s, &err) != OK)
        log_event(LOG_ERROR, "budgets of new policies are not kept", "err=\"%s\"", err.text);
}

static void reload_once(struct reload *r)
{
    struct snapshot *s = NULL;
    struct error err = {0};
    uint64_t begin_ms = clock_now_ms();
    notify_reloading();
    if (load_snapshot(r, &s, &err) != OK) {
        refuse(r, &err);
    } else {
        follow_budgets(r, s);
        secure_follow(r->gateway->secure, s->config);
        hand_over(r, s);
        count(r, true);
        log_event(LOG_INFO, "reloaded", "experts=%zu policies=%zu model=%016llx ms=%llu",
                  s->config->expert_count, s->config->policy_count,
                  (unsigned long long)model_checksum(s->model),
                  (unsigned long long)(clock_now_ms() - begin_ms));
    }
    notify_ready();
}

static void *reload_main(void *arg)
{
    struct reload *r = arg;
    for (;;) {
        bool told = rest(r, RELOAD_LOOK_MS);
        if (is_stopping(r))
            return NULL;
        secure_look(r->gateway->secure);
        struct stamps now = look(r);
        if (!told && stamps_same(&now, &r->tried))
            continue;
        if (!told && !settle(r))
            return NULL;
        now = look(r);
        r->model_moved = false;
        reload_once(r);
        r->tried = now;
        if (r->model_moved)
            r->tried.model = look(r).model;
    }
}

/* Life */

static enum status start_thread(struct reload *r, struct error *err)
{
    return thread_start(&r->thread, reload_main, r, err);
}

static void reload_free(struct reload *r)
{
    if (r->wake_fd >= 0)
        close(r->wake_fd);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    snapshot_release(r->current);
    free(r);
}

enum status reload_start(struct gateway *g, gateway_load *load, void *arg, struct reload **ret,
                         struct error *err)
{
    struct reload *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory for reloading");
    r->gateway = g;
    r->load = load;
    r->arg = arg;
    r->current = snapshot_hold(g->snapshot);
    r->counts.last_wall_ms = clock_wall_ms();
    pthread_mutex_init(&r->lock, NULL); /* on Linux neither can fail */
    pthread_cond_init(&r->changed, NULL);
    r->tried = look(r);
    r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum status status = r->wake_fd >= 0
                             ? start_thread(r, err)
                             : error_set_errno(err, ERR_IO, errno, "cannot create an eventfd");
    if (status != OK) {
        reload_free(r);
        return status;
    }
    *ret = r;
    return OK;
}

void reload_now(struct reload *r)
{
    wake(r);
}

void reload_stop(struct reload *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    wake(r);
    pthread_join(r->thread, NULL);
    reload_free(r);
}

void reload_counts(struct reload *r, struct reload_counts *ret)
{
    pthread_mutex_lock(&r->lock);
    *ret = r->counts;
    pthread_mutex_unlock(&r->lock);
}
