/* The bridge from the configuration to src/watch/, which knows none. */
#include "serve/worker_watch.h"

#include "watch/metrics_count.h"
#include "watch/traces.h"

_Static_assert(TRACES_HEADERS_MAX >= CONFIG_TRACE_HEADERS_MAX, "each header finds its place");

/* The snapshot in force now; it lives until its batch of spans is sent, whatever is loaded meanwhile. */
static void *hold_settings(void *arg, struct traces_settings *ret)
{
    struct worker *w = arg;
    struct snapshot *s = snapshot_hold(w->snapshot);
    const struct config_traces *c = &s->config->traces;
    const struct config_upstream *u = &s->config->upstream;
    *ret = (struct traces_settings){.endpoint = c->endpoint,
                                    .service_name = c->service_name,
                                    .header_count = c->header_count,
                                    .ca_file = u->ca_file.len ? u->ca_file.ptr : NULL,
                                    .use_proxy = u->proxy};
    for (size_t i = 0; i < c->header_count; i++)
        ret->headers[i] = (struct http_header){c->headers[i].name, c->headers[i].value};
    return s;
}

static void release_settings(void *held)
{
    snapshot_release(held);
}

enum status worker_watch_init(struct worker *w, struct error *err)
{
    const struct traces_options o = {
        .loop = w->loop, .hold = hold_settings, .release = release_settings, .arg = w};
    w->watch.ledger = w->gateway->ledger;
    w->watch.metrics = metrics_create();
    if (!w->watch.metrics)
        return error_set(err, ERR_MEMORY, "out of memory for counters");
    w->watch.traces = traces_create(&o);
    return w->watch.traces ? OK : error_set(err, ERR_MEMORY, "out of memory for traces");
}

void worker_watch_done(struct worker *w)
{
    traces_free(w->watch.traces);
    metrics_free(w->watch.metrics);
    w->watch = (struct watch){0};
}
