/* What is told of a request, and to whom: a line for each. */
#include "watch/watch.h"

#include "watch/access_log.h"
#include "watch/metrics_count.h"
#include "watch/record_ledger.h"
#include "watch/trace_context.h"
#include "watch/traces.h"

void watch_begin(const struct watch *w, const struct record *r)
{
    if (w->ledger)
        record_ledger_begin(w->ledger, r);
    if (w->metrics)
        metrics_decided(w->metrics, r);
}

void watch_end(const struct watch *w, const struct record *r)
{
    if (w->ledger)
        record_ledger_end(w->ledger, r);
    access_log_write(r);
    if (w->metrics)
        metrics_ended(w->metrics, r);
    if (w->traces && r->trace && r->trace->on)
        traces_add(w->traces, r);
}

void watch_retried(const struct watch *w, struct str expert, bool same)
{
    if (w->metrics)
        metrics_retried(w->metrics, expert, same);
}

void watch_rejected(const struct watch *w, int http_status)
{
    if (w->metrics)
        metrics_rejected(w->metrics, http_status);
}
