/* A decision out of a ledger: whatever stands there, figures can be made of it, as JSON that is sound. */
#include "admin/admin_curve.h"
#include "base/check.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(4u << 20);
    struct str text = {(const char *)data, size};
    struct curve c;
    struct buf out;
    struct json_value root;
    CHECK(a && curve_init(&c, 1, a, NULL) == OK);
    for (int64_t i = 0; i < 3; i++)
        curve_add_decision(&c, text, i);
    curve_add_score(&c, text, STR("single"), STR("a"), 0.5, 1);
    buf_init(&out, 1u << 20);
    buf_add_c(&out, "{\"a\":0");
    curve_write(&c, &out);
    buf_add_char(&out, '}');
    CHECK(out.status == OK);
    CHECK(json_parse(buf_str(&out), "curve", 1, &root, NULL) == OK);
    buf_done(&out);
    arena_free(a);
    return 0;
}
