/* A request's JSON from a row. */
#include "watch/request_json.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

static struct json_value as_json(const struct ledger_found *f, struct buf *out)
{
    struct json_value root = {0};
    struct error err = {0};
    buf_init(out, 1 << 16);
    request_json_write(f, NULL, out);
    cr_assert_eq(json_parse(buf_str(out), "request", 1, &root, &err), OK, "%s in %s", err.text,
                 out->ptr);
    return root;
}

static size_t count(struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    size_t n = 0;
    while (json_array_next(&it, &item))
        n++;
    return n;
}

Test(request_json, is_sound_whatever_stands_in_the_row)
{
    struct ledger_found f = {.id = STR("a\"b"), .first_token_ms = -1, .total_ms = -1};
    struct buf out;
    struct json_value root = as_json(&f, &out);
    cr_expect_eq(json_get(root, "total_ms").type, JSON_NULL);
    cr_expect_eq(count(json_get(root, "calls")), 0);
    buf_done(&out);
    f.decision = STR("{broken");
    f.calls = STR("[1,{\"expert\":\"x\"},{}]");
    f.attempts = 2;
    root = as_json(&f, &out);
    cr_expect_eq(json_get(root, "decision").type, JSON_NULL);
    cr_expect_eq(count(json_get(root, "calls")), 3);
    buf_done(&out);
    f.calls = STR("");
    root = as_json(&f, &out);
    cr_expect_eq(count(json_get(root, "calls")), 1, "the one that the row tells of");
    buf_done(&out);
}

static bool is_cheap(const void *arg, struct str expert)
{
    (void)arg;
    return str_equal(expert, STR("cheap"));
}

Test(request_json, names_in_the_decision_only_experts_that_may_be_heard_of)
{
    const struct request_json_view view = {is_cheap, NULL};
    const struct ledger_found f = {
        .id = STR("a"),
        .decision = STR("{\"lambda\":1,\"estimates\":{\"cheap\":[1],\"dear\":[2]}}")};
    struct buf out;
    buf_init(&out, 1 << 16);
    request_json_write(&f, &view, &out);
    cr_expect(strstr(out.ptr, "\"decision\":{\"lambda\":1,\"estimates\":{\"cheap\":[1]}}"), "%s",
              out.ptr);
    buf_done(&out);
}
