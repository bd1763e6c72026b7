/* How the gateway ends without losing a request: it says that it is going, waits for load balancers to notice, stops
 * listening, answers what is there, and sends the spans that are left.
 *
 * Worker 0's loop runs the timer and hears the signals; what each worker has to do is posted to its own loop, and the
 * last one to finish stops them all. From other threads only gateway_drain may be called. */
#include "serve/drain.h"

#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "serve/gateway_int.h"
#include "watch/traces.h"

#define DRAIN_DEAF_MS 20

void drain_cut(struct gateway *g)
{
    for (size_t i = 0; i < g->worker_count; i++)
        loop_stop(g->workers[i].loop);
}

static void on_worker_idle(void *arg)
{
    struct worker *w = arg;
    if (atomic_fetch_sub(&w->gateway->workers_busy, 1) == 1)
        drain_cut(w->gateway);
}

/* The worker serves no client any more. Spans that were not sent yet go to the collector. */
static void on_worker_drained(void *arg)
{
    struct worker *w = arg;
    traces_drain(w->watch.traces, on_worker_idle, w);
}

static void wind_down_worker(void *arg)
{
    struct worker *w = arg;
    http_server_wind_down(w->server);
}

static void post_all(struct gateway *g, void (*fn)(void *))
{
    for (size_t i = 0; i < g->worker_count; i++)
        if (loop_post(g->workers[i].loop, fn, &g->workers[i]) != OK)
            drain_cut(g);
}

static void drain_worker(void *arg)
{
    struct worker *w = arg;
    http_server_drain(w->server, on_worker_drained, w);
}

/* No new connection joins the socket's queue now. Once every loop has accepted all that it can, the queue is empty, and
 * closing the socket resets no client. */
static void stop_worker(void *arg)
{
    struct worker *w = arg;
    struct gateway *g = w->gateway;
    http_server_stop_accepting(w->server);
    if (atomic_fetch_sub(&g->workers_accepting, 1) != 1)
        return;
    close(g->listen_fd);
    g->listen_fd = -1;
    post_all(g, drain_worker);
}

static void deafen(struct gateway *g)
{
    g->drain = DRAIN_DEAF;
    http_listen_deafen(g->listen_fd);
    loop_timer_start(g->timer, DRAIN_DEAF_MS); /* for handshakes that are half done */
}

static void stop_accepting(struct gateway *g)
{
    g->drain = DRAIN_FINISHING;
    post_all(g, stop_worker);
    loop_timer_start(g->timer, g->snapshot->config->drain.timeout_ms);
}

void drain_on_timer(void *arg)
{
    struct gateway *g = arg;
    switch (g->drain) {
    case DRAIN_DELAY:
        deafen(g);
        break;
    case DRAIN_DEAF:
        stop_accepting(g);
        break;
    case DRAIN_FINISHING:
        log_event(LOG_WARN, "drain timeout", "workers_busy=%zu", atomic_load(&g->workers_busy));
        atomic_store(&g->cut, true);
        drain_cut(g);
        break;
    }
}

void drain_begin(void *arg)
{
    struct gateway *g = arg;
    if (atomic_exchange(&g->draining, true))
        return;
    log_event(LOG_INFO, "draining", "delay_ms=%u timeout_ms=%u",
              g->snapshot->config->drain.delay_ms, g->snapshot->config->drain.timeout_ms);
    post_all(g, wind_down_worker);
    loop_timer_start(g->timer, g->snapshot->config->drain.delay_ms);
}

void drain_on_signal(void *arg)
{
    struct gateway *g = arg;
    if (!atomic_load(&g->draining)) {
        notify_stopping();
        drain_begin(g);
        return;
    }
    log_event(LOG_WARN, "second signal, stopping at once", "workers_busy=%zu",
              atomic_load(&g->workers_busy));
    atomic_store(&g->stopped_hard, true);
    drain_cut(g);
}
