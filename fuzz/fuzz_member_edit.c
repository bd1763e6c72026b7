/* Any object with members left out and renamed is an object again, without what was to be left out; and one joined
 * with what is always set has that in it, once. */
#include <stdint.h>

#include "base/check.h"
#include "expert/member_edit.h"
#include "expert/member_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_of(struct json_value object, struct str name)
{
    struct json_value key, value;
    size_t count = 0;
    for (struct json_iter it = json_iter_begin(object); json_object_next(&it, &key, &value);)
        count += json_string_equal(key, name);
    return count;
}

static void join(struct str body)
{
    struct json_value set, asked, joined;
    struct dropped lost = {0};
    struct buf out;
    CHECK(json_parse(STR("{\"a\":{\"b\":{\"c\":1},\"type\":\"x\"},\"d\":0.50}"), "set", 1, &set,
                     NULL) == OK);
    if (json_parse(body, "body", 1, &asked, NULL) != OK || asked.type != JSON_OBJECT)
        return;
    buf_init(&out, body.len + 256);
    member_set_write(set, asked, &out, &lost);
    CHECK(out.status == OK && json_parse(buf_str(&out), "joined", 1, &joined, NULL) == OK);
    CHECK(count_of(joined, STR("a")) == 1 && count_of(joined, STR("d")) == 1);
    CHECK(str_equal(json_get(json_get(json_get(joined, "a"), "b"), "c").raw, STR("1")));
    CHECK(str_equal(json_get(joined, "d").raw, STR("0.50")));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct member_edit edits[] = {{STR_INIT("a"), {0}},
                                               {STR_INIT("b"), STR_INIT("c")}};
    struct json_value root;
    struct buf out;
    buf_init(&out, 4 * size + 64);
    if (member_edit_body(edits, 2, (struct str){(const char *)data, size}, &out, NULL) == OK) {
        CHECK(json_parse(buf_str(&out), "edited", 1, &root, NULL) == OK);
        CHECK(json_get(root, "a").type == JSON_NONE && json_get(root, "b").type == JSON_NONE);
    }
    buf_done(&out);
    join((struct str){(const char *)data, size});
    return 0;
}
