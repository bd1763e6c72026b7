/* What goes out in a call: URL, headers and body, in the expert's own dialect.
 *
 * The body is written by the dialect, or is the client's own; then the expert's entry has its say: members that it is
 * not to see or calls otherwise, and last those that it is always asked with. All of it lives as long as the call. On
 * the transport's thread, before the call goes out. */
#include "expert/call_int.h"

#include "base/check.h"
#include "expert/member_set.h"

#define BODY_BYTES_SPARE 16384

static size_t write_headers(struct expert_call *c, struct str key)
{
    const struct expert_call_options *o = &c->options;
    const struct dialect *dialect = c->options.expert->dialect;
    size_t own = dialect_header_count(dialect);
    size_t n = 0;
    c->headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    c->headers[n++] = (struct http_header){STR("accept"), o->stream ? STR("text/event-stream")
                                                                    : STR("application/json")};
    c->headers[n++] = (struct http_header){STR("user-agent"), STR("leeroo/" LEEROO_VERSION)};
    if (key.len > 0)
        c->headers[n++] = (struct http_header){dialect->key_header, key};
    for (size_t i = 0; i < own; i++)
        c->headers[n++] = dialect->headers[i];
    for (size_t i = 0; i < o->header_count; i++)
        c->headers[n++] = o->headers[i];
    return n;
}

/* URL and key, NUL-terminated one after the other in c->text. */
static enum status write_text(struct expert_call *c, struct str *ret_key, struct error *err)
{
    const struct expert *e = c->options.expert;
    buf_addf(&c->text, "%.*s%s", STR_FMT(e->url),
             c->options.path ? c->options.path : e->dialect->path);
    if (e->api_version.len > 0)
        buf_addf(&c->text, "?%s=%.*s", e->dialect->version_parameter, STR_FMT(e->api_version));
    size_t url_len = c->text.len;
    buf_add_char(&c->text, '\0');
    if (e->api_key.len > 0)
        buf_addf(&c->text, "%s%.*s", e->dialect->key_prefix, STR_FMT(e->api_key));
    enum status status = buf_status(&c->text, err);
    if (status == OK)
        *ret_key = (struct str){c->text.ptr + url_len + 1, c->text.len - url_len - 1};
    return status;
}

static bool takes_system_anywhere(const struct expert *e)
{
    return e->system_messages == EXPERT_SYSTEM_ANYWHERE ||
           (e->system_messages == EXPERT_SYSTEM_USUAL && e->dialect->system_anywhere);
}

/* In the expert's dialect; a body that came as it is stays where it is. */
static enum status write_body(struct expert_call *c, struct str *ret, struct error *err)
{
    const struct expert_call_options *o = &c->options;
    const struct dialect *dialect = c->options.expert->dialect;
    const struct dialect_request r = {
        .chat = o->chat,
        .native = o->native_body,
        .model = o->expert->upstream_model,
        .output_tokens_limit = o->output_limit,
        .output_tokens_default = o->expert->max_output_tokens,
        .limit_name = o->expert->limit_name,
        .target = {.is_blind = !(o->expert->capabilities & EXPERT_IMAGES),
                   .knows_effort = (o->expert->capabilities & EXPERT_EFFORT) != 0,
                   .expert = o->expert->name,
                   .system_anywhere = takes_system_anywhere(o->expert)}};
    if (o->path) {
        *ret = o->body;
        return OK;
    }
    CHECK(o->native ? dialect->edit && o->native_body.ptr : o->chat && o->scratch);
    size_t asked_bytes = o->native ? o->native_body.len : o->chat->root.raw.len;
    buf_init(&c->asked, 4 * asked_bytes + BODY_BYTES_SPARE); /* other dialects have other names */
    enum status status = o->native ? dialect->edit(&r, &c->asked, err)
                                   : dialect->write(&r, o->scratch, &c->asked, err);
    if (status == OK)
        *ret = buf_str(&c->asked);
    return status;
}

/* The answers' longest, in tokens, as the expert was told it. */
static int64_t output_tokens_max(const struct expert_call_options *o)
{
    int64_t limit = o->chat ? o->chat->output_tokens_max : 0, all = 0;
    if (!o->chat)
        return 0;
    if (limit == 0 && o->expert->dialect->demands_limit)
        limit = o->expert->max_output_tokens;
    if (o->output_limit > 0 && (limit == 0 || o->output_limit < limit))
        limit = o->output_limit;
    return __builtin_mul_overflow(limit, o->chat->answers, &all) ? INT64_MAX : all;
}

/* Before the expert's entry has its say, so that it can leave them out. */
static enum status ask_margins(struct expert_call *c, struct str *body, struct error *err)
{
    static const struct str members = STR_INIT("{\"logprobs\":true,\"top_logprobs\":2}");
    const struct expert_call_options *o = &c->options;
    struct json_value set, asked;
    struct dropped none = {0}; /* a client that wants none gets none */
    struct buf joined;
    if (!o->certainty || o->native || o->path || !o->expert->dialect->has_logprobs ||
        json_get(o->chat->root, "logprobs").type == JSON_TRUE)
        return OK;
    c->reads_margins = true;
    enum status status = json_parse(members, "logprobs", 1, &set, err);
    if (status == OK)
        status = json_parse(*body, "request", 1, &asked, err);
    if (status != OK)
        return status;
    buf_init(&joined, body->len + members.len + BODY_BYTES_SPARE);
    member_set_write(set, asked, &joined, &none);
    buf_done(&c->asked);
    c->asked = joined;
    *body = buf_str(&c->asked);
    return buf_status(&c->asked, err);
}

/* What the expert's entry says of names comes last, so that they are those of its own API. */
static enum status edit_body(struct expert_call *c, struct str *body, struct error *err)
{
    const struct expert *e = c->options.expert;
    if (e->edit_count == 0)
        return OK;
    buf_init(&c->edited, 2 * body->len + BODY_BYTES_SPARE);
    enum status status = member_edit_body(e->edits, e->edit_count, *body, &c->edited, err);
    if (status == OK)
        *body = buf_str(&c->edited);
    return status;
}

/* After that, what the expert is always asked with. */
static enum status set_parameters(struct expert_call *c, struct str *body, struct error *err)
{
    struct str set = c->options.expert->parameters;
    struct json_value parameters, asked;
    struct buf joined;
    if (set.len == 0)
        return OK;
    enum status status = json_parse(set, "parameters", 1, &parameters, err);
    if (status == OK)
        status = json_parse(*body, "request", 1, &asked, err);
    if (status == OK && asked.type != JSON_OBJECT)
        status = error_set(err, ERR_INPUT, "the request is not a JSON object");
    if (status != OK)
        return status;
    buf_init(&joined, body->len + set.len + BODY_BYTES_SPARE);
    member_set_write(parameters, asked, &joined, &c->answer.lost);
    buf_done(&c->edited);
    c->edited = joined;
    *body = buf_str(&c->edited);
    return buf_status(&c->edited, err);
}

/* Agents ask for longer answers than some models give, which refuse such a request. */
static void lower_limit(struct expert_call_options *o)
{
    int64_t most = o->expert->output_limit;
    if (most > 0 && o->chat && o->chat->output_tokens_max > most &&
        (o->output_limit == 0 || o->output_limit > most))
        o->output_limit = most;
}

/* One piece: the body goes from step to step, and the rest of the request is filled in by what it has become. */
enum status call_write(struct expert_call *c, struct error *err)
{
    const struct expert_call_options *o = &c->options;
    const struct expert *e = o->expert;
    struct transport_request *r = &c->request;
    struct str key = {0};
    lower_limit(&c->options);
    enum status status = write_text(c, &key, err);
    if (status == OK)
        status = write_body(c, &r->body, err);
    if (status == OK)
        status = ask_margins(c, &r->body, err);
    if (status == OK)
        status = edit_body(c, &r->body, err);
    if (status == OK)
        status = set_parameters(c, &r->body, err);
    if (status != OK)
        return status;
    c->answer.asked_bytes = r->body.len;
    c->answer.output_tokens_max = output_tokens_max(o);
    r->url = c->text.ptr;
    r->headers = c->headers;
    r->header_count = write_headers(c, key);
    r->connect_timeout_ms = e->connect_timeout_ms;
    /* An answer in one piece begins when it is complete, so only streams have a first token. */
    r->first_content_timeout_ms = o->stream ? e->first_token_timeout_ms : 0;
    r->idle_timeout_ms = e->idle_timeout_ms;
    r->total_timeout_ms = o->total_timeout_ms ? o->total_timeout_ms : e->total_timeout_ms;
    return OK;
}
