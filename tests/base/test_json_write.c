/* Writing JSON: strings that every parser reads back, shortest doubles, and byte splices. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

#include <criterion/criterion.h>

static void expect_string(struct str s, const char *expected)
{
    struct buf b;
    buf_init(&b, 1000);
    json_write_string(&b, s);
    cr_assert_str_eq(b.ptr, expected);
    buf_done(&b);
}

Test(json_write, strings)
{
    expect_string((struct str){NULL, 0}, "\"\"");
    expect_string(STR("plain \xc3\xa9"), "\"plain \xc3\xa9\"");
    expect_string(STR("\"\\\b\f\n\r\t/"), "\"\\\"\\\\\\b\\f\\n\\r\\t/\"");
    expect_string(STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
}

/* Runs of escapes longer than the buffer in which they are gathered. */
Test(json_write, runs_of_escapes)
{
    static const struct {
        char byte;
        const char *escape;
    } rows[] = {{'"', "\\\""}, {'\n', "\\n"}, {1, "\\u0001"}};
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        for (size_t count = 60; count < 400; count += 67) {
            char bytes[400], wanted[400 * 6 + 3] = "\"";
            memset(bytes, rows[r].byte, count);
            for (size_t i = 0; i < count; i++)
                strcat(wanted, rows[r].escape);
            struct buf b;
            buf_init(&b, sizeof(wanted));
            json_write_string(&b, (struct str){bytes, count});
            cr_expect_str_eq(b.ptr, strcat(wanted, "\""));
            buf_done(&b);
        }
}

Test(json_write, invalid_utf8_is_replaced)
{
    expect_string(STR("a\xff"
                      "b"),
                  "\"a\xef\xbf\xbd"
                  "b\"");
    expect_string(STR("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string(STR("\xef\xbf\xbd"), "\"\xef\xbf\xbd\"");
}

Test(json_write, any_bytes_give_valid_json_that_reads_back)
{
    struct rng r;
    rng_seed(&r, 7);
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        size_t len = (size_t)rng_below(&r, sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(rng_below(&r, 2) ? rng_next(&r) : rng_next(&r) & 0x7f);
        struct buf b;
        struct json_value value;
        struct str s = {bytes, len};
        buf_init(&b, 1000);
        json_write_string(&b, s);
        cr_assert_eq(json_parse(buf_str(&b), "t", 1, &value, NULL), OK, "%s", b.ptr);
        if (utf8_valid(s))
            cr_assert(json_string_equal(value, s));
        buf_done(&b);
    }
}

static void expect_double(double value, const char *expected)
{
    struct buf b;
    buf_init(&b, 100);
    json_write_double(&b, value);
    cr_assert_str_eq(b.ptr, expected);
    buf_done(&b);
}

Test(json_write, doubles_in_their_shortest_form)
{
    expect_double(0, "0");
    expect_double(1, "1");
    expect_double(-0.5, "-0.5");
    expect_double(0.1, "0.1");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(1e21, "1e+21");
    expect_double(5e-324, "5e-324");
    expect_double(1.7976931348623157e308, "1.7976931348623157e+308");
    expect_double(123456789, "123456789");
    expect_double((double)NAN, "null");
    expect_double((double)INFINITY, "null");
    expect_double(-(double)INFINITY, "null");
}

Test(json_write, doubles_read_back)
{
    struct rng r;
    rng_seed(&r, 8);
    for (int round = 0; round < 2000; round++) {
        uint64_t bits = rng_next(&r);
        double value, back = 0;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        struct buf b;
        struct json_value number;
        buf_init(&b, 100);
        json_write_double(&b, value);
        cr_assert_eq(json_parse(buf_str(&b), "t", 1, &number, NULL), OK);
        cr_assert_eq(json_to_double(number, &back), OK);
        cr_assert_eq(memcmp(&back, &value, sizeof(value)), 0, "%s", b.ptr);
        buf_done(&b);
    }
}

Test(json_write, splices_keep_every_other_byte)
{
    struct str text = STR("{ \"model\" : \"leeroo\",  \"x\":1.50, \"stream\":true }");
    struct json_value object;
    cr_assert_eq(json_parse(text, "t", 1, &object, NULL), OK);
    struct json_value stream = json_get(object, "stream");
    struct json_edit edits[] = {
        {json_get(object, "model").raw, STR("\"expert-7\"")},
        {json_get(object, "x").raw, STR("")},
        {{stream.raw.ptr + stream.raw.len, 0}, STR(",\"y\":[]")},
    };
    struct buf b;
    buf_init(&b, 1000);
    json_splice(text, edits, 3, &b);
    cr_assert_str_eq(b.ptr, "{ \"model\" : \"expert-7\",  \"x\":, \"stream\":true,\"y\":[] }");
    buf_clear(&b);
    json_splice(text, NULL, 0, &b);
    cr_assert(str_equal(buf_str(&b), text));
    struct json_edit whole = {text, STR("")};
    buf_clear(&b);
    json_splice(text, &whole, 1, &b);
    cr_assert_eq(b.len, 0);
    buf_done(&b);
}

Test(json_write, splices_obey_the_limit)
{
    struct buf b;
    buf_init(&b, 5);
    json_splice(STR("[1,2,3]"), NULL, 0, &b);
    cr_assert_eq(buf_status(&b, NULL), ERR_TOO_LARGE);
    buf_done(&b);
}

Test(json_write, values_come_out_on_one_line)
{
    struct json_value value;
    struct buf out;
    buf_init(&out, 1000);
    cr_assert_eq(
        json_parse(STR(" {\r\n \"a b\\\" \\\\\" :\t[ 1 , \"\\n \" ] }"), "t", 1, &value, NULL), OK);
    json_write_line(&out, value);
    cr_expect_str_eq(out.ptr, "{\"a b\\\" \\\\\":[1,\"\\n \"]}");
    buf_clear(&out);
    json_write_line(&out, (struct json_value){0});
    cr_expect_str_eq(out.ptr, "null");
    buf_done(&out);
}

Test(json_write, the_inside_is_the_string_without_quotes)
{
    struct json_value value;
    struct buf b;
    buf_init(&b, 100);
    json_write_string(&b, STR("a\n\"b\""));
    cr_assert_eq(json_parse(buf_str(&b), "t", 1, &value, NULL), OK);
    cr_expect(str_equal(json_inside(value), STR("a\\n\\\"b\\\"")));
    buf_clear(&b);
    json_write_inside(&b, STR("a\n\"b\""));
    cr_expect_str_eq(b.ptr, "a\\n\\\"b\\\"");
    cr_expect_eq(json_inside((struct json_value){JSON_NUMBER, STR("12")}).len, 0);
    buf_done(&b);
}
