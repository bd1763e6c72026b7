/* The life of the gateway.
 *
 * Worker 0 runs on the thread that calls gateway_run and takes the signals; the others have threads. How all of them
 * end is drain.c's. Of what stands here other threads may call gateway_drain alone; a handler runs on the loop of its
 * worker and may not wait. */
#include "serve/gateway.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/thread.h"
#include "cache/cache.h"
#include "keys/client_keys.h"
#include "keys/sign_in.h"
#include "route/estimator.h"
#include "serve/budget_file.h"
#include "serve/door.h"
#include "serve/drain.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "serve/reload.h"
#include "serve/secure.h"
#include "serve/unpack.h"
#include "serve/worker_watch.h"
#include "watch/keeping.h"
#include "watch/ledger_watch.h"
#include "watch/lookup.h"

#define GATEWAY_THREADS_DEFAULT_MAX 4

/* Requests */

/* Whoever is here has passed the door. */
static void handle(struct http_exchange *x, void *arg)
{
    struct worker *w = arg;
    struct caller *caller = x->user;
    x->user = NULL;
    if (unpack_body(x, w->snapshot->config->limits.body_bytes, &w->gateway->bodies))
        path_find(&w->gateway->above.paths, x->path, x->method)->handle(w, x, caller);
}

void gateway_drain(struct gateway *g)
{
    if (loop_post(g->workers[0].loop, drain_begin, g) != OK)
        drain_cut(g);
}

/* Life */

static uint64_t random_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = clock_now_ns();
    return seed;
}

struct http_client_options gateway_network(const struct config *c)
{
    return (struct http_client_options){
        .host_connections_max = (long)c->upstream.connections,
        .use_proxy = c->upstream.proxy,
        .deny_private = c->upstream.deny_private,
        .ca_file = c->upstream.ca_file.len ? c->upstream.ca_file.ptr : NULL,
    };
}

/* Each part stands on those before it; gateway_free undoes whatever there is, in the reverse order. */
static enum status worker_start(struct gateway *g, struct worker *w, struct error *err)
{
    const struct config *c = g->snapshot->config;
    const struct http_server_options server = {.header_bytes_max = c->limits.header_bytes,
                                               .body_bytes_max = c->limits.body_bytes,
                                               .connections_max =
                                                   c->limits.connections / g->worker_count + 1,
                                               .body_total_ms = c->limits.body_time_ms,
                                               .body_rate = c->limits.body_rate,
                                               .error_body = errors_write_http,
                                               .door = door_ask,
                                               .answer_headers = door_headers,
                                               .bodies = &g->bodies,
                                               .tls = secure_context(g->secure)};
    const struct http_client_options client = gateway_network(c);
    w->gateway = g;
    w->snapshot = snapshot_hold(g->snapshot);
    rng_seed(&w->rng, random_seed());
    enum status status = loop_create(&w->loop, err);
    if (status == OK)
        status = estimator_create(loop_scheduler(w->loop), &w->estimator, err);
    if (status == OK)
        status = wake_queue_init(&w->wakes, loop_scheduler(w->loop), err);
    if (status == OK)
        status = http_client_create(w->loop, &client, &w->client, err);
    w->transport = transport_http_of(w->client);
    if (status == OK)
        status = transport_gguf_create(loop_scheduler(w->loop), &w->in_process, err);
    if (status == OK)
        w->asking = (struct asking_context){.scheduler = loop_scheduler(w->loop),
                                            .wakes = &w->wakes,
                                            .transport = &w->transport.transport,
                                            .in_process = transport_gguf_transport(w->in_process),
                                            .rng = &w->rng,
                                            .wall_ms = clock_wall_ms};
    if (status == OK)
        status = worker_watch_init(w, err);
    if (status == OK)
        status = http_server_create(w->loop, g->listen_fd, &server, handle, w, &w->server, err);
    return status;
}

static size_t thread_count(const struct config *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (c->threads > 0)
        return c->threads;
    if (cores < 1)
        return 1;
    return cores > GATEWAY_THREADS_DEFAULT_MAX ? GATEWAY_THREADS_DEFAULT_MAX : (size_t)cores;
}

static enum status keep_budgets(struct gateway *g, struct error *err)
{
    const char *folder = g->snapshot->config->state_dir;
    return folder ? budget_file_start(g->snapshot, folder, &g->budget_file, err) : OK;
}

static enum status keep_answers(struct gateway *g, struct error *err)
{
    const struct config_cache *c = &g->snapshot->config->cache;
    const struct cache_limits limits = {c->bytes, c->entry_bytes, 7 * 86400000u};
    if (c->bytes == 0)
        return OK;
    g->cache = cache_create(&limits); /* each request brings its configuration's time to live */
    return g->cache ? OK : error_set(err, ERR_MEMORY, "out of memory for the cache");
}

/* Where prompts were kept once, they grow old all the same. */
static enum status open_ledger(struct gateway *g, struct error *err)
{
    const struct config *c = g->snapshot->config;
    const struct ledger_options o = {.store = c->ledger.store,
                                     .journal_path = c->ledger.journal_path,
                                     .journal_bytes = c->ledger.journal_bytes,
                                     .keep_ms = c->ledger.keep_ms};
    return ledger_watch_open(&o, c->state_dir, &g->ledger, err);
}

static enum status keep_prompts(struct gateway *g, struct error *err)
{
    const struct config *c = g->snapshot->config;
    char file[400];
    if (!c->keep.on && (!c->keep.file || access(c->keep.file, F_OK) != 0))
        return OK;
    if (c->state_dir && mkdir(c->state_dir, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "state_dir: cannot make %s", c->state_dir);
    log_quote(file, sizeof(file), str_from(c->keep.file));
    log_event(LOG_INFO, "prompts are kept", "share=%g days=%u file=%s", c->keep.share, c->keep.days,
              file);
    return keeping_start(c->keep.file, c->keep.days, &g->keeping, err);
}

/* One piece: the parts in the order in which they stand on each other. */
static enum status gateway_start(struct gateway *g, struct error *err)
{
    char listen[256];
    snprintf(listen, sizeof(listen), "%.*s", STR_FMT(g->snapshot->config->listen));
    enum status status = keys_open(g->snapshot->config, &g->keys, err);
    g->sign_ins = sign_ins_create();
    if (status == OK && !g->sign_ins)
        status = error_set(err, ERR_MEMORY, "out of memory for sessions of browsers");
    if (status == OK)
        status = keep_budgets(g, err);
    if (status == OK)
        status = secure_create(g->snapshot->config, &g->secure, err);
    if (status == OK)
        status = keep_answers(g, err);
    if (status == OK)
        status = open_ledger(g, err);
    if (status == OK)
        status = keep_prompts(g, err);
    if (status == OK)
        status = http_listen(listen, &g->listen_fd, g->address, err);
    for (size_t i = 0; status == OK && i < g->worker_count; i++)
        status = worker_start(g, &g->workers[i], err);
    if (status == OK && g->ledger)
        status = ledger_watch_start(g->workers[0].loop, g->ledger, &g->ledger_watch, err);
    if (status == OK && g->ledger)
        status = lookup_start(g->snapshot->config->ledger.store, g->ledger, &g->lookup, err);
    if (status != OK)
        return status;
    g->timer = loop_timer_create(g->workers[0].loop, drain_on_timer, g);
    return g->timer ? OK : error_set(err, ERR_MEMORY, "out of memory for a timer");
}

/* Two ways out on failure: before there is a snapshot gateway_free cannot be called. */
enum status gateway_create(const struct config *config, const struct model *model,
                           struct gateway **ret, struct error *err)
{
    struct gateway *g = calloc(1, sizeof(*g));
    if (!g)
        return error_set(err, ERR_MEMORY, "out of memory for the gateway");
    g->listen_fd = -1;
    enum status status = gates_create(&g->gates, err);
    if (status == OK)
        status = affinity_create(&g->affinity, err);
    if (status == OK)
        status = sessions_create(&g->sessions, err);
    if (status == OK)
        status = snapshot_create(config, model, g->gates, false, &g->snapshot, err);
    if (status != OK) {
        sessions_free(g->sessions);
        affinity_free(g->affinity);
        gates_free(g->gates);
        free(g);
        return status;
    }
    g->worker_count = thread_count(config);
    g->bodies.bytes_max = config->limits.bodies_bytes;
    atomic_store(&g->workers_busy, g->worker_count);
    atomic_store(&g->workers_accepting, g->worker_count);
    g->workers = calloc(g->worker_count, sizeof(*g->workers));
    status = g->workers ? gateway_start(g, err)
                        : error_set(err, ERR_MEMORY, "out of memory for the gateway");
    if (status != OK) {
        gateway_free(g);
        return status;
    }
    *ret = g;
    return OK;
}

enum status gateway_reload_by(struct gateway *g, gateway_load *load, void *arg, struct error *err)
{
    CHECK(!g->reload);
    g->snapshot->owned = true;
    enum status status = reload_start(g, load, arg, &g->reload, err);
    if (status != OK)
        g->snapshot->owned = false;
    return status;
}

void gateway_put_above(struct gateway *g, const struct gateway_above *above)
{
    CHECK(!g->above.paths.rows);
    g->above = *above;
}

/* The order is the point: first whatever posts to loops, then loops, then what their requests stood on. */
void gateway_free(struct gateway *g)
{
    if (!g)
        return;
    if (g->above.stop)
        g->above.stop(g->above.user);
    reload_stop(g->reload);
    loop_timer_free(g->timer);
    loop_timer_free(g->alive);
    ledger_watch_stop(g->ledger_watch);
    lookup_stop(g->lookup);
    for (size_t i = 0; g->workers && i < g->worker_count; i++) {
        struct worker *w = &g->workers[i];
        if (w->server)
            http_server_free(w->server);
        worker_watch_done(w);
        if (w->client)
            http_client_free(w->client);
        wake_queue_done(&w->wakes);
        transport_gguf_free(w->in_process);
        loop_free(w->loop);
        estimator_free(w->estimator);
        snapshot_release(w->snapshot);
        snapshot_release(atomic_load(&w->next));
    }
    if (g->above.free)
        g->above.free(g->above.user);
    free(g->workers);
    secure_free(g->secure);
    cache_free(g->cache);
    if (g->listen_fd >= 0)
        close(g->listen_fd);
    keeping_stop(g->keeping);
    sign_ins_free(g->sign_ins);
    keys_close(g->keys);
    budget_file_stop(g->budget_file);
    lookup_free(g->lookup);
    ledger_watch_close(g->ledger);
    snapshot_release(g->snapshot);
    sessions_free(g->sessions);
    affinity_free(g->affinity);
    gates_free(g->gates);
    free(g);
}

const char *gateway_address(const struct gateway *g)
{
    return g->address;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;
    struct error err = {0};
    if (loop_run(w->loop, &err) != OK) {
        log_event(LOG_ERROR, "loop failed", "err=\"%s\"", err.text);
        gateway_drain(w->gateway);
    }
    return NULL;
}

static enum status start_threads(struct gateway *g, struct error *err)
{
    enum status status = OK;
    for (size_t i = 1; status == OK && i < g->worker_count; i++) {
        struct worker *w = &g->workers[i];
        status = thread_start(&w->thread, thread_main, w, err);
        w->has_thread = status == OK;
    }
    return status;
}

static void join_threads(struct gateway *g)
{
    for (size_t i = 1; i < g->worker_count; i++) {
        if (g->workers[i].has_thread)
            pthread_join(g->workers[i].thread, NULL);
        g->workers[i].has_thread = false;
    }
}

static void on_hangup(void *arg)
{
    struct gateway *g = arg;
    if (g->reload)
        reload_now(g->reload);
}

static enum status watch_signals(struct gateway *g, struct error *err)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++)
        if (loop_signal(g->workers[0].loop, numbers[i], drain_on_signal, g) != OK)
            return error_set(err, ERR_IO, "cannot watch signal %d", numbers[i]);
    if (loop_signal(g->workers[0].loop, SIGHUP, on_hangup, g) != OK)
        return error_set(err, ERR_IO, "cannot watch signal %d", SIGHUP);
    return OK;
}

/* The first loop turns, so the process is alive; a loop that hangs hangs the shared socket's clients, too, but is not
 * seen here. */
static void on_alive(void *arg)
{
    struct gateway *g = arg;
    notify_alive();
    loop_timer_start(g->alive, notify_alive_period_ms());
}

/* systemd, where it is there. */
static enum status begin_notifying(struct gateway *g, struct error *err)
{
    notify_ready();
    if (notify_alive_period_ms() == 0)
        return OK;
    g->alive = loop_timer_create(g->workers[0].loop, on_alive, g);
    if (!g->alive)
        return error_set(err, ERR_MEMORY, "out of memory for a timer");
    on_alive(g);
    return OK;
}

enum status gateway_run(struct gateway *g, bool signals, struct error *err)
{
    enum status status = signals ? watch_signals(g, err) : OK;
    if (status == OK)
        status = start_threads(g, err);
    if (status == OK && signals)
        status = begin_notifying(g, err);
    if (status == OK)
        status = loop_run(g->workers[0].loop, err);
    drain_cut(g);
    join_threads(g);
    if (signals)
        alarm(GATEWAY_END_S);
    reload_stop(g->reload); /* no loop can look at it any more */
    g->reload = NULL;
    if (status != OK)
        return status;
    if (atomic_load(&g->stopped_hard))
        return error_set(err, ERR_CANCELLED, "stopped by a second signal");
    if (atomic_load(&g->cut))
        return error_set(err, ERR_TIMEOUT, "answers were still running when drain.timeout passed");
    return OK;
}
