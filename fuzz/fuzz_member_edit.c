/* Any object with members left out and renamed is an object again, without what was to be left out. */
#include <stdint.h>

#include "base/check.h"
#include "expert/member_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    return 0;
}
