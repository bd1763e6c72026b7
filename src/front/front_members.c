/* Reading requests by tables, and writing what was read: the tools of completions and responses. What a member means is
 * not known here; the front's own writer says it in chat's words. Pure functions of text for any thread; names in
 * errors and translated bodies live in the request's arena. The Messages front has readers of its own
 * (dialect/messages_text.h), because it leaves to experts of its dialect what these tables refuse. */
#include "front/front_members.h"

#include "base/check.h"

#include <string.h>

/* Errors */

enum status front_bad(struct front_reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_INPUT, "%s %s", param, what);
}

enum status front_refuse(struct front_reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_UNSUPPORTED, "%s %s", param, what);
}

/* "PLACE.KEY", as far as there is room. */
static const char *name_member(struct front_reader *x, const char *place, struct json_value key)
{
    struct str name = str_slice(json_inside(key), 0, FRONT_PARAM_BYTES_MAX);
    const char *text =
        arena_printf(x->a, "%s%s%.*s", place ? place : "", place ? "." : "", STR_FMT(name));
    return text ? text : "a member";
}

/* Reading */

static const char *type_names(unsigned types)
{
    static const struct {
        unsigned types;
        const char *text;
    } known[] = {
        {FRONT_TYPE(JSON_STRING), "must be a text"},
        {FRONT_TYPE(JSON_NUMBER), "must be a number"},
        {FRONT_FLAG, "must be true or false"},
        {FRONT_TYPE(JSON_OBJECT), "must be an object"},
        {FRONT_TYPE(JSON_ARRAY), "must be a list"},
        {FRONT_TYPE(JSON_STRING) | FRONT_TYPE(JSON_ARRAY), "must be a text or a list"},
        {FRONT_TYPE(JSON_STRING) | FRONT_TYPE(JSON_OBJECT), "must be a text or an object"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].types == types)
            return known[i].text;
    return "has the wrong type";
}

static enum status read_member(struct front_reader *x, struct json_value key,
                               struct json_value item, const char *place,
                               const struct front_member *row, struct json_value *field)
{
    if (field->type != JSON_NONE)
        return front_bad(x, name_member(x, place, key), "is given twice");
    if (item.type != JSON_NULL && row->use == FRONT_REFUSE)
        return front_refuse(x, name_member(x, place, key), "is not offered here");
    if (item.type != JSON_NULL && row->types && !(row->types & FRONT_TYPE(item.type)))
        return front_bad(x, name_member(x, place, key), type_names(row->types));
    if (item.type != JSON_NULL && row->use == FRONT_DROP)
        dropped_add(&x->dropped, place, json_inside(key));
    *field = item;
    return OK;
}

static enum status read_unknown(struct front_reader *x, struct json_value key,
                                struct json_value item, const char *place)
{
    if (item.type == JSON_NULL)
        return OK;
    if (!x->lenient)
        return front_refuse(x, name_member(x, place, key), "is not offered here");
    dropped_add(&x->dropped, place, json_inside(key));
    return OK;
}

/* `count`: none. Nearly all differ in their first byte, and the length of a name need not be found for those. */
static size_t member_index(struct json_value key, const struct front_member *table, size_t count)
{
    char first = key.raw.ptr[1];
    size_t i = 0;
    while (i < count && ((first != '\\' && first != table[i].name[0]) ||
                         !json_string_equal(key, str_from(table[i].name))))
        i++;
    return i;
}

enum status front_members_read(struct front_reader *x, struct json_value object, const char *place,
                               const struct front_member *table, size_t count,
                               struct json_value *fields)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    memset(fields, 0, count * sizeof(fields[0]));
    if (object.type != JSON_OBJECT && !place)
        return error_set(x->err, ERR_INPUT, "the request body must be a JSON object");
    if (object.type != JSON_OBJECT)
        return front_bad(x, place, "must be an object");
    while (json_object_next(&it, &key, &item)) {
        size_t i = member_index(key, table, count);
        enum status status = i < count ? read_member(x, key, item, place, &table[i], &fields[i])
                                       : read_unknown(x, key, item, place);
        if (status != OK)
            return status;
    }
    for (size_t i = 0; i < count;
         i++) /* only now, so that null and then a value is found to be given twice */
        if (fields[i].type == JSON_NULL)
            fields[i] = (struct json_value){0};
    return OK;
}

void front_members_carry(const struct front_member *table, size_t count,
                         const struct json_value *fields, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].use == FRONT_CARRY)
            front_write_member(out, table[i].name, fields[i]);
}

/* Writing */

static void clean_buf(void *buf)
{
    buf_done(buf);
}

enum status front_body_create(struct arena *a, struct str body, struct buf **ret, struct error *err)
{
    struct buf *out = ARENA_NEW(a, struct buf);
    if (!out || arena_defer(a, clean_buf, out) != OK)
        return error_set(err, ERR_MEMORY, "the request needs more memory than one may have");
    buf_init(out, body.len * FRONT_BODY_GROWTH + FRONT_BODY_SPARE);
    *ret = out;
    return OK;
}

void front_write_or(struct buf *out, const char *name, struct json_value value,
                    const char *otherwise)
{
    buf_addf(out, ",\"%s\":", name);
    if (json_is_set(value))
        json_write_line(out, value);
    else
        buf_add_c(out, otherwise);
}

void front_write_member(struct buf *out, const char *name, struct json_value value)
{
    if (value.type != JSON_NONE)
        front_write_or(out, name, value, "null");
}

void front_write_content(struct buf *out, struct json_value content)
{
    struct json_iter it = json_iter_begin(content);
    struct json_value part;
    if (content.type != JSON_ARRAY) {
        buf_add(out, json_inside(content));
        return;
    }
    while (json_array_next(&it, &part))
        if (!json_is_set(json_get(part, "type")) ||
            json_string_equal(json_get(part, "type"), STR("text")))
            buf_add(out, json_inside(json_get(part, "text")));
}

void front_event_begin(struct buf *out, const char *name)
{
    if (name)
        buf_addf(out, "event: %s\n", name);
    buf_add_c(out, "data: ");
}

void front_event_end(struct buf *out)
{
    buf_add_c(out, "\n\n");
}

enum status front_translate(struct str body, struct arena *a, const struct front_table *table,
                            struct front_chat *ret, const char **ret_param, struct error *err)
{
    struct front_reader x = {.a = a, .err = err, .lenient = table->lenient};
    struct json_value root, fields[FRONT_MEMBERS_MAX];
    struct buf *out = NULL;
    CHECK(table->count <= FRONT_MEMBERS_MAX);
    enum status status = json_parse(body, "request body", 1, &root, err);
    if (status == OK)
        status = front_members_read(&x, root, NULL, table->rows, table->count, fields);
    if (status == OK)
        status = front_body_create(a, body, &out, err);
    if (status == OK)
        status = table->write(&x, fields, out);
    if (status != OK)
        *ret_param = x.param;
    else
        *ret = (struct front_chat){.body = buf_str(out), .dropped = x.dropped};
    return status;
}
