/* JSON Schema, keyword by keyword. */
#include "judge/schema.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json_value json(const char *text)
{
    struct json_value v;
    struct error err = {0};
    cr_assert_eq(json_parse(str_from(text), "test", 1, &v, &err), OK, "%s: %s", text, err.text);
    return v;
}

static enum status validate(const char *schema, const char *value, bool *ret)
{
    struct arena *a = arena_create(1u << 20);
    struct error err = {0};
    cr_assert_eq(schema_read(json(schema), &err), OK, "%s: %s", schema, err.text);
    const enum status status = schema_valid(json(schema), json(value), a, ret, &err);
    arena_free(a);
    return status;
}

static bool valid(const char *schema, const char *value)
{
    bool ret = false;
    cr_assert_eq(validate(schema, value, &ret), OK);
    return ret;
}

#define TEN "0123456789"
#define LONG                                                                                       \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN    \
        TEN TEN TEN

Test(schema, every_keyword_holds_and_does_not)
{
    static const struct {
        const char *schema, *good, *bad;
    } rows[] = {
        {"{\"type\":\"integer\"}", "2.0", "2.5"},
        {"{\"type\":[\"null\",\"string\"]}", "null", "1"},
        {"{\"type\":\"boolean\"}", "false", "0"},
        {"{\"enum\":[1,\"a\",{\"x\":[1,2],\"y\":1}]}", "{\"y\":1.0,\"x\":[1,2]}", "{\"x\":[1,2]}"},
        {"{\"const\":{\"" LONG "\":1}}", "{\"" LONG "\":1}", "{\"" LONG "\":2}"},
        {"{\"const\":\"a\\u0062\"}", "\"ab\"", "\"b\""},
        {"{\"properties\":{\"a\":{\"type\":\"number\"}}}", "{\"b\":\"x\"}", "{\"a\":\"x\"}"},
        {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1,\"b\":null}", "{\"a\":1}"},
        {"{\"properties\":{\"a\":true},\"additionalProperties\":false}", "{\"a\":1}", "{\"b\":1}"},
        {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":\"x\"}", "{\"a\":1}"},
        {"{\"items\":{\"minimum\":2}}", "[2,3,\"x\"]", "[2,1]"},
        {"{\"minItems\":1,\"maxItems\":2}", "[1,2]", "[1,2,3]"},
        {"{\"minimum\":1,\"maximum\":2}", "1", "2.1"},
        {"{\"exclusiveMinimum\":1,\"exclusiveMaximum\":2}", "1.5", "2"},
        {"{\"minLength\":2,\"maxLength\":3}", "\"\\u00e9\\u00e9\"", "\"abcd\""},
        {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", "\"aB\""},
        {"{\"anyOf\":[{\"type\":\"null\"},{\"const\":3}]}", "3", "4"},
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "2", "4"},
        {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":3}]}", "2", "4"},
        {"{\"not\":{\"type\":\"string\"}}", "1", "\"x\""},
        {"{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"number\"}}}", "1", "\"1\""},
        {"{\"type\":[\"object\",\"null\"],\"properties\":{\"next\":{\"$ref\":\"#\"}}}",
         "{\"next\":{\"next\":null}}", "{\"next\":{\"next\":1}}"},
        {"{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[1],\"$comment\":\"c\","
         "\"maximum\":1}",
         "1", "2"},
        {"true", "1", NULL},
        {"false", NULL, "1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        cr_expect(!rows[i].good || valid(rows[i].schema, rows[i].good), "%s", rows[i].schema);
        cr_expect(!rows[i].bad || !valid(rows[i].schema, rows[i].bad), "%s", rows[i].schema);
    }
}

Test(schema, what_is_not_understood_is_refused_by_name)
{
    static const char *const rows[][2] = {
        {"{\"multipleOf\":2}", "multipleOf"},
        {"{\"properties\":{\"a\":{\"format\":\"email\"}}}", "format"},
        {"{\"anyOf\":[{\"if\":true}]}", "'if'"},
        {"{\"type\":\"text\"}", "type"},
        {"{\"required\":\"a\"}", "required"},
        {"{\"minimum\":\"1\"}", "minimum"},
        {"{\"anyOf\":[]}", "anyOf"},
        {"{\"$ref\":\"#/$defs/none\"}", "$ref"},
        {"{\"$ref\":\"http://elsewhere\"}", "$ref"},
        {"{\"pattern\":\"(\"}", "regular expression"},
        {"3", "object"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct error err = {0};
        cr_expect_eq(schema_read(json(rows[i][0]), &err), ERR_INPUT, "%s", rows[i][0]);
        cr_expect_not_null(strstr(err.text, rows[i][1]), "%s: %s", rows[i][0], err.text);
    }
}

Test(schema, what_never_ends_is_ended)
{
    bool ret = true;
    cr_expect_eq(validate("{\"$ref\":\"#\"}", "1", &ret), ERR_TOO_LARGE);
    cr_expect_eq(validate("{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}", "1", &ret),
                 ERR_TOO_LARGE);
    cr_expect(ret);
}

Test(schema, patterns_are_told_apart_and_counted)
{
    struct buf list;
    const char *both = "{\"items\":{\"allOf\":[{\"pattern\":\"a\"},{\"pattern\":\"\\u0062\"}]}}";
    bool ret = false;
    cr_expect(valid(both, "[\"ab\",\"ba\",\"cab\"]"));
    cr_expect_not(valid(both, "[\"ab\",\"a\"]"));
    cr_expect_not(valid(both, "[\"ab\",\"b\"]"));
    buf_init(&list, 1u << 20);
    for (int i = 0; i < 20000; i++)
        buf_add_c(&list, i ? ",\"ab\"" : "[\"ab\"");
    buf_add_c(&list, "]");
    char *text = buf_take(&list);
    cr_assert_not_null(text);
    cr_expect_eq(validate(both, text, &ret), ERR_TOO_LARGE);
    cr_expect_eq(validate("{\"items\":{\"type\":\"string\"}}", text, &ret), OK);
    cr_expect(ret);
    free(text);
    buf_done(&list);
}
