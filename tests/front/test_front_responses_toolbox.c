/* Which function stands for which tool, and the way back. */
#include "front/front_responses_toolbox.h"

#include "front_testing.h"

static void expect_name(const char *space, const char *name, const char *want)
{
    char into[RESPONSES_TOOL_NAME_MAX];
    expect_text(responses_tool_name(str_from(space), str_from(name), into), want);
}

Test(front_responses_toolbox, names_as_vendors_take_them)
{
    char into[RESPONSES_TOOL_NAME_MAX], other[RESPONSES_TOOL_NAME_MAX];
    expect_name("", "any name", "any name");
    expect_name("crm", "find", "crm__find");
    expect_name("mcp__x__", "find", "mcp__x__find");
    expect_name("a b.c", "d\\u00e9", "a_b_c__d_u00e9");
    struct str space = STR("a_rather_long_namespace_of_some_server_somewhere"),
               a = responses_tool_name(space, STR("and_a_long_name_a"), into),
               b = responses_tool_name(space, STR("and_a_long_name_b"), other);
    cr_expect_eq(a.len, RESPONSES_TOOL_NAME_MAX);
    cr_expect(str_starts(a, str_slice(b, 0, 55)));
    cr_expect_not(str_equal(a, b));
}

Test(front_responses_toolbox, the_tool_of_a_function_is_found_again)
{
    struct json_value fields[RESPONSES_FIELDS];
    struct responses_toolbox box;
    struct error err = {0};
    responses_fields_read(
        STR("{\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"custom\","
            "\"name\":\"c\"},{\"type\":\"namespace\",\"name\":\"n\",\"tools\":["
            "{\"type\":\"function\",\"name\":\"f\"}]},{\"type\":\"shell\"}],"
            "\"input\":[{\"type\":\"additional_tools\",\"tools\":[{\"type\":"
            "\"custom\",\"name\":\"late\"}]}]}"),
        fields);
    cr_assert_eq(responses_toolbox_read(fields, &box, &err), OK);
    cr_assert_eq(box.count, 4);
    cr_expect_null(responses_toolbox_find(&box, STR("f")));
    cr_expect_eq(responses_toolbox_find(&box, STR("c"))->kind, RESPONSES_TOOL_CUSTOM);
    cr_expect_eq(responses_toolbox_find(&box, STR("shell"))->kind, RESPONSES_TOOL_SHELL);
    cr_expect_eq(responses_toolbox_find(&box, STR("late"))->kind, RESPONSES_TOOL_CUSTOM);
    const struct responses_tool *f = responses_toolbox_find(&box, STR("n__f"));
    expect_text(f->space, "n");
    expect_text(f->name, "f");
    responses_toolbox_free(&box);
}

Test(front_responses_toolbox, more_tools_than_there_may_be)
{
    struct buf body;
    struct front_test t;
    struct front_chat chat;
    buf_init(&body, 1u << 20);
    buf_add_c(&body, "{\"input\":\"Hi\",\"tools\":[{\"type\":\"shell\"}");
    for (size_t i = 0; i < RESPONSES_TOOLS_MAX; i++)
        buf_addf(&body, ",{\"type\":\"custom\",\"name\":\"c%zu\"}", i);
    buf_add_c(&body, "]}");
    front_test_begin(&t, FRONT_RESPONSES, body.ptr);
    cr_expect_eq(front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err),
                 ERR_INPUT);
    cr_expect_str_eq(t.param, "tools");
    front_test_end(&t);
    buf_done(&body);
}
