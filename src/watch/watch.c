/* What is told of a request, and to whom: a line for each. */
#include "watch/watch.h"

#include "base/log.h"
#include "watch/access_log.h"
#include "watch/last_errors.h"
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

/* An endpoint that reports what cannot be will go on doing so: whoever pays for it should hear of it. */
static void warn_of_report(const struct record *r, const struct record_call *call)
{
    const struct cost *c = &call->cost;
    char expert[128];
    if (c->basis != COST_LIMITED)
        return;
    log_quote(expert, sizeof(expert), call->expert);
    log_event(LOG_WARN, "the expert reports usage that cannot be",
              "req=%s expert=%s told_input=%lld told_output=%lld booked_input=%lld "
              "booked_output=%lld",
              r->id, expert, (long long)c->told_input, (long long)c->told_output,
              (long long)c->tokens.input, (long long)c->tokens.output);
}

void watch_end(const struct watch *w, const struct record *r)
{
    if (w->ledger)
        record_ledger_end(w->ledger, r);
    access_log_write(r);
    for (size_t i = 0; i < r->call_count; i++)
        warn_of_report(r, &r->calls[i]);
    if (w->metrics)
        metrics_ended(w->metrics, r);
    if (w->errors)
        last_errors_note(w->errors, r);
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
