/* Who is told of a request: one line each. */
#include "serve/record.h"

#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "base/money.h"
#include "serve/gateway_int.h"
#include "serve/metrics.h"
#include "serve/trace.h"
#include "serve/traces.h"
#include "serve/record_ledger.h"

#define USD_BYTES_MAX   32
#define CALLS_BYTES_MAX 8192
#define MODEL_BYTES_MAX 100

const char *cost_basis_name(enum cost_basis basis)
{
    static const char *const names[] = {"usage", "estimated", "predicted"};
    CHECK(basis >= 0 && basis <= COST_PREDICTED);
    return names[basis];
}

const char *call_outcome_name(enum call_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled"};
    CHECK(outcome >= 0 && outcome <= CALL_CANCELLED);
    return names[outcome];
}

const char *request_outcome_name(enum request_outcome outcome)
{
    static const char *const names[] = {"answered", "failed", "cancelled", "interrupted"};
    CHECK(outcome >= 0 && outcome < REQUEST_OUTCOMES);
    return names[outcome];
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

void cost_add(struct cost *sum, const struct cost *more)
{
    if (more->basis > sum->basis)
        sum->basis = more->basis;
    sum->nano_usd = add_saturated(sum->nano_usd, more->nano_usd);
    sum->tokens.input = add_saturated(sum->tokens.input, more->tokens.input);
    sum->tokens.cached = add_saturated(sum->tokens.cached, more->tokens.cached);
    sum->tokens.cache_write = add_saturated(sum->tokens.cache_write, more->tokens.cache_write);
    sum->tokens.output = add_saturated(sum->tokens.output, more->tokens.output);
    sum->tokens.reasoning = add_saturated(sum->tokens.reasoning, more->tokens.reasoning);
}

/* The access log */

static void format_usd(int64_t nano_usd, char into[USD_BYTES_MAX])
{
    struct buf text;
    buf_init(&text, USD_BYTES_MAX);
    money_format_usd(&text, nano_usd);
    snprintf(into, USD_BYTES_MAX, "%s", text.ptr ? text.ptr : "");
    buf_done(&text);
}

/* ` calls="cheap answered 0.000012000 120ms; mid ..."`, or nothing for a single call. */
static void write_calls(const struct record *r, struct buf *out)
{
    bool single = str_equal(r->plan, STR("single"));
    bool tell = r->call_count > 1 || !single;
    for (size_t i = 0; tell && i < r->call_count; i++) {
        const struct record_call *call = &r->calls[i];
        buf_addf(out, "%s%.*s %s ", i ? "; " : " calls=\"", STR_FMT(call->expert),
                 call_outcome_name(call->outcome));
        money_format_usd(out, call->cost.nano_usd);
        buf_addf(out, " %llums", (unsigned long long)call->latency_ms);
    }
    if (tell && r->call_count > 0)
        buf_add_char(out, '"');
}

/* ` front=chat key=- model=leeroo`: who wanted what, by the names that the client used. */
static void write_asked(const struct record *r, struct buf *out)
{
    char model[2 * MODEL_BYTES_MAX + 3] = "-";
    struct str key = r->caller ? client_key_id(r->caller->key) : STR("");
    if (r->model.len > 0)
        log_quote(model, sizeof(model), str_slice(r->model, 0, MODEL_BYTES_MAX));
    buf_addf(out, " front=%s key=%.*s model=%s", front_name(r->front),
             STR_FMT(key.len ? key : STR("-")), model);
}

static void write_details(const struct record *r, struct buf *out)
{
    bool hedged = false;
    for (size_t i = 0; i < r->call_count; i++)
        hedged |= r->calls[i].hedge;
    buf_addf(out, " cached_tokens=%lld cache_write_tokens=%lld reasoning_tokens=%lld reference_usd=",
             (long long)r->cost.tokens.cached, (long long)r->cost.tokens.cache_write,
             (long long)r->cost.tokens.reasoning);
    money_format_usd(out, r->reference_nano_usd);
    buf_addf(out, " hedged=%d", hedged);
}

static void log_refused(const struct record *r, const char *quoted_problem)
{
    struct buf asked;
    buf_init(&asked, CALLS_BYTES_MAX);
    write_asked(r, &asked);
    log_event(LOG_INFO, "request", "req=%s status=%d total_ms=%llu%s error=%s", r->id,
              r->http_status, (unsigned long long)r->total_ms, asked.ptr ? asked.ptr : "",
              quoted_problem);
    buf_done(&asked);
}

static void log_record(const struct record *r)
{
    char predicted[USD_BYTES_MAX], found[USD_BYTES_MAX], plan[CALLS_BYTES_MAX], problem[320] = "-";
    struct buf more;
    if (r->problem)
        log_quote(problem, sizeof(problem), str_from(r->problem));
    if (r->expert.len == 0) {
        log_refused(r, problem);
        return;
    }
    buf_init(&more, CALLS_BYTES_MAX);
    write_asked(r, &more);
    write_details(r, &more);
    write_calls(r, &more);
    log_quote(plan, sizeof(plan), r->plan);
    format_usd(r->predicted_nano_usd, predicted);
    format_usd(r->cost.nano_usd, found);
    struct str policy = r->policy.len ? r->policy : STR("-");
    log_event(LOG_INFO, "request",
              "req=%s policy=%.*s expert=%.*s plan=%s status=%d stream=%d quality=%.4f lambda=%.9g "
              "predicted_usd=%s cost_usd=%s basis=%s input_tokens=%lld output_tokens=%lld "
              "attempts=%u first_token_ms=%lld total_ms=%llu%s%s%s",
              r->id, STR_FMT(policy), STR_FMT(r->expert), plan, r->http_status, r->stream,
              r->quality, r->lambda, predicted, found,
              r->cached ? "cached" : cost_basis_name(r->cost.basis),
              (long long)r->cost.tokens.input, (long long)r->cost.tokens.output, r->attempts,
              (long long)r->first_token_ms, (unsigned long long)r->total_ms,
              more.ptr ? more.ptr : "", r->problem ? " error=" : "", r->problem ? problem : "");
    buf_done(&more);
}

void record_begin(struct worker *w, const struct record *r)
{
    if (w->gateway->ledger)
        record_ledger_begin(w->gateway->ledger, r);
    metrics_decided(w->metrics, r);
}

void record_end(struct worker *w, const struct record *r)
{
    if (w->gateway->ledger)
        record_ledger_end(w->gateway->ledger, r);
    caller_settle(r->caller, &r->cost);
    log_record(r);
    metrics_ended(w->metrics, r);
    if (r->trace && r->trace->on)
        traces_add(w->traces, r);
}
