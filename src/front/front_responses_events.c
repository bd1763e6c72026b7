/* The events of a Responses stream. Each kind of item has its own four around the text; the table names them. Calls of
 * the client's own tools are told whole, by fewer events. A stream is its request's thread's, and so are its events:
 * they are numbered, so none may be written around this file. What happens when is front_responses_stream.c's, which
 * alone calls it; what an item looks like is front_responses_write.c's. */
#include "front/front_responses_events.h"

struct kind { /* event names; NULL: there is none */
    const char *part_added, *delta, *done, *part_done;
    const char *text;  /* the member of `done` that holds the text */
    const char *index; /* the member that numbers the part */
};

static const struct kind kinds[] = {
    [RESPONSES_REASONING] = {"response.reasoning_summary_part.added",
                             "response.reasoning_summary_text.delta",
                             "response.reasoning_summary_text.done",
                             "response.reasoning_summary_part.done", "text", "summary_index"},
    [RESPONSES_TEXT] = {"response.content_part.added", "response.output_text.delta",
                        "response.output_text.done", "response.content_part.done", "text",
                        "content_index"},
    [RESPONSES_REFUSAL] = {"response.content_part.added", "response.refusal.delta",
                           "response.refusal.done", "response.content_part.done", "refusal",
                           "content_index"},
    [RESPONSES_CALL] = {NULL, "response.function_call_arguments.delta",
                        "response.function_call_arguments.done", NULL, "arguments", NULL},
};
static const struct kind custom = {NULL,
                                   "response.custom_tool_call_input.delta",
                                   "response.custom_tool_call_input.done",
                                   NULL,
                                   "input",
                                   NULL};
static const struct kind action = {0}; /* told by its item alone */

static const struct kind *kind_of(const struct responses_item *item)
{
    if (!responses_call_is_held(item))
        return &kinds[item->kind];
    return item->tool->kind == RESPONSES_TOOL_CUSTOM ? &custom : &action;
}

void responses_event_open(struct responses_stream *s, const char *type, struct buf *out)
{
    front_event_begin(out, type);
    buf_addf(out, "{\"type\":\"%s\",\"sequence_number\":%llu", type,
             (unsigned long long)s->sequence_number++);
}

void responses_event_close(struct buf *out)
{
    buf_add_char(out, '}');
    front_event_end(out);
}

void responses_event_response(struct responses_stream *s, const char *type,
                              const struct front_error *error, struct buf *out)
{
    struct responses_view v = {.context = s->context,
                               .fields = s->fields,
                               .status = s->status,
                               .incomplete = s->incomplete,
                               .error = error,
                               .model = s->model,
                               .service_tier = s->service_tier,
                               .usage = buf_str(&s->usage),
                               .leeroo = buf_str(&s->leeroo)};
    responses_event_open(s, type, out);
    buf_add_c(out, ",\"response\":");
    responses_head_write(out, &v);
    for (size_t i = 0; i < s->item_count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        responses_item_write(out, s->context, &s->items[i]->item);
    }
    responses_tail_write(out, &v);
    responses_event_close(out);
}

/* Items */

static void open_of_item(struct responses_stream *s, const char *type,
                         const struct stream_item *item, bool part, struct buf *out)
{
    const char *index = kind_of(&item->item)->index;
    responses_event_open(s, type, out);
    buf_add_c(out, ",\"item_id\":");
    responses_item_id_write(out, s->context, &item->item);
    buf_addf(out, ",\"output_index\":%zu", item->item.index);
    if (part && index)
        buf_addf(out, ",\"%s\":0", index);
}

static void write_part(struct responses_stream *s, const char *type, const struct stream_item *item,
                       struct str text, struct buf *out)
{
    if (!type)
        return;
    open_of_item(s, type, item, true, out);
    buf_add_c(out, ",\"part\":");
    responses_part_write(out, &item->item, text);
    responses_event_close(out);
}

static void begin_part(struct responses_stream *s, struct stream_item *item, struct buf *out)
{
    if (!item->has_part)
        write_part(s, kind_of(&item->item)->part_added, item, STR(""), out);
    item->has_part = true;
}

void responses_event_item_added(struct responses_stream *s, struct stream_item *item,
                                struct buf *out)
{
    responses_event_open(s, "response.output_item.added", out);
    buf_addf(out, ",\"output_index\":%zu,\"item\":", item->item.index);
    responses_item_write_begun(out, s->context, &item->item);
    responses_event_close(out);
    item->added = true;
    if (item->item.kind != RESPONSES_REASONING)
        begin_part(s, item, out);
}

static void write_text(struct buf *out, const char *name, struct str inside)
{
    buf_addf(out, ",\"%s\":\"", name);
    buf_add(out, inside);
    buf_add_char(out, '"');
}

void responses_event_delta(struct responses_stream *s, struct stream_item *item, struct str delta,
                           struct json_value logprobs, struct buf *out)
{
    const char *type = kind_of(&item->item)->delta;
    if (delta.len == 0 || !type)
        return;
    begin_part(s, item, out);
    open_of_item(s, type, item, true, out);
    write_text(out, "delta", delta);
    if (item->item.kind == RESPONSES_TEXT) {
        buf_add_c(out, ",\"logprobs\":");
        if (logprobs.type == JSON_ARRAY)
            json_write_line(out, logprobs);
        else
            buf_add_c(out, "[]");
    }
    responses_event_close(out);
}

static void write_done(struct responses_stream *s, const struct stream_item *item,
                       const struct kind *kind, struct str text, struct buf *out)
{
    const struct responses_item *r = &item->item;
    if (!kind->done)
        return;
    open_of_item(s, kind->done, item, true, out);
    write_text(out, kind->text, text);
    if (kind == &kinds[RESPONSES_CALL])
        write_text(out, "name", r->tool ? r->tool->name : r->name);
    if (r->kind == RESPONSES_TEXT) {
        buf_add_c(out, ",\"logprobs\":[");
        buf_add(out, r->logprobs);
        buf_add_char(out, ']');
    }
    responses_event_close(out);
}

void responses_event_item_done(struct responses_stream *s, struct stream_item *item,
                               struct buf *out)
{
    const struct responses_item *r = &item->item;
    const struct kind *kind = kind_of(r);
    if (item->has_part) {
        write_done(s, item, kind, responses_call_is_held(r) ? r->content : r->text, out);
        write_part(s, kind->part_done, item, r->text, out);
    }
    responses_event_open(s, "response.output_item.done", out);
    buf_addf(out, ",\"output_index\":%zu,\"item\":", r->index);
    responses_item_write(out, s->context, r);
    responses_event_close(out);
    item->done = true;
}
