/* Whole calls to a model in this process: a tiny one with random weights, whose tokens are bytes. A bias on letters
 * keeps what it writes readable. Calls run on a real loop, because another thread posts to it. */
#include "infer/transport_gguf.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "infer/infer_engine.h"
#include "infer/long_tiny.h"
#include "net/loop.h"

#define BODY_BYTES_MAX (1u << 20)

struct asked {
    struct transport_request request;
    struct transport_call *call;
    struct transport *transport;
    char body[4096];
    int http_status;
    enum status status;
    struct buf answer;
    bool done, events, cancels, pauses;
    size_t reads;
    char error[200];
};

static char path[64], url[128];
static struct infer_engine *engine;
static struct loop *loop;
static struct transport_gguf *gguf;
static struct arena *arena;
static struct error err;
static size_t running;

static void open_engine(size_t slots)
{
    const struct infer_options o = {.path = path, .slots = slots};
    cr_assert_eq(infer_open(&o, &engine, &err), OK, "%s", err.text);
    snprintf(url, sizeof(url), "%s/chat/completions", infer_facts_of(engine).url);
}

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("skipped: no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_infer_%d.gguf", (int)getpid());
    long_tiny_write(path, 1);
    arena = arena_create(16 << 20);
    running = 0;
    open_engine(2);
    cr_assert_eq(loop_create(&loop, &err), OK);
    cr_assert_eq(transport_gguf_create(loop_scheduler(loop), &gguf, &err), OK);
}

static void teardown(void)
{
    transport_gguf_free(gguf);
    loop_free(loop);
    infer_close(engine);
    arena_free(arena);
    unlink(path);
}

TestSuite(transport_gguf, .init = setup, .fini = teardown, .timeout = 120);

static void end(struct asked *a)
{
    a->done = true;
    if (--running == 0)
        loop_stop(loop);
}

static void on_head(void *user, int http_status)
{
    struct asked *a = user;
    cr_expect_eq(a->http_status, 0);
    a->http_status = http_status;
    struct str type = a->transport->ops->header(a->call, "content-type");
    a->events = str_equal(type, STR("text/event-stream"));
}

static void resume_later(void *arg)
{
    struct asked *a = arg;
    a->pauses = false;
    a->transport->ops->resume(a->call);
}

static void on_body(void *user, struct str bytes)
{
    struct asked *a = user;
    cr_expect_neq(a->http_status, 0);
    cr_expect(!a->pauses || a->reads == 0, "bytes though it was paused");
    buf_add(&a->answer, bytes);
    a->reads++;
    a->transport->ops->progress(a->call);
    if (a->cancels) {
        a->transport->ops->cancel(a->call);
        end(a);
    } else if (a->pauses) {
        a->transport->ops->pause(a->call);
        cr_assert_eq(loop_post(loop, resume_later, a), OK);
    }
}

static void on_done(void *user, enum status status, const struct error *cause)
{
    struct asked *a = user;
    cr_expect(!a->done && !a->pauses);
    a->status = status;
    snprintf(a->error, sizeof(a->error), "%s", cause ? cause->text : "");
    end(a);
}

/* `members` go on with a comma; "{L}" is a bias on letters. */
static void ask(struct asked *a, const char *members)
{
    struct buf body;
    buf_init(&body, sizeof(a->body) - 1);
    const char *letters = strstr(members, "{L}");
    buf_addf(&body, "{\"model\":\"tiny\",%.*s",
             letters ? (int)(letters - members) : (int)strlen(members), members);
    if (letters) {
        buf_add_c(&body, "\"logit_bias\":{");
        for (char c = 'a'; c <= 'z'; c++)
            buf_addf(&body, "%s\"%d\":60", c > 'a' ? "," : "", TINY_BYTES_FIRST + c);
        buf_addf(&body, "}%s", letters + 3);
    }
    buf_add_char(&body, '}');
    cr_assert_eq(body.status, OK);
    memcpy(a->body, body.ptr, body.len);
    a->transport = transport_gguf_transport(gguf);
    a->request.url = url;
    a->request.body = (struct str){a->body, body.len};
    a->request.user = a;
    a->request.on_head = on_head;
    a->request.on_body = on_body;
    a->request.on_done = on_done;
    buf_init(&a->answer, BODY_BYTES_MAX);
    running++;
    cr_assert_eq(a->transport->ops->start(a->transport, &a->request, &a->call, &err), OK, "%s",
                 err.text);
    cr_expect_eq(a->reads, 0, "a callback from inside start");
    buf_done(&body);
}

static void run(void)
{
    cr_assert_eq(loop_run(loop, &err), OK);
}

static struct json_value root_of(const struct asked *a)
{
    struct json_value root = {0};
    cr_assert_eq(a->status, OK, "%s", a->error);
    cr_assert_eq(json_parse(buf_str(&a->answer), "answer", 1, &root, &err), OK, "%s: %.*s",
                 err.text, STR_FMT(buf_str(&a->answer)));
    return root;
}

static struct json_value choice_of(struct json_value root)
{
    struct json_value choice = {0};
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    json_array_next(&it, &choice);
    return choice;
}

/* The answer's text, in the arena. */
static const char *text_of(const struct asked *a)
{
    struct json_value content = json_get(json_get(choice_of(root_of(a)), "message"), "content");
    struct str text;
    cr_assert_eq(a->http_status, 200, "%.*s", STR_FMT(buf_str(&a->answer)));
    cr_assert_eq(json_string_decode(content, arena, &text), OK);
    return arena_printf(arena, "%.*s", STR_FMT(text));
}

static int64_t usage_of(const struct asked *a, const char *name)
{
    struct json_value usage = json_get(root_of(a), "usage"), v = json_get(usage, name);
    int64_t n = -1;
    if (v.type == JSON_NONE)
        v = json_get(json_get(usage, "prompt_tokens_details"), name);
    cr_assert_eq(json_to_int64(v, &n), OK);
    return n;
}

/* What the chunks of a stream say, one after the other. */
static const char *streamed(const struct asked *a)
{
    struct str rest = buf_str(&a->answer);
    struct buf text;
    buf_init(&text, BODY_BYTES_MAX);
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        struct json_value root, content;
        struct str piece;
        if (!str_starts(line, STR("data: {")))
            continue;
        cr_assert_eq(json_parse(str_slice(line, 6, line.len), "chunk", 1, &root, &err), OK, "%s",
                     err.text);
        content = json_get(json_get(choice_of(root), "delta"), "content");
        if (content.type == JSON_STRING && json_string_decode(content, arena, &piece) == OK)
            buf_add(&text, piece);
    }
    const char *copy = arena_printf(arena, "%.*s", STR_FMT(buf_str(&text)));
    buf_done(&text);
    return copy;
}

static void forget(struct asked *a)
{
    buf_done(&a->answer);
}

#define HELLO "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]"

Test(transport_gguf, a_whole_answer)
{
    struct asked a = {0};
    ask(&a, HELLO ",\"temperature\":0,\"max_tokens\":12,{L}");
    cr_expect(!a.done);
    run();
    cr_expect_eq(a.http_status, 200);
    cr_expect(!a.events);
    cr_expect_eq(strlen(text_of(&a)), 12);
    cr_expect(json_string_equal(json_get(choice_of(root_of(&a)), "finish_reason"), STR("length")));
    cr_expect_eq(usage_of(&a, "completion_tokens"), 12);
    cr_expect_eq(usage_of(&a, "cached_tokens"), 0);
    cr_expect_gt(usage_of(&a, "prompt_tokens"), 20);
    forget(&a);
}

Test(transport_gguf, a_stream_says_what_the_whole_answer_says)
{
    struct asked a = {0}, b = {0};
    ask(&a, HELLO ",\"temperature\":0,\"max_tokens\":12,{L}");
    ask(&b, HELLO ",\"temperature\":0,\"max_tokens\":12,{L},\"stream\":true");
    run();
    cr_expect(b.events && b.http_status == 200);
    cr_expect_str_eq(streamed(&b), text_of(&a));
    cr_expect(str_starts(buf_str(&b.answer), STR("data: {\"id\":\"chatcmpl-")));
    cr_expect(str_ends(buf_str(&b.answer), STR("data: [DONE]\n\n")));
    forget(&a);
    forget(&b);
}

Test(transport_gguf, more_calls_than_slots_wait_and_answer_alike)
{
    enum { CALLS = 7 };
    struct asked calls[CALLS] = {0};
    for (int i = 0; i < CALLS; i++)
        ask(&calls[i], HELLO ",\"temperature\":0,\"max_tokens\":9,{L}");
    run();
    for (int i = 0; i < CALLS; i++) {
        cr_expect_str_eq(text_of(&calls[i]), text_of(&calls[0]));
    }
    for (int i = 0; i < CALLS; i++)
        forget(&calls[i]);
}

Test(transport_gguf, a_seed_gives_the_same_again_and_none_something_else)
{
    struct asked a = {0}, b = {0}, c = {0};
    ask(&a, HELLO ",\"temperature\":2,\"frequency_penalty\":2,\"seed\":3,\"max_tokens\":24,{L}");
    ask(&b, HELLO ",\"temperature\":2,\"frequency_penalty\":2,\"seed\":3,\"max_tokens\":24,{L}");
    ask(&c, HELLO ",\"temperature\":2,\"frequency_penalty\":2,\"max_tokens\":24,{L}");
    run();
    cr_expect_str_eq(text_of(&a), text_of(&b));
    cr_expect_str_neq(text_of(&a), text_of(&c)); /* 4 bits a letter at least */
    forget(&a);
    forget(&b);
    forget(&c);
}

Test(transport_gguf, a_stop_string_ends_an_answer_in_front_of_it)
{
    struct asked a = {0}, b = {0}, c = {0};
    ask(&a, HELLO ",\"temperature\":2,\"frequency_penalty\":2,\"seed\":5,\"max_tokens\":40,{L}");
    run();
    const char *text = text_of(&a);
    char stop[4] = {text[20], text[21], text[22], '\0'};
    size_t at = (size_t)(strstr(text, stop) - text);
    const char *members = arena_printf(arena,
                                       HELLO ",\"temperature\":2,\"frequency_penalty\":2,\"seed\":"
                                             "5,\"max_tokens\":40,{L},\"stop\":[\"%s\",\"\\n\"]",
                                       stop);
    ask(&b, members);
    ask(&c, arena_printf(arena, "%s,\"stream\":true", members));
    run();
    cr_expect_eq(strlen(text_of(&b)), at);
    cr_expect_eq(strncmp(text_of(&b), text, at), 0);
    cr_expect_str_eq(streamed(&c), text_of(&b));
    cr_expect(json_string_equal(json_get(choice_of(root_of(&b)), "finish_reason"), STR("stop")));
    forget(&a);
    forget(&b);
    forget(&c);
}

Test(transport_gguf, a_schema_is_kept_to)
{
    struct asked a = {0};
    struct json_value v;
    ask(&a, HELLO ",\"seed\":1,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{"
                  "\"name\":\"x\",\"schema\":{\"type\":\"object\",\"properties\":{\"yes\":{"
                  "\"type\":\"boolean\"},\"n\":{\"type\":\"integer\",\"minimum\":3,\"maximum\":"
                  "900}},\"required\":[\"yes\",\"n\"],\"additionalProperties\":false}}}");
    run();
    const char *text = text_of(&a);
    int64_t n = 0;
    cr_assert_eq(json_parse(str_from(text), "text", 1, &v, &err), OK, "%s", text);
    cr_expect(json_to_int64(json_get(v, "n"), &n) == OK && n >= 3 && n <= 900, "%s", text);
    cr_expect(json_get(v, "yes").type == JSON_TRUE || json_get(v, "yes").type == JSON_FALSE);
    cr_expect(json_string_equal(json_get(choice_of(root_of(&a)), "finish_reason"), STR("stop")));
    forget(&a);
}

#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":"   \
    "\"object\",\"properties\":{\"a\":{\"enum\":[1,2]}},\"required\":[\"a\"]}}}],\"tool_choice\":" \
    "\"required\",\"parallel_tool_calls\":false"

Test(transport_gguf, a_demanded_call_of_a_tool_is_made)
{
    struct asked a = {0}, b = {0};
    struct json_value call = {0};
    ask(&a, HELLO "," TOOLS);
    ask(&b, HELLO "," TOOLS ",\"stream\":true");
    run();
    struct json_value message = json_get(choice_of(root_of(&a)), "message");
    struct json_iter it = json_iter_begin(json_get(message, "tool_calls"));
    cr_assert(json_array_next(&it, &call), "%s", a.answer.ptr);
    struct json_value function = json_get(call, "function");
    cr_expect(json_string_equal(json_get(function, "name"), STR("add")));
    cr_expect(json_string_equal(json_get(function, "arguments"), STR("{\"a\":1}")) ||
              json_string_equal(json_get(function, "arguments"), STR("{\"a\":2}")));
    cr_expect_eq(json_get(message, "content").type, JSON_NULL);
    cr_expect(strstr(a.answer.ptr, "\"finish_reason\":\"tool_calls\""));
    cr_expect(strstr(b.answer.ptr, "\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_"));
    cr_expect(strstr(b.answer.ptr, "\"finish_reason\":\"tool_calls\""));
    forget(&a);
    forget(&b);
}

Test(transport_gguf, with_tools_and_a_format_an_answer_is_the_one_or_the_other)
{
    struct asked a = {0};
    ask(&a, HELLO ",\"seed\":1,\"max_tokens\":400,\"tools\":[{\"type\":\"function\",\"function\":{"
                  "\"name\":\"add\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{"
                  "\"enum\":[1,2]}},\"required\":[\"a\"]}}}],\"response_format\":{\"type\":"
                  "\"json_schema\",\"json_schema\":{\"schema\":{\"enum\":[\"no\"]}}}");
    run();
    cr_expect(strstr(a.answer.ptr, "\"content\":\"\\\"no\\\"\"") ||
                  strstr(a.answer.ptr, "\"name\":\"add\",\"arguments\":\"{\\\"a\\\":"),
              "%s", a.answer.ptr);
    forget(&a);
}

Test(transport_gguf, a_conversation_that_goes_on_finds_what_was_read)
{
    struct asked a = {0}, b = {0}, c = {0};
    ask(&a, HELLO ",\"temperature\":0,\"max_tokens\":8,{L}");
    run();
    const char *on = arena_printf(
        arena,
        "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"},{\"role\":\"assistant\","
        "\"content\":\"%s\"},{\"role\":\"user\",\"content\":\"More\"}],\"temperature\":0,"
        "\"max_tokens\":8,{L}",
        text_of(&a));
    ask(&b, on);
    run();
    cr_expect_geq(usage_of(&b, "cached_tokens"), usage_of(&a, "prompt_tokens"));
    cr_expect_lt(usage_of(&b, "cached_tokens"), usage_of(&b, "prompt_tokens"));
    infer_close(engine);
    engine = NULL;
    open_engine(1); /* another one, which has read nothing */
    ask(&c, on);
    run();
    cr_expect_eq(usage_of(&c, "cached_tokens"), 0);
    cr_expect_str_eq(text_of(&c), text_of(&b));
    forget(&a);
    forget(&b);
    forget(&c);
}

Test(transport_gguf, probabilities_are_told)
{
    struct asked a = {0};
    ask(&a, HELLO ",\"temperature\":0,\"max_tokens\":3,\"logprobs\":true,\"top_logprobs\":2,{L}");
    run();
    struct json_value list = json_get(json_get(choice_of(root_of(&a)), "logprobs"), "content"), e;
    struct json_iter it = json_iter_begin(list);
    size_t n = 0;
    for (; json_array_next(&it, &e); n++) {
        double p = 1;
        cr_expect(json_to_double(json_get(e, "logprob"), &p) == OK && p <= 0);
        cr_expect_eq(json_get(e, "bytes").type, JSON_ARRAY);
        cr_expect(json_is_filled(json_get(e, "top_logprobs")));
    }
    cr_expect_eq(n, 3);
    forget(&a);
}

Test(transport_gguf, a_call_that_is_cancelled_makes_room)
{
    struct asked a = {.cancels = true}, b = {.cancels = true}, c = {0}, d = {0};
    ask(&a, HELLO ",\"max_tokens\":400,{L},\"stream\":true");
    ask(&b, HELLO ",\"max_tokens\":400,{L},\"stream\":true");
    ask(&c, HELLO ",\"max_tokens\":4,{L}");
    ask(&d, HELLO ",\"max_tokens\":4,{L}");
    d.transport->ops->cancel(d.call); /* in line */
    running--;
    run();
    cr_expect_eq(a.reads, 1);
    cr_expect_eq(strlen(text_of(&c)), 4);
    cr_expect(!d.done);
    forget(&a);
    forget(&b);
    forget(&c);
    forget(&d);
}

Test(transport_gguf, a_slow_reader_blocks_nobody)
{
    struct asked a = {.pauses = true}, b = {0};
    ask(&a, HELLO ",\"temperature\":0,\"max_tokens\":30,{L},\"stream\":true");
    ask(&b, HELLO ",\"temperature\":0,\"max_tokens\":30,{L}");
    run();
    cr_expect_str_eq(streamed(&a), text_of(&b));
    forget(&a);
    forget(&b);
}

Test(transport_gguf, time_limits_are_kept)
{
    struct asked a = {.request = {.total_timeout_ms = 1}},
                 b = {.request = {.first_content_timeout_ms = 60000, .idle_timeout_ms = 60000}};
    ask(&a, HELLO ",\"max_tokens\":440,{L}");
    ask(&b, HELLO ",\"max_tokens\":4,{L},\"stream\":true");
    run();
    cr_expect_eq(a.status, ERR_TIMEOUT);
    cr_expect(strstr(a.error, "timeouts.total"), "%s", a.error);
    cr_expect_eq(b.status, OK);
    forget(&a);
    forget(&b);
}

Test(transport_gguf, what_is_wrong_with_a_request_is_an_answer)
{
    struct asked a = {0}, b = {0}, c = {0};
    ask(&a, HELLO ",\"temperature\":9");
    ask(&b, arena_printf(arena, "\"messages\":[{\"role\":\"user\",\"content\":\"%02100d\"}]", 0));
    ask(&c, HELLO ",\"logit_bias\":{\"999999\":1}");
    cr_expect(!a.done);
    run();
    cr_expect_eq(a.http_status, 400);
    cr_expect(strstr(a.answer.ptr, "\"param\":\"temperature\""));
    cr_expect_eq(b.http_status, 400);
    cr_expect(strstr(b.answer.ptr, "\"code\":\"context_length_exceeded\"") &&
                  strstr(b.answer.ptr, "maximum context length is 2048 tokens"),
              "%s", b.answer.ptr);
    cr_expect_eq(c.http_status, 400);
    cr_expect(strstr(c.answer.ptr, "logit_bias names token 999999"));
    forget(&a);
    forget(&b);
    forget(&c);
}

Test(transport_gguf, a_full_context_ends_an_answer)
{
    struct asked a = {0};
    ask(&a,
        arena_printf(arena, "\"messages\":[{\"role\":\"user\",\"content\":\"%01980d\"}],{L}", 0));
    run();
    cr_expect(json_string_equal(json_get(choice_of(root_of(&a)), "finish_reason"), STR("length")));
    cr_expect_eq(usage_of(&a, "total_tokens"), LONG_CONTEXT);
    forget(&a);
}

Test(transport_gguf, a_model_that_is_not_open_is_no_upstream)
{
    struct transport *t = transport_gguf_transport(gguf);
    struct transport_call *call = NULL;
    const struct transport_request r = {.url = "gguf:/none#1/chat/completions"};
    cr_expect_eq(t->ops->start(t, &r, &call, &err), ERR_UPSTREAM);
    cr_expect_null(call);
}
