/* json.h: what RFC 8259 accepts and rejects, where errors are, and look-ups over spans. The tables follow the
 * cases that parsers are known to get wrong (Seriot, "Parsing JSON is a Minefield"). */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/rng.h"

/* Parses a copy without a NUL behind it, so that a read past the end is caught; *ret points into *copy. */
static enum status parse_tight(struct str text, char **copy, struct json_value *ret,
                               struct error *err)
{
    *copy = malloc(text.len ? text.len : 1);
    memcpy(*copy, text.ptr, text.len);
    return json_parse((struct str){*copy, text.len}, "t", 1, ret, err);
}

static enum status status_of(struct str text)
{
    char *copy;
    struct json_value value;
    enum status status = parse_tight(text, &copy, &value, NULL);
    free(copy);
    return status;
}

static const char *const accepted[] = {"0",
                                       "-0",
                                       "1",
                                       "-1",
                                       "10",
                                       "1.5",
                                       "-0.0",
                                       "1e5",
                                       "1E+5",
                                       "1e-05",
                                       "0e0",
                                       "1.0e0",
                                       "123456789012345678901234567890",
                                       "1e999",
                                       "\"\"",
                                       "\"a\"",
                                       "\"\\u0000\"",
                                       "\"\\ud83d\\ude00\"",
                                       "\"\\ud800\"",
                                       "\"\\/\\\\\\\"\\b\\f\\n\\r\\t\"",
                                       "\"\x7f\"",
                                       "\"\xc3\xa9\"",
                                       "\"\xef\xbf\xbf\"",
                                       "\"\xe2\x80\xa8\"",
                                       "true",
                                       "false",
                                       "null",
                                       "[]",
                                       "{}",
                                       "[ ]",
                                       "{ }",
                                       "[1]",
                                       "[1,2]",
                                       "[[]]",
                                       "[{}]",
                                       "[[[[]]]]",
                                       "{\"a\":1}",
                                       "{\"\":0}",
                                       "{\"a\":[],\"b\":{}}",
                                       "{\"a\":1,\"a\":2}",
                                       " \t\r\n[ 1 , 2 ] \n",
                                       "{ \"a\" : { \"b\" : null } , \"c\" : [ true ] }",
                                       "[null,1,\"1\",{}]",
                                       "\"\\uFFFF\"",
                                       "[\"]\",\"}\",\",\",\":\"]"};

Test(json, accepts)
{
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
        cr_assert_eq(status_of(str_from(accepted[i])), OK, "%s", accepted[i]);
}

static const char *const rejected[] = {"",
                                       " ",
                                       "\n",
                                       "+1",
                                       "01",
                                       "-01",
                                       "-",
                                       "--1",
                                       "1.",
                                       ".5",
                                       "-.5",
                                       "1.e5",
                                       "1e",
                                       "1e+",
                                       "1e5.5",
                                       "0x10",
                                       "1_000",
                                       "1,000",
                                       "NaN",
                                       "nan",
                                       "Infinity",
                                       "-Infinity",
                                       "inf",
                                       "1a",
                                       "1 2",
                                       "True",
                                       "TRUE",
                                       "tru",
                                       "truee",
                                       "nul",
                                       "nulll",
                                       "fals",
                                       "undefined",
                                       "\"",
                                       "\"a",
                                       "a",
                                       "'a'",
                                       "\"\\\"",
                                       "\"\\x41\"",
                                       "\"\\u\"",
                                       "\"\\u12\"",
                                       "\"\\u123\"",
                                       "\"\\u12g4\"",
                                       "\"\\U0041\"",
                                       "\"\\a\"",
                                       "\"\\",
                                       "\"\\u",
                                       "\"\\u004",
                                       "\"\t\"",
                                       "\"\n\"",
                                       "\"\x01\"",
                                       "\"\x1f\"",
                                       "\"a\"b\"",
                                       "\"a\" \"b\"",
                                       "[",
                                       "]",
                                       "[1",
                                       "[1,",
                                       "[,",
                                       "[,]",
                                       "[1,]",
                                       "[1,,2]",
                                       "[,1]",
                                       "[1 2]",
                                       "[1]]",
                                       "[1:2]",
                                       "[}",
                                       "[1}",
                                       "[\"a\"",
                                       "[\"a",
                                       "[1,\n",
                                       "[\"\",",
                                       "{",
                                       "}",
                                       "{]",
                                       "{\"a\"}",
                                       "{\"a\":}",
                                       "{\"a\":1,}",
                                       "{\"a\":1,,}",
                                       "{,\"a\":1}",
                                       "{a:1}",
                                       "{'a':1}",
                                       "{1:1}",
                                       "{null:1}",
                                       "{\"a\" 1}",
                                       "{\"a\":1 \"b\":2}",
                                       "{\"a\"::1}",
                                       "{\"a\":1]",
                                       "{\"a\":1}}",
                                       "{\"a\"",
                                       "{\"a\":",
                                       "{\"a\":1",
                                       "{[]:1}",
                                       "{\"a\":1;}",
                                       "{\"a\",1}",
                                       "[1]x",
                                       "{} {}",
                                       "[] []",
                                       "1 true",
                                       "//c\n1",
                                       "/**/1",
                                       "[1]//c",
                                       "#c\n1",
                                       "[1,#c\n2]",
                                       "\xef\xbb\xbf{}",
                                       "\xef\xbb\xbf",
                                       "\xc2\xa0 1",
                                       "\v1",
                                       "\f1",
                                       "\"\x80\"",
                                       "\"\xff\"",
                                       "\"\xc0\x80\"",
                                       "\"\xed\xa0\x80\"",
                                       "\"\xf4\x90\x80\x80\"",
                                       "\"\xe2\x82\"",
                                       "\"\xc3",
                                       "[\xc3\xa9]",
                                       "{\"a\":\xff}"};

Test(json, rejects)
{
    for (size_t i = 0; i < sizeof(rejected) / sizeof(rejected[0]); i++)
        cr_assert_eq(status_of(str_from(rejected[i])), ERR_INPUT, "%s", rejected[i]);
}

Test(json, rejects_nul_bytes)
{
    cr_assert_eq(status_of(STR("1\0")), ERR_INPUT);
    cr_assert_eq(status_of(STR("\0"
                               "1")),
                 ERR_INPUT);
    cr_assert_eq(status_of(STR("[1\0]")), ERR_INPUT);
    cr_assert_eq(status_of(STR("\"a\0b\"")), ERR_INPUT);
    cr_assert_eq(status_of(STR("\"\\\0\"")), ERR_INPUT);
    struct json_value value;
    cr_assert_eq(json_parse((struct str){NULL, 0}, "t", 1, &value, NULL), ERR_INPUT);
}

Test(json, depth_is_limited)
{
    char text[2 * JSON_DEPTH_MAX + 8];
    size_t n = 0;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    cr_assert_eq(status_of((struct str){text, 2 * JSON_DEPTH_MAX}), OK);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    cr_assert_eq(status_of((struct str){text, 2 * JSON_DEPTH_MAX + 2}), ERR_TOO_LARGE);
    char *deep = malloc(1000000);
    for (; n + 6 < 1000000; n += 5)
        memcpy(deep + n, "{\"\":[", 5);
    cr_assert_eq(status_of((struct str){deep, n}), ERR_TOO_LARGE);
    free(deep);
}

Test(json, errors_have_a_place)
{
    static const struct {
        const char *text;
        size_t line, column;
    } rows[] = {{"", 1, 1},
                {"[1,]", 1, 4},
                {"{\"a\":1,}", 1, 8},
                {"{\n  \"a\": tru\n}", 2, 8},
                {"[1,\n2,\n\n  x]", 4, 3},
                {"[1] x", 1, 5},
                {"{\"a\" 1}", 1, 6},
                {"[\"\\q\"]", 1, 4}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error err;
        struct json_value value;
        cr_assert_eq(json_parse(str_from(rows[i].text), "place", 1, &value, &err), ERR_INPUT);
        cr_assert_eq(err.line, rows[i].line, "row %zu: %s", i, err.text);
        cr_assert_eq(err.column, rows[i].column, "row %zu: %s", i, err.text);
        cr_assert_eq(strncmp(err.text, "place:", 6), 0);
    }
    struct error err;
    struct json_value value = {JSON_TRUE, {NULL, 0}};
    cr_assert_eq(json_parse(STR("x"), "q.jsonl", 41, &value, &err), ERR_INPUT);
    cr_assert_eq(err.line, 41, "lines count from the caller's base");
    cr_assert_eq(value.type, JSON_TRUE, "outputs stay as they were");
}

static struct json_value parsed(const char *text)
{
    struct json_value value = {0};
    struct error err = {0};
    cr_assert_eq(json_parse(str_from(text), "t", 1, &value, &err), OK, "%s", err.text);
    return value;
}

Test(json, spans_are_exact)
{
    static const struct {
        const char *text, *raw;
        enum json_type type;
    } rows[] = {{" 1.50e+01 ", "1.50e+01", JSON_NUMBER},
                {"\t\"a\\u0041\"\n", "\"a\\u0041\"", JSON_STRING},
                {" true", "true", JSON_TRUE},
                {"false ", "false", JSON_FALSE},
                {"null", "null", JSON_NULL},
                {" [1, 2 ] ", "[1, 2 ]", JSON_ARRAY},
                {" {\"a\" :1} ", "{\"a\" :1}", JSON_OBJECT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct json_value value = parsed(rows[i].text);
        cr_assert_eq(value.type, rows[i].type);
        cr_assert(str_equal(value.raw, str_from(rows[i].raw)), "%s", rows[i].text);
    }
}

Test(json, arrays_iterate)
{
    static const char *const items[] = {"1",           "[2,[3]]", "{\"a\":[\"]\"]}",
                                        "\"x,\\\"]\"", "null",    "-2.5e3"};
    struct json_value item;
    struct json_iter it =
        json_iter_begin(parsed(" [ 1 ,[2,[3]], {\"a\":[\"]\"]} ,\"x,\\\"]\"\n,\tnull,-2.5e3 ] "));
    for (size_t i = 0; i < 6; i++) {
        cr_assert(json_array_next(&it, &item));
        cr_assert(str_equal(item.raw, str_from(items[i])), "item %zu is %.*s", i,
                  STR_FMT(item.raw));
    }
    cr_assert_not(json_array_next(&it, &item));
    cr_assert_not(json_array_next(&it, &item));
    it = json_iter_begin(parsed("[ ]"));
    cr_assert_not(json_array_next(&it, &item));
    it = json_iter_begin(parsed("1"));
    cr_assert_not(json_array_next(&it, &item));
}

/* Runs of backslashes, quotes behind them and plain text, at every distance from the blocks of sixteen bytes. */
Test(json, strings_of_any_escapes_are_skipped_and_decoded)
{
    static const struct {
        const char *text, *means;
    } pieces[] = {
        {"\\\\", "\\"},           {"\\\"", "\""},        {"\\n", "\n"},
        {"\\u0041", "A"},         {"\\u20ac", "\u20ac"}, {"a", "a"},
        {"\xc3\xa9", "\xc3\xa9"}, {"]},:", "]},:"},      {"0123456789abcdef", "0123456789abcdef"}};
    struct rng rng;
    rng_seed(&rng, 7);
    for (int round = 0; round < 20000; round++) {
        struct buf text, means;
        struct json_value value, item;
        struct str decoded;
        struct arena *a = arena_create(1 << 16);
        size_t count = rng_next(&rng) % 40, kinds = 1 + rng_next(&rng) % 9;
        buf_init(&text, 4096);
        buf_init(&means, 4096);
        buf_add_c(&text, "[\"");
        for (size_t i = 0; i < count; i++) {
            size_t k = rng_next(&rng) % kinds;
            buf_add_c(&text, pieces[k].text);
            buf_add_c(&means, pieces[k].means);
        }
        size_t len = text.len;
        buf_add_c(&text, "\",1]");
        cr_assert_eq(json_parse(buf_str(&text), "t", 1, &value, NULL), OK);
        struct json_iter it = json_iter_begin(value);
        cr_assert(json_array_next(&it, &item));
        cr_assert_eq(item.raw.len, len, "%.*s", STR_FMT(buf_str(&text)));
        cr_assert_eq(json_string_decode(item, a, &decoded), OK);
        cr_assert(str_equal(decoded, buf_str(&means)), "%.*s", STR_FMT(item.raw));
        cr_assert(json_array_next(&it, &item) && str_equal(item.raw, STR("1")));
        cr_assert_not(json_array_next(&it, &item));
        buf_done(&text);
        buf_done(&means);
        arena_free(a);
    }
}

Test(json, objects_iterate_and_look_up)
{
    struct json_value key, item;
    struct json_value object =
        parsed("{ \"a\" : 1 , \"b}\":{\"a\":2}, \"\\u0061\\n\" :[3],\"a\":4, \"\": 5}");
    struct json_iter it = json_iter_begin(object);
    size_t count = 0;
    while (json_object_next(&it, &key, &item))
        count++;
    cr_assert_eq(count, 5);
    cr_assert(str_equal(json_get(object, "a").raw, STR("4")), "the last of a repeated key");
    cr_assert(str_equal(json_get(object, "b}").raw, STR("{\"a\":2}")));
    cr_assert(str_equal(json_get(object, "a\n").raw, STR("[3]")), "escapes in keys are resolved");
    cr_assert(str_equal(json_get(object, "").raw, STR("5")));
    cr_assert_eq(json_get(object, "c").type, JSON_NONE);
    cr_assert_eq(json_get(parsed("[1]"), "a").type, JSON_NONE);
    cr_assert_eq(json_get(json_get(object, "c"), "d").type, JSON_NONE, "absence chains");
}

static void expect_decoded(const char *text, struct str expected)
{
    struct arena *a = arena_create(1000);
    struct str decoded = {NULL, 0};
    struct json_value value = parsed(text);
    cr_assert_eq(json_string_decode(value, a, &decoded), OK);
    cr_assert(str_equal(decoded, expected), "%s gave %.*s", text, STR_FMT(decoded));
    cr_assert(json_string_equal(value, expected));
    arena_free(a);
}

Test(json, strings_decode)
{
    expect_decoded("\"\"", STR(""));
    expect_decoded("\"plain\"", STR("plain"));
    expect_decoded("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", STR("\"\\/\b\f\n\r\t"));
    expect_decoded("\"\\u0041\\u00e9\\u20AC\"", STR("A\xc3\xa9\xe2\x82\xac"));
    expect_decoded("\"\\ud83d\\ude00!\"", STR("\xf0\x9f\x98\x80!"));
    expect_decoded("\"\\u0000x\"", STR("\0x"));
    expect_decoded("\"\xc3\xa9\\n\"", STR("\xc3\xa9\n"));
}

Test(json, lone_surrogates_become_replacement_characters)
{
    expect_decoded("\"\\ud800\"", STR("\xef\xbf\xbd"));
    expect_decoded("\"\\udc00x\"", STR("\xef\xbf\xbdx"));
    expect_decoded("\"\\ud800\\n\"", STR("\xef\xbf\xbd\n"));
    expect_decoded("\"\\ud800\\ud83d\\ude00\"", STR("\xef\xbf\xbd\xf0\x9f\x98\x80"));
    expect_decoded("\"\\ud800\\u0041\"", STR("\xef\xbf\xbd"
                                             "A"));
    expect_decoded("\"\\ude00\\ud83d\"", STR("\xef\xbf\xbd\xef\xbf\xbd"));
}

Test(json, strings_compare)
{
    cr_assert_not(json_string_equal(parsed("\"a\\n\""), STR("a")));
    cr_assert_not(json_string_equal(parsed("\"a\\n\""), STR("a\nb")));
    cr_assert_not(json_string_equal(parsed("\"a\""), STR("b")));
    cr_assert_not(json_string_equal(parsed("1"), STR("1")), "a number is no string");
}

Test(json, decode_refuses)
{
    struct str decoded = STR("before");
    struct arena *a = arena_create(4);
    cr_assert_eq(json_string_decode(parsed("1"), a, &decoded), ERR_INPUT);
    cr_assert_eq(json_string_decode(parsed("\"\\n123456789\""), a, &decoded), ERR_MEMORY);
    cr_assert(str_equal(decoded, STR("before")));
    arena_free(a);
}

Test(json, numbers)
{
    double d = 42;
    int64_t n = 42;
    cr_assert_eq(json_to_double(parsed("\"1\""), &d), ERR_INPUT);
    cr_assert_eq(json_to_double(parsed("1e999"), &d), ERR_INPUT);
    cr_assert_eq(json_to_int64(parsed("1.0"), &n), ERR_INPUT);
    cr_assert_eq(json_to_int64(parsed("1e2"), &n), ERR_INPUT);
    cr_assert_eq(json_to_int64(parsed("9223372036854775808"), &n), ERR_INPUT);
    cr_assert_eq(json_to_int64(parsed("null"), &n), ERR_INPUT);
    cr_assert(d == 42 && n == 42);
    cr_assert_eq(json_to_double(parsed("-1.25e2"), &d), OK);
    cr_assert(d == -125);
    cr_assert_eq(json_to_int64(parsed("9007199254740993"), &n), OK);
    cr_assert_eq(n, INT64_C(9007199254740993), "no detour through a double");
    cr_assert_eq(json_to_int64(parsed("-9223372036854775808"), &n), OK);
    cr_assert_eq(n, INT64_MIN);
    cr_assert_eq(json_to_double(parsed("-0"), &d), OK);
    cr_assert(signbit(d));
}

/* Strings are read in blocks: what ends a run of plain bytes, at every place within two blocks, against one that reads
 * byte by byte. */
static bool string_is_good(const char *inside, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)inside[i] < 0x20 || inside[i] == '"')
            return false;
        if (inside[i] == '\\')
            i += i + 1 < len ? 1 : len;
    }
    return len == 0 || inside[len - 1] != '\\' || (len > 1 && inside[len - 2] == '\\');
}

Test(json, string_of_any_length)
{
    static const char *const odd[] = {"", "\"", "\\\"", "\\\\", "\\n", "\x1f", "\x7f", "\xc3\xa9"};
    for (size_t before = 0; before < 40; before++)
        for (size_t after = 0; after < 40; after++)
            for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
                char text[128] = "[\"";
                struct json_value list, item;
                char *copy;
                memset(text + 2, 'a', before);
                strcpy(text + 2 + before, odd[k]);
                size_t len = strlen(text);
                memset(text + len, 'b', after);
                bool good = string_is_good(text + 2, strlen(text + 2));
                strcat(text, "\",1]");
                enum status status = parse_tight(str_from(text), &copy, &list, NULL);
                cr_assert_eq(status, good ? OK : ERR_INPUT, "%zu, %zu, %zu", before, after, k);
                struct json_iter it = good ? json_iter_begin(list) : (struct json_iter){NULL, NULL};
                if (good) {
                    cr_assert(json_array_next(&it, &item));
                    cr_assert_eq(item.raw.len, strlen(text) - 4, "%zu, %zu, %zu", before, after, k);
                    cr_assert(json_array_next(&it, &item));
                    cr_assert(str_equal(item.raw, STR("1")));
                    cr_assert_not(json_array_next(&it, &item));
                }
                free(copy);
            }
}

Test(json, half_a_character_at_any_place)
{
    for (size_t at = 0; at < 40; at++) {
        char text[64] = "\"";
        memset(text + 1, 'a', 40);
        text[1 + at] = '\xc3';
        text[41] = '"';
        cr_assert_eq(status_of((struct str){text, 42}), ERR_INPUT, "%zu", at);
        text[2 + at] = '\xa9';
        cr_assert_eq(status_of((struct str){text, 42}), at < 39 ? OK : ERR_INPUT, "%zu", at);
    }
}

Test(json, members_in_one_pass)
{
    static const struct str names[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("ab"),
                                       STR_INIT("missing")};
    struct json_value object, v[4];
    cr_assert_eq(json_parse(STR("{\"ab\":[{\"a\":9}],\"\\u0061\":1,\"b\":2,\"b\":3,\"abc\":4}"),
                            "t", 1, &object, NULL),
                 OK);
    json_members(object, names, 4, v);
    cr_assert(str_equal(v[0].raw, STR("1")));
    cr_assert(str_equal(v[1].raw, STR("3")), "the last one");
    cr_assert(str_equal(v[2].raw, STR("[{\"a\":9}]")));
    cr_assert_eq(v[3].type, JSON_NONE);
    json_members(v[2], names, 4, v); /* no object */
    cr_assert_eq(v[0].type, JSON_NONE);
}
