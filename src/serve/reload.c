/* A new configuration takes the place of the old one while requests run.
 *
 * One thread waits, looks at files, loads and hands over; it owns the newest snapshot until there is a newer one. What
 * is handed over is posted to each event loop, which takes it up between two requests (take_next). reload_now,
 * reload_taken and reload_counts may be called by any thread; reload_stop by no event loop that still runs. */
#include "serve/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map_guard.h"
#include "base/notify.h"
#include "base/worker.h"
#include "route/pool_news.h"
#include "serve/budget_file.h"
#include "serve/gateway_int.h"
#include "serve/secure.h"

#define KEYS_BYTES_MAX  1024
#define PATH_QUOTED_MAX 600

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
    struct snapshot *current;    /* held; the newest */
    struct stamps tried;         /* what was loaded or refused last */
    bool asked;                  /* an operator wants the next load: cooldowns end with it */
    unsigned tries;              /* loads since then that failed and were not said */
    bool model_moved;            /* the last load took the model from another path */
    struct worker_thread worker; /* its lock guards the rest */
    bool told;                   /* somebody wants a reload */
    size_t taken;                /* event loops that have the current snapshot */
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

/* Whoever opens one waits until somebody writes. */
static bool is_pipe(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISFIFO(s.st_mode);
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

static bool was_told(void *arg)
{
    const struct reload *r = arg;
    return r->told;
}

/* WORKER_READY: somebody wants a reload; it is heard once. */
static enum worker_event rest(struct reload *r, uint32_t ms)
{
    enum worker_event event = worker_wait(&r->worker, was_told, ms);
    if (event == WORKER_READY) {
        worker_lock(&r->worker);
        r->told = false;
        r->asked = true;
        worker_unlock(&r->worker);
    }
    return event;
}

/* Whoever writes a file may take a while; false: the process ends. */
static bool settle(struct reload *r)
{
    struct stamps before = look(r);
    for (int i = 0; i < RELOAD_SETTLES_MAX; i++) {
        if (rest(r, RELOAD_SETTLE_MS) == WORKER_STOP)
            return false;
        struct stamps now = look(r);
        if (stamps_same(&before, &now))
            break;
        before = now;
    }
    return true;
}

/* Whether what failed to load stays as it is for RELOAD_REFUSE_MS. Not when it changes, the process ends, or somebody
 * wants a reload: the next round sees to that. */
static bool stays(struct reload *r, const struct stamps *failed)
{
    for (uint32_t ms = 0; ms < RELOAD_REFUSE_MS; ms += RELOAD_SETTLE_MS) {
        enum worker_event event = rest(r, RELOAD_SETTLE_MS);
        struct stamps now = look(r);
        if (event == WORKER_READY)
            reload_now(r);
        if (event != WORKER_DUE || !stamps_same(failed, &now))
            return false;
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
    worker_lock(&r->worker);
    r->taken++;
    worker_unlock_and_wake(&r->worker);
}

static bool all_have_taken(void *arg)
{
    const struct reload *r = arg;
    return r->taken >= r->gateway->worker_count;
}

static void hand_over(struct reload *r, struct snapshot *s)
{
    struct gateway *g = r->gateway;
    worker_lock(&r->worker);
    r->taken = 0;
    worker_unlock(&r->worker);
    for (size_t i = 0; i < g->worker_count; i++) {
        struct worker *w = &g->workers[i];
        snapshot_release(atomic_exchange(&w->next, snapshot_hold(s)));
        while (loop_post(w->loop, take_next, w) != OK && rest(r, RELOAD_SETTLE_MS) != WORKER_STOP)
            ; /* out of memory: nothing is lost but time */
    }
    (void)worker_wait(&r->worker, all_have_taken, WORKER_FOREVER_MS);
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
    worker_lock(&r->worker);
    if (done) {
        r->counts.done++;
        r->counts.last_wall_ms = clock_wall_ms();
    } else {
        r->counts.refused++;
    }
    worker_unlock(&r->worker);
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
    if (r->gateway->budget_file && budget_file_follow(r->gateway->budget_file, s, &err) != OK)
        log_event(LOG_ERROR, "budgets of new policies are not kept", "err=\"%s\"", err.text);
}

static enum status take_up(struct reload *r, struct error *err)
{
    struct snapshot *s = NULL;
    uint64_t begin_ms = clock_now_ms();
    notify_reloading();
    enum status status =
        is_pipe(r->current->config->place)
            ? error_set(err, ERR_IO, "%s: a pipe is read only once", r->current->config->place)
            : load_snapshot(r, &s, err);
    if (status == OK) {
        follow_budgets(r, s);
        secure_follow(r->gateway->secure, s->config);
        pool_news_change(r->current->pool, s->pool);
        hand_over(r, s);
        if (r->asked)
            gates_lift(r->gateway->gates, clock_now_ms());
        count(r, true);
        log_event(LOG_INFO, "reloaded", "experts=%zu policies=%zu model=%016llx ms=%llu",
                  s->config->expert_count, s->config->policy_count,
                  (unsigned long long)model_checksum(s->model),
                  (unsigned long long)(clock_now_ms() - begin_ms));
        pool_news_never_asked(r->current->pool);
    }
    notify_ready();
    return status;
}

/* Loads what is there. What fails unasked is tried again while its files change. */
static void reload_once(struct reload *r, bool told)
{
    struct error err = {0};
    struct stamps now = look(r);
    r->model_moved = false;
    if (take_up(r, &err) != OK) {
        if (!told && ++r->tries < RELOAD_TRIES_MAX && !stays(r, &now))
            return;
        refuse(r, &err);
    }
    r->tries = 0;
    r->tried = now;
    if (r->model_moved)
        r->tried.model = look(r).model;
}

static void say_cut(const char *name)
{
    char quoted[PATH_QUOTED_MAX];
    log_quote(quoted, sizeof(quoted), str_from(name));
    log_event(LOG_ERROR, "a file in use was cut: what it holds is in memory only",
              "file=%s mend=\"%s\"", quoted,
              "restart the gateway; nobody else may write its files");
}

static void reload_main(void *arg)
{
    struct reload *r = arg;
    pool_news_never_asked(r->current->pool);
    for (;;) {
        enum worker_event event = rest(r, RELOAD_LOOK_MS);
        bool told = event == WORKER_READY;
        if (event == WORKER_STOP)
            return;
        secure_look(r->gateway->secure);
        map_guards_tell(say_cut);
        struct stamps now = look(r);
        if (!told && stamps_same(&now, &r->tried))
            continue;
        if (!told && !settle(r))
            return;
        reload_once(r, told);
        r->asked = false;
    }
}

/* Life */

static void reload_free(struct reload *r)
{
    worker_done(&r->worker);
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
    worker_init(&r->worker);
    r->tried = look(r);
    enum status status = worker_start(&r->worker, reload_main, r, err);
    if (status != OK) {
        reload_free(r);
        return status;
    }
    *ret = r;
    return OK;
}

void reload_now(struct reload *r)
{
    worker_lock(&r->worker);
    r->told = true;
    worker_unlock_and_wake(&r->worker);
}

void reload_stop(struct reload *r)
{
    if (!r)
        return;
    (void)worker_stop(&r->worker);
    reload_free(r);
}

void reload_counts(struct reload *r, struct reload_counts *ret)
{
    worker_lock(&r->worker);
    *ret = r->counts;
    worker_unlock(&r->worker);
}
