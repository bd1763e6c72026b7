/* log_json.h: whatever a line holds, it becomes one JSON object with the same fields. */
#include "base/log_json.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/json.h"

static char text[2048];

static struct json_value parsed(struct str line, size_t size)
{
    struct json_value root = {0};
    struct error err = {0};
    memset(text, 'Z', sizeof(text));
    size_t n = log_json_write(text, size, line);
    cr_assert_leq(n, size);
    cr_assert_eq(json_parse((struct str){text, n}, "line", 1, &root, &err), OK, "%s\n%.*s",
                 err.text, (int)n, text);
    cr_assert_eq(root.type, JSON_OBJECT);
    cr_assert(utf8_printable((struct str){text, n}));
    for (size_t i = n; i < sizeof(text); i++)
        cr_assert_eq(text[i], 'Z', "nothing behind its end");
    return root;
}

static void expect_json(struct str line, const char *expected)
{
    struct json_value root = parsed(line, sizeof(text));
    cr_assert(str_equal(root.raw, str_from(expected)), "%.*s", STR_FMT(root.raw));
}

Test(log_json, pairs_become_members)
{
    expect_json(STR("ts=2026-12-01T10:00:00.123Z level=info msg=\"a message\" status=200"),
                "{\"ts\":\"2026-12-01T10:00:00.123Z\",\"level\":\"info\",\"msg\":\"a message\","
                "\"status\":200}");
    expect_json(STR(""), "{}");
    expect_json(STR("  a=1   b=x  "), "{\"a\":1,\"b\":\"x\"}");
    expect_json(STR("empty= quoted=\"\""), "{\"empty\":\"\",\"quoted\":\"\"}");
}

Test(log_json, numbers_are_those_of_json)
{
    expect_json(STR("a=0 b=-1 c=0.000310000 d=1e9 e=1.5E-7"),
                "{\"a\":0,\"b\":-1,\"c\":0.000310000,\"d\":1e9,\"e\":1.5E-7}");
    expect_json(STR("a=01 b=.5 c=1. d=nan e=0x1f f=- g=1e h=inf i=--1"),
                "{\"a\":\"01\",\"b\":\".5\",\"c\":\"1.\",\"d\":\"nan\",\"e\":\"0x1f\",\"f\":\"-\","
                "\"g\":\"1e\",\"h\":\"inf\",\"i\":\"--1\"}");
    expect_json(STR("a=\"12\""), "{\"a\":\"12\"}");
}

Test(log_json, names_are_strings_whatever_they_look_like)
{
    expect_json(STR("model=1234567890123456 expert=7 policy=0 req=1 n=7"),
                "{\"model\":\"1234567890123456\",\"expert\":\"7\",\"policy\":\"0\",\"req\":\"1\","
                "\"n\":7}");
}

Test(log_json, escapes_change_from_one_form_to_the_other)
{
    expect_json(STR("a=\"say \\\"hi\\\"\" b=\"back\\\\slash\" c=\"byte \\xff\""),
                "{\"a\":\"say \\\"hi\\\"\",\"b\":\"back\\\\slash\",\"c\":\"byte \\\\xff\"}");
    expect_json(STR("a=\"x=1 y=\\\"2\\\" }\" b=\xe2\x82\xac"),
                "{\"a\":\"x=1 y=\\\"2\\\" }\",\"b\":\"\xe2\x82\xac\"}");
}

Test(log_json, hostile_values_stay_inside_their_member)
{
    expect_json(STR("a=x\",\"level\":\"error b=1"),
                "{\"a\":\"x\\\",\\\"level\\\":\\\"error\",\"b\":1}");
    expect_json(STR("level=info a=x level=error"), "{\"level\":\"info\",\"a\":\"x\"}");
    expect_json(STR("a=two words b=\"q\"u\" c=1"),
                "{\"a\":\"two words\",\"b\":\"\\\"q\\\"u\\\"\",\"c\":1}");
    expect_json(STR("stray words a=1"), "{\"text\":\"stray words\",\"a\":1}");
    expect_json(STR("a=\"q\" stray"), "{\"a\":\"q\",\"text\":\"stray\"}");
    expect_json(STR("=1 a=\"cut off"), "{\"text\":\"=1\",\"a\":\"cut off\"}");
    expect_json(STR("a=\n\x01\x7f b=\"\xff\xc3\""),
                "{\"a\":\"\\u000a\\u0001\\u007f\",\"b\":\"\xef\xbf\xbd\xef\xbf\xbd\"}");
    expect_json(STR("a\"b\\=1"), "{\"a\\\"b\\\\\":1}");
    expect_json(STR("a=\"ends in \\"), "{\"a\":\"ends in \\\\\"}");
}

Test(log_json, what_has_no_room_is_cut_and_said)
{
    static const char line[] = "ts=2026-12-01T10:00:00.123Z level=info msg=\"a \\\"long\\\" "
                               "message \xe2\x82\xac\xe2\x82\xac\" status=200 total_ms=1234567";
    const struct str all = {line, sizeof(line) - 1};
    bool was_whole = false;
    for (size_t size = LOG_JSON_BYTES_MIN; size < 256; size++) {
        struct json_value root = parsed(all, size);
        bool whole = json_get(root, "total_ms").type == JSON_NUMBER;
        cr_assert_eq(json_get(root, "cut").type, whole ? JSON_NONE : JSON_TRUE);
        cr_assert(whole || !was_whole);
        was_whole = whole;
    }
    cr_assert(was_whole);
}

Test(log_json, more_fields_than_there_may_be)
{
    char line[2048];
    size_t n = 0;
    for (int i = 0; i < 120; i++)
        n += (size_t)snprintf(line + n, sizeof(line) - n, "k%d=%d ", i, i);
    struct json_value root = parsed((struct str){line, n}, sizeof(text));
    cr_assert_eq(json_get(root, "k95").type, JSON_NUMBER);
    cr_assert_eq(json_get(root, "k96").type, JSON_NONE);
    cr_assert_eq(json_get(root, "cut").type, JSON_TRUE);
}
