/* A whole call in a dialect that no table knows: what goes out, and what comes back as chat. An expert points at its
 * dialect's row, so that everything above the row is the same code as for any other. */
#include <criterion/criterion.h>

#include "call_scene.h"
#include "dialect/toy_dialect.h"
#include "expert/cost.h"

#define COUNTED "\"counted\":{\"heard\":3,\"said\":1}"
#define HEAD                                                                                       \
    "{\"id\":\"toy\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"toy\","        \
    "\"choices\":["

static struct call_scene scene;

static void begin(void)
{
    call_scene_begin(&scene, &dialect_toy);
    scene.expert.api_version = STR("2");
}

static struct scripted_call *ask(const char *rest)
{
    return call_scene_ask(&scene, rest);
}

static void expect_header(const struct scripted_call *c, const char *name, const char *want)
{
    struct str got = scripted_asked(c, name);
    cr_expect(str_equal(got, str_from(want)), "%s: %.*s", name, STR_FMT(got));
}

static void end(void)
{
    call_scene_end(&scene);
}

TestSuite(call_toy, .init = begin, .fini = end);

Test(call_toy, url_headers_and_body_are_the_dialect_s)
{
    struct scripted_call *c = ask("");
    cr_expect_str_eq(c->request->url, "https://up/v1/say?version=2");
    expect_header(c, "x-toy-key", "Toy " CALL_SCENE_KEY);
    expect_header(c, "toy-version", "3");
    expect_header(c, "accept", "application/json");
    cr_expect_null(scripted_asked(c, "authorization").ptr);
    cr_expect(str_equal(c->request->body,
                        STR("{\"speaker\":\"big\",\"words\":100,\"live\":false,\"lines\":["
                            "{\"from\":\"user\",\"said\":\"2+2\"}]}")),
              "%.*s", STR_FMT(c->request->body));
    expert_call_cancel(scene.call);
}

Test(call_toy, a_whole_answer_comes_back_as_chat)
{
    struct scripted_call *c = ask("");
    scripted_answer(c, 200, "{\"said\":\"4\",\"why\":\"end\"," COUNTED "}");
    cr_assert_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_str_eq(
        scene.body,
        "{\"id\":\"toy\",\"object\":\"chat.completion\",\"created\":0,\"model\":\"toy\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"4\"},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
        "\"completion_tokens\":1}}");
    struct cost cost = cost_of_answer(&scene.expert, &scene.answer, 99);
    cr_expect_eq(cost.basis, COST_USAGE);
    cr_expect_eq(cost.tokens.input, 3);
    cr_expect_eq(cost.tokens.output, 1);
}

Test(call_toy, a_stream_comes_back_as_chunks)
{
    struct scripted_call *c = ask(",\"stream\":true");
    expect_header(c, "accept", "text/event-stream");
    cr_expect_neq(str_find(c->request->body, STR("\"live\":true"), 0), SIZE_MAX);
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "event: word\ndata: {\"said\":\"fo\"}\n\nevent: word\nda");
    scripted_body(c,
                  "ta: {\"said\":\"ur\"}\n\nevent: end\ndata: {\"why\":\"end\"," COUNTED "}\n\n");
    scripted_done(c, OK);
    cr_assert_eq(scene.status, OK, "%s", scene.complaint);
    cr_expect_str_eq(scene.chunks, HEAD
                     "{\"index\":0,\"delta\":{\"content\":\"fo\"},\"finish_reason\":null}]}\n" HEAD
                     "{\"index\":0,\"delta\":{\"content\":\"ur\"},\"finish_reason\":null}]}\n" HEAD
                     "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n" HEAD
                     "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n[DONE]\n");
    cr_expect(scene.answer.streamed && scene.answer.finished && scene.answer.usage.known);
    cr_expect_eq(scene.answer.output_characters, 4);
}

Test(call_toy, a_stream_without_an_end_is_broken)
{
    struct scripted_call *c = ask(",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "event: word\ndata: {\"said\":\"fo\"}\n\n");
    scripted_done(c, OK);
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.retry, EXPERT_RETRY_SAME);
}

Test(call_toy, an_error_before_the_answer)
{
    struct scripted_call *c = ask("");
    scripted_answer(c, 429, "{\"detail\":\"too tired of " CALL_SCENE_KEY "\",\"retry_after\":2}");
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.http_status, 429);
    cr_expect_eq(scene.answer.retry, EXPERT_RETRY_SAME);
    cr_expect_eq(scene.answer.retry_after_ms, 2000);
    cr_expect_str_eq(scene.complaint, "expert e answered 429: too tired of [redacted]");
}

Test(call_toy, an_error_inside_the_stream)
{
    struct scripted_call *c = ask(",\"stream\":true");
    scripted_head(c, 200, "text/event-stream");
    scripted_body(c, "event: word\ndata: {\"said\":\"fo\"}\n\nevent: trouble\n"
                     "data: {\"message\":\"too tired\",\"code\":503}\n\n");
    cr_expect_eq(scene.done, 1);
    cr_expect(c->cancelled, "nothing more is read");
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.http_status, 503);
    cr_expect_str_eq(scene.complaint, "expert e answered 503: too tired");
    cr_expect_str_eq(scene.chunks, HEAD
                     "{\"index\":0,\"delta\":{\"content\":\"fo\"},\"finish_reason\":null}]}\n");
}

Test(call_toy, an_answer_that_is_none)
{
    struct scripted_call *c = ask("");
    scripted_answer(c, 200, "{\"sang\":\"4\"}");
    cr_expect_eq(scene.status, ERR_UPSTREAM);
    cr_expect_eq(scene.answer.retry, EXPERT_RETRY_NEXT);
}

Test(call_toy, what_it_lacks_is_not_sent)
{
    struct error err = {0};
    cr_expect_eq(call_scene_start(&scene,
                                  "{\"model\":\"leeroo\",\"n\":2,\"messages\":[{\"role\":\"user\","
                                  "\"content\":\"2+2\"}]}",
                                  &err),
                 ERR_UNSUPPORTED);
    cr_expect_str_eq(err.text, "a toy does not offer n above 1");
    cr_expect_eq(scene.script.count, 0);
}
