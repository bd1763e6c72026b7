/* Answers that are held back. */
#include "ask/held_events.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"

#define SCRATCH_BYTES_SPARE (1u << 20) /* what an arena needs beside the bytes themselves */

enum held_kind {
    HELD_BARE,   /* there was nothing to read in it */
    HELD_CHUNK,  /* what is in it is read from the data again */
    HELD_NATIVE, /* struct openai_reply stands behind the head, but for what points into the text */
};

struct held_head { /* of an event; followed by its reply, name and data */
    uint32_t name_len, data_len;
    uint8_t kind; /* enum held_kind */
    bool done;
};

void held_events_init(struct held_events *h, size_t bytes_max)
{
    *h = (struct held_events){0};
    buf_init(&h->bytes, bytes_max);
}

void held_events_done(struct held_events *h)
{
    buf_done(&h->bytes);
}

void held_events_clear(struct held_events *h)
{
    buf_clear(&h->bytes);
    h->streamed = false;
}

static enum held_kind kind_of(const struct expert_event *event, bool native)
{
    if (!event->reply)
        return HELD_BARE;
    return native ? HELD_NATIVE : HELD_CHUNK;
}

void held_events_add(struct held_events *h, const struct expert_event *event, bool native)
{
    struct held_head head;
    memset(&head, 0, sizeof(head));
    CHECK(event->data.len <= UINT32_MAX && event->name.len <= UINT32_MAX);
    head.name_len = (uint32_t)event->name.len;
    head.data_len = (uint32_t)event->data.len;
    head.kind = kind_of(event, native);
    head.done = event->done;
    h->streamed = true;
    buf_add(&h->bytes, (struct str){(const char *)&head, sizeof(head)});
    if (head.kind == HELD_NATIVE)
        buf_add(&h->bytes, (struct str){(const char *)event->reply, sizeof(*event->reply)});
    buf_add(&h->bytes, event->name);
    buf_add(&h->bytes, event->data);
}

void held_events_add_body(struct held_events *h, struct str body)
{
    CHECK(!h->streamed);
    buf_add(&h->bytes, body);
}

static struct str take(const struct held_events *h, size_t *at, size_t len)
{
    CHECK(len <= h->bytes.len - *at);
    struct str taken = {h->bytes.ptr + *at, len};
    *at += len;
    return taken;
}

/* False: it is no object, or there is no memory to say what is in it. */
static bool read_again(enum held_kind kind, struct str data, struct openai_reply *reply)
{
    if (kind == HELD_CHUNK)
        return openai_reply_read(data, reply, NULL) == OK;
    if (kind == HELD_BARE || json_parse(data, "event", 1, &reply->root, NULL) != OK)
        return false;
    reply->usage_value = json_get(reply->root, "usage");
    return true;
}

bool held_events_next(const struct held_events *h, size_t *at, struct expert_event *ret,
                      struct openai_reply *reply)
{
    struct held_head head;
    CHECK(h->streamed || h->bytes.len == 0);
    if (*at == h->bytes.len)
        return false;
    memcpy(&head, take(h, at, sizeof(head)).ptr, sizeof(head));
    if (head.kind == HELD_NATIVE)
        memcpy(reply, take(h, at, sizeof(*reply)).ptr, sizeof(*reply));
    struct str name = take(h, at, head.name_len), data = take(h, at, head.data_len);
    bool read = read_again(head.kind, data, reply);
    *ret = (struct expert_event){
        .name = name, .data = data, .reply = read ? reply : NULL, .done = head.done};
    return true;
}

/* `part` is "message" or "delta". */
static enum status add_content(struct str json, const char *part, struct arena *scratch,
                               struct buf *text, struct error *err)
{
    struct json_value root, choice = {0};
    struct str piece;
    if (json_parse(json, "answer", 1, &root, NULL) != OK)
        return OK; /* [DONE] */
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (!json_array_next(&it, &choice))
        return OK;
    struct json_value content = json_get(json_get(choice, part), "content");
    if (content.type != JSON_STRING)
        return OK;
    if (json_string_decode(content, scratch, &piece) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    buf_add(text, piece);
    arena_reset(scratch);
    return buf_status(text, err);
}

enum status held_events_text(const struct held_events *h, struct buf *text, struct error *err)
{
    struct arena *scratch = arena_create(h->bytes.len + SCRATCH_BYTES_SPARE);
    struct openai_reply reply;
    struct expert_event event;
    size_t at = 0;
    if (!scratch)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    enum status status = OK;
    if (!h->streamed)
        status = add_content(buf_str(&h->bytes), "message", scratch, text, err);
    while (h->streamed && status == OK && held_events_next(h, &at, &event, &reply))
        status = add_content(event.data, "delta", scratch, text, err);
    arena_free(scratch);
    return status;
}
