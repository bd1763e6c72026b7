/* The events of a call: cut out of the bytes, cleaned of the expert's key, read as chat chunks or by way of them, and
 * told to the caller, or gathered into the whole answer that was asked for.
 *
 * All of it runs inside the transport's callbacks, on its thread. A failure found inside the parser, and a cancel from
 * inside a callback of the caller's, are remembered and acted upon once the parser has returned, because both free what
 * it stands on: nothing that feed_stream calls may free the call. */
#include "expert/call_int.h"

#include "expert/redact.h"

#define GATHERED_GROWTH 8 /* what pieces need beside the text that they make up */

/* Events */

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
    call_reported(c, 200, buf_str(&c->body), &c->failure);
}

static void take_end(struct expert_call *c, struct str data)
{
    if (openai_stream_is_empty(&c->chunks)) {
        call_malformed(c, EXPERT_RETRY_SAME, "sent a stream without an answer in it", &c->failure);
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
void call_chunk_take(struct str data, void *arg)
{
    struct expert_call *c = arg;
    struct openai_reply reply;
    if (c->cancelled || c->done_mark || c->failure.status != OK)
        return;
    if (str_equal(str_trim(data), STR("[DONE]"))) {
        take_end(c, data);
        return;
    }
    data = call_margins_take(c, data);
    if (buf_status(&c->stripped, &c->failure) != OK)
        return;
    switch (openai_stream_read(&c->chunks, &data, &reply)) {
    case OPENAI_CHUNK_EMPTY:
        return;
    case OPENAI_CHUNK_BROKEN:
        call_malformed(c, EXPERT_RETRY_SAME, "sent a chunk of a stream that is not a JSON object",
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

/* Anthropic's libraries skip events without a name, which some servers leave out: it is the type. */
static struct str name_of(struct json_value type)
{
    return type.type == JSON_STRING ? str_slice(type.raw, 1, type.raw.len - 1) : STR("");
}

/* An event of a dialect other than chat: read by way of the chunks it stands for, passed on as chunks or as it is. */
void call_foreign_take(struct expert_call *c, struct str name, struct str data)
{
    struct error err;
    c->seen = (struct openai_reply){0};
    call_dialect(c)->stream_event(c->stream, name, data, call_chunk_take, c);
    if (!c->moved && call_dialect(c)->stream_moves)
        c->moved = call_dialect(c)->stream_moves(data);
    if (!c->options.native || c->cancelled || c->failure.status != OK)
        return;
    bool is_object =
        json_parse(data, "event", 1, &c->seen.root, &err) == OK && c->seen.root.type == JSON_OBJECT;
    if (is_object && (name.len == 0 || str_equal(name, STR("message"))))
        name = name_of(json_get(c->seen.root, "type"));
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
void call_clean_take(struct str name, struct str data, void *arg)
{
    struct expert_call *c = arg;
    if (c->cancelled || c->done_mark || c->failure.status != OK)
        return;
    if (c->stream)
        call_foreign_take(c, name, data);
    else if (name.len > 0 && is_heartbeat(name))
        return;
    else if (str_equal(name, STR("error")) && !str_equal(str_trim(data), STR("[DONE]")))
        fail_as_told(c, data);
    else
        call_chunk_take(data, c);
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

/* Pings, comments and chunks without content are no progress: whoever sends nothing else is as good as silent. */
void call_progress_tell(struct expert_call *c)
{
    if (c->moved && !c->cancelled)
        c->transport->ops->progress(c->carried);
    c->moved = false;
}

/* What was gathered, as the whole answer that was asked for. */
enum status call_gathered_end(struct expert_call *c, struct error *err)
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
        call_finish_early(c, OK, &err);
        return;
    }
    c->in_callback = true;
    c->answer.streamed = !c->gathered;
    if (sse_feed(&c->sse, bytes, take_event, c, &err) != OK && c->failure.status == OK &&
        !c->done_mark)
        call_malformed(c, EXPERT_RETRY_NEXT, "sent a line of a stream that is too long",
                       &c->failure);
    call_progress_tell(c);
    if (!c->cancelled && !c->gathered)
        c->options.on_flush(c);
    c->in_callback = false;
    if (c->cancelled)
        call_free(c);
    else if (c->failure.status != OK)
        call_finish_early(c, c->failure.status, &c->failure);
    else if (c->done_mark && c->gathered)
        call_finish_early(c, call_gathered_end(c, &err), &err);
}

/* Bytes */

/* Events where a whole answer was asked for. */
static bool begin_gathering(struct expert_call *c)
{
    const struct dialect *dialect = call_dialect(c);
    if (dialect->stream_create && !c->stream)
        c->stream = dialect->stream_create(true);
    c->forms = c->options.native ? dialect->forms : &openai_forms;
    c->gathered = c->forms->create(GATHERED_GROWTH * c->options.answer_bytes_max);
    return c->gathered && (!dialect->stream_create || c->stream);
}

void call_events_take(struct expert_call *c, struct str bytes)
{
    struct error err;
    if (c->options.stream || c->gathered || begin_gathering(c)) {
        feed_stream(c, bytes);
    } else {
        error_set(&err, ERR_MEMORY, "out of memory for an answer");
        call_finish_early(c, ERR_MEMORY, &err);
    }
}

/* The end */

/* How many were asked for. */
static int64_t answers_of(const struct expert_call *c)
{
    return c->options.chat ? c->options.chat->answers : 1;
}

/* A stream whose choices have all ended is whole, whatever became of its last event. Some of what it says may wait for
 * that event, and some clients do: it is made up for. */
bool call_stream_end(struct expert_call *c)
{
    const struct forms *forms = call_dialect(c)->forms;
    if (c->done_mark)
        return true;
    if (c->form != CALL_FORM_EVENTS || !openai_stream_is_whole(&c->chunks, answers_of(c)))
        return false;
    c->answer.finished = true;
    if (!c->stream || !forms)
        return true;
    c->over = c->in_callback = true;
    call_foreign_take(c, str_from(forms->last_name), str_from(forms->last_data));
    if (!c->cancelled && !c->gathered)
        c->options.on_flush(c);
    return true;
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
void call_rest_tell(struct expert_call *c)
{
    c->over = c->in_callback = true;
    c->told = false;
    sse_end(&c->sse, take_last_event, c);
    redact_stream_end(&c->strings);
    if (!c->cancelled && c->told)
        c->options.on_flush(c);
}
