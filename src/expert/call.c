/* The life of one call: its start, its end, and what comes in between, which is call_stream.c's (events) or kept for
 * call_whole.c (a whole answer). What goes out is call_write.c's.
 *
 * A call lives on the thread of its transport, and goes when its caller has been told of the end or has cancelled it,
 * but never from inside a parser: what that has found is remembered until it has returned (call_stream.c). */
#include "expert/call_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "dialect/token_estimate.h"
#include "expert/redact.h"

#define CALL_MESSAGE_BYTES   200 /* of an upstream's own words in our sentence */
#define ERROR_BODY_BYTES_MAX (64u << 10)
#define CALL_TEXT_BYTES_MAX  16384
#define MARGINS_GROWTH       50 /* how many bytes log-probabilities make of one of an answer */
#define AFTER_ALL_DATES_MS   (INT64_MAX / 2)

void call_free(struct expert_call *c)
{
    if (c->text.ptr)
        explicit_bzero(c->text.ptr, c->text.len);
    buf_done(&c->text);
    buf_done(&c->asked);
    buf_done(&c->edited);
    buf_done(&c->body);
    buf_done(&c->redacted);
    buf_done(&c->chat);
    buf_done(&c->joined);
    buf_done(&c->stripped);
    if (c->stream)
        call_dialect(c)->stream_free(c->stream);
    openai_stream_done(&c->chunks);
    if (c->gathered)
        c->forms->free(c->gathered);
    redact_stream_done(&c->strings);
    sse_done(&c->sse);
    free(c);
}

/* A cancel from inside on_done only finds that all is over. */
static void tell_done(struct expert_call *c, enum status status, const struct error *err)
{
    uint64_t after_max = c->options.expert->retry_after_max_ms;
    if (after_max > 0 && c->answer.retry_after_ms > after_max)
        c->answer.retry_after_ms = after_max;
    c->over = c->in_callback = true;
    c->options.on_done(c, status, err);
}

/* The upstream's own words, cut to size: ": Rate limit reached", or nothing. */
static const char *quote_message(struct str body, char *into, size_t size)
{
    struct openai_error e;
    openai_error_read(body, &e);
    struct str raw = e.message.type == JSON_STRING
                         ? str_slice(e.message.raw, 1, e.message.raw.len - 1)
                         : (struct str){0};
    size_t len = raw.len < CALL_MESSAGE_BYTES ? raw.len : CALL_MESSAGE_BYTES;
    while (len < raw.len && len > 0 && ((unsigned char)raw.ptr[len] & 0xc0) == 0x80)
        len--;
    snprintf(into, size, "%s%.*s", len ? ": " : "", (int)len, raw.ptr ? raw.ptr : "");
    return into;
}

/* An error that the upstream reported in words: in a status, or inside a 200. `body` is redacted already. */
enum status call_reported(struct expert_call *c, int http_status, struct str body,
                          struct error *err)
{
    char says[CALL_MESSAGE_BYTES + 8];
    struct openai_error e;
    openai_error_read(body, &e);
    bool told_inside = http_status < 300;
    if (told_inside)
        http_status = e.http_status ? e.http_status : 502;
    c->answer.retry = retry_for_error(http_status, body, &c->answer.reason);
    if (told_inside && !e.http_status && c->answer.reason == RETRY_REFUSED)
        http_status = 400; /* a refusal without a number is no breakdown */
    c->answer.http_status = http_status;
    c->answer.body = body;
    if (e.retry_after_ms > c->answer.retry_after_ms)
        c->answer.retry_after_ms = e.retry_after_ms;
    return error_set(err, ERR_UPSTREAM, "expert %.*s answered %d%s%s",
                     STR_FMT(c->options.expert->name), http_status,
                     http_status < 400 ? " (redirects are not followed)" : "",
                     quote_message(body, says, sizeof(says)));
}

/* What came is no answer. `retry`: whether the same expert may do better. */
enum status call_malformed(struct expert_call *c, enum expert_retry retry, const char *what,
                           struct error *err)
{
    c->answer.retry = retry;
    return error_set(err, ERR_UPSTREAM, "expert %.*s %s", STR_FMT(c->options.expert->name), what);
}

struct str call_margins_take(struct expert_call *c, struct str data)
{
    struct json_value root;
    if (!c->reads_margins || json_parse(data, "answer", 1, &root, NULL) != OK)
        return data;
    margins_add(&c->margins, root);
    c->answer.certainty = margins_certainty(&c->margins);
    buf_clear(&c->stripped);
    return margins_strip(root, data, &c->stripped) ? buf_str(&c->stripped) : data;
}

/* Ends a call whose answer still comes. The transport lets go of it only now, because on_done may ask for its headers,
 * and the call goes last, because it holds the transport's request. */
void call_finish_early(struct expert_call *c, enum status status, const struct error *err)
{
    tell_done(c, status, err);
    c->transport->ops->cancel(c->carried);
    call_free(c);
}

/* Callbacks of the HTTP call */

static void on_head(void *user, int http_status)
{
    struct expert_call *c = user;
    c->answer.http_status = http_status;
    if (http_status >= 300 || c->options.path)
        c->form = CALL_FORM_WHOLE;
}

/* By its first byte, because some servers send the one form under the content type of the other; where that tells
 * nothing, by the content type. UNKNOWN: nothing but blanks so far. */
static enum call_form form_of(const struct expert_call *c, struct str bytes)
{
    struct str type = expert_call_header(c, "content-type"), text = str_trim(bytes);
    if (text.len == 0)
        return CALL_FORM_UNKNOWN;
    if (text.ptr[0] == '{' || text.ptr[0] == '[')
        return CALL_FORM_WHOLE;
    if (str_find(STR(":deir"), str_slice(text, 0, 1), 0) !=
        SIZE_MAX) /* a comment, data, event, id, retry */
        return CALL_FORM_EVENTS;
    bool is_json = str_find(type, STR("json"), 0) != SIZE_MAX;
    bool is_sse = str_find(type, STR("event-stream"), 0) != SIZE_MAX;
    return is_sse || (c->options.stream && !is_json) ? CALL_FORM_EVENTS : CALL_FORM_WHOLE;
}

/* What came of an answer, in bytes of its text: log-probabilities that were asked for here stand behind the text, or in
 * front of it, and are many times as long. */
static uint64_t bytes_cut(const struct expert_call *c)
{
    struct str body = buf_str(&c->body);
    size_t at = c->reads_margins ? str_find(body, STR("\"logprobs\""), 0) : SIZE_MAX;
    if (at == SIZE_MAX)
        return body.len;
    return at > body.len / MARGINS_GROWTH ? at : body.len / MARGINS_GROWTH;
}

/* A whole answer that is too long to be read, or breaks off, was written all the same, and is paid for: as much as came
 * of it, and no more than the expert was told to write. */
static uint64_t characters_cut(const struct expert_call *c)
{
    const uint64_t came = bytes_cut(c);
    const int64_t tokens = tokens_from_characters(came), most = c->answer.output_tokens_max;
    if (c->answer.http_status >= 300 || !str_starts(str_trim(buf_str(&c->body)), STR("{")))
        return 0;
    return most > 0 && most < tokens ? came * (uint64_t)most / (uint64_t)tokens : came;
}

static void take_body(struct expert_call *c, struct str bytes)
{
    struct error err;
    bool is_error = c->answer.http_status >= 300;
    c->moved = str_trim(bytes).len > 0; /* blank lines keep alive what is not there yet */
    call_progress_tell(c);
    if (is_error && c->body.len + bytes.len > ERROR_BODY_BYTES_MAX)
        bytes.len = ERROR_BODY_BYTES_MAX - c->body.len; /* the rest of it helps nobody */
    buf_add(&c->body, bytes);
    if (c->body.status == OK)
        return;
    c->answer.output_characters = characters_cut(c);
    enum status status =
        call_malformed(c, EXPERT_RETRY_NEXT, "sent an answer over limits.answer", &err);
    call_finish_early(c, status, &err);
}

static void on_body(void *user, struct str bytes)
{
    struct expert_call *c = user;
    if (c->form == CALL_FORM_UNKNOWN)
        c->form = form_of(c, bytes);
    if (c->form == CALL_FORM_EVENTS)
        call_events_take(c, bytes);
    else
        take_body(c, bytes);
}

static void read_retry_after(struct expert_call *c)
{
    int64_t now_ms = c->options.wall_ms ? c->options.wall_ms() : AFTER_ALL_DATES_MS;
    uint64_t after = retry_after_ms(expert_call_header(c, "retry-after"), now_ms);
    uint64_t after_ms = retry_after_number_ms(expert_call_header(c, "retry-after-ms"), 1, now_ms);
    c->answer.retry_after_ms = after > after_ms ? after : after_ms;
}

static enum status end_call(struct expert_call *c, enum status status, const struct error *cause,
                            struct error *err)
{
    if (c->failure.status != OK) { /* found in the last events */
        *err = c->failure;
        return err->status;
    }
    if (call_stream_end(c))
        return c->gathered ? call_gathered_end(c, err) : OK;
    if (status != OK) {
        if (c->form == CALL_FORM_WHOLE)
            c->answer.output_characters = characters_cut(c);
        c->answer.retry = retry_for_transport(status, expert_call_sent(c));
        return error_set(err, status, "expert %.*s: %s", STR_FMT(c->options.expert->name),
                         cause ? cause->text : "failed");
    }
    if (c->form == CALL_FORM_WHOLE || (c->form == CALL_FORM_UNKNOWN && !c->options.stream))
        return call_whole_end(c, err);
    c->answer.retry = EXPERT_RETRY_SAME;
    return error_set(err, ERR_UPSTREAM, "expert %.*s: the stream ended early",
                     STR_FMT(c->options.expert->name));
}

static void on_done(void *user, enum status status, const struct error *cause)
{
    struct expert_call *c = user;
    struct error err = {0};
    CHECK(!c->over && !c->cancelled);
    read_retry_after(c);
    if (c->form == CALL_FORM_EVENTS && !c->done_mark)
        call_rest_tell(c);
    if (!c->cancelled)
        status = end_call(c, status, cause, &err);
    if (c->cancelled) {
        call_free(c);
        return;
    }
    struct buf scrubbed;
    buf_init(&scrubbed, sizeof(err.text) * 2);
    struct str text = redact(str_from(err.text), c->options.expert->api_key, &scrubbed);
    if (text.ptr != err.text)
        snprintf(err.text, sizeof(err.text), "%.*s", STR_FMT(text));
    buf_done(&scrubbed);
    tell_done(c, status, &err);
    call_free(c);
}

/* Start */

static enum status prepare(struct expert_call *c, struct error *err)
{
    if (call_dialect(c)->stream_create && c->options.stream) {
        c->stream = call_dialect(c)->stream_create(c->options.collects);
        if (!c->stream)
            return error_set(err, ERR_MEMORY, "out of memory for a call");
    }
    c->request = (struct transport_request){
        .user = c, .on_head = on_head, .on_body = on_body, .on_done = on_done};
    return call_write(c, err);
}

/* One piece: whatever a call owns is made here, so that call_free may follow any failure. */
enum status expert_call_start(struct transport *transport, const struct expert_call_options *o,
                              struct expert_call **ret, struct error *err)
{
    CHECK(o->expert->dialect && o->header_count <= CALL_HEADERS_MAX - CALL_HEADERS_OWN);
    struct expert_call *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, ERR_MEMORY, "out of memory for a call");
    c->options = *o;
    c->transport = transport;
    sse_init(&c->sse);
    redact_stream_init(&c->strings, o->expert->api_key, call_clean_take, c);
    buf_init(&c->body, o->answer_bytes_max);
    buf_init(&c->redacted, o->answer_bytes_max * 2 + SSE_EVENT_BYTES_MAX);
    buf_init(&c->text, CALL_TEXT_BYTES_MAX);
    buf_init(&c->chat, o->answer_bytes_max * 2);
    buf_init(&c->joined, o->answer_bytes_max * 2);
    buf_init(&c->stripped, o->answer_bytes_max + SSE_EVENT_BYTES_MAX);
    openai_stream_init(&c->chunks, 2 * SSE_EVENT_BYTES_MAX);
    enum status status = prepare(c, err);
    if (status == OK)
        status = transport->ops->start(transport, &c->request, &c->carried, err);
    if (status != OK) {
        call_free(c);
        return status;
    }
    *ret = c;
    return OK;
}

void expert_call_cancel(struct expert_call *c)
{
    CHECK(!c->cancelled);
    if (!c->over)
        c->transport->ops->cancel(c->carried);
    c->over = c->cancelled = true;
    if (!c->in_callback)
        call_free(c);
}

void expert_call_pause(struct expert_call *c)
{
    if (!c->over)
        c->transport->ops->pause(c->carried);
}

void expert_call_resume(struct expert_call *c)
{
    if (!c->over)
        c->transport->ops->resume(c->carried);
}

void *expert_call_user(const struct expert_call *c)
{
    return c->options.user;
}

const struct expert_answer *expert_call_answer(const struct expert_call *c)
{
    return &c->answer;
}

bool expert_call_sent(const struct expert_call *c)
{
    return c->transport->ops->sent(c->carried);
}

struct str expert_call_header(const struct expert_call *c, const char *name)
{
    return c->transport->ops->header(c->carried, name);
}
