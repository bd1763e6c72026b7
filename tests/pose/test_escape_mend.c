/* Backslashes of TeX are doubled, escapes of JSON stay. */
#include "pose/escape_mend.h"

#include "posing.h"

static void assert_mended(const char *json, const char *wanted)
{
    struct arena *a = test_arena();
    struct str got = escape_mend(str_from(json), a);
    cr_assert(str_equal(got, str_from(wanted)), "'%.*s' is not '%s'", STR_FMT(got), wanted);
    arena_free(a);
}

Test(escape_mend, sound_json_stays)
{
    assert_mended("{\"a\":\"x\"}", "{\"a\":\"x\"}");
    assert_mended("\"a\\nb\\tc\\\"d\\\\e\\/f\\u00e9\\r\\n\"",
                  "\"a\\nb\\tc\\\"d\\\\e\\/f\\u00e9\\r\\n\"");
    assert_mended("\"\\\\frac\\\\sqrt\"", "\"\\\\frac\\\\sqrt\"");
    assert_mended("\"page\\f1\"", "\"page\\f1\"");
    assert_mended("\"tab\\tTable\\ttea\"", "\"tab\\tTable\\ttea\"");
}

Test(escape_mend, tex)
{
    assert_mended("\"\\( x \\)\"", "\"\\\\( x \\\\)\"");
    assert_mended("\"\\sqrt{4}\"", "\"\\\\sqrt{4}\"");
    assert_mended("\"\\frac{1}{2}\\beta\"", "\"\\\\frac{1}{2}\\\\beta\"");
    assert_mended("\"2 \\times 3\\right)\"", "\"2 \\\\times 3\\\\right)\"");
    assert_mended("\"\\upsilon \\u00\"", "\"\\\\upsilon \\\\u00\"");
    assert_mended("\\", "\\\\");
}
