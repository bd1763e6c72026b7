/* Values that grow piece by piece. */
#include "dialect/json_grow.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct json_value parse(const char *text)
{
    struct json_value value;
    struct error err;
    cr_assert_eq(json_parse(str_from(text), "test", 1, &value, &err), OK, "%s", err.text);
    return value;
}

static void expect_joined(const char *first, const char *second, const char *want)
{
    struct grow g = {.bytes_left = 100000};
    struct grown *v = grown_create(&g);
    struct buf out;
    buf_init(&out, 100000);
    grown_set(&g, v, parse(first));
    grown_join(&g, v, parse(second));
    grown_write(v, &out);
    cr_expect_eq(g.status, OK);
    cr_expect_str_eq(out.ptr, want);
    grown_free(v);
    buf_done(&out);
}

Test(json_grow, joining)
{
    expect_joined("\"a\\n\"", "\"b\"", "\"a\\nb\"");
    expect_joined("null", "\"b\"", "\"b\"");
    expect_joined("\"a\"", "null", "\"a\"");
    expect_joined("1", "2", "2");
    expect_joined("{\"a\":\"x\",\"b\":1}", "{\"a\":\"y\",\"c\":[]}",
                  "{\"a\":\"xy\",\"b\":1,\"c\":[]}");
    expect_joined("[1]", "[2,3]", "[1,2,3]");
    expect_joined("[{\"index\":1,\"t\":\"a\"}]",
                  "[{\"index\":0,\"t\":\"b\"},{\"index\":1,\"t\":\"c\"}]",
                  "[{\"index\":1,\"t\":\"ac\"},{\"index\":0,\"t\":\"b\"}]");
    expect_joined("[{\"index\":0,\"t\":\"a\"},{\"index\":0,\"t\":\"b\"}]", "[]",
                  "[{\"index\":0,\"t\":\"ab\"}]");
    expect_joined("[{\"index\":0,\"type\":\"a\",\"t\":\"x\"},{\"index\":0,\"type\":\"b\"}]",
                  "[{\"index\":0,\"type\":\"a\",\"t\":\"y\"}]",
                  "[{\"index\":0,\"type\":\"a\",\"t\":\"xy\"},{\"index\":0,\"type\":\"b\"}]");
    expect_joined("{\"type\":\"t\",\"id\":\"i\",\"role\":\"r\"}",
                  "{\"type\":\"t\",\"id\":\"\",\"role\":\"r\"}",
                  "{\"type\":\"t\",\"id\":\"i\",\"role\":\"r\"}");
    expect_joined("{\"a\":1}", "[2]", "[2]");
}

Test(json_grow, limits)
{
    char item[64];
    struct grow g = {.bytes_left = 1 << 20};
    struct grown *v = grown_create(&g);
    for (int i = 0; i < 5000; i++) {
        snprintf(item, sizeof(item), "[{\"index\":%d}]", i);
        grown_join(&g, v, parse(item));
    }
    cr_expect_eq(g.status, ERR_TOO_LARGE, "finding one of so many would take long");
    grown_free(v);
    g = (struct grow){.bytes_left = 200};
    v = grown_create(&g);
    for (int i = 0; i < 100; i++)
        grown_join(&g, v, parse("\"text\""));
    cr_expect_eq(g.status, ERR_TOO_LARGE);
    grown_free(v);
    cr_expect_null(grown_create(&g));
}

Test(json_grow, pieces_of_a_list_are_written_joined)
{
    struct buf out;
    buf_init(&out, 1000);
    grown_write_joined(STR("{\"index\":0,\"text\":\"a\"},{\"index\":1,\"text\":\"x\"},"
                           "{\"index\":0,\"text\":\"b\"}"),
                       &out);
    cr_expect_str_eq(out.ptr, "[{\"index\":0,\"text\":\"ab\"},{\"index\":1,\"text\":\"x\"}]");
    cr_expect_eq(out.status, OK);
    buf_done(&out);
}
