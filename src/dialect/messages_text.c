/* Moving pieces of JSON between chat completions and Messages. */
#include "dialect/messages_text.h"

#include <string.h>

#define DECODED_SPARE_BYTES (64u << 10)

bool messages_is(struct json_value string, const char *text)
{
    return json_string_equal(string, str_from(text));
}

bool messages_says(struct json_value string)
{
    struct str inside = json_inside(string);
    for (size_t i = 0; i < inside.len; i++) {
        bool is_escape = inside.ptr[i] == '\\' && i + 1 < inside.len;
        i += is_escape;
        if (is_escape ? !strchr("ntr", inside.ptr[i]) : inside.ptr[i] != ' ')
            return true;
    }
    return false;
}

bool messages_has_text(struct json_value string)
{
    return json_inside(string).len > 0;
}

size_t messages_members_read(struct json_value object, const char *const *names, size_t count,
                             struct json_value *ret, struct json_value *ret_other)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    size_t others = 0;
    memset(ret, 0, count * sizeof(ret[0]));
    if (ret_other)
        *ret_other = (struct json_value){0};
    while (object.type == JSON_OBJECT && json_object_next(&it, &key, &item)) {
        size_t i = 0;
        while (i < count && !messages_is(key, names[i]))
            i++;
        if (i < count) {
            ret[i] = item;
            continue;
        }
        others++;
        if (ret_other && ret_other->type == JSON_NONE && item.type != JSON_NULL)
            *ret_other = key;
    }
    return others;
}

void messages_write_member(struct buf *out, const char *name, struct json_value value)
{
    if (!json_is_set(value))
        return;
    buf_add(out, STR(",\""));
    buf_add_c(out, name);
    buf_add(out, STR("\":"));
    buf_add(out, value.raw);
}

static bool is_id_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

void messages_write_tool_id(struct buf *out, struct json_value id)
{
    struct str inside = json_inside(id);
    char *at = buf_reserve(out, inside.len + 2);
    if (!at)
        return;
    at[0] = '"';
    for (size_t i = 0; i < inside.len; i++)
        at[i + 1] = is_id_byte(inside.ptr[i]) ? inside.ptr[i] : '_';
    at[inside.len + 1] = '"';
    out->len += inside.len + 2;
    out->ptr[out->len] = 0;
}

/* `out` may be NULL. Blank text becomes `blank`. */
static enum status write_decoded(struct buf *out, struct json_value arguments, struct str blank)
{
    struct str text = {0};
    struct json_value input;
    struct arena *a = arena_create(arguments.raw.len + DECODED_SPARE_BYTES);
    enum status status = a ? json_string_decode(arguments, a, &text) : ERR_MEMORY;
    if (status == OK && str_trim(text).len == 0)
        text = blank;
    if (status == OK)
        status = json_parse(text, "arguments", 1, &input, NULL);
    if (status == OK && input.type != JSON_OBJECT)
        status = ERR_INPUT;
    if (status == OK && out)
        buf_add(out, input.raw);
    arena_free(a);
    return status == OK || status == ERR_MEMORY ? status : ERR_INPUT;
}

bool messages_is_input(struct json_value arguments)
{
    return messages_has_text(arguments) && write_decoded(NULL, arguments, STR("")) == OK;
}

enum status messages_write_input(struct buf *out, struct json_value arguments)
{
    if (arguments.type == JSON_OBJECT) { /* as some servers send them */
        buf_add(out, arguments.raw);
        return OK;
    }
    if (json_is_set(arguments) && arguments.type != JSON_STRING)
        return ERR_INPUT;
    if (!messages_has_text(arguments)) {
        buf_add(out, STR("{}"));
        return OK;
    }
    return write_decoded(out, arguments, STR("{}"));
}

void messages_write_input_or_note(struct buf *out, struct json_value arguments)
{
    enum status status = messages_write_input(out, arguments);
    if (status == OK)
        return;
    buf_add(out, STR("{\"invalid_json\":"));
    if (arguments.type == JSON_STRING)
        buf_add(out, arguments.raw);
    else
        json_write_string(out, arguments.raw);
    buf_add_char(out, '}');
    if (status == ERR_MEMORY)
        out->status = ERR_MEMORY;
}

void messages_write_arguments(struct buf *out, struct json_value input)
{
    if (input.type == JSON_STRING)
        buf_add(out, input.raw);
    else if (json_is_set(input))
        json_write_string(out, input.raw);
    else
        buf_add(out, STR("\"{}\""));
}
