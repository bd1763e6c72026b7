/* What a call says, to the client and to experts. */
#include "front/front_responses_toolbox.h"

#include "front_testing.h"

/* `arguments` as they are, unescaped; want NULL: they are not what the tool takes. */
static void expect_content(enum responses_tool_kind kind, const char *arguments, const char *want)
{
    struct buf escaped, out;
    buf_init(&escaped, 1u << 16);
    buf_init(&out, 1u << 16);
    json_write_string(&escaped, str_from(arguments));
    bool said =
        responses_call_content(kind, str_slice(buf_str(&escaped), 1, escaped.len - 1), &out);
    cr_assert_eq(out.status, OK);
    cr_expect_eq(said, want != NULL, "%s", arguments);
    if (said && want)
        expect_text(buf_str(&out), want);
    buf_done(&out);
    buf_done(&escaped);
}

Test(front_responses_calls, the_input_of_a_custom_tool)
{
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\": \"a\\n\\\"b\\\" \\u00e9\"}",
                   "a\\n\\\"b\\\" \\u00e9");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"patch\":\"p\"}", "p");
    expect_content(RESPONSES_TOOL_CUSTOM, "\"p\"", "p");
    expect_content(RESPONSES_TOOL_CUSTOM, "*** Begin\n\"x\"", "*** Begin\\n\\\"x\\\"");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"a\":\"p\",\"b\":1}",
                   "{\\\"a\\\":\\\"p\\\",\\\"b\\\":1}");
    expect_content(RESPONSES_TOOL_CUSTOM, "", "");
}

Test(front_responses_calls, the_input_of_a_model_that_forgets_to_escape_or_is_cut_off)
{
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\": \"a\nprint(\"b\")\t\\d \\n\"}",
                   "a\\nprint(\\\"b\\\")\\u0009\\\\d \\n");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\":\"a\\nb", "a\\nb");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\":\"a\\u00", "a\\\\u00");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\":\"a\\", "a\\\\");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\":", "{\\\"input\\\":");
    expect_content(RESPONSES_TOOL_CUSTOM, "{\"input\":\"", "");
}

Test(front_responses_calls, the_action_of_a_shell)
{
    expect_content(RESPONSES_TOOL_LOCAL_SHELL, "{\"command\": [\"ls\", \"-l\"], \"timeout_ms\": 5}",
                   "{\"type\":\"exec\",\"command\":[\"ls\",\"-l\"],\"env\":{},\"timeout_ms\":5}");
    expect_content(
        RESPONSES_TOOL_LOCAL_SHELL, "{\"command\":\"ls\",\"env\":{\"A\":\"b\"}}",
        "{\"type\":\"exec\",\"command\":[\"bash\",\"-lc\",\"ls\"],\"env\":{\"A\":\"b\"}}");
    expect_content(RESPONSES_TOOL_LOCAL_SHELL, "{\"command\":", NULL);
    expect_content(RESPONSES_TOOL_LOCAL_SHELL, "{}", NULL);
    expect_content(RESPONSES_TOOL_SHELL, "{\"commands\":[\"a\"],\"timeout_ms\":1}",
                   "{\"commands\":[\"a\"],\"timeout_ms\":1,\"max_output_length\":null}");
    expect_content(RESPONSES_TOOL_SHELL, "{\"command\":\"a\"}",
                   "{\"commands\":[\"a\"],\"timeout_ms\":null,\"max_output_length\":null}");
    expect_content(RESPONSES_TOOL_SHELL, "[]", NULL);
}

Test(front_responses_calls, the_operation_of_a_patch_and_what_is_searched_for)
{
    expect_content(RESPONSES_TOOL_APPLY_PATCH,
                   "{\"operation\": {\"type\": \"delete_file\", \"path\": \"p\"}}",
                   "{\"type\":\"delete_file\",\"path\":\"p\"}");
    expect_content(RESPONSES_TOOL_APPLY_PATCH, "{\"type\":\"delete_file\",\"path\":\"p\"}",
                   "{\"type\":\"delete_file\",\"path\":\"p\"}");
    expect_content(RESPONSES_TOOL_APPLY_PATCH, "{\"operation\":{\"type\":\"delete_file\"}}", NULL);
    expect_content(RESPONSES_TOOL_SEARCH, "{\"q\": 1}", "{\"q\":1}");
    expect_content(RESPONSES_TOOL_SEARCH, "\"q\"", NULL);
}
