/* JSON Schema by interpretation: see schema.h. The schema stays text; a keyword is a row of a table with a function
 * that reads it (is it well formed?) and one that holds a value to it.
 *
 * Nothing outlives a call but what the caller's arena has. Steps and depth are counted, because a schema of a data set
 * may refer to itself. */
#include "judge/schema.h"

#include <math.h>
#include <stdio.h>

#include "judge/pattern.h"

/* A pattern of the schema, made once for all texts that are held to it. */
struct made_pattern {
    const char *place; /* of its text in the schema */
    struct pattern *pattern;
    struct made_pattern *next;
};

struct walk {
    struct json_value root;
    struct arena *arena;
    struct made_pattern *patterns;
    size_t steps, depth;
    enum status status; /* of a limit, or of memory */
    struct error *err;
};

static bool holds(struct walk *w, struct json_value schema, struct json_value value);

/* Values */

static enum status fail(struct walk *w, enum status status, const char *text)
{
    if (w->status == OK)
        w->status = error_set(w->err, status, "%s", text);
    return w->status;
}

static bool number_of(struct json_value v, double *ret)
{
    return v.type == JSON_NUMBER && json_to_double(v, ret) == OK;
}

static bool string_of(struct walk *w, struct json_value v, struct str *ret)
{
    if (v.type != JSON_STRING)
        return false;
    if (json_string_decode(v, w->arena, ret) == OK)
        return true;
    fail(w, ERR_MEMORY, "out of memory for a schema");
    return false;
}

static size_t count_of(struct json_value container)
{
    struct json_iter it = json_iter_begin(container);
    struct json_value key, item;
    size_t count = 0;
    if (container.type == JSON_OBJECT)
        while (json_object_next(&it, &key, &item))
            count++;
    else
        while (json_array_next(&it, &item))
            count++;
    return count;
}

static struct json_value member(struct walk *w, struct json_value object, struct json_value key)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name, item, found = {JSON_NONE, STR("")};
    struct str wanted;
    if (object.type != JSON_OBJECT || !string_of(w, key, &wanted))
        return found;
    while (json_object_next(&it, &name, &item))
        if (json_string_equal(name, wanted))
            found = item;
    return found;
}

static bool equal(struct walk *w, struct json_value a, struct json_value b);

static bool members_equal(struct walk *w, struct json_value a, struct json_value b)
{
    struct json_iter it = json_iter_begin(a);
    struct json_value key, item;
    while (json_object_next(&it, &key, &item))
        if (!equal(w, item, member(w, b, key)))
            return false;
    return true;
}

static bool items_equal(struct walk *w, struct json_value a, struct json_value b)
{
    struct json_iter left = json_iter_begin(a), right = json_iter_begin(b);
    struct json_value x, y;
    while (json_array_next(&left, &x))
        if (!json_array_next(&right, &y) || !equal(w, x, y))
            return false;
    return true;
}

/* As JSON Schema has it: 1 and 1.0 are equal, members have no order. */
static bool equal(struct walk *w, struct json_value a, struct json_value b)
{
    double x, y;
    struct str s;
    if (++w->steps > SCHEMA_STEPS_MAX)
        return fail(w, ERR_TOO_LARGE, "the schema takes too many steps"), false;
    if (a.type != b.type)
        return false;
    switch (a.type) {
    case JSON_NUMBER:
        return number_of(a, &x) && number_of(b, &y) && x == y;
    case JSON_STRING:
        return string_of(w, a, &s) && json_string_equal(b, s);
    case JSON_ARRAY:
        return count_of(a) == count_of(b) && items_equal(w, a, b);
    case JSON_OBJECT:
        return count_of(a) == count_of(b) && members_equal(w, a, b);
    default:
        return true;
    }
}

/* The schema that "#", "#/$defs/NAME" or "#/definitions/NAME" names; JSON_NONE: none. */
static struct json_value referred(struct walk *w, struct json_value ref)
{
    static const struct str folders[] = {STR_INIT("#/$defs/"), STR_INIT("#/definitions/")};
    struct json_value none = {JSON_NONE, STR("")}, name, item, defs;
    struct str path;
    if (!string_of(w, ref, &path))
        return none;
    if (str_equal(path, STR("#")))
        return w->root;
    for (size_t i = 0; i < 2; i++) {
        if (!str_starts(path, folders[i]))
            continue;
        defs = json_get(w->root, i == 0 ? "$defs" : "definitions");
        struct json_iter it = json_iter_begin(defs);
        while (defs.type == JSON_OBJECT && json_object_next(&it, &name, &item))
            if (json_string_equal(name, str_slice(path, folders[i].len, path.len)))
                return item;
    }
    return none;
}

/* What each keyword holds a value to; `by` is the keyword's value, `schema` what it stands in. */
typedef bool keyword_holds(struct walk *w, struct json_value schema, struct json_value by,
                           struct json_value value);

static bool is_type(struct json_value name, struct json_value value)
{
    static const struct {
        struct str name;
        enum json_type type;
    } types[] = {{STR_INIT("null"), JSON_NULL},     {STR_INIT("object"), JSON_OBJECT},
                 {STR_INIT("array"), JSON_ARRAY},   {STR_INIT("string"), JSON_STRING},
                 {STR_INIT("number"), JSON_NUMBER}, {STR_INIT("boolean"), JSON_TRUE},
                 {STR_INIT("boolean"), JSON_FALSE}};
    double number;
    if (json_string_equal(name, STR("integer")))
        return number_of(value, &number) && floor(number) == number;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (value.type == types[i].type && json_string_equal(name, types[i].name))
            return true;
    return false;
}

static bool holds_type(struct walk *w, struct json_value schema, struct json_value by,
                       struct json_value value)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value name;
    (void)w, (void)schema;
    if (by.type == JSON_STRING)
        return is_type(by, value);
    while (json_array_next(&it, &name))
        if (is_type(name, value))
            return true;
    return false;
}

static bool holds_enum(struct walk *w, struct json_value schema, struct json_value by,
                       struct json_value value)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value item;
    (void)schema;
    while (json_array_next(&it, &item))
        if (equal(w, item, value))
            return true;
    return false;
}

static bool holds_const(struct walk *w, struct json_value schema, struct json_value by,
                        struct json_value value)
{
    (void)schema;
    return equal(w, by, value);
}

static bool holds_properties(struct walk *w, struct json_value schema, struct json_value by,
                             struct json_value value)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value key, rule;
    (void)schema;
    while (value.type == JSON_OBJECT && json_object_next(&it, &key, &rule)) {
        const struct json_value found = member(w, value, key);
        if (found.type != JSON_NONE && !holds(w, rule, found))
            return false;
    }
    return true;
}

static bool holds_additional(struct walk *w, struct json_value schema, struct json_value by,
                             struct json_value value)
{
    const struct json_value properties = json_get(schema, "properties");
    struct json_iter it = json_iter_begin(value);
    struct json_value key, item;
    while (value.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        if (member(w, properties, key).type == JSON_NONE && !holds(w, by, item))
            return false;
    return true;
}

static bool holds_required(struct walk *w, struct json_value schema, struct json_value by,
                           struct json_value value)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value key;
    (void)schema;
    while (value.type == JSON_OBJECT && json_array_next(&it, &key))
        if (member(w, value, key).type == JSON_NONE)
            return false;
    return true;
}

static bool holds_items(struct walk *w, struct json_value schema, struct json_value by,
                        struct json_value value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value item;
    (void)schema;
    while (value.type == JSON_ARRAY && json_array_next(&it, &item))
        if (!holds(w, by, item))
            return false;
    return true;
}

/* Numbers compare with numbers, sizes with sizes; of anything else a limit says nothing. */
#define HOLDS_LIMIT(name, measured, comparison)                                                    \
    static bool holds_##name(struct walk *w, struct json_value schema, struct json_value by,       \
                             struct json_value value)                                              \
    {                                                                                              \
        double limit, is;                                                                          \
        (void)w, (void)schema;                                                                     \
        return !(measured) || !number_of(by, &limit) || is comparison limit;                       \
    }

static bool length_of(struct walk *w, struct json_value value, double *ret)
{
    struct str text;
    if (!string_of(w, value, &text))
        return false;
    *ret = (double)utf8_count(text);
    return true;
}

static bool items_of(struct json_value value, double *ret)
{
    *ret = (double)count_of(value);
    return value.type == JSON_ARRAY;
}

HOLDS_LIMIT(minimum, number_of(value, &is), >=)
HOLDS_LIMIT(maximum, number_of(value, &is), <=)
HOLDS_LIMIT(above, number_of(value, &is), >)
HOLDS_LIMIT(below, number_of(value, &is), <)
HOLDS_LIMIT(min_length, length_of(w, value, &is), >=)
HOLDS_LIMIT(max_length, length_of(w, value, &is), <=)
HOLDS_LIMIT(min_items, items_of(value, &is), >=)
HOLDS_LIMIT(max_items, items_of(value, &is), <=)

static const struct pattern *pattern_of(struct walk *w, struct json_value by)
{
    struct made_pattern *made = w->patterns;
    struct str expression;
    while (made && made->place != by.raw.ptr)
        made = made->next;
    if (made)
        return made->pattern;
    if (!string_of(w, by, &expression))
        return NULL;
    made = ARENA_NEW(w->arena, struct made_pattern);
    if (!made)
        return fail(w, ERR_MEMORY, "out of memory for a schema"), NULL;
    const enum status status = pattern_create(expression, w->arena, &made->pattern, w->err);
    if (status != OK) {
        w->status = w->status == OK ? status : w->status;
        return NULL;
    }
    made->place = by.raw.ptr;
    made->next = w->patterns;
    w->patterns = made;
    return made->pattern;
}

static bool holds_pattern(struct walk *w, struct json_value schema, struct json_value by,
                          struct json_value value)
{
    struct str text;
    bool found = false;
    (void)schema;
    if (!string_of(w, value, &text))
        return true;
    const struct pattern *pattern = pattern_of(w, by);
    if (!pattern)
        return false;
    const enum status status = pattern_find(pattern, text, &found, w->err);
    if (status != OK && w->status == OK)
        w->status = status;
    w->steps += SCHEMA_PATTERN_STEPS;
    return found;
}

static size_t count_holding(struct walk *w, struct json_value by, struct json_value value)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value rule;
    size_t count = 0;
    while (json_array_next(&it, &rule))
        count += holds(w, rule, value);
    return count;
}

static bool holds_any(struct walk *w, struct json_value schema, struct json_value by,
                      struct json_value value)
{
    (void)schema;
    return count_holding(w, by, value) > 0;
}

static bool holds_all(struct walk *w, struct json_value schema, struct json_value by,
                      struct json_value value)
{
    (void)schema;
    return count_holding(w, by, value) == count_of(by);
}

static bool holds_one(struct walk *w, struct json_value schema, struct json_value by,
                      struct json_value value)
{
    (void)schema;
    return count_holding(w, by, value) == 1;
}

static bool holds_not(struct walk *w, struct json_value schema, struct json_value by,
                      struct json_value value)
{
    (void)schema;
    return !holds(w, by, value);
}

static bool holds_ref(struct walk *w, struct json_value schema, struct json_value by,
                      struct json_value value)
{
    (void)schema;
    return holds(w, referred(w, by), value);
}

/* The keywords, and what their own values must be */

enum shape {
    SHAPE_ANY,     /* says nothing of its value, or takes any */
    SHAPE_SCHEMA,  /* a schema */
    SHAPE_SCHEMAS, /* a list of schemas, not empty */
    SHAPE_MEMBERS, /* an object of schemas */
    SHAPE_NUMBER,
    SHAPE_STRING,
    SHAPE_LIST,
    SHAPE_STRINGS,
    SHAPE_TYPE,
    SHAPE_PATTERN,
    SHAPE_REF,
};

static const struct keyword {
    struct str name;
    enum shape shape;
    keyword_holds *holds; /* NULL: holds a value to nothing */
} keywords[] = {
    {STR_INIT("type"), SHAPE_TYPE, holds_type},
    {STR_INIT("properties"), SHAPE_MEMBERS, holds_properties},
    {STR_INIT("required"), SHAPE_STRINGS, holds_required},
    {STR_INIT("additionalProperties"), SHAPE_SCHEMA, holds_additional},
    {STR_INIT("items"), SHAPE_SCHEMA, holds_items},
    {STR_INIT("enum"), SHAPE_LIST, holds_enum},
    {STR_INIT("const"), SHAPE_ANY, holds_const},
    {STR_INIT("minimum"), SHAPE_NUMBER, holds_minimum},
    {STR_INIT("maximum"), SHAPE_NUMBER, holds_maximum},
    {STR_INIT("exclusiveMinimum"), SHAPE_NUMBER, holds_above},
    {STR_INIT("exclusiveMaximum"), SHAPE_NUMBER, holds_below},
    {STR_INIT("minLength"), SHAPE_NUMBER, holds_min_length},
    {STR_INIT("maxLength"), SHAPE_NUMBER, holds_max_length},
    {STR_INIT("pattern"), SHAPE_PATTERN, holds_pattern},
    {STR_INIT("minItems"), SHAPE_NUMBER, holds_min_items},
    {STR_INIT("maxItems"), SHAPE_NUMBER, holds_max_items},
    {STR_INIT("anyOf"), SHAPE_SCHEMAS, holds_any},
    {STR_INIT("allOf"), SHAPE_SCHEMAS, holds_all},
    {STR_INIT("oneOf"), SHAPE_SCHEMAS, holds_one},
    {STR_INIT("not"), SHAPE_SCHEMA, holds_not},
    {STR_INIT("$ref"), SHAPE_REF, holds_ref},
    {STR_INIT("$defs"), SHAPE_MEMBERS, NULL},
    {STR_INIT("definitions"), SHAPE_MEMBERS, NULL},
    {STR_INIT("title"), SHAPE_STRING, NULL},
    {STR_INIT("description"), SHAPE_STRING, NULL},
    {STR_INIT("$comment"), SHAPE_STRING, NULL},
    {STR_INIT("$schema"), SHAPE_STRING, NULL},
    {STR_INIT("default"), SHAPE_ANY, NULL},
    {STR_INIT("examples"), SHAPE_LIST, NULL},
};

static const struct keyword *keyword_find(struct json_value key)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
        if (json_string_equal(key, keywords[i].name))
            return &keywords[i];
    return NULL;
}

static bool holds(struct walk *w, struct json_value schema, struct json_value value)
{
    struct json_iter it = json_iter_begin(schema);
    struct json_value key, by;
    bool all = schema.type != JSON_FALSE;
    if (++w->steps > SCHEMA_STEPS_MAX || w->depth >= SCHEMA_DEPTH_MAX)
        return fail(w, ERR_TOO_LARGE, "the schema takes too many steps"), false;
    w->depth++;
    while (all && w->status == OK && schema.type == JSON_OBJECT &&
           json_object_next(&it, &key, &by)) {
        const struct keyword *keyword = keyword_find(key);
        if (keyword && keyword->holds)
            all = keyword->holds(w, schema, by, value);
    }
    w->depth--;
    return all && w->status == OK;
}

enum status schema_valid(struct json_value schema, struct json_value value, struct arena *a,
                         bool *ret, struct error *err)
{
    struct walk w = {.root = schema, .arena = a, .err = err};
    const bool valid = holds(&w, schema, value);
    if (w.status == OK)
        *ret = valid;
    return w.status;
}

/* Reading */

static enum status read_schema(struct walk *w, struct json_value schema);

static enum status read_list(struct walk *w, struct json_value list, bool strings)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    enum status status = list.type == JSON_ARRAY ? OK : ERR_INPUT;
    while (status == OK && json_array_next(&it, &item))
        status = strings ? (item.type == JSON_STRING ? OK : ERR_INPUT) : read_schema(w, item);
    return status;
}

static enum status read_members(struct walk *w, struct json_value members)
{
    struct json_iter it = json_iter_begin(members);
    struct json_value key, item;
    enum status status = members.type == JSON_OBJECT ? OK : ERR_INPUT;
    while (status == OK && json_object_next(&it, &key, &item))
        status = read_schema(w, item);
    return status;
}

static bool is_type_name(struct json_value name)
{
    static const struct str names[] = {STR_INIT("null"),   STR_INIT("boolean"), STR_INIT("object"),
                                       STR_INIT("array"),  STR_INIT("number"),  STR_INIT("string"),
                                       STR_INIT("integer")};
    const size_t count = sizeof(names) / sizeof(*names);
    return name.type == JSON_STRING && json_key_index(name, names, count) < count;
}

static bool are_type_names(struct json_value by)
{
    struct json_iter it = json_iter_begin(by);
    struct json_value name;
    if (by.type != JSON_ARRAY)
        return is_type_name(by);
    while (json_array_next(&it, &name))
        if (!is_type_name(name))
            return false;
    return true;
}

static enum status read_pattern(struct walk *w, struct json_value by)
{
    struct pattern *pattern;
    struct str expression;
    if (!string_of(w, by, &expression))
        return ERR_INPUT;
    enum status status = pattern_create(expression, w->arena, &pattern, w->err);
    if (status != OK && w->status == OK)
        w->status = status;
    return status;
}

/* One piece: a line for each shape. */
static enum status read_keyword(struct walk *w, enum shape shape, struct json_value by)
{
    switch (shape) {
    case SHAPE_ANY:
        return OK;
    case SHAPE_SCHEMA:
        return read_schema(w, by);
    case SHAPE_SCHEMAS:
        return json_is_filled(by) ? read_list(w, by, false) : ERR_INPUT;
    case SHAPE_MEMBERS:
        return read_members(w, by);
    case SHAPE_NUMBER:
        return by.type == JSON_NUMBER ? OK : ERR_INPUT;
    case SHAPE_STRING:
        return by.type == JSON_STRING ? OK : ERR_INPUT;
    case SHAPE_LIST:
        return by.type == JSON_ARRAY ? OK : ERR_INPUT;
    case SHAPE_STRINGS:
        return read_list(w, by, true);
    case SHAPE_TYPE:
        return are_type_names(by) ? OK : ERR_INPUT;
    case SHAPE_PATTERN:
        return read_pattern(w, by);
    case SHAPE_REF:
        return referred(w, by).type != JSON_NONE ? OK : ERR_INPUT;
    }
    return ERR_INPUT;
}

static enum status read_object(struct walk *w, struct json_value schema)
{
    struct json_iter it = json_iter_begin(schema);
    struct json_value key, by;
    enum status status = OK;
    while (status == OK && json_object_next(&it, &key, &by)) {
        const struct keyword *keyword = keyword_find(key);
        const struct str name = json_inside(key);
        status = keyword ? read_keyword(w, keyword->shape, by) : ERR_UNSUPPORTED;
        if (status == OK || w->status != OK)
            continue;
        w->status =
            keyword ? error_set(w->err, ERR_INPUT, "schema: '%.*s' has no such value as %.*s",
                                STR_FMT(name), (int)(by.raw.len < 60 ? by.raw.len : 60), by.raw.ptr)
                    : error_set(w->err, ERR_INPUT,
                                "schema: the keyword '%.*s' is not understood here; leave it "
                                "out or say it otherwise (docs/judge.md)",
                                STR_FMT(name));
    }
    return w->status != OK ? w->status : status;
}

static enum status read_schema(struct walk *w, struct json_value schema)
{
    enum status status = ERR_INPUT;
    if (w->depth >= SCHEMA_DEPTH_MAX)
        return fail(w, ERR_TOO_LARGE, "schema: nested too deeply");
    w->depth++;
    if (schema.type == JSON_TRUE || schema.type == JSON_FALSE)
        status = OK;
    else if (schema.type == JSON_OBJECT)
        status = read_object(w, schema);
    w->depth--;
    return status;
}

enum status schema_read(struct json_value schema, struct error *err)
{
    struct walk w = {.root = schema, .arena = arena_create(1u << 20), .err = err};
    enum status status = w.arena ? read_schema(&w, schema) : ERR_MEMORY;
    if (status == ERR_MEMORY)
        status = error_set(err, ERR_MEMORY, "out of memory for a schema");
    else if (status != OK && w.status == OK)
        status = error_set(err, ERR_INPUT, "a schema is an object, true or false");
    arena_free(w.arena);
    return status;
}
