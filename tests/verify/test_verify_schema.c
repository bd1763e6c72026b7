/* Answers and calls held to what the request itself says of them. */
#include <criterion/criterion.h>
#include <string.h>

#include "verify/verify_int.h"
#include "verify/verify_scene.h"

#define TOOL                                                                                       \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"sum\",\"parameters\":{\"type\":"   \
    "\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]}}},"            \
    "{\"type\":\"custom\",\"custom\":{\"name\":\"say\"}},"                                         \
    "{\"type\":\"function\",\"function\":{\"name\":\"any\"}}]"
#define FORMAT                                                                                     \
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":"    \
    "{\"type\":\"object\",\"required\":[\"x\"]}}}"

static void says(const char *request, const char *answer, const char *calls,
                 enum verify_verdict verdict, const char *why)
{
    const struct verify_input input = {.request = scene_json(request),
                                       .answer = str_from(answer),
                                       .tool_calls =
                                           calls ? scene_json(calls) : (struct json_value){0}};
    struct verify_end end = {.verdict = VERIFY_DOWN, .why = "nothing"};
    verify_schema(&input, &end);
    cr_expect_eq(end.verdict, verdict, "%s %s: %s", request, answer, end.why);
    cr_expect(strstr(end.why, why) && (*why || !*end.why), "'%s', not '%s'", end.why, why);
}

Test(verify_schema, an_answer_is_the_json_that_was_asked_for)
{
    says("{" FORMAT "}", "{\"x\":1}", NULL, VERIFY_PASS, "");
    says("{" FORMAT "}", " {\"x\":1}\n", NULL, VERIFY_PASS, "");
    says("{" FORMAT "}", "{\"y\":1}", NULL, VERIFY_REJECT, "the answer: not as its schema says");
    says("{" FORMAT "}", "[]", NULL, VERIFY_REJECT, "the answer: not as its schema says");
}

Test(verify_schema, nothing_is_mended_that_a_program_could_not_read)
{
    says("{" FORMAT "}", "```json\n{\"x\":1}\n```", NULL, VERIFY_REJECT, "the answer:1:1");
    says("{" FORMAT "}", "Here it is: {\"x\":1}", NULL, VERIFY_REJECT, "the answer:1:1");
    says("{" FORMAT "}", "{\"x\":1", NULL, VERIFY_REJECT, "the answer:1");
    says("{" FORMAT "}", "", NULL, VERIFY_REJECT, "the answer:1");
}

Test(verify_schema, json_of_any_kind_is_an_object)
{
    const char *request = "{\"response_format\":{\"type\":\"json_object\"}}";
    says(request, "{}", NULL, VERIFY_PASS, "");
    says(request, "7", NULL, VERIFY_REJECT, "no JSON object");
    says("{\"response_format\":{\"type\":\"json_schema\"}}", "7", NULL, VERIFY_PASS, "");
}

Test(verify_schema, arguments_are_as_their_tool_says)
{
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"sum\",\"arguments\":\"{\\\"a\\\":1}\"}}]",
         VERIFY_PASS, "");
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"sum\",\"arguments\":\"{\\\"a\\\":true}\"}}]",
         VERIFY_REJECT, "arguments of sum: not as its schema says");
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"sum\",\"arguments\":\"[]\"}}]",
         VERIFY_REJECT, "arguments of sum: no JSON object");
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"sum\"}}]", VERIFY_REJECT,
         "arguments of sum: no JSON object");
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"any\",\"arguments\":\"{}\"}}]", VERIFY_PASS,
         "");
    says("{" TOOL "}", "", "[{\"custom\":{\"name\":\"say\",\"input\":\"hello\"}}]", VERIFY_PASS,
         "");
}

Test(verify_schema, every_call_counts_and_only_tools_of_the_request_are_known)
{
    says("{" TOOL "}", "",
         "[{\"function\":{\"name\":\"any\",\"arguments\":\"{}\"}},"
         "{\"function\":{\"name\":\"sum\",\"arguments\":\"{}\"}}]",
         VERIFY_REJECT, "arguments of sum");
    says("{" TOOL "}", "", "[{\"function\":{\"name\":\"rm\\n\",\"arguments\":\"{}\"}}]",
         VERIFY_REJECT, "the request has no tool called 'rm '");
    says("{" TOOL "}", "", "[{\"function\":{\"arguments\":\"{}\"}}]", VERIFY_REJECT,
         "the request has no tool called ''");
    says("{" TOOL "}", "", "[7]", VERIFY_REJECT, "the request has no tool called ''");
}

Test(verify_schema, words_may_stand_where_no_call_was_demanded)
{
    says("{" TOOL "}", "Hello.", NULL, VERIFY_PASS, "no tool was called");
    says("{" TOOL ",\"tool_choice\":\"auto\"}", "Hello.", "[]", VERIFY_PASS, "no tool was called");
    says("{" TOOL ",\"tool_choice\":\"required\"}", "Hello.", NULL, VERIFY_REJECT, "demanded");
    says("{" TOOL ",\"tool_choice\":{\"type\":\"function\"}}", "Hello.", NULL, VERIFY_REJECT,
         "demanded");
    says("{" TOOL "," FORMAT "}", "Hello.", NULL, VERIFY_REJECT, "the answer:1");
    says("{" TOOL "," FORMAT "}", "", "[{\"function\":{\"name\":\"any\",\"arguments\":\"{}\"}}]",
         VERIFY_PASS, "");
}

Test(verify_schema, a_keyword_that_is_not_understood_is_down_by_its_name)
{
    says("{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":"
         "{\"type\":\"object\",\"patternProperties\":{}}}}}",
         "{}", NULL, VERIFY_DOWN, "patternProperties");
    says("{\"tools\":[{\"function\":{\"name\":\"f\",\"parameters\":{\"dependentRequired\":{}}}}]}",
         "", "[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]", VERIFY_DOWN,
         "dependentRequired");
}

Test(verify_schema, without_a_schema_there_is_nothing_to_say)
{
    says("{\"messages\":[]}", "{}", NULL, VERIFY_DOWN, "neither a response_format");
    says("{\"response_format\":{\"type\":\"text\"},\"tools\":[]}", "{}", NULL, VERIFY_DOWN,
         "neither a response_format");
    cr_expect(verify_schema_applies(scene_json("{" TOOL "}"), NULL));
    cr_expect(verify_schema_applies(scene_json("{" FORMAT "}"), NULL));
    cr_expect_not(verify_schema_applies(scene_json("{}"), NULL));
}
