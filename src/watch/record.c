/* Who is told of a request: one line each. */
#include "watch/record.h"

#include "base/check.h"
#include "base/log.h"
#include "base/money.h"
#include "watch/metrics.h"
#include "watch/record_ledger.h"
#include "watch/trace.h"
#include "watch/traces.h"

#define LOG_BYTES_MAX    16384
#define LOG_BYTES_USUAL  768
#define QUOTED_BYTES_MAX 2048
#define MODEL_BYTES_MAX  100

const char *request_outcome_name(enum request_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled", "interrupted"};
    CHECK(outcome >= 0 && outcome < REQUEST_OUTCOMES);
    return names[outcome];
}

/* The access log: a line for each request, so without printf but for what needs it */

static void add_text(struct buf *out, const char *name, struct str text)
{
    buf_add_c(out, name);
    buf_add(out, text);
}

static void add_int(struct buf *out, const char *name, int64_t value)
{
    buf_add_c(out, name);
    buf_add_int(out, value);
}

static void add_usd(struct buf *out, const char *name, int64_t nano_usd)
{
    buf_add_c(out, name);
    money_format_usd(out, nano_usd);
}

/* What may need quotes. */
static void add_quoted(struct buf *out, const char *name, struct str text)
{
    char quoted[QUOTED_BYTES_MAX];
    log_quote(quoted, sizeof(quoted), text);
    add_text(out, name, str_from(quoted));
}

static struct str or_dash(struct str text)
{
    return text.len > 0 ? text : STR("-");
}

/* ` calls="cheap answered 0.000012000 120ms; mid ..."`, or nothing for a single call. */
static void write_calls(const struct record *r, struct buf *out)
{
    bool single = str_equal(r->plan, STR("single"));
    bool tell = r->call_count > 1 || !single;
    for (size_t i = 0; tell && i < r->call_count; i++) {
        const struct record_call *call = &r->calls[i];
        add_text(out, i ? "; " : " calls=\"", call->expert);
        add_text(out, " ", str_from(call_outcome_name(call->outcome)));
        add_usd(out, " ", call->cost.nano_usd);
        add_int(out, " ", (int64_t)call->latency_ms);
        buf_add(out, STR("ms"));
    }
    if (tell && r->call_count > 0)
        buf_add_char(out, '"');
}

/* ` front=chat key=- model=leeroo`: who wanted what, by the names that the client used. */
static void write_asked(const struct record *r, struct buf *out)
{
    add_text(out, " front=", r->front);
    add_text(out, " key=", or_dash(r->key));
    add_quoted(out, " model=", or_dash(str_slice(r->model, 0, MODEL_BYTES_MAX)));
}

static void write_details(const struct record *r, struct buf *out)
{
    bool hedged = false;
    for (size_t i = 0; i < r->call_count; i++)
        hedged |= r->calls[i].hedge;
    add_int(out, " cached_tokens=", r->cost.tokens.cached);
    add_int(out, " cache_write_tokens=", r->cost.tokens.cache_write);
    add_int(out, " reasoning_tokens=", r->cost.tokens.reasoning);
    add_usd(out, " reference_usd=", r->reference_nano_usd);
    add_int(out, " hedged=", hedged);
}

static void write_refused(const struct record *r, struct buf *out)
{
    add_int(out, " status=", r->http_status);
    add_int(out, " total_ms=", (int64_t)r->total_ms);
    write_asked(r, out);
    add_quoted(out, " error=", or_dash(str_from(r->problem)));
}

static void write_answered(const struct record *r, struct buf *out)
{
    add_text(out, " policy=", or_dash(r->policy));
    add_text(out, " expert=", r->expert);
    add_quoted(out, " plan=", r->plan);
    add_int(out, " status=", r->http_status);
    add_int(out, " stream=", r->stream);
    buf_addf(out, " quality=%.4f lambda=%.9g", r->quality, r->lambda);
    add_usd(out, " predicted_usd=", r->predicted_nano_usd);
    add_usd(out, " cost_usd=", r->cost.nano_usd);
    add_text(out, " basis=", str_from(r->cached ? "cached" : cost_basis_name(r->cost.basis)));
    add_int(out, " input_tokens=", r->cost.tokens.input);
    add_int(out, " output_tokens=", r->cost.tokens.output);
    add_int(out, " attempts=", r->attempts);
    add_int(out, " first_token_ms=", r->first_token_ms);
    add_int(out, " total_ms=", (int64_t)r->total_ms);
    write_asked(r, out);
    write_details(r, out);
    write_calls(r, out);
    if (r->problem)
        add_quoted(out, " error=", str_from(r->problem));
}

static void log_record(const struct record *r)
{
    struct buf line;
    if (!log_enabled(LOG_INFO))
        return;
    buf_init(&line, LOG_BYTES_MAX);
    (void)buf_reserve(&line, LOG_BYTES_USUAL);
    add_text(&line, "req=", str_from(r->id));
    if (r->expert.len == 0)
        write_refused(r, &line);
    else
        write_answered(r, &line);
    log_fields(LOG_INFO, "request", buf_str(&line));
    buf_done(&line);
}

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
    log_record(r);
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
