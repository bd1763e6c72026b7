/* Answers that are held back. */
#include "serve/plan_kept.h"

#include <string.h>

#include "base/check.h"
#include "base/json.h"

#define SCRATCH_BYTES_SPARE (1u << 20) /* what an arena needs beside the bytes themselves */

void plan_kept_init(struct plan_kept *k, size_t bytes_max)
{
    *k = (struct plan_kept){0};
    buf_init(&k->bytes, bytes_max);
}

void plan_kept_done(struct plan_kept *k)
{
    buf_done(&k->bytes);
}

void plan_kept_clear(struct plan_kept *k)
{
    buf_clear(&k->bytes);
    k->streamed = false;
}

void plan_kept_add_event(struct plan_kept *k, struct str data)
{
    k->streamed = true;
    buf_add(&k->bytes, (struct str){(const char *)&data.len, sizeof(data.len)});
    buf_add(&k->bytes, data);
}

void plan_kept_add_body(struct plan_kept *k, struct str body)
{
    buf_add(&k->bytes, body);
}

bool plan_kept_next_event(const struct plan_kept *k, size_t *at, struct str *ret)
{
    size_t len = 0;
    if (*at == k->bytes.len)
        return false;
    memcpy(&len, k->bytes.ptr + *at, sizeof(len));
    *at += sizeof(len);
    CHECK(len <= k->bytes.len - *at);
    *ret = (struct str){k->bytes.ptr + *at, len};
    *at += len;
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

enum status plan_kept_text(const struct plan_kept *k, struct buf *text, struct error *err)
{
    struct arena *scratch = arena_create(k->bytes.len + SCRATCH_BYTES_SPARE);
    struct str data;
    size_t at = 0;
    if (!scratch)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    enum status status = OK;
    if (!k->streamed)
        status = add_content(buf_str(&k->bytes), "message", scratch, text, err);
    while (k->streamed && status == OK && plan_kept_next_event(k, &at, &data))
        status = add_content(data, "delta", scratch, text, err);
    arena_free(scratch);
    return status;
}
