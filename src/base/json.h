/* A JSON scanner that keeps spans: unknown fields, number spellings and key order survive because nothing is
 * rebuilt. json_parse checks the whole text once (RFC 8259, strict: no trailing commas, no NaN, UTF-8 only,
 * no lone control bytes); after that iteration and look-up cannot fail.
 *
 * A json_value is a span into the caller's text, which must outlive it. Nothing here allocates but
 * json_string_decode. Duplicate keys: look-up gives the last one, as most parsers do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 64 /* nesting of arrays and objects; deeper is ERR_TOO_LARGE */

enum json_type {
    JSON_NONE = 0, /* absent: what json_get gives when there is no such key */
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    enum json_type type;
    struct str raw; /* the exact bytes, quotes and brackets included */
};

/* Validates `text` (one value, white space around it allowed). err->line/column give the place, `place` names
 * the input ("queries.jsonl", "request body"); line_base is the line number of the text's first line (1). */
NODISCARD enum status json_parse(struct str text, const char *place, size_t line_base,
                                 struct json_value *ret, struct error *err);

struct json_iter {
    const char *at, *end;
};

struct json_iter json_iter_begin(struct json_value container); /* array or object; else empty */
bool json_array_next(struct json_iter *it, struct json_value *item);
/* `key` is the raw string with quotes; compare it with json_string_equal. */
bool json_object_next(struct json_iter *it, struct json_value *key, struct json_value *item);

static inline bool json_is_set(struct json_value value) /* neither absent nor null */
{
    return value.type != JSON_NONE && value.type != JSON_NULL;
}
/* The inside of a string: its bytes without the quotes, escapes kept, so that two joined are the joined text, escaped.
 * Empty for other values. */
static inline struct str json_inside(struct json_value string)
{
    if (string.type != JSON_STRING)
        return STR("");
    return (struct str){string.raw.ptr + 1, string.raw.len - 2};
}

bool json_is_filled(struct json_value list); /* an array with an item */

/* Value of `key` in `object`; type JSON_NONE when absent or when `object` is not an object. */
struct json_value json_get(struct json_value object, const char *key);
/* The index of the name that `key` equals; `count` when it is none of them. */
size_t json_key_index(struct json_value key, const struct str *names, size_t count);
/* json_get of several names in one pass: values[i] is the value of names[i]. */
void json_members(struct json_value object, const struct str *names, size_t count,
                  struct json_value *values);
bool json_string_equal(struct json_value string, struct str decoded); /* escapes resolved */
/* Decoded bytes of a string: the span itself when it holds no escapes, else a copy in the arena.
 * ERR_INPUT when not a string, ERR_MEMORY. Lone surrogates become U+FFFD. */
NODISCARD enum status json_string_decode(struct json_value string, struct arena *a,
                                         struct str *ret);
NODISCARD enum status json_to_double(struct json_value number, double *ret);
NODISCARD enum status json_to_int64(struct json_value number, int64_t *ret); /* integers only */

/* Appends `s` quoted and escaped; invalid UTF-8 becomes U+FFFD. */
void json_write_string(struct buf *b, struct str s);
void json_write_inside(struct buf *b, struct str s); /* the same without the quotes */
/* Shortest form that reads back the same double; null for non-finite. */
void json_write_double(struct buf *b, double value);
/* The value without blanks between its tokens, because a line break there would end the line of an event; null when
 * absent. */
void json_write_line(struct buf *out, struct json_value value);

/* A byte edit of a parsed text: `cut` must be a span inside it (len 0 inserts). Edits are given in order of
 * position and do not overlap. */
struct json_edit {
    struct str cut;
    struct str with;
};
void json_splice(struct str text, const struct json_edit *edits, size_t count, struct buf *out);
