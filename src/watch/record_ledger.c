/* Fills in the ledger's rows. The calls of a request become a JSON list, but for a single call whose figures are the
 * request's own. */
#include "watch/record_ledger.h"

#include "base/json.h"
#include "watch/trace_context.h"

static struct ledger_request request_of(const struct record *r)
{
    return (struct ledger_request){
        .id = r->id,
        .begin_wall_ms = r->begin_wall_ms,
        .front = r->front,
        .key = r->key,
        .policy = r->policy,
        .model = r->model,
        .expert = r->expert,
        .plan = r->plan,
        .stream = r->stream,
        .quality = r->quality,
        .lambda = r->lambda,
        .predicted_nano_usd = r->predicted_nano_usd,
        .reference_nano_usd = r->reference_nano_usd,
    };
}

/* The decision with one member more, where the request is traced and there is room. */
static struct str with_trace(const struct record *r, struct buf *out)
{
    struct str d = r->decision;
    if (!r->trace || !r->trace->on || d.len < 2 || d.ptr[d.len - 1] != '}')
        return d;
    buf_add(out, str_slice(d, 0, d.len - 1));
    buf_addf(out, "%s\"trace_id\":\"%016llx%016llx\"}", d.len > 2 ? "," : "",
             (unsigned long long)r->trace->id_high, (unsigned long long)r->trace->id_low);
    return out->status == OK ? buf_str(out) : d;
}

void record_ledger_begin(struct ledger *l, const struct record *r)
{
    struct buf decision;
    if (r->expert.len == 0)
        return;
    buf_init(&decision, LEDGER_DECISION_BYTES_MAX);
    const struct ledger_begin row = {.request = request_of(r),
                                     .decision = with_trace(r, &decision)};
    ledger_begin(l, &row);
    buf_done(&decision);
}

/* False: the row already says everything about the one call there was. */
static bool needs_calls(const struct record *r)
{
    const struct record_call *only = r->calls;
    return r->call_count > 1 || r->cost.tokens.cache_write_1h > 0 ||
           (r->call_count == 1 &&
            (!str_equal(only->expert, r->expert) || only->cost.nano_usd != r->cost.nano_usd));
}

static void write_call(const struct record_call *c, bool why, struct buf *out)
{
    const struct token_counts *t = &c->cost.tokens;
    buf_add(out, STR("{\"expert\":"));
    json_write_string(out, c->expert);
    buf_addf(out,
             ",\"outcome\":\"%s\",\"basis\":\"%s\",\"cost_nano_usd\":%lld,\"input_tokens\":%lld,"
             "\"cached_tokens\":%lld,\"cache_write_tokens\":%lld,\"cache_write_1h_tokens\":%lld,"
             "\"output_tokens\":%lld,\"reasoning_tokens\":%lld,\"begin_ms\":%llu,\"latency_ms\":%"
             "llu,\"hedge\":%s",
             call_outcome_name(c->outcome), cost_basis_name(c->cost.basis),
             (long long)c->cost.nano_usd, (long long)t->input, (long long)t->cached,
             (long long)t->cache_write, (long long)t->cache_write_1h, (long long)t->output,
             (long long)t->reasoning, (unsigned long long)c->begin_ms,
             (unsigned long long)c->latency_ms, c->hedge ? "true" : "false");
    if (c->verdict) {
        buf_addf(out, ",\"verdict\":\"%s\",\"checked\":", c->verdict);
        json_write_string(out, c->checked);
        buf_add_c(out, ",\"why\":");
        json_write_string(out, why ? c->why : STR(""));
    }
    buf_add_char(out, '}');
}

static void write_calls(const struct record *r, bool why, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < r->call_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_call(&r->calls[i], why, out);
    }
    buf_add_char(out, ']');
}

/* Long because the row is: a line for each column. A list of calls that grows too long is left out. */
void record_ledger_end(struct ledger *l, const struct record *r)
{
    struct buf calls;
    if (r->expert.len == 0)
        return;
    buf_init(&calls, LEDGER_CALLS_BYTES_MAX);
    if (needs_calls(r))
        write_calls(r, true, &calls);
    if (calls.status != OK) { /* sums matter more than what checks have said in words */
        buf_done(&calls);
        buf_init(&calls, LEDGER_CALLS_BYTES_MAX);
        write_calls(r, false, &calls);
    }
    const struct token_counts *t = &r->cost.tokens;
    const struct ledger_end row = {
        .request = request_of(r),
        .outcome = str_from(request_outcome_name(r->outcome)),
        .basis = str_from(r->cached ? "cached" : cost_basis_name(r->cost.basis)),
        .http_status = r->http_status,
        .cost_nano_usd = r->cost.nano_usd,
        .input_tokens = t->input,
        .cached_tokens = t->cached,
        .cache_write_tokens = t->cache_write,
        .output_tokens = t->output,
        .reasoning_tokens = t->reasoning,
        .attempts = r->attempts,
        .cached = r->cached,
        .first_token_ms = r->first_token_ms,
        .total_ms = (int64_t)r->total_ms,
        .problem = str_from(r->problem),
        .calls = calls.status == OK ? buf_str(&calls) : STR(""),
    };
    ledger_end(l, &row);
    buf_done(&calls);
}
