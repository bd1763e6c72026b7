/* The front for Messages clients. The first byte chooses: a request, a chat completion, or chat chunks, one a line.
 * What is made must be JSON; the events of a stream must be in the order that client libraries demand. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/json.h"
#include "front/front.h"

#define FUZZ_ARENA_BYTES (8u << 20)
#define OUTPUT_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct front_context context = {.front = FRONT_MESSAGES,
                                             .request_id = "req_1",
                                             .input_tokens = 3,
                                             .expert = STR_INIT("ada"),
                                             .model = STR_INIT("m")};

static struct json_value check_json(struct str text)
{
    struct json_value root = {0};
    enum status status = json_parse(text, "output", 1, &root, NULL);
    CHECK(status == OK || status == ERR_TOO_LARGE);
    CHECK(status != OK || root.type == JSON_OBJECT);
    return root;
}

static void try_request(struct str body, struct arena *a)
{
    struct front_chat chat = {0}, count = {0};
    const char *param = NULL;
    enum status status = front_request(FRONT_MESSAGES, body, a, &chat, &param, NULL);
    if (status == OK) {
        check_json(chat.body);
        CHECK(front_messages_count_request(body, a, &count, &param, NULL) == OK);
        CHECK(str_equal(chat.body, count.body));
    }
}

static void try_answer(struct str completion)
{
    struct buf out;
    buf_init(&out, OUTPUT_BYTES_MAX);
    if (front_answer(&context, completion, &out, NULL) == OK)
        check_json(buf_str(&out));
    else
        CHECK(out.len == 0);
    buf_done(&out);
}

struct order {
    size_t events, blocks;
    bool open, ended;
};

static bool is(struct json_value string, const char *text)
{
    return json_string_equal(string, str_from(text));
}

static void check_event(struct order *o, struct str name, struct json_value event)
{
    struct json_value type = json_get(event, "type");
    int64_t index = 0;
    CHECK(!o->ended);
    CHECK(json_string_equal(type, name));
    CHECK((o->events++ == 0) == is(type, "message_start") || is(type, "error"));
    o->ended = is(type, "error") || is(type, "message_stop");
    CHECK(!is(type, "message_delta") || !o->open);
    if (json_get(event, "index").type == JSON_NONE)
        return;
    CHECK(json_to_int64(json_get(event, "index"), &index) == OK && index >= 0);
    if (is(type, "content_block_start")) {
        CHECK((size_t)index == o->blocks++ && !o->open);
        o->open = true;
    } else {
        CHECK((size_t)index < o->blocks);
        CHECK(!is(type, "content_block_stop") || o->open);
        o->open = o->open && !is(type, "content_block_stop");
    }
}

/* Events as front_write_event writes them. */
static void check_events(struct str text)
{
    struct order order = {0};
    while (text.len > 0) {
        struct str name = str_split(&text, '\n'), line;
        struct buf data;
        CHECK(str_starts(name, STR("event: ")));
        buf_init(&data, OUTPUT_BYTES_MAX);
        while ((line = str_split(&text, '\n')).len > 0) {
            CHECK(str_starts(line, STR("data: ")));
            buf_add(&data, str_slice(line, 6, line.len));
            buf_add_char(&data, '\n');
        }
        struct json_value event = check_json(buf_str(&data));
        if (event.type != JSON_NONE)
            check_event(&order, str_slice(name, 7, name.len), event);
        buf_done(&data);
    }
    CHECK(order.ended);
}

static void try_stream(struct str chunks, struct arena *a)
{
    struct buf out;
    buf_init(&out, OUTPUT_BYTES_MAX);
    struct front_stream *s = front_stream_create(&context, a);
    while (s && chunks.len > 0)
        front_stream_event(s, str_split(&chunks, '\n'), &out);
    if (s)
        front_stream_end(s, &out);
    if (s && out.status == OK)
        check_events(buf_str(&out));
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    if (a && data[0] == 'r')
        try_request(text, a);
    else if (data[0] == 'a')
        try_answer(text);
    else if (a && data[0] == 's')
        try_stream(text, a);
    arena_free(a);
    return 0;
}
