/* A call in each dialect, carried by a script: what goes out, and what comes back as a chat completion. */
#include <criterion/criterion.h>
#include <string.h>

#include "call_scene.h"

#define SAID(text) "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"

static struct call_scene scene;

static struct scripted_call *ask(const struct dialect *dialect, bool stream)
{
    call_scene_begin(&scene, dialect);
    return call_scene_ask(&scene, stream ? ",\"stream\":true" : "");
}

static void end(void)
{
    call_scene_end(&scene);
}

TestSuite(call_dialects, .fini = end);

Test(call_dialects, openai_s_own)
{
    struct scripted_call *c = ask(&dialect_openai, false);
    cr_expect_str_eq(c->request->url, "https://up/v1/chat/completions");
    cr_expect(str_equal(scripted_asked(c, "authorization"), STR("Bearer " CALL_SCENE_KEY)));
    cr_expect(str_equal(c->request->body, STR("{\"model\":\"big\",\"messages\":[{\"role\":\"user\","
                                              "\"content\":\"2+2\"}]}")));
    scripted_answer(c, 200,
                    "{\"choices\":[{\"message\":{\"content\":\"4\"}}],\"usage\":{\"prompt_tokens\":"
                    "3,\"completion_tokens\":1}}");
    cr_expect_eq(scene.status, OK);
    cr_expect(scene.answer.usage.known && scene.answer.usage.input_tokens == 3);
}

Test(call_dialects, anthropic_s_answer_is_a_chat_completion)
{
    struct scripted_call *c = ask(&dialect_anthropic, false);
    cr_expect_str_eq(c->request->url, "https://up/v1/messages");
    cr_expect(str_equal(scripted_asked(c, "x-api-key"), STR(CALL_SCENE_KEY)));
    cr_expect(scripted_asked(c, "anthropic-version").len > 0);
    cr_expect_neq(str_find(c->request->body, STR("\"max_tokens\":100"), 0), SIZE_MAX, "%.*s",
                  STR_FMT(c->request->body));
    scripted_answer(c, 200,
                    "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"text\","
                    "\"text\":\"4\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":3,"
                    "\"cache_read_input_tokens\":2,\"output_tokens\":1}}");
    cr_expect_eq(scene.status, OK);
    cr_expect(strstr(scene.body, "\"content\":\"4\""), "%s", scene.body);
    cr_expect_eq(scene.answer.usage.input_tokens, 5, "with what came from the cache");
    cr_expect_eq(scene.answer.usage.cached_tokens, 2);
}

Test(call_dialects, a_delay_in_a_header_and_one_in_the_body)
{
    struct scripted_call *c = ask(&dialect_openai, false);
    scripted_header(c, "retry-after", "7");
    scripted_answer(c, 429, "{\"error\":{\"message\":\"slow down\",\"retry_after\":3}}");
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.retry, EXPERT_RETRY_SAME);
    cr_expect_eq(scene.answer.retry_after_ms, 7000);
}

static void expect_delay(const char *name, const char *value, uint64_t delay_ms)
{
    struct scripted_call *c = ask(&dialect_openai, false);
    scripted_header(c, name, value);
    scripted_answer(c, 503, "{}");
    cr_expect_eq(scene.answer.retry_after_ms, delay_ms, "%s: %s", name, value);
    end();
}

Test(call_dialects, a_date_counts_from_the_time_that_the_caller_gives)
{
    expect_delay("Retry-After", "Tue, 14 Nov 2023 22:13:27 GMT", 7000);
    expect_delay("retry-after", "Tue, 14 Nov 2023 22:13:13 GMT", 0);
    expect_delay("retry-after", "3", 3000);
    expect_delay("retry-after-ms", "1500", 1500);
    expect_delay("x-other", "3", 0);
}

Test(call_dialects, a_stream_in_pieces_of_any_size)
{
    struct scripted_call *c = ask(&dialect_openai, true);
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "data: {\"choices\":[{\"delta\":{\"con");
    scripted_body(c, "tent\":\"4\"}}]}\n\ndata: [DO");
    scripted_body(c, "NE]\n\n");
    scripted_done(c, OK);
    cr_expect_str_eq(scene.chunks, "{\"choices\":[{\"delta\":{\"content\":\"4\"}}]}\n[DONE]\n");
    cr_expect_eq(scene.status, OK);
}

Test(call_dialects, nothing_is_told_during_a_pause)
{
    struct scripted_call *c = ask(&dialect_openai, true);
    scripted_event(c, SAID("1"));
    expert_call_pause(scene.call);
    scripted_event(c, SAID("2"));
    cr_expect_str_eq(scene.chunks, SAID("1") "\n");
    expert_call_resume(scene.call);
    cr_expect_str_eq(scene.chunks, SAID("1") "\n", "never from inside resume");
    scripted_event(c, "[DONE]");
    cr_expect_str_eq(scene.chunks, SAID("1") "\n" SAID("2") "\n[DONE]\n");
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK);
}

Test(call_dialects, what_is_too_long_ends_the_transport_s_call)
{
    static char big[5000];
    struct scripted_call *c = ask(&dialect_openai, false);
    memset(big, ' ', sizeof(big) - 1);
    big[0] = '{';
    scripted_head(c, 200, "application/json");
    scripted_body(c, big);
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect(c->cancelled);
}

Test(call_dialects, a_connection_that_was_never_made_is_safe_to_try_again)
{
    struct scripted_call *c = ask(&dialect_openai, false);
    c->unsent = true;
    scripted_done(c, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.retry, EXPERT_RETRY_SAME);
}

Test(call_dialects, cancelling_ends_the_transport_s_call_silently)
{
    struct scripted_call *c = ask(&dialect_anthropic, true);
    expert_call_pause(scene.call);
    cr_expect(c->paused);
    expert_call_resume(scene.call);
    cr_expect_not(c->paused);
    expert_call_cancel(scene.call);
    cr_expect(c->cancelled);
    cr_expect_eq(scene.done, 0);
}

/* What restarts the time limits of silence */

static void expect_progress(struct scripted_call *c, const char *bytes, unsigned times)
{
    unsigned before = c->progress;
    scripted_body(c, bytes);
    cr_expect_eq(c->progress - before, times, "%s", bytes);
}

#define DELTA(members) "data: {\"choices\":[{\"index\":0,\"delta\":{" members "}}]}\n\n"

Test(call_dialects, only_content_is_progress)
{
    struct scripted_call *c = ask(&dialect_openai, true);
    scripted_head(c, 200, "text/event-stream");
    expect_progress(c, ": OPENROUTER PROCESSING\n\n", 0);
    expect_progress(c, "event: ping\ndata: {\"type\":\"ping\"}\n\n", 0);
    expect_progress(c, DELTA("\"role\":\"assistant\",\"content\":\"\""), 0);
    expect_progress(c, DELTA("\"role\":\"assistant\",\"content\":null,\"refusal\":null"), 0);
    expect_progress(c, DELTA(""), 0);
    expect_progress(c, "data: {\"choices\":[]}\n\n", 0);
    expect_progress(c, "data: {\"cho", 0);
    expect_progress(c, "ices\":[]}\n\n", 0);
    expect_progress(c, DELTA("\"reasoning_content\":\"so\""), 1);
    expect_progress(c, DELTA("\"refusal\":\"no\""), 1);
    expect_progress(c, DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\"}}]"), 1);
    expect_progress(c, DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\"}}]"),
                    0);
    expect_progress(c, DELTA("\"content\":\"4\"") DELTA("\"content\":\"2\""), 1);
    expect_progress(c, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n", 1);
    expect_progress(c, "data: [DONE]\n\n", 1);
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK);
}

#define EVENT(name, members) "event: " name "\ndata: {\"type\":\"" name "\"" members "}\n\n"

Test(call_dialects, messages_move_with_every_block_that_holds_something)
{
    struct scripted_call *c = ask(&dialect_anthropic, true);
    scripted_head(c, 200, "text/event-stream");
    expect_progress(c, EVENT("message_start", ",\"message\":{\"id\":\"m\",\"usage\":{}}"), 0);
    expect_progress(c, EVENT("ping", ""), 0);
    expect_progress(
        c, EVENT("content_block_start", ",\"content_block\":{\"type\":\"text\",\"text\":\"\"}"), 0);
    expect_progress(
        c, EVENT("content_block_delta", ",\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}"), 0);
    expect_progress(
        c, EVENT("content_block_delta", ",\"delta\":{\"type\":\"text_delta\",\"text\":\"4\"}"), 1);
    expect_progress(c, EVENT("content_block_start", ",\"content_block\":{\"type\":\"thinking\"}"),
                    1);
    expect_progress(c,
                    EVENT("content_block_start", ",\"content_block\":{\"type\":\"server_tool_use\","
                                                 "\"name\":\"web_search\",\"input\":{}}"),
                    1);
    expect_progress(c,
                    EVENT("content_block_delta", ",\"delta\":{\"type\":\"input_json_delta\","
                                                 "\"partial_json\":\"{\"}"),
                    1);
    expect_progress(c, EVENT("message_stop", ""), 1);
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK);
}

Test(call_dialects, blank_lines_before_a_whole_answer_are_no_progress)
{
    struct scripted_call *c = ask(&dialect_openai, false);
    scripted_head(c, 200, "application/json");
    expect_progress(c, "\n\n \r\n", 0);
    expect_progress(c, "{\"choices\":[{\"message\":{\"content\":\"4\"}}]", 1);
    expect_progress(c, "\n", 0);
    expect_progress(c, "}", 1);
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK);
}

/* Log-probabilities that are asked for here */

#define MARGINS                                                                                    \
    "\"logprobs\":{\"content\":[{\"token\":\"4\",\"top_logprobs\":[{\"logprob\":-0.5},"            \
    "{\"logprob\":-2}]}]}"

static struct scripted_call *ask_certain(const struct dialect *dialect, const char *rest)
{
    call_scene_begin(&scene, dialect);
    scene.certainty = true;
    return call_scene_ask(&scene, rest);
}

static bool has(struct str text, const char *part)
{
    return str_find(text, str_from(part), 0) != SIZE_MAX;
}

Test(call_dialects, certainty_of_a_whole_answer_which_the_caller_gets_without_logprobs)
{
    struct scripted_call *c = ask_certain(&dialect_openai, ",\"logprobs\":false");
    cr_expect(has(c->request->body, "\"logprobs\":true,\"top_logprobs\":2"), "%.*s",
              STR_FMT(c->request->body));
    cr_expect_not(has(c->request->body, "\"logprobs\":false"));
    scripted_answer(c, 200,
                    "{\"choices\":[{\"message\":{\"content\":\"4\"}," MARGINS "}],\"usage\":{"
                    "\"prompt_tokens\":3,\"completion_tokens\":1}}");
    cr_expect_eq(scene.status, OK);
    cr_expect(scene.answer.certainty.known && scene.answer.certainty.mean == 1.5f);
    cr_expect(strstr(scene.body, "\"logprobs\":null}"), "%s", scene.body);
    cr_expect_eq(scene.answer.lost.len, 0, "a client that wanted none has lost nothing");
}

Test(call_dialects, certainty_of_a_stream_which_the_caller_gets_without_logprobs)
{
    struct scripted_call *c = ask_certain(&dialect_gguf, ",\"stream\":true");
    cr_expect(has(c->request->body, "\"logprobs\":true"));
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "data: {\"choices\":[{\"delta\":{\"content\":\"4\"}," MARGINS "}]}\n\n");
    scripted_body(c, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
                     "data: [DONE]\n\n");
    scripted_done(c, OK);
    cr_expect_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect(scene.answer.certainty.known && scene.answer.certainty.last == 1.5f);
    cr_expect(strstr(scene.chunks, "\"logprobs\":null"), "%s", scene.chunks);
    cr_expect_not(strstr(scene.chunks, "top_logprobs"));
}

Test(call_dialects, a_client_s_own_logprobs_are_left_alone)
{
    struct scripted_call *c = ask_certain(&dialect_openai, ",\"logprobs\":true,\"top_logprobs\":5");
    cr_expect(has(c->request->body, "\"top_logprobs\":5"));
    scripted_answer(c, 200, "{\"choices\":[{\"message\":{\"content\":\"4\"}," MARGINS "}]}");
    cr_expect_eq(scene.status, OK);
    cr_expect(strstr(scene.body, "top_logprobs"), "%s", scene.body);
}

Test(call_dialects, a_dialect_without_logprobs_is_not_asked_for_them)
{
    struct scripted_call *c = ask_certain(&dialect_anthropic, "");
    cr_expect_not(has(c->request->body, "logprobs"));
}

Test(call_dialects, an_entry_that_leaves_logprobs_out_has_the_last_word)
{
    static const struct member_edit edits[] = {{STR_INIT("logprobs"), {0}},
                                               {STR_INIT("top_logprobs"), {0}}};
    call_scene_begin(&scene, &dialect_openai);
    scene.certainty = true;
    scene.expert.edits = edits;
    scene.expert.edit_count = 2;
    struct scripted_call *c = call_scene_ask(&scene, "");
    cr_expect_not(has(c->request->body, "logprobs"));
}

/* What is paid of an answer that breaks off is what came of its text. */
static uint64_t characters_of_cut(const char *body)
{
    struct scripted_call *c = ask_certain(&dialect_openai, "");
    scripted_head(c, 200, "application/json");
    scripted_body(c, body);
    scripted_done(c, ERR_IO);
    cr_expect_neq(scene.status, OK);
    uint64_t characters = scene.answer.output_characters;
    end();
    return characters;
}

Test(call_dialects, logprobs_of_an_answer_that_breaks_off_are_no_text)
{
    static const char text[] = "{\"choices\":[{\"message\":{\"content\":\"four\"}",
                      cut[] = "{\"choices\":[{\"message\":{\"content\":\"four\"}," MARGINS;
    cr_expect_eq(characters_of_cut(text), sizeof(text) - 1);
    cr_expect_eq(characters_of_cut(cut), sizeof(text));
}
