/* The document that a check is given, and the line that is kept of what it says. */
#include <criterion/criterion.h>
#include <string.h>

#include "verify/verify_int.h"
#include "verify/verify_scene.h"

static struct buf out;

static void setup(void)
{
    buf_init(&out, 1u << 20);
}

static void teardown(void)
{
    buf_done(&out);
}

TestSuite(verify_document, .init = setup, .fini = teardown);

Test(verify_document, has_question_answer_calls_and_the_whole_request)
{
    const struct verify_input input = {.request = scene_json("{\"model\": \"leeroo\"}"),
                                       .question = STR("\"What?\"\n"),
                                       .answer = STR("that"),
                                       .tool_calls = scene_json("[{\"id\":\"c\"}]")};
    verify_document(&input, &out);
    cr_expect_str_eq(out.ptr,
                     "{\"question\":\"\\\"What?\\\"\\n\",\"answer\":\"that\","
                     "\"tool_calls\":[{\"id\":\"c\"}],\"request\":{\"model\": \"leeroo\"}}\n");
}

Test(verify_document, leaves_out_what_is_not_there)
{
    const struct verify_input input = {.question = STR("q")};
    verify_document(&input, &out);
    cr_expect_str_eq(out.ptr, "{\"question\":\"q\",\"answer\":\"\"}\n");
}

Test(verify_document, a_sample_is_a_document)
{
    const struct verify_input input = verify_sample();
    verify_document(&input, &out);
    const struct json_value root = scene_json(out.ptr);
    cr_expect(json_string_equal(json_get(root, "answer"), STR("4")));
    cr_expect_eq(json_get(json_get(root, "request"), "messages").type, JSON_ARRAY);
}

Test(verify_document, one_printable_line_is_kept)
{
    struct verify_end end;
    verify_say(&end, VERIFY_REJECT, STR("\n  two of \x1b[31mthree\x1b[0m\tfail  \nmore\n"));
    cr_expect_eq(end.verdict, VERIFY_REJECT);
    cr_expect_str_eq(end.why, "two of  [31mthree [0m fail");
    verify_say(&end, VERIFY_PASS, STR(""));
    cr_expect_str_eq(end.why, "");
    char text[1000];
    memset(text, 'x', sizeof(text));
    verify_say(&end, VERIFY_PASS, (struct str){text, sizeof(text)});
    cr_expect_eq(strlen(end.why), VERIFY_WHY_BYTES_MAX);
}

Test(verify_document, half_a_character_is_never_kept)
{
    struct verify_end end;
    char text[VERIFY_WHY_BYTES_MAX + 11] = {0};
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "€", 3);
    verify_sayf(&end, VERIFY_DOWN, "%s", text);
    cr_expect_eq(end.verdict, VERIFY_DOWN);
    cr_expect(utf8_valid(str_from(end.why)));
    cr_expect_gt(strlen(end.why), VERIFY_WHY_BYTES_MAX - 4);
}
