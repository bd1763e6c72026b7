/* Walks a request's texts once, decodes what is to be counted into the request's arena, and counts it. */
#include "route/request_tokens.h"

#include <math.h>
#include <string.h>

#include "base/script.h"
#include "dialect/token_estimate.h"

#define MESSAGE_TOKENS 4 /* what chat templates put around one */

struct counting {
    const struct tokenizer *t;
    struct arena *arena;
    struct error *err;
    enum status status;
    size_t left;      /* bytes that may still be counted */
    uint64_t counted; /* tokens */
    uint64_t weight;  /* of what was counted, as base/script.h has it */
    uint64_t beyond;  /* of what was not */
};

static void count_text(struct counting *c, struct str text, uint64_t weight)
{
    uint64_t tokens = 0;
    if (c->status == OK)
        c->status = tokenizer_count(c->t, text, &tokens, c->err);
    c->counted += tokens;
    c->weight += weight;
    c->left -= text.len < c->left ? text.len : c->left;
}

/* A string of JSON that is cut behind at most `bytes` of it, in front of a character. */
static struct json_value cut(struct counting *c, struct json_value string, size_t bytes)
{
    size_t at = 1, end = string.raw.len - 1;
    while (at < end && at < bytes) {
        size_t next = at + 1;
        if (string.raw.ptr[at] == '\\')
            next = at + (string.raw.ptr[at + 1] == 'u' ? 6 : 2);
        while (next < end && ((unsigned char)string.raw.ptr[next] & 0xC0) == 0x80)
            next++;
        at = next;
    }
    char *copy = arena_alloc(c->arena, at + 1);
    if (!copy) {
        c->status = error_set(c->err, ERR_MEMORY, "out of memory for counting tokens");
        return (struct json_value){0};
    }
    memcpy(copy, string.raw.ptr, at);
    copy[at] = '"';
    return (struct json_value){JSON_STRING, {copy, at + 1}};
}

static void count_string(struct counting *c, struct json_value string)
{
    struct str text;
    if (string.type != JSON_STRING || c->status != OK)
        return;
    uint64_t weight = tokens_json_weight(string), whole = weight;
    if (c->left == 0) {
        c->beyond += weight;
        return;
    }
    if (string.raw.len > c->left) {
        string = cut(c, string, c->left);
        weight = tokens_json_weight(string);
    }
    if (json_string_decode(string, c->arena, &text) == OK)
        count_text(c, text, weight);
    c->beyond += whole - weight;
}

/* As it is written, which is what templates show a model. */
static void count_raw(struct counting *c, struct json_value value)
{
    struct str text = str_slice(value.raw, 0, c->left);
    if (value.type == JSON_NONE || value.type == JSON_NULL)
        return;
    count_text(c, text, text.len);
    c->beyond += value.raw.len - text.len;
}

static void count_message(struct counting *c, struct json_value message)
{
    struct json_value content = json_get(message, "content"), part;
    struct json_iter it = json_iter_begin(content);
    c->counted += MESSAGE_TOKENS;
    count_string(c, content);
    while (content.type == JSON_ARRAY && json_array_next(&it, &part))
        count_string(c, json_get(part, "text"));
    count_raw(c, json_get(message, "tool_calls"));
}

enum status request_tokens(const struct tokenizer *t, const struct openai_request *r,
                           struct arena *a, int64_t *ret, struct error *err)
{
    struct counting c = {.t = t, .arena = a, .err = err, .left = REQUEST_TOKENS_BYTES_MAX};
    struct json_iter it = json_iter_begin(r->messages);
    struct json_value message;
    while (r->messages.type == JSON_ARRAY && json_array_next(&it, &message))
        count_message(&c, message);
    if (r->messages.type == JSON_NONE)
        count_text(&c, str_slice(r->query, 0, c.left),
                   script_characters(str_slice(r->query, 0, c.left)));
    if (r->messages.type == JSON_NONE && r->query.len > REQUEST_TOKENS_BYTES_MAX)
        c.beyond += script_characters(str_slice(r->query, REQUEST_TOKENS_BYTES_MAX, r->query.len));
    count_raw(&c, r->tools);
    if (c.status != OK)
        return c.status;
    double more = c.weight > 0 ? (double)c.counted * (double)c.beyond / (double)c.weight : 0;
    *ret = (int64_t)c.counted + (int64_t)ceil(more) + (int64_t)r->images * OPENAI_IMAGE_TOKENS;
    return OK;
}
