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
    REFUSED("\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"defer_loading\":true}]",
            ERR_UNSUPPORTED, "tools.defer_loading");
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
    REFUSED("\"tools\":[{\"type\":\"web_search\"}],\"tool_choice\":\"required\"", ERR_INPUT,
            "tool_choice");
}

Test(front_responses_tools, the_choice_among_them)
{
    ASKS(TOOL ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false",
         TOOLS ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false");
    ASKS(TOOL ",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}",
         TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
    ASKS(TOOL ",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":["
              "{\"type\":\"function\",\"name\":\"f\"}]}",
         TOOLS ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\","
               "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}}");
    REFUSED(TOOL ",\"tool_choice\":{\"type\":\"file_search\"}", ERR_UNSUPPORTED, "tool_choice");
    REFUSED(TOOL ",\"tool_choice\":{\"type\":\"function\"}", ERR_INPUT, "tool_choice");
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
    REFUSED("\"text\":{\"style\":\"x\"}", ERR_UNSUPPORTED, "text.style");
}
