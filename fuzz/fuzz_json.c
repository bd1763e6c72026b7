/* The JSON scanner against json-c: both accept or both refuse, and what is accepted can be walked, decoded, edited
 * and written back.
 *
 * Known differences, left out of the comparison: json-c accepts NaN and Infinity, any nesting up to its own limit,
 * a NUL as the end of its input, control characters in strings, leading zeros, "1.", "-.5" and some bad UTF-8. */
#include <stdint.h>
#include <string.h>

#define json_type json_c_type /* both have an enum of this name */
#include <json-c/json.h>
#undef json_type

#include "base/check.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct json_value value, struct arena *arena)
{
    struct json_value key, item;
    struct str text;
    double number;
    int64_t whole;
    (void)!json_to_double(value, &number);
    (void)!json_to_int64(value, &whole);
    if (json_string_decode(value, arena, &text) == OK) {
        CHECK(utf8_valid(text));
        CHECK(json_string_equal(value, text));
    }
    struct json_iter it = json_iter_begin(value);
    if (value.type == JSON_OBJECT) {
        while (json_object_next(&it, &key, &item)) {
            walk(key, arena);
            walk(item, arena);
            if (json_string_decode(key, arena, &text) == OK && text.len &&
                !memchr(text.ptr, 0, text.len))
                CHECK(json_get(value, arena_copy(arena, text).ptr).type != JSON_NONE);
        }
    } else {
        while (json_array_next(&it, &item))
            walk(item, arena);
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether json-c's verdict can be compared at all. */
static bool comparable(struct str text, const struct error *err)
{
    if (!utf8_valid(text) || strstr(err->text, "control character") ||
        strstr(err->text, "a number wants digits"))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool begins = !i || !(is_digit(text.ptr[i - 1]) || text.ptr[i - 1] == '.');
        if (!c || c == 'N' || c == 'I')
            return false;
        if (begins && c == '0' && i + 1 < text.len && is_digit(text.ptr[i + 1]))
            return false;
        if (c == '-' && (i + 1 == text.len || !is_digit(text.ptr[i + 1])))
            return false;
    }
    return true;
}

static bool json_c_accepts(struct str text)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
    CHECK(tokener != NULL);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    char last[1] = "";
    struct json_object *object = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
    if (json_tokener_get_error(tokener) == json_tokener_continue) /* a number may go on: end it */
        object = json_tokener_parse_ex(tokener, last, 1);
    bool accepted = json_tokener_get_error(tokener) == json_tokener_success;
    json_object_put(object);
    json_tokener_free(tokener);
    return accepted;
}

static void rewrite(struct str text, struct json_value value)
{
    struct buf out;
    struct json_value again;
    struct json_edit edit = {value.raw, STR("[null]")};
    buf_init(&out, text.len + 100);
    json_splice(text, &edit, 1, &out);
    CHECK(json_parse(buf_str(&out), "edited", 1, &again, NULL) == OK);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 << 16)
        return 0;
    struct str text = {(const char *)data, size};
    struct json_value value;
    struct error err = {0};
    enum status status = json_parse(text, "fuzz", 1, &value, &err);
    if (status == OK) {
        struct arena *arena = arena_create(64 << 20);
        CHECK(arena != NULL);
        walk(value, arena);
        rewrite(text, value);
        arena_free(arena);
    }
    struct buf quoted;
    buf_init(&quoted, 6 * size + 2);
    json_write_string(&quoted, text);
    CHECK(json_parse(buf_str(&quoted), "quoted", 1, &value, NULL) == OK);
    buf_done(&quoted);
    if (status != ERR_TOO_LARGE && comparable(text, &err))
        CHECK((status == OK) == json_c_accepts(text));
    return 0;
}
