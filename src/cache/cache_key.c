/* The text whose digest is a request's key. */
#include "cache/cache_key.h"

#include <stdlib.h>

#define KEY_BYTES_SPARE 65536 /* beside the body: names, headers, lengths */

struct member {
    struct json_value key, value;
    struct str name; /* decoded */
    size_t at;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = str_compare(x->name, y->name);
    if (order != 0)
        return order;
    return x->at < y->at ? -1 : x->at > y->at; /* a name that stands twice keeps its order */
}

/* Surrogates stay as they are written: alone they have no other form. */
static void write_string(struct json_value s, struct arena *scratch, struct buf *out)
{
    struct str decoded;
    bool has_surrogate =
        str_find(s.raw, STR("\\ud"), 0) != SIZE_MAX || str_find(s.raw, STR("\\uD"), 0) != SIZE_MAX;
    if (str_find(s.raw, STR("\\"), 0) == SIZE_MAX || has_surrogate)
        buf_add(out, s.raw);
    else if (json_string_decode(s, scratch, &decoded) == OK)
        json_write_string(out, decoded);
    else
        out->status = ERR_MEMORY;
}

/* One piece: members are sorted in place, and a member twice has to be seen between sorting and writing. */
static enum status write_object(struct json_value v, struct arena *scratch, struct buf *out)
{
    struct json_value key, value;
    size_t count = 0;
    for (struct json_iter it = json_iter_begin(v); json_object_next(&it, &key, &value);)
        count++;
    struct member *members = ARENA_ARRAY(scratch, count + 1, struct member);
    if (!members)
        return ERR_MEMORY;
    struct json_iter it = json_iter_begin(v);
    for (size_t i = 0; i < count && json_object_next(&it, &key, &value); i++) {
        members[i] = (struct member){.key = key, .value = value, .at = i};
        if (json_string_decode(key, scratch, &members[i].name) != OK)
            return ERR_MEMORY;
    }
    qsort(members, count, sizeof(*members), by_name);
    buf_add_char(out, '{');
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        write_string(members[i].key, scratch, out);
        buf_add_char(out, ':');
        status = cache_key_canonical(members[i].value, scratch, out);
    }
    buf_add_char(out, '}');
    return status;
}

static enum status write_array(struct json_value v, struct arena *scratch, struct buf *out)
{
    struct json_value item;
    enum status status = OK;
    size_t i = 0;
    buf_add_char(out, '[');
    for (struct json_iter it = json_iter_begin(v); status == OK && json_array_next(&it, &item);) {
        if (i++ > 0)
            buf_add_char(out, ',');
        status = cache_key_canonical(item, scratch, out);
    }
    buf_add_char(out, ']');
    return status;
}

/* As deep as json_parse allowed. */
enum status cache_key_canonical(struct json_value v, struct arena *scratch, struct buf *out)
{
    enum status status = OK;
    if (v.type == JSON_OBJECT)
        status = write_object(v, scratch, out);
    else if (v.type == JSON_ARRAY)
        status = write_array(v, scratch, out);
    else if (v.type == JSON_STRING)
        write_string(v, scratch, out);
    else
        buf_add(out, v.raw);
    return status == OK ? buf_status(out, NULL) : status;
}

/* With its length, so that no two lists of parts are the same text. */
static void add_part(struct buf *out, struct str part)
{
    buf_addf(out, "%zu:", part.len);
    buf_add(out, part);
}

enum status cache_key_make(const struct cache_request *q, struct arena *scratch, struct digest *ret,
                           struct error *err)
{
    struct json_value root;
    struct buf text;
    enum status status = json_parse(q->body, "request body", 1, &root, err);
    if (status != OK)
        return status;
    buf_init(&text, 2 * q->body.len + KEY_BYTES_SPARE);
    buf_addf(&text, "leeroo 1 %llu %zu ", (unsigned long long)q->generation, q->header_count);
    add_part(&text, q->tenant);
    add_part(&text, q->path);
    for (size_t i = 0; i < 2 * q->header_count; i++)
        add_part(&text, q->headers[i]);
    status = cache_key_canonical(root, scratch, &text);
    if (status != OK)
        error_set(err, status, "out of memory for a request's key");
    else
        status = digest_sha256(buf_str(&text), ret, err);
    buf_done(&text);
    return status;
}
