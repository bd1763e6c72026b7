/* Chat and Anthropic's Messages, for experts that speak the latter. The first byte chooses: a chat request, a Messages
 * request to be edited, a whole message, or the events of a stream, one a line. What is made must be JSON, and making
 * it twice must change nothing more. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "dialect/anthropic.h"
#include "dialect/openai.h"
#include "front/front.h"

#define FUZZ_ARENA_BYTES (8u << 20)
#define OUTPUT_BYTES_MAX (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nesting may have grown over what we read: an argument's text becomes an object. */
static void check_json(struct str text)
{
    struct json_value root;
    enum status status = json_parse(text, "output", 1, &root, NULL);
    CHECK(status == OK || status == ERR_TOO_LARGE);
    CHECK(status != OK || root.type == JSON_OBJECT);
}

static bool write_request(struct str chat, struct arena *a, struct buf *out)
{
    struct openai_request r;
    if (openai_request_parse(chat, true, a, &r, NULL, NULL) != OK)
        return false;
    const char *lack = anthropic_lacks(&r);
    enum status status = anthropic_request_write(&r, STR("up/\"x"), 1000, 50, a, out, NULL);
    CHECK(!lack || status != OK);
    CHECK(lack || status != ERR_UNSUPPORTED);
    CHECK(status == OK || out->len == 0);
    if (status == OK)
        check_json(buf_str(out));
    return status == OK;
}

/* As a Messages client's request, and by way of chat again. */
static bool rewrite(struct str messages, struct arena *a, struct buf *out)
{
    struct front_chat chat = {0};
    const char *param = NULL;
    enum status status = front_request(FRONT_MESSAGES, messages, a, &chat, &param, NULL);
    if (status == OK)
        check_json(chat.body);
    return status == OK && write_request(chat.body, a, out);
}

static void try_request(struct str chat, struct arena *a)
{
    struct buf first, second, third;
    buf_init(&first, OUTPUT_BYTES_MAX);
    buf_init(&second, OUTPUT_BYTES_MAX);
    buf_init(&third, OUTPUT_BYTES_MAX);
    if (write_request(chat, a, &first) && rewrite(buf_str(&first), a, &second) &&
        rewrite(buf_str(&second), a, &third))
        CHECK(str_equal(buf_str(&second), buf_str(&third)));
    buf_done(&first);
    buf_done(&second);
    buf_done(&third);
}

static void try_edit(struct str body)
{
    struct buf first, second;
    buf_init(&first, OUTPUT_BYTES_MAX);
    buf_init(&second, OUTPUT_BYTES_MAX);
    if (anthropic_request_edit(body, STR("up/\"x"), 2000, body.len % 2 != 0, &first, NULL) == OK) {
        check_json(buf_str(&first));
        CHECK(anthropic_request_edit(buf_str(&first), STR("up/\"x"), 2000, body.len % 2 != 0,
                                     &second, NULL) == OK);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_done(&first);
    buf_done(&second);
}

static void try_answer(struct str message)
{
    const struct front_context c = {.front = FRONT_MESSAGES, .request_id = "req_1"};
    struct buf chat, again;
    buf_init(&chat, OUTPUT_BYTES_MAX);
    buf_init(&again, OUTPUT_BYTES_MAX);
    if (anthropic_answer_to_chat(message, &chat, NULL) == OK) {
        check_json(buf_str(&chat));
        enum status status = front_answer(&c, buf_str(&chat), &again, NULL);
        CHECK(status == OK || status == ERR_UPSTREAM); /* nested too deeply */
        if (status == OK)
            check_json(buf_str(&again));
    }
    buf_done(&chat);
    buf_done(&again);
}

static void check_chunk(struct str chunk, void *arg)
{
    size_t *ends = arg;
    CHECK(*ends == 0);
    if (str_equal(chunk, STR("[DONE]")))
        ++*ends;
    else
        check_json(chunk);
}

static void try_stream(struct str events, bool collects)
{
    struct anthropic_stream *s = anthropic_stream_create(collects);
    size_t ends = 0;
    while (s && events.len > 0)
        anthropic_stream_event(s, STR(""), str_split(&events, '\n'), check_chunk, &ends);
    anthropic_stream_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    if (a && data[0] == 'r')
        try_request(text, a);
    else if (data[0] == 'e')
        try_edit(text);
    else if (data[0] == 'a')
        try_answer(text);
    else if (data[0] == 's' || data[0] == 'S')
        try_stream(text, data[0] == 'S');
    arena_free(a);
    return 0;
}
