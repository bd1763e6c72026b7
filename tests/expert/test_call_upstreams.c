/* What servers send under a 200 that is no answer, and streams that are odd, broken off or go on too long. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "call_scene.h"

#define SAID(text)  "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}"
#define ENDS(index) "{\"choices\":[{\"index\":" index ",\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define USAGE(in, out)                                                                             \
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":" in ",\"completion_tokens\":" out "}}"

static struct call_scene scene;

static void end(void)
{
    if (scene.arena)
        call_scene_end(&scene);
}

TestSuite(call_upstreams, .fini = end);

static struct scripted_call *ask(const struct dialect *dialect, const char *rest)
{
    end();
    call_scene_begin(&scene, dialect);
    return call_scene_ask(&scene, rest);
}

static void expect_no_answer(const struct dialect *dialect, const char *body, const char *says)
{
    scripted_answer(ask(dialect, ""), 200, body);
    cr_expect_eq(scene.status, ERR_UPSTREAM, "%s", body);
    cr_expect_neq(scene.answer.retry, EXPERT_RETRY_NEVER, "%s", body);
    cr_expect(strstr(scene.complaint, says), "%s: %s", body, scene.complaint);
}

Test(call_upstreams, a_failure_or_nothing_inside_a_200)
{
    static const char *const pairs[][2] = {
        {"{\"choices\":[]}", "nothing in it"},
        {"{\"choices\":null}", "nothing in it"},
        {"{}", "nothing in it"},
        {"{\"choices\":[null]}", "nothing in it"},
        {"{\"choices\":[{\"message\":null,\"finish_reason\":null}]}", "nothing in it"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"\"}]}", "nothing in"},
        {"{\"choices\":[{\"message\":{\"content\":\"a\"}},{\"index\":1}]}", "nothing in it"},
        {"{\"detail\":\"oops\"}", "502: oops"},
        {"{\"detail\":[{\"msg\":\"oops\"}]}", "502"},
        {"{\"object\":\"error\",\"message\":\"out\",\"code\":503}", "503: out"},
        {"{\"code\":500,\"msg\":\"404 NOT_FOUND\",\"success\":false}", "500: 404 NOT_FOUND"},
        {"{\"base_resp\":{\"status_code\":1013,\"status_msg\":\"busy\"},\"choices\":null}",
         "502: busy"},
        {"{\"error_code\":336100,\"error_msg\":\"try again\"}", "502: try again"},
        {"{\"error\":\"no\"}", "502: no"},
        {"{\"choices\":[{\"message\":{\"content\":\"half\"},\"error\":{\"code\":503,\"message\":"
         "\"gone\"}}]}",
         "503: gone"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"network_error\"}]}",
         "502: network_error"},
        {"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":"
         "\"MALFORMED_FUNCTION_CALL\"}]}",
         "502: MALFORMED_FUNCTION_CALL"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        expect_no_answer(&dialect_openai, pairs[i][0], pairs[i][1]);
    expect_no_answer(&dialect_anthropic, "{\"type\":\"error\",\"content\":[]}", "502");
    expect_no_answer(&dialect_anthropic, "{\"type\":\"message\",\"content\":[]}", "nothing in it");
    expect_no_answer(&dialect_anthropic, "{\"detail\":\"oops\"}", "502: oops");
}

static void expect_answer(const char *body)
{
    scripted_answer(ask(&dialect_openai, ""), 200, body);
    cr_expect_eq(scene.status, OK, "%s: %s", body, scene.complaint);
}

Test(call_upstreams, what_only_looks_like_a_failure)
{
    expect_answer("{\"error\":null,\"choices\":[{\"message\":{\"content\":\"a\"}}]}");
    expect_answer(
        "{\"error\":\"\",\"choices\":[{\"error\":null,\"message\":{\"content\":\"a\"}}]}");
    expect_answer("{\"choices\":[{\"message\":{\"content\":null},\"finish_reason\":\"stop\"}]}");
    expect_answer("{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"message\":\"Success\"}");
}

static void stream(const struct dialect *dialect, const char *rest, const char *const *events,
                   size_t count)
{
    char asked[64];
    snprintf(asked, sizeof(asked), ",\"stream\":true%s", rest);
    struct scripted_call *c = ask(dialect, asked);
    scripted_head(c, 200, "text/event-stream");
    for (size_t i = 0; i < count && scene.done == 0; i++)
        scripted_event(c, events[i]);
    if (scene.done == 0)
        scripted_done(c, OK);
}

#define STREAM(rest, ...)                                                                          \
    do {                                                                                           \
        const char *const events[] = {__VA_ARGS__};                                                \
        stream(&dialect_openai, rest, events, sizeof(events) / sizeof(events[0]));                 \
    } while (0)

static void expect_broken(const char *says, const char *chunks)
{
    cr_expect_eq(scene.status, ERR_UPSTREAM, "%s", scene.chunks);
    cr_expect(strstr(scene.complaint, says), "%s", scene.complaint);
    cr_expect_str_eq(scene.chunks, chunks);
}

Test(call_upstreams, a_stream_without_an_answer)
{
    STREAM("", "[DONE]");
    expect_broken("without an answer", "");
    STREAM("", "{\"choices\":[]}", "[DONE]");
    expect_broken("without an answer", "{\"choices\":[]}\n");
    STREAM("", "{\"detail\":\"oops\"}", "[DONE]");
    expect_broken("502: oops", "");
    STREAM("", "{\"id\":1}", "", "[DONE]");
    expect_broken("without an answer", "");
}

/* sgl-project/sglang #3912: "" is no reason to end. */
Test(call_upstreams, a_stream_that_ends_early)
{
#define BLANK "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":"
    STREAM("", BLANK "\"\"}]}");
    expect_broken("ended early", BLANK "null}]}\n");
    STREAM(",\"n\":2", SAID("a"), ENDS("0"),
           "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}");
    cr_expect_eq(scene.status, ERR_UPSTREAM, "choice 1 has not ended");
    STREAM(",\"n\":2", SAID("a"), ENDS("0"));
    cr_expect_eq(scene.status, ERR_UPSTREAM, "choice 1 never came");
    STREAM(",\"n\":2", SAID("a"), ENDS("0"), ENDS("1"));
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
}

/* What is missing then says nothing more. */
Test(call_upstreams, a_stream_that_breaks_behind_its_end)
{
    struct scripted_call *c = ask(&dialect_openai, ",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, SAID("a"));
    scripted_event(c, ENDS("0"));
    scripted_done(c, ERR_TIMEOUT);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    c = ask(&dialect_anthropic, ",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,"
                      "\"output_tokens\":1}}}");
    scripted_event(c, "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
                      "\"text\",\"text\":\"4\"}}");
    scripted_event(c,
                   "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":"
                   "{\"output_tokens\":9}}");
    scripted_done(c, ERR_UPSTREAM);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_eq(scene.answer.usage.output_tokens, 9, "which waited for the last event");
    cr_expect(strstr(scene.chunks, "\n[DONE]\n"), "%s", scene.chunks);
}

Test(call_upstreams, a_chunk_that_is_not_json)
{
    STREAM("", SAID("a"), "{nope", SAID("b"), "[DONE]");
    expect_broken("not a JSON object", SAID("a") "\n");
    STREAM("", SAID("a"), "{\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}", "[DONE]");
    expect_broken("not a JSON object", SAID("a") "\n");
}

Test(call_upstreams, an_error_in_a_choice_after_content)
{
    STREAM("", SAID("a"),
           "{\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\",\"error\":"
           "{\"message\":\"gone\"}}]}",
           "[DONE]");
    expect_broken("502: gone", SAID("a") "\n");
}

Test(call_upstreams, heartbeats_are_nobody_s)
{
    struct scripted_call *c = ask(&dialect_openai, ",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "event: ping\ndata: now\n\ndata:\n\n: a comment\n\n");
    scripted_event(c, "{\"type\":\"ping\"}");
    scripted_event(c, SAID("a"));
    scripted_event(c, "[DONE]");
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_str_eq(scene.chunks, SAID("a") "\n[DONE]\n");
}

Test(call_upstreams, nothing_behind_the_end_mark_is_read_or_billed)
{
    struct scripted_call *c = ask(&dialect_openai, ",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, SAID("a"));
    scripted_event(c, USAGE("10", "5"));
    scripted_body(c, "data: [DONE]\n\ndata: " USAGE("1000", "1000") "\n\n");
    cr_expect_eq(scene.done, 0);
    scripted_event(c, USAGE("10000", "10000"));
    cr_assert_eq(scene.done, 1);
    cr_expect(c->cancelled, "it is not read to its end");
    cr_expect_eq(scene.status, OK);
    cr_expect_eq(scene.answer.usage.input_tokens, 10);
    cr_expect_str_eq(scene.chunks, SAID("a") "\n" USAGE("10", "5") "\n[DONE]\n");
}

Test(call_upstreams, late_zeros_do_not_replace_real_usage)
{
    STREAM("", SAID("a"), USAGE("10", "5"), ENDS("0"), USAGE("0", "0"), "[DONE]");
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_eq(scene.answer.usage.input_tokens, 10);
    cr_expect_eq(scene.answer.usage.output_tokens, 5);
    cr_expect_str_eq(scene.chunks, SAID("a") "\n" USAGE("10", "5") "\n" ENDS("0") "\n[DONE]\n");
}

/* The other form than the one that was asked for */

#define WHOLE(text)                                                                                \
    "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"" text                                  \
    "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}"

static void expect_told(const char *type, const char *body)
{
    struct scripted_call *c = ask(&dialect_openai, ",\"stream\":true");
    scripted_head(c, 200, type);
    scripted_body(c, body);
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect(scene.answer.streamed && scene.answer.finished);
    cr_expect_eq(scene.answer.usage.input_tokens, 10);
    cr_expect_eq(scene.answer.output_characters, 1);
    cr_expect(strstr(scene.chunks, "\"delta\":{\"content\":\"a\"}"), "%s", scene.chunks);
    cr_expect(strstr(scene.chunks, "\n[DONE]\n"), "%s", scene.chunks);
}

/* diegosouzapw/OmniRoute #3089 */
Test(call_upstreams, a_whole_answer_for_a_stream_is_told_as_events)
{
    expect_told("application/json", WHOLE("a"));
    expect_told("text/event-stream", WHOLE("a"));
    expect_told("text/plain", "\n\n " WHOLE("a") "\n");
}

Test(call_upstreams, a_whole_answer_for_a_stream_may_be_none)
{
    static const char *const bodies[] = {"{\"choices\":[]}", "{\"detail\":\"x\"}", "{", "{}",
                                         "{\"choices\":[{\"message\":null}]}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        scripted_answer(ask(&dialect_openai, ",\"stream\":true"), 200, bodies[i]);
        cr_expect_eq(scene.status, ERR_UPSTREAM, "%s", bodies[i]);
        cr_expect_not(strstr(scene.chunks, "content"), "%s", scene.chunks);
    }
    scripted_answer(ask(&dialect_anthropic, ",\"stream\":true"), 200, "{\"type\":\"x\"}");
    cr_expect_eq(scene.status, ERR_UPSTREAM);
}

static void expect_gathered(const char *type)
{
    struct scripted_call *c = ask(&dialect_openai, "");
    scripted_head(c, 200, type);
    scripted_body(c, "\n: hello\n\ndata: " SAID("a") "\n\n");
    scripted_event(c, SAID("b"));
    scripted_event(c, ENDS("0"));
    scripted_event(c, USAGE("10", "5"));
    scripted_event(c, "[DONE]");
    cr_expect_eq(scene.done, 1, "the end of the connection is not waited for");
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_not(scene.answer.streamed);
    cr_expect_eq(scene.answer.usage.output_tokens, 5);
    cr_expect_eq(scene.answer.output_characters, 2);
    cr_expect_str_eq(scene.body,
                     "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{"
                     "\"role\":\"assistant\",\"content\":\"ab\"},\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}");
}

/* quangdang46/openproxy #306, openclaw/openclaw #96497 */
Test(call_upstreams, events_for_a_whole_answer_become_one)
{
    expect_gathered("text/event-stream");
    expect_gathered("application/json");
}

Test(call_upstreams, events_for_a_whole_answer_that_break_off)
{
    struct scripted_call *c = ask(&dialect_openai, "");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, SAID("a"));
    scripted_done(c, OK);
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    c = ask(&dialect_openai, "");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, SAID("a"));
    scripted_event(c, "{\"error\":{\"message\":\"hot\",\"code\":503}}");
    cr_expect(strstr(scene.complaint, "503: hot"), "%s", scene.complaint);
    cr_expect_eq(scene.answer.output_characters, 1, "what was generated may cost");
}

Test(call_upstreams, anthropic_s_other_form)
{
    static const char message[] =
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
        "\"thinking\":\"hm\",\"signature\":\"S\"},{\"type\":\"text\",\"text\":\"4\"}],"
        "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}";
    scripted_answer(ask(&dialect_anthropic, ",\"stream\":true"), 200, message);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect(strstr(scene.chunks, "\"content\":\"4\"") && strstr(scene.chunks, "[DONE]"), "%s",
              scene.chunks);
    cr_expect_eq(scene.answer.usage.input_tokens, 3);
    struct scripted_call *c = ask(&dialect_anthropic, "");
    scripted_head(c, 200, "text/event-stream");
    scripted_event(c, "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
                      "\"thinking\",\"thinking\":\"hm\",\"signature\":\"S\"}}");
    scripted_event(c, "{\"type\":\"content_block_stop\",\"index\":0}");
    scripted_event(c, "{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
                      "\"text\",\"text\":\"4\"}}");
    scripted_event(c, "{\"type\":\"message_stop\"}");
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect(strstr(scene.body, "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"hm\","
                                 "\"signature\":\"S\"}]"),
              "%s", scene.body);
}
