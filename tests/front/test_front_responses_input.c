/* Input items as chat messages. */
#include "front_testing.h"

#define ITEMS(items, want)                                                                         \
    expect_chat(FRONT_RESPONSES, "{\"input\":[" items "]}", "{\"messages\":[" want "]}")
#define REFUSED(items, want)                                                                       \
    expect_refused(FRONT_RESPONSES, "{\"input\":[" items "]}", want, "input")

Test(front_responses_input, messages_of_every_role)
{
    ITEMS("{\"role\":\"developer\",\"content\":\"d\"},{\"type\":\"message\",\"role\":\"system\","
          "\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},"
          "{\"role\":\"assistant\",\"content\":\"a\",\"phase\":\"final_answer\"}",
          "{\"role\":\"system\",\"content\":\"d\"},{\"role\":\"system\",\"content\":\"s\"},"
          "{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"content\":\"a\"}");
    REFUSED("{\"role\":\"tool\",\"content\":\"x\"}", ERR_INPUT);
    REFUSED("{\"content\":\"x\"}", ERR_INPUT);
    REFUSED("{\"role\":\"user\"}", ERR_INPUT);
    REFUSED("7", ERR_INPUT);
    REFUSED("", ERR_INPUT);
}

Test(front_responses_input, one_text_part_is_a_text_and_what_the_model_said_is_joined)
{
    ITEMS("{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"}]}",
          "{\"role\":\"user\",\"content\":\"a\"}");
    ITEMS("{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"},"
          "{\"type\":\"input_text\",\"text\":\"b\"}]}",
          "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
          "{\"type\":\"text\",\"text\":\"b\"}]}");
    ITEMS("{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"status\":\"completed\","
          "\"content\":[{\"type\":\"output_text\",\"text\":\"a\",\"annotations\":[]},"
          "{\"type\":\"output_text\",\"text\":\"b\"}]}",
          "{\"role\":\"assistant\",\"content\":\"ab\"}");
    ITEMS("{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"},"
          "{\"type\":\"refusal\",\"refusal\":\"no\"}]}",
          "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
          "{\"type\":\"refusal\",\"refusal\":\"no\"}]}");
}

Test(front_responses_input, images_files_and_sound)
{
    ITEMS("{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"image_url\":\"http://i\","
          "\"detail\":\"low\"},{\"type\":\"input_image\",\"image_url\":\"http://j\","
          "\"detail\":null,\"file_id\":null}]}",
          "{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
          "\"http://i\",\"detail\":\"low\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":"
          "\"http://j\"}}]}");
    ITEMS("{\"role\":\"user\",\"content\":[{\"type\":\"input_file\",\"file_data\":\"d\","
          "\"filename\":\"f\"},{\"type\":\"input_audio\",\"input_audio\":{\"data\": \"x\"}}]}",
          "{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"file\":{\"file_data\":\"d\","
          "\"filename\":\"f\"}},{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"x\"}}]}");
#define PART(part) "{\"role\":\"user\",\"content\":[" part "]}"
    REFUSED(PART("{\"type\":\"input_image\",\"file_id\":\"f\"}"), ERR_UNSUPPORTED);
    REFUSED(PART("{\"type\":\"input_image\"}"), ERR_INPUT);
    REFUSED(PART("{\"type\":\"input_file\",\"file_url\":\"http://f\"}"), ERR_UNSUPPORTED);
    REFUSED(PART("{\"type\":\"computer_screenshot\"}"), ERR_UNSUPPORTED);
}

#define CALL(id)                                                                                   \
    "{\"type\":\"function_call\",\"call_id\":\"" id "\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define OUTPUT(id) "{\"type\":\"function_call_output\",\"call_id\":\"" id "\",\"output\":\"o\"}"
#define SAID       "{\"role\":\"assistant\",\"content\":\"t\"}"
#define CHAT_CALL(id)                                                                              \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
#define CHAT_OUTPUT(id) "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"o\"}"

Test(front_responses_input, text_and_calls_of_one_turn_are_one_message)
{
    ITEMS(SAID "," CALL("1") "," CALL("2") "," OUTPUT("1") "," OUTPUT("2"),
          "{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[" CHAT_CALL("1") "," CHAT_CALL(
              "2") "]}," CHAT_OUTPUT("1") "," CHAT_OUTPUT("2"));
    ITEMS(
        CALL("1") "," OUTPUT("1") "," CALL("2") "," OUTPUT("2"),
        "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL(
            "1") "],\"content\":null}," CHAT_OUTPUT("1") ",{\"role\":\"assistant\",\"tool_calls\":"
                                                         "[" CHAT_CALL("2") "],\"content\":null}"
                                                                            "," CHAT_OUTPUT("2"));
}

Test(front_responses_input, text_behind_its_calls_stays_with_them)
{
    ITEMS(CALL("1") "," SAID "," OUTPUT("1"), "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL(
                                                  "1") "],\"content\":\"t\"}," CHAT_OUTPUT("1"));
    ITEMS(SAID "," SAID, "{\"role\":\"assistant\",\"content\":\"t\"},"
                         "{\"role\":\"assistant\",\"content\":\"t\"}");
}

/* Their outputs come behind all of them, and servers want each output behind its call. */
Test(front_responses_input, calls_of_one_turn_stay_together_whatever_is_said_between)
{
    ITEMS(CALL("1") "," SAID "," CALL("2") "," OUTPUT("1") "," OUTPUT("2"),
          "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL("1") "," CHAT_CALL(
              "2") "],\"content\":\"t\"}," CHAT_OUTPUT("1") "," CHAT_OUTPUT("2"));
    ITEMS(SAID "," CALL("1") "," SAID "," CALL("2") "," OUTPUT("1") "," OUTPUT("2"),
          "{\"role\":\"assistant\",\"content\":\"t\\n\\nt\",\"tool_calls\":[" CHAT_CALL(
              "1") "," CHAT_CALL("2") "]}," CHAT_OUTPUT("1") "," CHAT_OUTPUT("2"));
    ITEMS("{\"role\":\"assistant\",\"content\":\"\"}," CALL("1") "," SAID "," OUTPUT("1"),
          "{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[" CHAT_CALL(
              "1") "]}," CHAT_OUTPUT("1"));
    ITEMS(SAID "," CALL("1") ",{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\","
                             "\"refusal\":\"no\"}]}," OUTPUT("1"),
          "{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[" CHAT_CALL(
              "1") "]},{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":"
                   "\"no\"}]}," CHAT_OUTPUT("1"));
}

#define NO_OUTPUT(id)                                                                              \
    "{\"role\":\"tool\",\"tool_call_id\":\"" id                                                    \
    "\",\"content\":\"(no output: the call was interrupted)\"}"

Test(front_responses_input, calls_that_were_interrupted_have_an_output_nevertheless)
{
#define USER "{\"role\":\"user\",\"content\":\"u\"}"
    ITEMS(CALL("1") "," CALL("2") "," OUTPUT("2") "," USER,
          "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL("1") "," CHAT_CALL(
              "2") "],\"content\":null}," CHAT_OUTPUT("2") "," NO_OUTPUT("1") "," USER);
    ITEMS(
        CALL("1") "," USER "," CALL("2"),
        "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL("1") "],\"content\":null}," NO_OUTPUT(
            "1") "," USER
                 ",{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL("2") "],\"content\":null}");
    ITEMS(CALL("1") "," CALL("2") "," OUTPUT("1") "," SAID,
          "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL("1") "," CHAT_CALL(
              "2") "],\"content\":null}," CHAT_OUTPUT("1") "," NO_OUTPUT("2") "," SAID);
    /* a note between a call and its output is none */
    ITEMS(CALL("1") ",{\"role\":\"developer\",\"content\":\"d\"}," OUTPUT("1"),
          "{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL(
              "1") "],\"content\":null},{\"role\":\"system\",\"content\":\"d\"}," CHAT_OUTPUT("1"));
}

Test(front_responses_input, calls_that_lack_something)
{
    REFUSED("{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\"}", ERR_INPUT);
    REFUSED("{\"type\":\"function_call\",\"name\":\"f\",\"arguments\":\"\"}", ERR_INPUT);
    REFUSED("{\"type\":\"function_call_output\",\"output\":\"x\"}", ERR_INPUT);
    REFUSED("{\"type\":\"function_call_output\",\"call_id\":\"1\"}", ERR_INPUT);
    ITEMS("{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":["
          "{\"type\":\"input_text\",\"text\":\"a\"},{\"type\":\"input_text\",\"text\":\"b\"}]}",
          "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"ab\"}");
}

Test(front_responses_input, an_image_that_a_tool_gave_stays_in_its_output)
{
    ITEMS("{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":["
          "{\"type\":\"input_text\",\"text\":\"see\"},"
          "{\"type\":\"input_image\",\"image_url\":\"data:x\",\"detail\":\"high\"}]}",
          "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":[{\"type\":\"text\",\"text\":"
          "\"see\"},"
          "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:x\",\"detail\":\"high\"}}]}");
}

#define CHAT_OF(name, arguments)                                                                   \
    "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"1\",\"type\":\"function\",\"function\":{"   \
    "\"name\":\"" name "\",\"arguments\":\"" arguments "\"}}],\"content\":null}"

Test(front_responses_input, calls_of_the_clients_other_tools_are_calls_of_functions)
{
    ITEMS("{\"type\":\"custom_tool_call\",\"call_id\":\"1\",\"name\":\"patch\",\"input\":"
          "\"a\\n\\\"b\\\"\"},{\"type\":\"custom_tool_call_output\",\"call_id\":\"1\","
          "\"output\":\"o\"}",
          CHAT_OF("patch", "{\\\"input\\\":\\\"a\\\\n\\\\\\\"b\\\\\\\"\\\"}") "," CHAT_OUTPUT("1"));
    ITEMS("{\"type\":\"function_call\",\"call_id\":\"1\",\"namespace\":\"agents\",\"name\":\"f\","
          "\"arguments\":\"{}\"}",
          CHAT_OF("agents__f", "{}"));
    ITEMS("{\"type\":\"local_shell_call\",\"id\":\"lsh\",\"call_id\":\"1\",\"action\":{\"type\":"
          "\"exec\","
          "\"command\": "
          "[\"ls\"]}},{\"type\":\"local_shell_call_output\",\"id\":\"1\",\"output\":\"o\"}",
          CHAT_OF("local_shell",
                  "{\\\"type\\\":\\\"exec\\\",\\\"command\\\":[\\\"ls\\\"]}") "," CHAT_OUTPUT("1"));
    ITEMS(
        "{\"type\":\"shell_call\",\"call_id\":\"1\",\"action\":{\"commands\":[\"ls\"]}},"
        "{\"type\":\"shell_call_output\",\"call_id\":\"1\",\"output\":[{\"stdout\":\"o\"}]}",
        CHAT_OF("shell", "{\\\"commands\\\":[\\\"ls\\\"]}") ",{\"role\":\"tool\",\"tool_call_id\":"
                                                            "\"1\",\"content\":\"[{\\\"stdout\\\":"
                                                            "\\\"o\\\"}]\"}");
    ITEMS(
        "{\"type\":\"apply_patch_call\",\"call_id\":\"1\",\"operation\":{\"type\":\"delete_file\","
        "\"path\":\"p\"}},{\"type\":\"apply_patch_call_output\",\"call_id\":\"1\","
        "\"status\":\"completed\"}",
        CHAT_OF("apply_patch",
                "{\\\"operation\\\":{\\\"type\\\":\\\"delete_file\\\",\\\"path\\\":"
                "\\\"p\\\"}}") ",{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":"
                               "\"{\\\"status\\\":\\\"completed\\\"}\"}");
    ITEMS("{\"type\":\"tool_search_call\",\"call_id\":\"1\",\"execution\":\"client\",\"arguments\":"
          "{\"q\":\"x\"}}",
          CHAT_OF("tool_search", "{\\\"q\\\":\\\"x\\\"}"));
    REFUSED("{\"type\":\"custom_tool_call\",\"call_id\":\"1\",\"name\":\"n\"}", ERR_INPUT);
    REFUSED("{\"type\":\"shell_call\",\"call_id\":\"1\",\"action\":\"ls\"}", ERR_INPUT);
}

Test(front_responses_input, tools_that_the_client_found_are_tools_from_then_on)
{
    expect_chat(
        FRONT_RESPONSES,
        "{\"input\":[{\"type\":\"tool_search_call\",\"call_id\":\"1\",\"arguments\":{}},"
        "{\"type\":\"tool_search_output\",\"call_id\":\"1\",\"tools\":[{\"type\":\"function\","
        "\"name\":\"f\"},{\"type\":\"namespace\",\"name\":\"n\",\"tools\":[{\"type\":\"custom\","
        "\"name\":\"c\"}]}]},{\"type\":\"additional_tools\",\"role\":\"developer\",\"tools\":"
        "[{\"type\":\"function\",\"name\":\"g\"}]}]}",
        "{\"messages\":[" CHAT_OF(
            "tool_search",
            "{}") ",{\"role\":\"tool\",\"tool_call_id\":"
                  "\"1\",\"content\":\"Found: f "
                  "n\"}],\"tools\":[{\"type\":\"function\",\"function\":{"
                  "\"name\":\"f\"}},{\"type\":\"function\",\"function\":{\"name\":\"n__c\","
                  "\"parameters\":{"
                  "\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\","
                  "\"description\":\"The "
                  "whole input of the tool, as plain text\"}},\"required\":[\"input\"],"
                  "\"additionalProperties\":false}}},{\"type\":\"function\",\"function\":{\"name\":"
                  "\"g\"}}]}");
}

Test(front_responses_input, what_is_of_no_use_to_an_expert_is_left_out_and_said)
{
    struct front_test t;
    struct front_chat chat = {0};
    front_test_begin(&t, FRONT_RESPONSES,
                     "{\"input\":[{\"role\":\"user\",\"content\":\"u\"},"
                     "{\"type\":\"web_search_call\",\"id\":\"ws_1\"},{\"type\":\"of_tomorrow\"}]}");
    cr_assert_eq(front_request(FRONT_RESPONSES, t.context.request, t.a, &chat, &t.param, &t.err),
                 OK);
    expect_text(chat.body, "{\"messages\":[{\"role\":\"user\",\"content\":\"u\"}]}");
    expect_text(dropped_text(&chat.dropped), "input.web_search_call,input.of_tomorrow");
    front_test_end(&t);
}

Test(front_responses_input, reasoning_is_left_out_and_what_needs_memory_is_refused)
{
    ITEMS(
        "{\"role\":\"user\",\"content\":\"u\"},{\"type\":\"reasoning\",\"id\":\"rs_1\","
        "\"summary\":[]}," CALL("1"),
        "{\"role\":\"user\",\"content\":\"u\"},{\"role\":\"assistant\",\"tool_calls\":[" CHAT_CALL(
            "1") "],\"content\":null}");
    REFUSED("{\"type\":\"item_reference\",\"id\":\"msg_1\"}", ERR_UNSUPPORTED);
    REFUSED("{\"type\":\"compaction\",\"encrypted_content\":\"x\"}", ERR_UNSUPPORTED);
}
