/* A JSON schema's parts become rules, one each, named r1, r2 and so on; what a $ref names is written once, so that
 * schemas may hold themselves. Objects are chains: behind each member comes the next one, or for those that may be
 * left out the one after it. What JSON Schema knows and a grammar cannot say is refused by name; what it does not
 * know, it holds for a remark, and so do we. Any thread; all memory is the caller's. */
#include "infer/schema_grammar.h"

#include <stdio.h>
#include <string.h>

#include "infer/schema_int.h"

#define PATH_BYTES 256 /* of the place that an error names */

struct schema_known {
    const char *at; /* the schema's first byte */
    unsigned rule;
    struct schema_known *next;
};

struct place { /* where in the schema we are, for messages */
    const struct place *in;
    const char *step;
    struct str name; /* of a member; empty: none */
};

struct writer {
    struct schema_grammar *g;
    const char *name; /* of the whole schema, for messages */
    struct error *err;
};

struct property {
    struct json_value key, schema; /* JSON_NONE: any value */
    bool required;
};

/* Complaints */

static void write_place(const struct place *p, struct buf *out)
{
    if (!p)
        return;
    write_place(p->in, out);
    buf_addf(out, "/%s", p->step);
    if (p->name.len > 0)
        buf_addf(out, "/%.*s", STR_FMT(p->name));
}

static enum status fail(const struct writer *w, const struct place *at, enum status status,
                        const char *what)
{
    struct buf path;
    char shown[PATH_BYTES];
    buf_init(&path, 1u << 16);
    write_place(at, &path);
    utf8_make_printable(shown, sizeof(shown), buf_str(&path));
    buf_done(&path);
    return error_set(w->err, status, "%s#%s: %s", w->name, shown, what);
}

/* What number or pattern complained of, with its place. */
static enum status pass_on(const struct writer *w, const struct place *at, enum status status,
                           const struct error *cause)
{
    return status == OK ? OK : fail(w, at, status, cause->text);
}

/* What no grammar can say, whatever its value, but for those with which it says nothing. */
static enum status check_keywords(const struct writer *w, struct json_value schema,
                                  const struct place *at)
{
    static const char *const unsaid[] = {
        "not",           "if",          "dependentRequired", "dependentSchemas", "dependencies",
        "propertyNames", "contains",    "patternProperties", "minProperties",    "maxProperties",
        "$dynamicRef",   "uniqueItems", "contentEncoding",   "$recursiveRef"};
    char text[PATH_BYTES];
    for (size_t i = 0; i < sizeof(unsaid) / sizeof(*unsaid); i++) {
        struct json_value v = json_get(schema, unsaid[i]);
        if (v.type == JSON_NONE || v.type == JSON_FALSE)
            continue;
        snprintf(text, sizeof(text), "%s cannot be kept to; leave it out", unsaid[i]);
        return fail(w, at, ERR_UNSUPPORTED, text);
    }
    return OK;
}

/* Beside a $ref, or a choice, which stand for all of a schema here. */
static enum status check_alone(const struct writer *w, struct json_value schema, const char *key,
                               const struct place *at)
{
    static const char *const others[] = {
        "type",      "properties", "required",  "items",   "prefixItems",      "minItems",
        "maxItems",  "minLength",  "maxLength", "pattern", "minimum",          "maximum",
        "anyOf",     "oneOf",      "allOf",     "$ref",    "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf"};
    char text[PATH_BYTES];
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (strcmp(key, others[i]) == 0 || json_get(schema, others[i]).type == JSON_NONE)
            continue;
        snprintf(text, sizeof(text), "%s beside %s cannot be kept to; put it inside", others[i],
                 key);
        return fail(w, at, ERR_UNSUPPORTED, text);
    }
    return OK;
}

/* Texts */

void schema_literal_write(struct buf *out, struct str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_addf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_addf(out, "\\x%02X", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

/* A value as it will stand in the answer. */
static void write_value(const struct writer *w, struct json_value v, struct buf *out)
{
    struct buf json;
    struct str text;
    buf_init(&json, SCHEMA_TEXT_BYTES_MAX);
    if (v.type == JSON_STRING && json_string_decode(v, w->g->arena, &text) == OK)
        json_write_string(&json, text);
    else
        json_write_line(&json, v);
    schema_literal_write(out, buf_str(&json));
    if (json.status != OK)
        out->status = json.status;
    buf_done(&json);
}

static enum status write_schema(struct writer *w, struct json_value schema, const struct place *at,
                                unsigned depth, struct buf *out);

/* A rule of its own for a schema; the one there is where it has been met before. One piece: it is known before it is
 * written, because it may name itself. */
static enum status add_rule(struct writer *w, struct json_value schema, const struct place *at,
                            unsigned depth, unsigned *ret)
{
    struct schema_grammar *g = w->g;
    for (const struct schema_known *k = g->known; k; k = k->next)
        if (k->at == schema.raw.ptr) {
            *ret = k->rule;
            return OK;
        }
    if (depth > SCHEMA_DEPTH_MAX)
        return fail(w, at, ERR_TOO_LARGE, "schemas are nested too deep");
    if (g->rules >= SCHEMA_RULES_MAX)
        return fail(w, at, ERR_TOO_LARGE, "the schema has too many parts");
    struct schema_known *known = ARENA_NEW(g->arena, struct schema_known);
    if (!known)
        return error_set(w->err, ERR_MEMORY, "out of memory for a schema");
    *known = (struct schema_known){schema.raw.ptr, ++g->rules, g->known};
    g->known = known;
    struct buf text;
    buf_init(&text, SCHEMA_TEXT_BYTES_MAX);
    enum status status = write_schema(w, schema, at, depth, &text);
    if (status == OK)
        status = buf_status(&text, w->err);
    if (status == OK)
        buf_addf(g->out, "r%u ::= %.*s\n", known->rule, STR_FMT(buf_str(&text)));
    buf_done(&text);
    *ret = known->rule;
    return status;
}

/* A part, by the name of its rule; `schema` absent: any value. */
static enum status write_part(struct writer *w, struct json_value schema, const struct place *at,
                              unsigned depth, struct buf *out)
{
    unsigned rule;
    if (schema.type == JSON_NONE || schema.type == JSON_TRUE) {
        buf_add_c(out, "value");
        return OK;
    }
    enum status status = add_rule(w, schema, at, depth + 1, &rule);
    if (status == OK)
        buf_addf(out, "r%u", rule);
    return status;
}

/* Choices */

static enum status write_enum(struct writer *w, struct json_value list, const struct place *at,
                              struct buf *out)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    bool any = false;
    for (; json_array_next(&it, &item); any = true) {
        buf_add_c(out, any ? " | " : "");
        write_value(w, item, out);
    }
    return any ? OK : fail(w, at, ERR_INPUT, "enum must be a list with an item");
}

static enum status write_any_of(struct writer *w, struct json_value schema, const char *key,
                                const struct place *in, unsigned depth, struct buf *out)
{
    const struct place at = {in, key, {0}};
    struct json_value list = json_get(schema, key), item;
    struct json_iter it = json_iter_begin(list);
    bool any = false, all = strcmp(key, "allOf") == 0;
    enum status status = check_alone(w, schema, key, in);
    for (; status == OK && json_array_next(&it, &item); any = true) {
        if (any && all)
            return fail(w, in, ERR_UNSUPPORTED,
                        "allOf of several schemas cannot be kept to; write them as one");
        buf_add_c(out, any ? " | " : "");
        status = write_part(w, item, &at, depth, out);
    }
    return status != OK || any ? status : fail(w, in, ERR_INPUT, "a choice must be a list");
}

/* By JSON pointers (RFC 6901) into the same schema. */
static enum status write_ref(struct writer *w, struct json_value schema, const struct place *in,
                             unsigned depth, struct buf *out)
{
    const struct place at = {in, "$ref", {0}};
    struct json_value to = w->g->root;
    struct str path;
    enum status status = check_alone(w, schema, "$ref", in);
    if (status != OK)
        return status;
    if (json_string_decode(json_get(schema, "$ref"), w->g->arena, &path) != OK ||
        !str_starts(path, STR("#")) || (path.len > 1 && path.ptr[1] != '/'))
        return fail(w, in, ERR_UNSUPPORTED, "$ref must be a place in this schema, like #/$defs/x");
    struct str rest = str_slice(path, 2, path.len);
    while (path.len > 1 && rest.len > 0) {
        char key[PATH_BYTES];
        struct str step = str_split(&rest, '/');
        size_t n = 0;
        for (size_t i = 0; i < step.len && n + 1 < sizeof(key); i++, n++) {
            key[n] = step.ptr[i];
            if (key[n] == '~' && i + 1 < step.len)
                key[n] = step.ptr[++i] == '1' ? '/' : '~';
        }
        key[n] = '\0';
        to = json_get(to, key);
    }
    if (to.type != JSON_OBJECT && to.type != JSON_TRUE)
        return fail(w, in, ERR_INPUT, "$ref names a schema that is not there");
    return write_part(w, to, &at, depth, out);
}

/* Kinds of values */

/* Formats that a few characters say; of other kinds of values a format is a remark. */
static const char *format_rule(struct json_value format)
{
    static const char *const rules[][2] = {
        {"date", "\"\\\"\" date \"\\\"\""},
        {"time", "\"\\\"\" time \"\\\"\""},
        {"date-time", "\"\\\"\" date \"T\" time \"\\\"\""},
        {"uuid", "\"\\\"\" hex{8} \"-\" hex{4} \"-\" hex{4} \"-\" hex{4} \"-\" hex{12} \"\\\"\""},
        {"ipv4", "\"\\\"\" octet \".\" octet \".\" octet \".\" octet \"\\\"\""}};
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        if (json_string_equal(format, str_from(rules[i][0])))
            return rules[i][1];
    return NULL;
}

/* A count of characters or items; *ret stays where there is none. */
static enum status read_count(const struct writer *w, struct json_value schema, const char *key,
                              const struct place *at, int64_t *ret)
{
    struct json_value v = json_get(schema, key);
    int64_t n = 0;
    char text[PATH_BYTES];
    if (v.type == JSON_NONE)
        return OK;
    bool good = v.type == JSON_NUMBER && json_to_int64(v, &n) == OK && n >= 0;
    if (good && n <= SCHEMA_REPEATS_MAX) {
        *ret = n;
        return OK;
    }
    snprintf(text, sizeof(text), good ? "%s above %d cannot be kept to" : "%s must be from 0 to %d",
             key, SCHEMA_REPEATS_MAX);
    return fail(w, at, good ? ERR_UNSUPPORTED : ERR_INPUT, text);
}

/* "{2,}", "{2,5}" */
static void write_counts(struct buf *out, int64_t least, int64_t most)
{
    if (most < 0)
        buf_addf(out, "{%lld,}", (long long)least);
    else
        buf_addf(out, "{%lld,%lld}", (long long)least, (long long)most);
}

/* One piece: three ways to say what is in a text, of which a schema may use one. */
static enum status write_text(struct writer *w, struct json_value schema, const struct place *at,
                              struct buf *out)
{
    struct json_value pattern = json_get(schema, "pattern"), format = json_get(schema, "format");
    int64_t least = 0, most = -1;
    struct error cause;
    struct str text;
    enum status status = read_count(w, schema, "minLength", at, &least);
    if (status == OK)
        status = read_count(w, schema, "maxLength", at, &most);
    if (status != OK)
        return status;
    bool counted = least > 0 || most >= 0;
    bool shaped = pattern.type != JSON_NONE || format.type != JSON_NONE;
    if (pattern.type != JSON_NONE && format.type != JSON_NONE)
        return fail(w, at, ERR_UNSUPPORTED, "pattern beside format cannot be kept to");
    if (counted && shaped)
        return fail(w, at, ERR_UNSUPPORTED,
                    "minLength and maxLength beside a pattern or a format cannot be kept to");
    if (most >= 0 && most < least)
        return fail(w, at, ERR_INPUT, "maxLength is less than minLength");
    if (format.type != JSON_NONE) {
        const char *rule = format_rule(format);
        buf_add_c(out, rule ? rule : "");
        return rule ? OK
                    : fail(w, at, ERR_UNSUPPORTED,
                           "this format cannot be kept to; known are date, time, date-time, uuid "
                           "and ipv4");
    }
    if (pattern.type != JSON_NONE) {
        if (json_string_decode(pattern, w->g->arena, &text) != OK)
            return fail(w, at, ERR_INPUT, "pattern must be a text");
        buf_add_c(out, "\"\\\"\" ");
        status = schema_pattern_write(text, out, &cause);
        buf_add_c(out, " \"\\\"\"");
        return pass_on(w, at, status, &cause);
    }
    if (!counted) {
        buf_add_c(out, "string");
        return OK;
    }
    buf_add_c(out, "\"\\\"\" char");
    write_counts(out, least, most);
    buf_add_c(out, " \"\\\"\"");
    return OK;
}

/* A list whose first items have a schema each holds these, and none behind them. */
static enum status write_tuple(struct writer *w, struct json_value list, int64_t least,
                               int64_t most, const struct place *in, unsigned depth,
                               struct buf *out)
{
    const struct place at = {in, "prefixItems", {0}};
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    int64_t count = 0;
    enum status status = OK;
    buf_add_c(out, "\"[\" ws");
    for (; status == OK && json_array_next(&it, &item); count++) {
        buf_add_c(out, count ? " \",\" ws " : " ");
        status = write_part(w, item, &at, depth, out);
    }
    buf_add_c(out, " ws \"]\"");
    if (status == OK && (count < least || (most >= 0 && count > most)))
        return fail(w, in, ERR_UNSUPPORTED,
                    "prefixItems can be kept to if there are as many items as it lists");
    return status;
}

/* One piece: what a list says of its items, by what goes before what. */
static enum status write_list(struct writer *w, struct json_value schema, const struct place *in,
                              unsigned depth, struct buf *out)
{
    const struct place at = {in, "items", {0}};
    struct json_value items = json_get(schema, "items"), tuple = json_get(schema, "prefixItems");
    int64_t least = 0, most = -1;
    enum status status = read_count(w, schema, "minItems", in, &least);
    if (status == OK)
        status = read_count(w, schema, "maxItems", in, &most);
    if (status != OK)
        return status;
    if (most >= 0 && most < least)
        return fail(w, in, ERR_INPUT, "maxItems is less than minItems");
    if (tuple.type != JSON_NONE)
        return write_tuple(w, tuple, least, most, in, depth, out);
    if (items.type == JSON_FALSE)
        most = 0;
    if (most == 0) {
        buf_add_c(out, "\"[\" ws \"]\"");
        return least == 0 ? OK : fail(w, in, ERR_INPUT, "no list can be as the schema says");
    }
    buf_add_c(out, "\"[\" ws (");
    status = write_part(w, items, &at, depth, out);
    buf_add_c(out, " (\",\" ws ");
    if (status == OK)
        status = write_part(w, items, &at, depth, out);
    buf_add_char(out, ')');
    write_counts(out, least > 0 ? least - 1 : 0, most < 0 ? -1 : most - 1);
    buf_add_c(out, least > 0 ? ") ws \"]\"" : ")? ws \"]\"");
    return status;
}

/* Objects */

static bool key_equal(const struct writer *w, struct json_value a, struct json_value b)
{
    struct str text;
    return json_string_decode(a, w->g->arena, &text) == OK && json_string_equal(b, text);
}

static enum status add_property(struct writer *w, struct property *list, size_t *count,
                                struct property p, const struct place *at)
{
    if (*count == SCHEMA_PROPERTIES_MAX)
        return fail(w, at, ERR_TOO_LARGE, "an object has too many properties");
    list[(*count)++] = p;
    return OK;
}

/* Those that `properties` lists, then those that are only required. */
static enum status read_properties(struct writer *w, struct json_value schema,
                                   const struct place *at, struct property *list, size_t *count)
{
    struct json_value properties = json_get(schema, "properties"), key, item;
    struct json_iter it = json_iter_begin(properties);
    enum status status = OK;
    if (properties.type != JSON_NONE && properties.type != JSON_OBJECT)
        return fail(w, at, ERR_INPUT, "properties must be an object");
    while (status == OK && json_object_next(&it, &key, &item))
        status = add_property(w, list, count, (struct property){key, item, false}, at);
    it = json_iter_begin(json_get(schema, "required"));
    while (status == OK && json_array_next(&it, &item)) {
        size_t i = 0;
        if (item.type != JSON_STRING)
            return fail(w, at, ERR_INPUT, "required must be a list of names");
        while (i < *count && !key_equal(w, list[i].key, item))
            i++;
        if (i < *count)
            list[i].required = true;
        else
            status = add_property(
                w, list, count,
                (struct property){item, json_get(schema, "additionalProperties"), true}, at);
    }
    return status;
}

/* "oN-I-0": the members from the Ith on where none stands in front, "oN-I-1" where one does. One piece: both differ
 * in a comma only. */
static enum status write_members(struct writer *w, const struct property *list, size_t count,
                                 unsigned object, const struct place *in, unsigned depth)
{
    struct buf part;
    enum status status = OK;
    buf_init(&part, SCHEMA_TEXT_BYTES_MAX);
    for (size_t i = 0; i < count && status == OK; i++) {
        struct str name = json_inside(list[i].key);
        const struct place at = {in, "properties", name};
        buf_clear(&part);
        write_value(w, list[i].key, &part);
        buf_add_c(&part, " \":\" ws ");
        if (list[i].schema.type == JSON_FALSE && !list[i].required) {
            buf_addf(w->g->out, "o%u-%zu-0 ::= o%u-%zu-0\no%u-%zu-1 ::= o%u-%zu-1\n", object, i,
                     object, i + 1, object, i, object, i + 1);
            continue;
        }
        status = write_part(w, list[i].schema, &at, depth, &part);
        if (status == OK)
            status = buf_status(&part, w->err);
        for (int behind = 0; behind < 2 && status == OK; behind++) {
            buf_addf(w->g->out, "o%u-%zu-%d ::= %s%.*s o%u-%zu-1", object, i, behind,
                     behind ? "\",\" ws " : "", STR_FMT(buf_str(&part)), object, i + 1);
            if (!list[i].required)
                buf_addf(w->g->out, " | o%u-%zu-%d", object, i + 1, behind);
            buf_add_char(w->g->out, '\n');
        }
    }
    buf_done(&part);
    if (status == OK)
        buf_addf(w->g->out, "o%u-%zu-0 ::= \"}\"\no%u-%zu-1 ::= ws \"}\"\n", object, count, object,
                 count);
    return status;
}

/* One piece: the three kinds of objects. */
static enum status write_object(struct writer *w, struct json_value schema, const struct place *in,
                                unsigned depth, struct buf *out)
{
    const struct place at = {in, "additionalProperties", {0}};
    struct json_value more = json_get(schema, "additionalProperties");
    struct property *list = ARENA_ARRAY(w->g->arena, SCHEMA_PROPERTIES_MAX, struct property);
    size_t count = 0;
    if (!list)
        return error_set(w->err, ERR_MEMORY, "out of memory for a schema");
    enum status status = read_properties(w, schema, in, list, &count);
    if (status != OK)
        return status;
    if (count > 0 || more.type == JSON_FALSE) {
        unsigned object = ++w->g->rules;
        buf_addf(out, "\"{\" ws o%u-0-0", object);
        return write_members(w, list, count, object, in, depth);
    }
    if (more.type == JSON_NONE || more.type == JSON_TRUE) {
        buf_add_c(out, "object");
        return OK;
    }
    buf_add_c(out, "\"{\" ws (string \":\" ws ");
    status = write_part(w, more, &at, depth, out);
    buf_add_c(out, " (\",\" ws string \":\" ws ");
    if (status == OK)
        status = write_part(w, more, &at, depth, out);
    buf_add_c(out, ")*)? ws \"}\"");
    return status;
}

/* The schema as a whole */

static enum status write_type(struct writer *w, struct json_value schema, struct json_value type,
                              const struct place *at, unsigned depth, struct buf *out)
{
    struct error cause;
    if (json_string_equal(type, STR("object")))
        return write_object(w, schema, at, depth, out);
    if (json_string_equal(type, STR("array")))
        return write_list(w, schema, at, depth, out);
    if (json_string_equal(type, STR("string")))
        return write_text(w, schema, at, out);
    bool whole = json_string_equal(type, STR("integer"));
    if (whole || json_string_equal(type, STR("number")))
        return pass_on(w, at, schema_number_write(schema, whole, out, &cause), &cause);
    bool null = json_string_equal(type, STR("null"));
    if (!null && !json_string_equal(type, STR("boolean")))
        return fail(w, at, ERR_INPUT,
                    "type must be object, array, string, number, integer, boolean or null");
    buf_add_c(out, null ? "\"null\"" : "(\"true\" | \"false\")");
    return OK;
}

/* What a schema without a type is about, by what it says; NULL: any value. */
static const char *implied_type(struct json_value schema)
{
    static const char *const signs[][2] = {{"properties", "\"object\""},
                                           {"required", "\"object\""},
                                           {"additionalProperties", "\"object\""},
                                           {"items", "\"array\""},
                                           {"prefixItems", "\"array\""},
                                           {"minItems", "\"array\""},
                                           {"maxItems", "\"array\""},
                                           {"pattern", "\"string\""},
                                           {"minLength", "\"string\""},
                                           {"maxLength", "\"string\""},
                                           {"format", "\"string\""},
                                           {"minimum", "\"number\""},
                                           {"maximum", "\"number\""},
                                           {"exclusiveMinimum", "\"number\""},
                                           {"exclusiveMaximum", "\"number\""},
                                           {"multipleOf", "\"number\""}};
    for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
        if (json_get(schema, signs[i][0]).type != JSON_NONE)
            return signs[i][1];
    return NULL;
}

static enum status write_typed(struct writer *w, struct json_value schema, const struct place *at,
                               unsigned depth, struct buf *out)
{
    struct json_value type = json_get(schema, "type"), item;
    struct json_iter it = json_iter_begin(type);
    const char *implied = implied_type(schema);
    bool any = false;
    enum status status = OK;
    if (type.type == JSON_NONE && !implied) {
        buf_add_c(out, "value");
        return OK;
    }
    if (type.type == JSON_NONE)
        type = (struct json_value){JSON_STRING, str_from(implied)};
    if (type.type != JSON_ARRAY)
        return write_type(w, schema, type, at, depth, out);
    for (; status == OK && json_array_next(&it, &item); any = true) {
        buf_add_c(out, any ? " | " : "");
        status = write_type(w, schema, item, at, depth, out);
    }
    return status != OK || any ? status : fail(w, at, ERR_INPUT, "type must not be empty");
}

/* One piece: the ways to say a schema, by which goes before which. */
static enum status write_schema(struct writer *w, struct json_value schema, const struct place *at,
                                unsigned depth, struct buf *out)
{
    static const char *const choices[] = {"anyOf", "oneOf", "allOf"};
    if (schema.type == JSON_FALSE)
        return fail(w, at, ERR_INPUT, "no value is allowed here");
    if (schema.type != JSON_OBJECT)
        return fail(w, at, ERR_INPUT, "a schema must be an object");
    enum status status = check_keywords(w, schema, at);
    if (status != OK)
        return status;
    if (json_get(schema, "$ref").type != JSON_NONE)
        return write_ref(w, schema, at, depth, out);
    struct json_value only = json_get(schema, "const");
    if (only.type != JSON_NONE) {
        write_value(w, only, out);
        return OK;
    }
    if (json_get(schema, "enum").type != JSON_NONE)
        return write_enum(w, json_get(schema, "enum"), at, out);
    for (size_t i = 0; i < 3; i++)
        if (json_get(schema, choices[i]).type != JSON_NONE)
            return write_any_of(w, schema, choices[i], at, depth, out);
    return write_typed(w, schema, at, depth, out);
}

void schema_grammar_begin(struct schema_grammar *g, struct arena *arena, struct buf *out)
{
    *g = (struct schema_grammar){.out = out, .arena = arena};
}

enum status schema_grammar_add(struct schema_grammar *g, const char *rule, struct json_value schema,
                               const char *place, struct error *err)
{
    struct writer w = {g, place, err};
    struct buf text;
    g->root = schema;
    buf_init(&text, SCHEMA_TEXT_BYTES_MAX);
    enum status status = write_part(&w, schema, NULL, 0, &text);
    if (status == OK)
        buf_addf(g->out, "%s ::= %.*s\n", rule, STR_FMT(buf_str(&text)));
    buf_done(&text);
    return status == OK ? buf_status(g->out, err) : status;
}

/* Numbers are bounded so that each is a finite double; texts write no halves of surrogate pairs. */
void schema_grammar_end(struct schema_grammar *g)
{
    buf_add_c(
        g->out,
        "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
        "object ::= \"{\" ws (string \":\" ws value (\",\" ws string \":\" ws value)* ws)? \"}\"\n"
        "array ::= \"[\" ws (value (\",\" ws value)* ws)? \"]\"\n"
        "string ::= \"\\\"\" char* \"\\\"\"\n"
        "char ::= [^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u00\" [01] hex)\n"
        "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,14})\n"
        "number ::= integer (\".\" [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?\n"
        "date ::= [12] [0-9]{3} \"-\" (\"0\" [1-9] | \"1\" [0-2]) \"-\" (\"0\" [1-9] | \"1\" [0-9] "
        "| \"2\" [0-8])\n"
        "time ::= ([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9] \":\" [0-5] [0-9] (\".\" "
        "[0-9]{1,6})? (\"Z\" | [-+] ([01] [0-9] | \"2\" [0-3]) \":\" [0-5] [0-9])\n"
        "octet ::= \"25\" [0-5] | \"2\" [0-4] [0-9] | \"1\" [0-9] [0-9] | [1-9]? [0-9]\n"
        "hex ::= [0-9a-fA-F]\n"
        "ws ::= (\" \" | \"\\n\" \" \"{0,12})?\n");
}
