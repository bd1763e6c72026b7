/* Chat chunks as a stream of the Responses API. Text, refusals and reasoning are items that follow one another; calls
 * may come interleaved, so they stay open until the answer is over. All text is kept, because the last events repeat
 * it. The state lives in the request's arena and is its thread's. This file decides what happens;
 * front_responses_events.c writes the events, and nothing may be written around it, because it numbers them. */
#include "front/front_responses_events.h"

#include "base/check.h"
#include "dialect/openai_completion.h"

#define TOO_LONG  "the answer is longer than this API streams: 4 MiB of text in 256 items"
#define NO_MEMORY "the gateway has no memory left for this stream"

static void release(void *state)
{
    struct responses_stream *s = state;
    for (size_t i = 0; i < s->item_count; i++) {
        buf_done(&s->items[i]->text);
        buf_done(&s->items[i]->logprobs);
        buf_done(&s->items[i]->content);
        buf_done(&s->items[i]->sealed);
        responses_carry_done(&s->items[i]->carry);
    }
    buf_done(&s->usage);
    buf_done(&s->leeroo);
    responses_toolbox_free(&s->tools);
}

void *responses_begin(const struct front_context *c, struct arena *a)
{
    struct responses_stream *s = ARENA_NEW(a, struct responses_stream);
    if (!s || arena_defer(a, release, s) != OK)
        return NULL;
    s->context = c;
    s->a = a;
    buf_init(&s->usage, FRONT_BODY_SPARE);
    buf_init(&s->leeroo, RESPONSES_LEEROO_BYTES_MAX);
    responses_fields_read(c->request, s->fields);
    return responses_toolbox_read(s->fields, &s->tools, NULL) == OK ? s : NULL;
}

static void begin(struct responses_stream *s, struct buf *out)
{
    if (s->begun)
        return;
    s->begun = true;
    responses_event_response(s, "response.created", NULL, out);
    responses_event_response(s, "response.in_progress", NULL, out);
}

/* Items */

/* Ends the stream with an error. Always false, for callers to return. */
static bool fail(struct responses_stream *s, const char *message, struct buf *out)
{
    struct front_error e = {
        .http_status = 502, .message = str_from(message), .type = "server_error"};
    responses_fail(s, &e, out);
    return false;
}

/* NULL: the stream has failed, and the client knows it. */
static struct stream_item *item_new(struct responses_stream *s, enum responses_kind kind,
                                    struct buf *out)
{
    struct stream_item *item = NULL;
    begin(s, out); /* not before there is content: until then another expert may be asked instead */
    if (s->item_count == RESPONSES_ITEMS_MAX) {
        fail(s, TOO_LONG, out);
        return NULL;
    }
    item = ARENA_NEW(s->a, struct stream_item);
    if (!item) {
        fail(s, NO_MEMORY, out);
        return NULL;
    }
    item->item = (struct responses_item){.kind = kind, .index = s->item_count};
    buf_init(&item->text, RESPONSES_STREAM_BYTES_MAX);
    buf_init(&item->logprobs, RESPONSES_STREAM_BYTES_MAX);
    buf_init(&item->content, RESPONSES_STREAM_BYTES_MAX);
    buf_init(&item->sealed, RESPONSES_SEALED_BYTES_MAX);
    responses_carry_init(&item->carry, RESPONSES_STREAM_BYTES_MAX);
    s->items[s->item_count++] = item;
    return item;
}

static bool hold(struct responses_stream *s, size_t bytes, struct buf *out)
{
    if (bytes > RESPONSES_STREAM_BYTES_MAX - s->held_bytes)
        return fail(s, TOO_LONG, out);
    s->held_bytes += bytes;
    return true;
}

static bool append(struct responses_stream *s, struct stream_item *item, struct str text,
                   struct json_value logprobs, struct buf *out)
{
    size_t copies = responses_call_is_held(&item->item) ? 2 : 1;
    if (!hold(s, text.len * copies + logprobs.raw.len + 1, out))
        return false;
    buf_add(&item->text, text);
    if (json_is_filled(logprobs)) {
        struct json_value inside = logprobs;
        inside.raw = str_slice(logprobs.raw, 1, logprobs.raw.len - 1);
        if (item->logprobs.len > 0)
            buf_add_char(&item->logprobs, ',');
        json_write_line(&item->logprobs, inside);
    }
    if (item->text.status != OK || item->logprobs.status != OK)
        return fail(s, NO_MEMORY, out);
    item->item.text = buf_str(&item->text);
    item->item.logprobs = buf_str(&item->logprobs);
    return true;
}

/* What must come back to the expert is known when its text is over. */
static void seal(struct responses_stream *s, struct stream_item *item, struct buf *out)
{
    const struct responses_carry *carry = &item->carry;
    if (item->sealed.len == 0)
        responses_carry_write(s->context, carry, &item->sealed);
    if (item->sealed.status != OK || carry->blocks.status != OK || carry->details.status != OK)
        out->status = ERR_MEMORY;
    item->item.sealed = buf_str(&item->sealed);
}

static void close_item(struct responses_stream *s, struct stream_item *item,
                       enum responses_status status, struct buf *out)
{
    if (item->done)
        return;
    struct responses_item *r = &item->item;
    bool is_told = item->added && !responses_call_is_held(r);
    r->status = status;
    responses_call_end(r, &item->content);
    if (r->kind == RESPONSES_REASONING)
        seal(s, item, out);
    if (item->content.status != OK)
        out->status = item->content.status;
    if (!item->added) /* a call whose name never came */
        responses_event_item_added(s, item, out);
    if (!is_told)
        responses_event_delta(s, item, responses_call_is_held(r) ? r->content : r->text,
                              (struct json_value){0}, out);
    responses_event_item_done(s, item, out);
}

/* False: the stream is over. */
static bool open_item(struct responses_stream *s, enum responses_kind kind, struct buf *out)
{
    if (s->open && s->open->item.kind != kind) {
        close_item(s, s->open, RESPONSES_COMPLETED, out);
        s->open = NULL;
    }
    if (s->open)
        return true;
    s->open = item_new(s, kind, out);
    if (s->open)
        responses_event_item_added(s, s->open, out);
    return s->open != NULL;
}

static bool feed_text(struct responses_stream *s, enum responses_kind kind, struct str text,
                      struct json_value logprobs, struct buf *out)
{
    if (text.len == 0 && s->open &&
        s->open->item.kind == kind) /* a token of half a character has logprobs */
        return append(s, s->open, text, logprobs, out);
    if (text.len == 0)
        return true;
    if (!open_item(s, kind, out) || !append(s, s->open, text, logprobs, out))
        return false;
    responses_event_delta(s, s->open, text, logprobs, out);
    return true;
}

/* Reasoning, and what comes beside it: signatures, which may be all there is. */
static bool feed_thought(struct responses_stream *s, struct json_value delta, struct buf *out)
{
    struct json_value blocks = json_get(delta, "thinking_blocks"), none = {0};
    struct json_value details = json_get(delta, "reasoning_details");
    struct str text = json_inside(responses_reasoning_find(delta));
    bool more = json_is_filled(blocks) || json_is_filled(details);
    if (!feed_text(s, RESPONSES_REASONING, text, none, out))
        return false;
    if (!more && text.len == 0)
        return true;
    if (!open_item(s, RESPONSES_REASONING, out) ||
        !hold(s, 2 * (blocks.raw.len + details.raw.len), out))
        return false;
    responses_carry_read(&s->open->carry, delta, s->open->item.text);
    return true;
}

/* Calls */

/* The call that a piece belongs to: the one with its index, else with its id, else the last. A new id under a known
 * index is a new call, because some servers give every call the index 0. NULL: a new call. */
static struct stream_item *find_call(struct responses_stream *s, int64_t index, struct str id,
                                     bool named)
{
    if (index < 0 && id.len == 0 && named)
        return NULL;
    for (size_t i = s->item_count; i-- > 0;) {
        struct stream_item *item = s->items[i];
        bool same_id = id.len == 0 || str_equal(item->item.call_id, id);
        if (item->item.kind != RESPONSES_CALL || item->call_index != index)
            continue;
        if (same_id || (index >= 0 && !named))
            return item;
    }
    return NULL;
}

static bool keep(struct responses_stream *s, struct str given, struct str *ret, struct buf *out)
{
    if (given.len == 0 || ret->len > 0)
        return true;
    if (!hold(s, given.len, out))
        return false;
    struct str copy = arena_copy(s->a, given);
    if (!copy.ptr)
        return fail(s, NO_MEMORY, out);
    *ret = copy;
    return true;
}

static bool tell_call(struct responses_stream *s, struct stream_item *item, struct str piece,
                      struct buf *out)
{
    struct json_value none = {0};
    if (!item->added && item->item.name.len > 0)
        item->item.tool = responses_toolbox_find(&s->tools, item->item.name);
    if (!append(s, item, piece, none, out))
        return false;
    if (!item->added && item->item.name.len > 0) {
        responses_event_item_added(s, item, out);
        piece = item->item.text;
    }
    if (item->added && !responses_call_is_held(&item->item))
        responses_event_delta(s, item, piece, none, out);
    return true;
}

/* What must come back with the call that follows, in a reasoning item of its own. */
static bool tell_extra(struct responses_stream *s, struct json_value extra, struct buf *out)
{
    const struct responses_carry carry = {.extra = extra};
    if (extra.type != JSON_OBJECT)
        return true;
    struct stream_item *item =
        hold(s, 2 * extra.raw.len, out) ? item_new(s, RESPONSES_REASONING, out) : NULL;
    if (!item)
        return false;
    responses_carry_write(s->context, &carry, &item->sealed);
    responses_event_item_added(s, item, out);
    close_item(s, item, RESPONSES_COMPLETED, out);
    return true;
}

static bool feed_call(struct responses_stream *s, struct json_value call, struct buf *out)
{
    struct json_value function = json_get(call, "function");
    struct str id = json_inside(json_get(call, "id")),
               name = json_inside(json_get(function, "name"));
    int64_t index = -1;
    if (json_to_int64(json_get(call, "index"), &index) != OK || index < 0)
        index = -1;
    struct stream_item *item = find_call(s, index, id, name.len > 0);
    if (!item) {
        if (!tell_extra(s, json_get(call, "extra_content"), out))
            return false;
        item = item_new(s, RESPONSES_CALL, out);
        if (!item)
            return false;
        item->call_index = index;
    }
    if (!keep(s, id, &item->item.call_id, out) || !keep(s, name, &item->item.name, out))
        return false;
    struct buf scratch;
    buf_init(&scratch, function.raw.len * 2 + 8);
    struct str piece = responses_arguments_read(json_get(function, "arguments"), &scratch);
    bool goes_on = tell_call(s, item, piece, out);
    buf_done(&scratch);
    return goes_on;
}

static bool feed_calls(struct responses_stream *s, struct json_value calls, struct buf *out)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    if (!json_is_filled(calls) || !json_array_next(&it, &call))
        return true;
    if (s->open) {
        close_item(s, s->open, RESPONSES_COMPLETED, out);
        s->open = NULL;
    }
    do {
        if (!feed_call(s, call, out))
            return false;
    } while (json_array_next(&it, &call));
    return true;
}

/* Chunks */

static bool feed_content(struct responses_stream *s, struct json_value choice, struct buf *out)
{
    struct json_value delta = json_get(choice, "delta"), content = json_get(delta, "content");
    struct json_value logprobs = json_get(json_get(choice, "logprobs"), "content"), none = {0};
    struct buf text;
    buf_init(&text, content.raw.len + 1);
    front_write_content(&text, content);
    bool goes_on = feed_text(s, RESPONSES_TEXT, buf_str(&text), logprobs, out);
    buf_done(&text);
    return goes_on &&
           feed_text(s, RESPONSES_REFUSAL, json_inside(json_get(delta, "refusal")), none, out);
}

static void feed_choice(struct responses_stream *s, struct json_value choice, struct buf *out)
{
    struct json_value delta = json_get(choice, "delta");
    struct json_value finish = json_get(choice, "finish_reason");
    if (!feed_thought(s, delta, out) || !feed_content(s, choice, out) ||
        !feed_calls(s, json_get(delta, "tool_calls"), out) || !json_is_set(finish))
        return;
    s->finished = true;
    if (!s->incomplete)
        (void)responses_finish_read(finish, &s->incomplete);
}

/* What a chunk has beside its choices: the first model and tier stand, and the last usage and "leeroo". */
static void note_members(struct responses_stream *s, const struct openai_completion *m)
{
    struct json_value model = m->model, tier = m->service_tier, usage = m->usage,
                      leeroo = m->leeroo;
    if (model.type == JSON_STRING && s->model.len == 0)
        s->model = arena_copy(s->a, model.raw);
    if (tier.type == JSON_STRING && s->service_tier.len == 0)
        s->service_tier = arena_copy(s->a, tier.raw);
    if (usage.type == JSON_OBJECT) {
        buf_clear(&s->usage);
        responses_usage_write(&s->usage, usage);
    }
    if (leeroo.type == JSON_OBJECT && leeroo.raw.len < RESPONSES_LEEROO_BYTES_MAX) {
        buf_clear(&s->leeroo);
        json_write_line(&s->leeroo, leeroo);
    }
}

static void complete(struct responses_stream *s, struct buf *out)
{
    enum responses_status status = s->incomplete ? RESPONSES_INCOMPLETE : RESPONSES_COMPLETED;
    begin(s, out);
    if (s->item_count == 0 &&
        status == RESPONSES_COMPLETED) { /* an empty answer has one empty text */
        struct stream_item *item = item_new(s, RESPONSES_TEXT, out);
        if (!item)
            return;
        responses_event_item_added(s, item, out);
    }
    for (size_t i = 0; i < s->item_count; i++)
        close_item(s, s->items[i], i + 1 == s->item_count ? status : RESPONSES_COMPLETED, out);
    CHECK(!s->over);
    s->status = status;
    responses_event_response(
        s, status == RESPONSES_COMPLETED ? "response.completed" : "response.incomplete", NULL, out);
    s->over = true;
}

/* An error in the place of a chunk. */
static void fail_as_told(struct responses_stream *s, struct json_value error, struct buf *out)
{
    struct json_value message = json_get(error, "message");
    struct front_error e = {
        .http_status = 502, .message = STR("the expert failed"), .type = "server_error"};
    struct str text;
    if (message.type == JSON_STRING && json_string_decode(message, s->a, &text) == OK)
        e.message = text;
    responses_fail(s, &e, out);
}

void responses_event(void *state, struct str data, struct buf *out)
{
    struct responses_stream *s = state;
    struct openai_completion m;
    struct json_value root;
    if (s->over)
        return;
    if (str_equal(str_trim(data), STR("[DONE]"))) {
        s->finished = true;
        complete(s, out);
        return;
    }
    if (json_parse(data, "chunk", 1, &root, NULL) != OK || root.type != JSON_OBJECT) {
        fail(s, "the expert sent a broken chunk", out);
        return;
    }
    openai_completion_read(root, &m);
    note_members(s, &m);
    if (json_is_set(m.error)) {
        fail_as_told(s, m.error, out);
        return;
    }
    struct json_value choice = openai_choice_of(m.choices);
    if (choice.type == JSON_OBJECT)
        feed_choice(s, choice, out);
}

void responses_end(void *state, struct buf *out)
{
    struct responses_stream *s = state;
    if (s->over)
        return;
    if (s->finished)
        complete(s, out);
    else
        fail(s, "the expert's answer ended before it was complete", out);
}

/* As documented, and with a member "error", at which client libraries raise an exception. */
static void write_error_event(struct responses_stream *s, const struct front_error *e,
                              struct buf *out)
{
    struct buf body;
    buf_init(&body, FRONT_ERROR_BYTES_MAX);
    front_responses.error(e, &body);
    responses_event_open(s, "error", out);
    buf_add_c(out, ",\"code\":");
    json_write_string(out, str_from(e->code ? e->code : responses_error_code(e)));
    buf_add_c(out, ",\"message\":");
    json_write_string(out, e->message);
    buf_add_c(out, ",\"param\":");
    if (e->param)
        json_write_string(out, str_from(e->param));
    else
        buf_add_c(out, "null");
    buf_add_char(out, ',');
    if (buf_status(&body, NULL) == OK) /* {"error":{...}} without its braces */
        buf_add(out, str_slice(buf_str(&body), 1, body.len - 1));
    else
        buf_add_c(out, "\"error\":true");
    responses_event_close(out);
    buf_done(&body);
}

/* The response with what there is of it goes first, because clients stop reading at the error. */
void responses_fail(void *state, const struct front_error *e, struct buf *out)
{
    struct responses_stream *s = state;
    if (s->over)
        return;
    s->over = true;
    begin(s, out);
    s->status = RESPONSES_FAILED;
    s->incomplete = NULL;
    for (size_t i = 0; i < s->item_count; i++)
        if (!s->items[i]->done)
            s->items[i]->item.status = RESPONSES_INCOMPLETE;
    responses_event_response(s, "response.failed", e, out);
    write_error_event(s, e, out);
}
