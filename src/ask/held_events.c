/* Answers that are held back: the bytes of a stream's events one behind the other, each with a head that says how they
 * are to be read, so that holding costs one buffer and its limit is that buffer's. Belongs to whoever holds, on that
 * thread; only the cache hands such bytes from thread to thread, and they are not written any more then. Heads and
 * replies are copied in and out, since nothing aligns them. What held_events_next gives points into the buffer: nothing
 * may be added before it has been used. */
#include "ask/held_events.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "dialect/openai_request.h"

#define SCRATCH_BYTES_SPARE (1u << 20) /* what an arena needs beside the bytes themselves */

enum held_kind {
    HELD_BARE,  /* there was nothing to read in it */
    HELD_CHUNK, /* what is in it is read from the data again */
    HELD_READ,  /* struct held_reply stands behind the head */
};

struct held_reply {
    struct openai_reply reply;
    size_t root_at; /* where its root is in the data: the one member that points there */
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

static enum held_kind kind_of(const struct expert_event *event, bool keep_reply)
{
    if (!event->reply)
        return HELD_BARE;
    return keep_reply ? HELD_READ : HELD_CHUNK;
}

static void add_reply(struct held_events *h, const struct openai_reply *reply, struct str data)
{
    struct held_reply held;
    memset(&held, 0, sizeof(held));
    CHECK(reply->root.raw.ptr >= data.ptr &&
          reply->root.raw.ptr + reply->root.raw.len <= data.ptr + data.len);
    held.reply = *reply;
    held.root_at = (size_t)(reply->root.raw.ptr - data.ptr);
    buf_add(&h->bytes, (struct str){(const char *)&held, sizeof(held)});
}

void held_events_add(struct held_events *h, const struct expert_event *event, bool keep_reply)
{
    struct held_head head;
    memset(&head, 0, sizeof(head));
    CHECK(event->data.len <= UINT32_MAX && event->name.len <= UINT32_MAX);
    head.name_len = (uint32_t)event->name.len;
    head.data_len = (uint32_t)event->data.len;
    head.kind = (uint8_t)kind_of(event, keep_reply);
    head.done = event->done;
    h->streamed = true;
    buf_add(&h->bytes, (struct str){(const char *)&head, sizeof(head)});
    if (head.kind == HELD_READ)
        add_reply(h, event->reply, event->data);
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

bool held_events_next(const struct held_events *h, size_t *at, struct expert_event *ret,
                      struct openai_reply *reply)
{
    struct held_head head;
    struct held_reply held;
    CHECK(h->streamed || h->bytes.len == 0);
    if (*at == h->bytes.len)
        return false;
    memcpy(&head, take(h, at, sizeof(head)).ptr, sizeof(head));
    if (head.kind == HELD_READ)
        memcpy(&held, take(h, at, sizeof(held)).ptr, sizeof(held));
    struct str name = take(h, at, head.name_len), data = take(h, at, head.data_len);
    bool read = head.kind == HELD_READ;
    if (read) {
        *reply = held.reply;
        reply->root.raw.ptr = data.ptr + held.root_at;
    } else if (head.kind == HELD_CHUNK) {
        read = openai_reply_read(data, reply, NULL) == OK;
    }
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
    if (content.type != JSON_STRING && content.type != JSON_ARRAY)
        return OK;
    if (openai_content_text(content, scratch, &piece, NULL) != OK)
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
