/* The access log: a line for each request in logfmt. Every request writes one, so texts and whole numbers are appended
 * without printf. The order of the fields is promised in docs/running.md: new ones go behind those of the same kind.
 *
 * Nothing in here keeps state, so any thread may write; the line itself goes out whole (base/log.h). What a client
 * named is quoted and cut, and prompts and answers are not in a record at all. */
#include "watch/access_log.h"

#include "base/log.h"
#include "base/money.h"

#define LOG_BYTES_MAX    16384
#define LOG_BYTES_USUAL  768
#define QUOTED_BYTES_MAX 2048
#define MODEL_BYTES_MAX  100

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

/* Of a text that may need quotes. */
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
        add_text(out, " ",
                 str_from(call->verdict ? call->verdict : call_outcome_name(call->outcome)));
        add_usd(out, " ", call->cost.nano_usd);
        add_int(out, " ", (int64_t)call->latency_ms);
        buf_add(out, STR("ms"));
    }
    if (tell && r->call_count > 0)
        buf_add_char(out, '"');
}

/* ` front=chat key=- model=leeroo`: what was asked for and with which key. */
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
    if (r->cost.tokens.cache_write_1h > 0)
        add_int(out, " cache_write_1h_tokens=", r->cost.tokens.cache_write_1h);
    add_int(out, " reasoning_tokens=", r->cost.tokens.reasoning);
    add_usd(out, " reference_usd=", r->reference_nano_usd);
    add_int(out, " hedged=", hedged);
}

static void write_dropped(const struct record *r, struct buf *out)
{
    if (r->dropped.len > 0)
        add_quoted(out, " dropped=", r->dropped);
}

static void write_refused(const struct record *r, struct buf *out)
{
    add_int(out, " status=", r->http_status);
    add_int(out, " total_ms=", (int64_t)r->total_ms);
    write_asked(r, out);
    write_dropped(r, out);
    add_quoted(out, " error=", or_dash(str_from(r->problem)));
}

/* One piece: a list, field by field. */
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
    write_dropped(r, out);
    if (r->session)
        add_text(out, " session=", str_from(r->session));
    if (r->verified)
        add_text(out, " verified=", str_from(r->verified));
    if (r->problem)
        add_quoted(out, " error=", str_from(r->problem));
}

void access_log_write(const struct record *r)
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
