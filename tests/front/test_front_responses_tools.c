/* Tools, the choice among them, and formats. */
#include "front_testing.h"

#define ASKS(members, want)                                                                        \
    expect_chat(FRONT_RESPONSES, "{\"input\":\"Hi\"," members "}",                                 \
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" want "}")
#define REFUSED(members, want, param)                                                              \
    expect_refused(FRONT_RESPONSES, "{\"input\":\"Hi\"," members "}", want, param)

#define TOOL  "\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]"
#define TOOLS ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"

Test(front_responses_tools, functions_are_nested)
{
    ASKS("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\","
         "\"parameters\":{\"type\": \"object\"},\"strict\":true,\"defer_loading\":null},"
         "{\"name\":\"g\",\"parameters\":null,\"strict\":null,\"type\":\"function\"}]",
         ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
         "\"parameters\":{\"type\":\"object\"},\"strict\":true}},"
         "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]");
    REFUSED("\"tools\":[{\"type\":\"function\"}]", ERR_INPUT, "tools");
    REFUSED("\"tools\":[7]", ERR_INPUT, "tools");
    ASKS("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"defer_loading\":true,\"of_tomorrow\":"
         "1}]",
         TOOLS);
}

Test(front_responses_tools, what_runs_on_other_machines_is_left_out_and_said)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_RESPONSES,
                     "{\"input\":\"Hi\",\"tools\":[{\"type\":\"web_search\"},"
                     "{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"file_search\"}]}");
    cr_assert_eq(front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK);
    expect_text(chat.body, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]" TOOLS "}");
    expect_text(dropped_text(&chat.dropped), "tools.web_search,tools.file_search");
    front_test_end(&t);
    ASKS("\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":\"auto\"", "");
}

Test(front_responses_tools, what_runs_on_other_machines_is_refused_where_it_is_demanded)
{
    REFUSED("\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":{\"type\":\"web_search\"}",
            ERR_UNSUPPORTED, "tool_choice");
    REFUSED("\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":\"required\"", ERR_UNSUPPORTED,
            "tool_choice");
}

Test(front_responses_tools, the_choice_among_them)
{
    ASKS(TOOL ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false",
         TOOLS ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false");
    ASKS(TOOL ",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}",
         TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
    REFUSED(TOOL ",\"tool_choice\":{\"type\":\"file_search\"}", ERR_UNSUPPORTED, "tool_choice");
    REFUSED(TOOL ",\"tool_choice\":{\"type\":\"function\"}", ERR_INPUT, "tool_choice");
}

#define INPUT_SCHEMA                                                                               \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\","          \
    "\"description\":\"The whole input of the tool, as plain text\"}},\"required\":[\"input\"],"   \
    "\"additionalProperties\":false}"

Test(front_responses_tools, a_custom_tool_is_a_function_of_one_text)
{
    ASKS(
        "\"tools\":[{\"type\":\"custom\",\"name\":\"c\",\"description\":\"d\",\"format\":{\"type\":"
        "\"text\"}}],\"tool_choice\":{\"type\":\"custom\",\"name\":\"c\"}",
        ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"c\",\"description\":"
        "\"d\"," INPUT_SCHEMA
        "}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"c\"}}");
    ASKS("\"tools\":[{\"type\":\"custom\",\"name\":\"c\",\"format\":{\"type\":\"grammar\","
         "\"syntax\":"
         "\"lark\",\"definition\":\"start: \\\"a\\\"\"}}]",
         ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"c\",\"description\":\"The "
         "input "
         "must follow this grammar (lark):\\nstart: \\\"a\\\"\"," INPUT_SCHEMA "}}]");
    REFUSED("\"tools\":[{\"type\":\"custom\"}]", ERR_INPUT, "tools");
}

Test(front_responses_tools, a_namespace_is_flattened)
{
#define SPACE                                                                                      \
    "\"tools\":[{\"type\":\"namespace\",\"name\":\"crm\",\"description\":\"Customers\",\"tools\":" \
    "["                                                                                            \
    "{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\"},{\"type\":\"function\","         \
    "\"name\":"                                                                                    \
    "\"g\"}]},{\"type\":\"namespace\",\"name\":\"mcp__x__\",\"tools\":[{\"type\":\"function\","    \
    "\"name\":\"h\"}]}]"
#define FLAT                                                                                       \
    ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"crm__f\",\"description\":"        \
    "\"Customers\\n\\nd\"}},{\"type\":\"function\",\"function\":{\"name\":\"crm__g\"}},{\"type\":" \
    "\"function\",\"function\":{\"name\":\"mcp__x__h\"}}]"
    ASKS(SPACE, FLAT);
    ASKS(SPACE ",\"tool_choice\":{\"type\":\"function\",\"name\":\"g\"}",
         FLAT ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"crm__g\"}}");
    ASKS(SPACE ",\"tool_choice\":{\"type\":\"function\",\"name\":\"g\",\"namespace\":\"other\"}",
         FLAT ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"other__g\"}}");
    REFUSED("\"tools\":[{\"type\":\"namespace\",\"tools\":[]}]", ERR_INPUT, "tools");
    REFUSED("\"tools\":[{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[7]}]", ERR_INPUT,
            "tools");
}

Test(front_responses_tools, shells_patches_and_searches_of_the_client)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(
        &t, FRONT_RESPONSES,
        "{\"input\":\"Hi\",\"tools\":[{\"type\":\"local_shell\"},{\"type\":\"shell\"},"
        "{\"type\":\"apply_patch\"},{\"type\":\"tool_search\",\"execution\":\"client\","
        "\"parameters\":{\"type\":\"object\"}},{\"type\":\"tool_search\"},"
        "{\"type\":\"shell\",\"environment\":{\"type\":\"container_auto\"}}],"
        "\"tool_choice\":{\"type\":\"apply_patch\"}}");
    cr_assert_eq(front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK);
    expect_text(dropped_text(&chat.dropped), "tools.tool_search,tools.shell");
    struct json_value root, tool;
    static const char *const names[] = {"local_shell", "shell", "apply_patch", "tool_search"};
    cr_assert_eq(json_parse(chat.body, "body", 1, &root, &t.err), OK, "%s", t.err.text);
    struct json_iter it = json_iter_begin(json_get(root, "tools"));
    for (size_t i = 0; i < 4; i++) {
        cr_assert(json_array_next(&it, &tool));
        struct json_value function = json_get(tool, "function");
        cr_expect(json_string_equal(json_get(function, "name"), str_from(names[i])));
        cr_expect_eq(json_get(function, "parameters").type, JSON_OBJECT);
    }
    cr_expect_not(json_array_next(&it, &tool));
    expect_text(json_get(root, "tool_choice").raw,
                "{\"type\":\"function\",\"function\":{\"name\":\"apply_patch\"}}");
    front_test_end(&t);
}

Test(front_responses_tools, only_allowed_tools_are_told_of)
{
#define THREE                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"function\",\"name\":\"g\"},"    \
    "{\"type\":\"web_search\"},{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":"       \
    "\"function\",\"name\":\"h\"}]}]"
#define ALLOWED(mode, tools)                                                                       \
    ",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"" mode "\",\"tools\":[" tools "]}"
    ASKS(THREE ALLOWED("required",
                       "{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"web_search\"}"),
         TOOLS ",\"tool_choice\":\"required\"");
    ASKS(THREE ALLOWED("auto", "{\"type\":\"namespace\",\"name\":\"n\"}"),
         ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"n__h\"}}],"
         "\"tool_choice\":\"auto\"");
    ASKS(THREE ALLOWED("auto", "{\"type\":\"web_search\"}"), "");
    REFUSED(THREE ALLOWED("required", "{\"type\":\"web_search\"}"), ERR_UNSUPPORTED, "tool_choice");
    REFUSED(THREE ",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\"}", ERR_INPUT,
            "tool_choice");
    REFUSED(THREE ALLOWED("auto", "{}"), ERR_INPUT, "tool_choice");
}

Test(front_responses_tools, without_tools_chat_hears_of_no_choice)
{
    ASKS("\"tools\":[],\"tool_choice\":\"auto\",\"parallel_tool_calls\":true", "");
    ASKS("\"tool_choice\":\"none\"", "");
    REFUSED("\"tool_choice\":\"required\"", ERR_INPUT, "tool_choice");
}

Test(front_responses_tools, formats)
{
    ASKS("\"text\":{\"format\":{\"type\":\"text\"}}", "");
    ASKS("\"text\":{\"format\":{\"type\":\"json_object\"},\"verbosity\":\"high\"}",
         ",\"response_format\":{\"type\":\"json_object\"},\"verbosity\":\"high\"");
    ASKS("\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"strict\":true,"
         "\"schema\":{\"a\": 1},\"description\":\"d\"}}",
         ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
         "\"description\":\"d\",\"schema\":{\"a\":1},\"strict\":true}}");
    REFUSED("\"text\":{\"format\":{\"type\":\"grammar\"}}", ERR_UNSUPPORTED, "text.format");
    REFUSED("\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\"}}", ERR_INPUT,
            "text.format");
}
