/* Tables in JSON: an array of objects, as ZeroEval writes one for each model, or an object a line. Members are known by
 * the names of the long form; a text may also be a list of messages, or of texts, whose last user message, or first
 * text, it is.
 *
 * An array is read whole, lines one by one; strings live in an arena that goes with each object. It belongs to one
 * thread and blocks: it is for commands, never for the gateway. */
#include <string.h>

#include "base/gz.h"
#include "data/table_int.h"

#define OBJECT_BYTES (LINE_BYTES_MAX * 2)

/* A string decoded, a number or true and false as they are spelled; anything else is not said. */
static enum status plain_text(struct json_value v, struct arena *a, struct str *ret,
                              struct error *err)
{
    *ret = STR("");
    if (v.type == JSON_NUMBER || v.type == JSON_TRUE || v.type == JSON_FALSE)
        *ret = v.raw;
    if (v.type == JSON_STRING && json_string_decode(v, a, ret) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for a table");
    return OK;
}

/* Of a list: the first text, or the content of the last message of a user. */
static struct json_value text_in(struct json_value list)
{
    struct json_value item, found = {0};
    struct json_iter it = json_iter_begin(list);
    while (json_array_next(&it, &item)) {
        if (item.type == JSON_STRING)
            return item;
        if (item.type == JSON_OBJECT && json_string_equal(json_get(item, "role"), STR("user")))
            found = json_get(item, "content");
    }
    return found;
}

/* One piece: of several members for one field the one with the most usual name counts. */
static enum status object_read(struct json_value object, const struct table_place *at,
                               struct arena *a, struct table_builder *b, struct error *err)
{
    struct table_row row = {0};
    size_t ranks[TABLE_FIELDS];
    bool scored = false; /* or said to be unknown, by null or an empty text */
    struct json_value key, v;
    struct json_iter it = json_iter_begin(object);
    enum status status = OK;
    while (status == OK && json_object_next(&it, &key, &v)) {
        size_t rank;
        struct str text;
        enum table_field f = table_field_of(json_inside(key), &rank);
        scored |= f == TABLE_SCORE && (v.type == JSON_NULL || v.type == JSON_STRING);
        if (f == TABLE_FIELDS || (row.fields[f].len && ranks[f] <= rank))
            continue;
        status =
            plain_text(f == TABLE_TEXT && v.type == JSON_ARRAY ? text_in(v) : v, a, &text, err);
        if (status != OK || !text.len)
            continue;
        row.fields[f] = text;
        ranks[f] = rank;
    }
    if (status != OK)
        return status;
    static const enum table_field needed[] = {TABLE_MODEL, TABLE_SCORE};
    for (enum table_field f = 0; f < TABLE_FIELDS; f++)
        row.columns[f] = at->column;
    for (size_t i = 0; i < 2; i++)
        if (!row.fields[needed[i]].len && !(needed[i] == TABLE_SCORE && scored))
            return error_set_at(err, ERR_INPUT, at->path, at->line, at->column,
                                "a result needs a member %s%s", table_field_names(needed[i]),
                                needed[i] == TABLE_SCORE ? "; score the answers first" : "");
    return table_builder_add(b, &row, at->path, at->line, err);
}

static enum status value_read(struct json_value v, const struct table_place *at, struct arena *a,
                              struct table_builder *b, struct error *err)
{
    if (v.type != JSON_OBJECT)
        return error_set_at(err, ERR_INPUT, at->path, at->line, at->column,
                            "expected an object like {\"id\", \"model\", \"score\", \"prompt\"}");
    arena_reset(a);
    return object_read(v, at, a, b, err);
}

/* An object a line; the first is there already. */
static enum status read_lines(struct line_reader *r, struct str line, struct arena *a,
                              struct table_builder *b, struct error *err)
{
    enum status status = OK;
    do {
        struct json_value v;
        if (str_trim(line).len == 0)
            continue;
        const struct table_place at = {line_reader_path(r), line_reader_number(r), 0};
        status = json_parse(line, at.path, at.line, &v, err);
        if (status == OK)
            status = value_read(v, &at, a, b, err);
        if (status != OK)
            return status;
    } while ((status = line_reader_next(r, &line, err)) == OK);
    return status == CLOSED ? OK : status;
}

/* From where an item began to where the next does. */
static void place_move(struct table_place *at, const char *from, const char *to)
{
    for (; from < to; from++) {
        at->column++;
        if (*from == '\n') {
            at->line++;
            at->column = 1;
        }
    }
}

static enum status items_read(struct str text, const char *path, struct arena *a,
                              struct table_builder *b, struct error *err)
{
    struct json_value root, item;
    struct table_place at = {path, 1, 1};
    const char *last = text.ptr;
    enum status status = json_parse(text, path, 1, &root, err);
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(root);
    while (status == OK && json_array_next(&it, &item)) {
        place_move(&at, last, item.raw.ptr);
        last = item.raw.ptr;
        status = value_read(item, &at, a, b, err);
    }
    return status;
}

/* One value over many lines. */
static enum status read_array(struct line_reader *r, struct str line, struct arena *a,
                              struct table_builder *b, struct error *err)
{
    struct buf text;
    buf_init(&text, TABLE_ARRAY_BYTES_MAX);
    size_t blank = line_reader_number(r) - 1; /* lines before it */
    enum status status = OK;
    for (; blank > 0; blank--)
        buf_add_char(&text, '\n');
    do {
        buf_add(&text, line);
        buf_add_char(&text, '\n');
    } while (text.status == OK && (status = line_reader_next(r, &line, err)) == OK);
    if (status == OK || status == CLOSED)
        status = buf_status(&text, err);
    if (status == OK)
        status = items_read(buf_str(&text), line_reader_path(r), a, b, err);
    buf_done(&text);
    return status;
}

enum status table_json_read(const char *path, struct table_builder *b, struct error *err)
{
    struct line_reader *r = NULL;
    struct str line = STR("");
    struct arena *a = arena_create(OBJECT_BYTES);
    enum status status =
        a ? line_reader_open(path, &r, err) : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        line_reader_allow(r, TABLE_ARRAY_BYTES_MAX);
    while (status == OK && str_trim(line).len == 0)
        status = line_reader_next(r, &line, err);
    if (status == OK && str_starts(line, STR("\xEF\xBB\xBF")))
        line = str_slice(line, 3, line.len);
    if (status == OK)
        status = str_starts(str_trim(line), STR("[")) ? read_array(r, line, a, b, err)
                                                      : read_lines(r, line, a, b, err);
    line_reader_close(r);
    arena_free(a);
    return status == CLOSED ? OK : status;
}
