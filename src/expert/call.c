/* The life of one call: what comes back, as the caller is told of it. What goes out is call_write.c's.
 *
 * A call lives on the thread of its transport. A failure found inside the stream parser, and a cancel from inside a
 * callback, are remembered and acted upon once the parser has returned, because both free what it stands on: nothing
 * that feed_stream calls may free the call. */
#include "expert/call_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "expert/redact.h"

#define CALL_MESSAGE_BYTES   200 /* of an upstream's own words in our sentence */
#define ERROR_BODY_BYTES_MAX (64u << 10)
#define CALL_TEXT_BYTES_MAX  16384
#define AFTER_ALL_DATES_MS   (INT64_MAX / 2)
#define GATHERED_GROWTH      8 /* what pieces need beside the text that they make up */

static const struct dialect *dialect_of(const struct expert_call *c)
{
    return c->options.expert->dialect;
}

static void call_free(struct expert_call *c)
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
    if (c->stream)
        dialect_of(c)->stream_free(c->stream);
    openai_stream_done(&c->chunks);
    if (c->gathered)
        c->forms->free(c->gathered);
    redact_stream_done(&c->strings);
    sse_done(&c->sse);
    free(c);
}

static struct str header_of(const struct expert_call *c, const char *name)
{
    return c->transport->ops->header(c->carried, name);
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
static enum status reported(struct expert_call *c, int http_status, struct str body,
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
static enum status malformed(struct expert_call *c, enum expert_retry retry, const char *what,
                             struct error *err)
{
    c->answer.retry = retry;
    return error_set(err, ERR_UPSTREAM, "expert %.*s %s", STR_FMT(c->options.expert->name), what);
}

/* Streams */

static void pass_on(struct expert_call *c, struct str name, struct str data,
                    const struct openai_reply *reply, bool done)
{
    const struct expert_event event = {name, data, reply, done};
    if (c->gathered) {
        c->forms->add(c->gathered, data);
        return;
    }
    c->told = true;
    c->options.on_event(c, &event);
}

/* An error amid a stream, in the expert's own words. */
static void fail_as_told(struct expert_call *c, struct str data)
{
    buf_clear(&c->body);
    buf_add(&c->body, data);
    reported(c, 200, buf_str(&c->body), &c->failure);
}

static void take_end(struct expert_call *c, struct str data)
{
    if (openai_stream_is_empty(&c->chunks)) {
        malformed(c, EXPERT_RETRY_SAME, "sent a stream without an answer in it", &c->failure);
        return;
    }
    c->done_mark = c->answer.finished = c->moved = true;
    if (!(c->options.native && c->stream))
        pass_on(c, STR(""), data, NULL, true);
}

/* Facts of a chunk, for us and for those who are told of it. */
static void note_chunk(struct expert_call *c, const struct openai_reply *reply)
{
    c->moved |= reply->has_content;
    c->answer.output_characters += reply->characters;
    c->answer.usage = c->chunks.usage;
    c->seen.has_content |= reply->has_content;
    c->seen.finished |= reply->finished;
    if (reply->usage.known)
        c->seen.usage = c->chunks.usage;
}

/* A chat chunk, as the expert sent it or as it was made. */
static void take_chunk(struct str data, void *arg)
{
    struct expert_call *c = arg;
    struct openai_reply reply;
    if (c->cancelled || c->done_mark || c->failure.status != OK)
        return;
    if (str_equal(str_trim(data), STR("[DONE]"))) {
        take_end(c, data);
        return;
    }
    switch (openai_stream_read(&c->chunks, &data, &reply)) {
    case OPENAI_CHUNK_EMPTY:
        return;
    case OPENAI_CHUNK_BROKEN:
        malformed(c, EXPERT_RETRY_SAME, "sent a chunk of a stream that is not a JSON object",
                  &c->failure);
        return;
    case OPENAI_CHUNK_ERROR:
        c->answer.usage = c->chunks.usage;
        fail_as_told(c, data);
        return;
    case OPENAI_CHUNK_GOOD:
        note_chunk(c, &reply);
        if (!(c->options.native && c->stream))
            pass_on(c, STR(""), data, &reply, false);
    }
}

/* An event of a dialect other than chat: read by way of the chunks it stands for, passed on as chunks or as it is. */
static void take_foreign_event(struct expert_call *c, struct str name, struct str data)
{
    struct error err;
    c->seen = (struct openai_reply){0};
    dialect_of(c)->stream_event(c->stream, name, data, take_chunk, c);
    if (!c->moved && dialect_of(c)->stream_moves)
        c->moved = dialect_of(c)->stream_moves(data);
    if (!c->options.native || c->cancelled || c->failure.status != OK)
        return;
    bool is_object =
        json_parse(data, "event", 1, &c->seen.root, &err) == OK && c->seen.root.type == JSON_OBJECT;
    pass_on(c, name, data, is_object ? &c->seen : NULL, c->done_mark);
}

/* By these some servers keep a connection open; what is in them is nobody's. */
static bool is_heartbeat(struct str name)
{
    static const struct str names[] = {STR_INIT("ping"), STR_INIT("heartbeat"),
                                       STR_INIT("keepalive"), STR_INIT("keep-alive")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

/* redact_tell: an event without the expert's key. */
static void take_clean_event(struct str name, struct str data, void *arg)
{
    struct expert_call *c = arg;
    if (c->cancelled || c->done_mark || c->failure.status != OK)
        return;
    if (c->stream)
        take_foreign_event(c, name, data);
    else if (name.len > 0 && is_heartbeat(name))
        return;
    else if (str_equal(name, STR("error")) && !str_equal(str_trim(data), STR("[DONE]")))
        fail_as_told(c, data);
    else
        take_chunk(data, c);
}

static void take_event(const struct sse_event *event, void *arg)
{
    struct expert_call *c = arg;
    if (c->cancelled || c->done_mark || c->failure.status != OK)
        return;
    const struct str key = c->options.expert->api_key;
    struct str data = redact(event->data, key, &c->redacted);
    struct str name = redact(event->event, key, &c->joined);
    if (redact_stream_feed(&c->strings, name, data) != OK && c->failure.status == OK)
        error_set(&c->failure, ERR_MEMORY, "out of memory for a stream");
}

/* Ends a call whose answer still comes. The transport lets go of it only now, because on_done may ask for its headers,
 * and the call goes last, because it holds the transport's request. */
static void finish_early(struct expert_call *c, enum status status, const struct error *err)
{
    tell_done(c, status, err);
    c->transport->ops->cancel(c->carried);
    call_free(c);
}

/* Pings, comments and chunks without content are no progress: whoever sends nothing else is as good as silent. */
static void tell_progress(struct expert_call *c)
{
    if (c->moved && !c->cancelled)
        c->transport->ops->progress(c->carried);
    c->moved = false;
}

/* What was gathered, as the whole answer that was asked for. */
static enum status end_gathered(struct expert_call *c, struct error *err)
{
    enum status status = c->forms->write(c->gathered, &c->chat, err);
    c->answer.body = buf_str(&c->chat);
    if (status == OK)
        return OK;
    c->answer.body = STR("");
    c->answer.retry = EXPERT_RETRY_NEXT;
    error_prefix(err, "expert %.*s", STR_FMT(c->options.expert->name));
    return err->status = status == ERR_MEMORY ? ERR_MEMORY : ERR_UPSTREAM;
}

/* Behind [DONE] only the end of the transfer is waited for: whatever else comes is not read. */
static bool is_sated(const struct expert_call *c, struct str bytes)
{
    return c->done_mark && str_trim(bytes).len > 0;
}

static void feed_stream(struct expert_call *c, struct str bytes)
{
    struct error err = {0};
    if (is_sated(c, bytes)) {
        finish_early(c, OK, &err);
        return;
    }
    c->in_callback = true;
    c->answer.streamed = !c->gathered;
    if (sse_feed(&c->sse, bytes, take_event, c, &err) != OK && c->failure.status == OK &&
        !c->done_mark)
        malformed(c, EXPERT_RETRY_NEXT, "sent a line of a stream that is too long", &c->failure);
    tell_progress(c);
    if (!c->cancelled && !c->gathered)
        c->options.on_flush(c);
    c->in_callback = false;
    if (c->cancelled)
        call_free(c);
    else if (c->failure.status != OK)
        finish_early(c, c->failure.status, &c->failure);
    else if (c->done_mark && c->gathered)
        finish_early(c, end_gathered(c, &err), &err);
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
    struct str type = header_of(c, "content-type"), text = str_trim(bytes);
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

/* Events where a whole answer was asked for. */
static bool begin_gathering(struct expert_call *c)
{
    const struct dialect *dialect = dialect_of(c);
    if (dialect->stream_create && !c->stream)
        c->stream = dialect->stream_create(true);
    c->forms = c->options.native ? dialect->forms : &openai_forms;
    c->gathered = c->forms->create(GATHERED_GROWTH * c->options.answer_bytes_max);
    return c->gathered && (!dialect->stream_create || c->stream);
}

static void take_events(struct expert_call *c, struct str bytes)
{
    struct error err;
    if (c->options.stream || c->gathered || begin_gathering(c)) {
        feed_stream(c, bytes);
    } else {
        error_set(&err, ERR_MEMORY, "out of memory for an answer");
        finish_early(c, ERR_MEMORY, &err);
    }
}

static void take_body(struct expert_call *c, struct str bytes)
{
    struct error err;
    bool is_error = c->answer.http_status >= 300;
    c->moved = str_trim(bytes).len > 0; /* blank lines keep alive what is not there yet */
    tell_progress(c);
    if (is_error && c->body.len + bytes.len > ERROR_BODY_BYTES_MAX)
        bytes.len = ERROR_BODY_BYTES_MAX - c->body.len; /* the rest of it helps nobody */
    buf_add(&c->body, bytes);
    if (c->body.status == OK)
        return;
    enum status status = malformed(c, EXPERT_RETRY_NEXT, "sent an answer over limits.answer", &err);
    finish_early(c, status, &err);
}

static void on_body(void *user, struct str bytes)
{
    struct expert_call *c = user;
    if (c->form == CALL_FORM_UNKNOWN)
        c->form = form_of(c, bytes);
    if (c->form == CALL_FORM_EVENTS)
        take_events(c, bytes);
    else
        take_body(c, bytes);
}

/* Whether there is an answer in what came: each choice has a message, and something was said or ended on purpose. */
static enum status check_answer(struct expert_call *c, const struct openai_reply *reply,
                                struct error *err)
{
    c->answer.usage = reply->usage;
    c->answer.output_characters = reply->characters;
    if (!reply->has_messages || !reply->has_content)
        return malformed(c, EXPERT_RETRY_SAME, "sent an answer with nothing in it", err);
    return OK;
}

/* A chat completion, which passes as it came but for what no client could read. */
static enum status end_chat(struct expert_call *c, const struct openai_reply *reply,
                            struct error *err)
{
    if (openai_answer_mend(reply, &c->chat))
        c->answer.body = buf_str(&c->chat);
    enum status status = buf_status(&c->chat, err);
    return status == OK ? check_answer(c, reply, err) : status;
}

/* The chat completion that an answer stands for: usage is read in it, and it is the answer unless native. */
static enum status end_foreign(struct expert_call *c, struct str body, struct error *err)
{
    struct openai_reply reply;
    if (dialect_of(c)->read(body, &c->chat, err) != OK ||
        openai_reply_read(buf_str(&c->chat), &reply, NULL) != OK)
        return malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is no message", err);
    struct str chat = redact(buf_str(&c->chat), c->options.expert->api_key, &c->joined);
    c->answer.body = c->options.native ? body : chat;
    if (reply.is_error)
        return reported(c, c->answer.http_status, chat, err);
    return check_answer(c, &reply, err);
}

static void take_split_chunk(void *arg, struct str name, struct str data)
{
    (void)name;
    take_chunk(data, arg);
}

static void take_split_event(void *arg, struct str name, struct str data)
{
    struct expert_call *c = arg;
    if (!c->cancelled && !c->done_mark && c->failure.status == OK)
        take_foreign_event(c, name, data);
}

/* A whole answer where events were asked for: it is told as these. `body` must outlast what c->body holds. */
static enum status tell_as_events(struct expert_call *c, struct str body, struct error *err)
{
    const struct dialect *dialect = dialect_of(c);
    struct str chat = body;
    if (dialect->read) {
        if (dialect->read(body, &c->chat, err) != OK)
            return malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is no message", err);
        chat = redact(buf_str(&c->chat), c->options.expert->api_key, &c->joined);
    }
    c->over = c->in_callback = c->answer.streamed = true;
    if (c->options.native)
        dialect->forms->split(body, take_split_event, c);
    else
        openai_forms.split(chat, take_split_chunk, c);
    if (!c->cancelled)
        c->options.on_flush(c);
    if (c->failure.status != OK)
        *err = c->failure;
    else if (!c->done_mark && !c->cancelled)
        return malformed(c, EXPERT_RETRY_SAME, "sent an answer with nothing in it", err);
    return c->failure.status;
}

static enum status end_as_events(struct expert_call *c, struct str body, struct error *err)
{
    struct buf held = c->body; /* whoever tells a failure writes into c->body */
    buf_init(&c->body, held.limit);
    enum status status = tell_as_events(c, body, err);
    buf_done(&held);
    return status;
}

static enum status end_whole(struct expert_call *c, struct error *err)
{
    struct openai_reply reply;
    struct str body = redact(buf_str(&c->body), c->options.expert->api_key, &c->redacted);
    int http_status = c->answer.http_status;
    if (http_status >= 300)
        return reported(c, http_status, body, err);
    if (openai_reply_read(body, &reply, NULL) != OK)
        return malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is not a JSON object", err);
    if (reply.is_error) {
        c->answer.usage = reply.usage;
        return reported(c, http_status, body, err);
    }
    if (c->options.stream && !c->options.path)
        return end_as_events(c, body, err);
    if (dialect_of(c)->read && !c->options.path)
        return end_foreign(c, body, err);
    c->answer.body = body;
    if (!c->options.path)
        return end_chat(c, &reply, err);
    c->answer.usage = reply.usage;
    c->answer.output_characters = reply.characters;
    return OK;
}

static void read_retry_after(struct expert_call *c)
{
    int64_t now_ms = c->options.wall_ms ? c->options.wall_ms() : AFTER_ALL_DATES_MS;
    uint64_t after = retry_after_ms(header_of(c, "retry-after"), now_ms);
    uint64_t after_ms = retry_after_number_ms(header_of(c, "retry-after-ms"), 1, now_ms);
    c->answer.retry_after_ms = after > after_ms ? after : after_ms;
}

/* How many were asked for. */
static int64_t answers_of(const struct expert_call *c)
{
    return c->options.chat ? c->options.chat->answers : 1;
}

/* A stream whose choices have all ended is whole, whatever became of its last event. Some of what it says may wait for
 * that event, and some clients do: it is made up for. */
static bool end_stream(struct expert_call *c)
{
    const struct forms *forms = dialect_of(c)->forms;
    if (c->done_mark)
        return true;
    if (c->form != CALL_FORM_EVENTS || !openai_stream_is_whole(&c->chunks, answers_of(c)))
        return false;
    c->answer.finished = true;
    if (!c->stream || !forms)
        return true;
    c->over = c->in_callback = true;
    take_foreign_event(c, str_from(forms->last_name), str_from(forms->last_data));
    if (!c->cancelled && !c->gathered)
        c->options.on_flush(c);
    return true;
}

static enum status end_call(struct expert_call *c, enum status status, const struct error *cause,
                            struct error *err)
{
    if (c->failure.status != OK) { /* found in the last events */
        *err = c->failure;
        return err->status;
    }
    if (end_stream(c))
        return c->gathered ? end_gathered(c, err) : OK;
    if (status != OK) {
        c->answer.retry = retry_for_transport(status, expert_call_sent(c));
        return error_set(err, status, "expert %.*s: %s", STR_FMT(c->options.expert->name),
                         cause ? cause->text : "failed");
    }
    if (c->form == CALL_FORM_WHOLE || (c->form == CALL_FORM_UNKNOWN && !c->options.stream))
        return end_whole(c, err);
    c->answer.retry = EXPERT_RETRY_SAME;
    return error_set(err, ERR_UPSTREAM, "expert %.*s: the stream ended early",
                     STR_FMT(c->options.expert->name));
}

/* An event whose blank line is missing, if it is whole. */
static void take_last_event(const struct sse_event *event, void *arg)
{
    struct json_value root;
    if (str_equal(str_trim(event->data), STR("[DONE]")) ||
        json_parse(event->data, "event", 1, &root, NULL) == OK)
        take_event(event, arg);
}

/* Events that waited for what comes next. The transport is done: there is nothing to pause or to cancel any more. */
static void tell_rest(struct expert_call *c)
{
    c->over = c->in_callback = true;
    c->told = false;
    sse_end(&c->sse, take_last_event, c);
    redact_stream_end(&c->strings);
    if (!c->cancelled && c->told)
        c->options.on_flush(c);
}

static void on_done(void *user, enum status status, const struct error *cause)
{
    struct expert_call *c = user;
    struct error err = {0};
    CHECK(!c->over && !c->cancelled);
    read_retry_after(c);
    if (c->form == CALL_FORM_EVENTS && !c->done_mark)
        tell_rest(c);
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
    if (dialect_of(c)->stream_create && c->options.stream) {
        c->stream = dialect_of(c)->stream_create(c->options.collects);
        if (!c->stream)
            return error_set(err, ERR_MEMORY, "out of memory for a call");
    }
    c->request = (struct transport_request){
        .user = c, .on_head = on_head, .on_body = on_body, .on_done = on_done};
    return call_write(c, err);
}

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
    redact_stream_init(&c->strings, o->expert->api_key, take_clean_event, c);
    buf_init(&c->body, o->answer_bytes_max);
    buf_init(&c->redacted, o->answer_bytes_max * 2 + SSE_EVENT_BYTES_MAX);
    buf_init(&c->text, CALL_TEXT_BYTES_MAX);
    buf_init(&c->chat, o->answer_bytes_max * 2);
    buf_init(&c->joined, o->answer_bytes_max * 2);
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
    return header_of(c, name);
}
