/* Messages as events, and events as messages. */
#include "forms_testing.h"

#define MESSAGE                                                                                    \
    "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":["  \
    "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"S=\"},"                            \
    "{\"type\":\"redacted_thinking\",\"data\":\"x\"},"                                             \
    "{\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"type\":\"char_location\"}]},"             \
    "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\": 1.50}}],"                \
    "\"stop_reason\":\"tool_use\",\"stop_sequence\":null,\"usage\":{\"input_tokens\":3,"           \
    "\"output_tokens\":5}}"

Test(anthropic_forms, both_ways)
{
    forms_expect_both(
        &anthropic_forms, MESSAGE,
        "message_start {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":"
        "\"message\",\"role\":\"assistant\",\"model\":\"c\",\"content\":[],\"stop_reason\":null,"
        "\"stop_sequence\":null,\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}}\n"
        "content_block_start {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
        "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n"
        "content_block_delta {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
        "\"thinking_delta\",\"thinking\":\"hm\"}}\n"
        "content_block_delta {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
        "\"signature_delta\",\"signature\":\"S=\"}}\n"
        "content_block_stop {\"type\":\"content_block_stop\",\"index\":0}\n"
        "content_block_start {\"type\":\"content_block_start\",\"index\":1,\"content_block\":"
        "{\"type\":\"redacted_thinking\",\"data\":\"x\"}}\n"
        "content_block_stop {\"type\":\"content_block_stop\",\"index\":1}\n"
        "content_block_start {\"type\":\"content_block_start\",\"index\":2,\"content_block\":"
        "{\"type\":\"text\",\"text\":\"\",\"citations\":[{\"type\":\"char_location\"}]}}\n"
        "content_block_delta {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":"
        "\"text_delta\",\"text\":\"a\"}}\n"
        "content_block_stop {\"type\":\"content_block_stop\",\"index\":2}\n"
        "content_block_start {\"type\":\"content_block_start\",\"index\":3,\"content_block\":"
        "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n"
        "content_block_delta {\"type\":\"content_block_delta\",\"index\":3,\"delta\":{\"type\":"
        "\"input_json_delta\",\"partial_json\":\"{\\\"a\\\": 1.50}\"}}\n"
        "content_block_stop {\"type\":\"content_block_stop\",\"index\":3}\n"
        "message_delta {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\","
        "\"stop_sequence\":null},\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}\n"
        "message_stop {\"type\":\"message_stop\"}\n",
        MESSAGE);
}

#define BEGIN                                                                                      \
    "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"usage\":{"             \
    "\"input_tokens\":3,\"output_tokens\":1}}}\n"
#define OPEN(index, block)                                                                         \
    "{\"type\":\"content_block_start\",\"index\":" index ",\"content_block\":" block "}\n"
#define DELTA(index, delta)                                                                        \
    "{\"type\":\"content_block_delta\",\"index\":" index ",\"delta\":" delta "}\n"

Test(anthropic_forms, pieces)
{
    forms_expect_gathered(
        &anthropic_forms,
        BEGIN OPEN("0", "{\"type\":\"text\",\"text\":\"\"}") DELTA(
            "0", "{\"type\":\"text_delta\",\"text\":\"a\"}")
            DELTA("0", "{\"type\":\"citations_delta\",\"citation\":{\"n\":1}}") DELTA(
                "0", "{\"type\":\"citations_delta\",\"citation\":{\"n\":2}}")
                DELTA("0", "{\"type\":\"text_delta\",\"text\":\"b\"}") OPEN(
                    "1", "{\"type\":\"tool_use\",\"input\":{}}")
                    DELTA("1", "{\"type\":\"input_json_delta\",\"partial_json\":\"\"}") DELTA(
                        "1", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\"}")
                        DELTA("1", "{\"type\":\"input_json_delta\",\"partial_json\":\"\\\":1}\"}")
                            OPEN("2", "{\"type\":\"tool_use\",\"input\":{}}") DELTA(
                                "2", "{\"type\":\"input_json_delta\",\"partial_json\":\"{"
                                     "\\\"cut\"}") "{\"type\":\"message_delta\",\"delta\":{\"stop_"
                                                   "reason\":\"max_tokens\"},\"usage\":{"
                                                   "\"output_tokens\":9},\"context_management\":{"
                                                   "\"applied_edits\":[]}}\n"
                                                   "{\"type\":\"message_stop\"}\n",
        OK,
        "{\"id\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"ab\",\"citations\":[{\"n\":1},"
        "{\"n\":2}]},{\"type\":\"tool_use\",\"input\":{\"a\":1}},{\"type\":\"tool_use\",\"input\":"
        "{\"invalid_json\":\"{\\\"cut\"}}],\"usage\":{\"input_tokens\":3,\"output_tokens\":9},"
        "\"stop_reason\":\"max_tokens\",\"context_management\":{\"applied_edits\":[]}}");
}

Test(anthropic_forms, nothing_and_nonsense)
{
    forms_expect_gathered(&anthropic_forms, "", ERR_UPSTREAM, "");
    forms_expect_gathered(&anthropic_forms, "{\"type\":\"ping\"}\n[1]\nx\n", ERR_UPSTREAM, "");
}
