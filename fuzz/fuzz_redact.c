/* A key in texts that others wrote: once it is taken out it is in them at no level of JSON, and a text that was JSON is
 * JSON. Lines of the input are events of one stream: what a client joins of their texts shows the key no more than each
 * of them. */
#include "expert/redact.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/json.h"
#include "expert/redact_stream.h"

#define SECRET          "sk-\xf0\x9f\x94\x91/1234"
#define TEXT_BYTES_MAX  (1u << 20)
#define ARENA_BYTES_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str secret = STR_INIT(SECRET);

static bool shows(struct str text, int level)
{
    struct buf seen;
    buf_init(&seen, TEXT_BYTES_MAX);
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        buf_add(&seen, redact_unescape(text, &at, level, bytes));
    }
    bool found = str_find(buf_str(&seen), secret, 0) != SIZE_MAX;
    buf_done(&seen);
    return found;
}

static void take_out(struct str text)
{
    struct buf scratch;
    struct json_value root;
    buf_init(&scratch, TEXT_BYTES_MAX);
    bool is_json = json_parse(text, "text", 1, &root, NULL) == OK;
    struct str clean = redact(text, secret, &scratch);
    if (is_json) {
        CHECK(json_parse(clean, "text", 1, &root, NULL) == OK);
        for (int level = 0; level <= REDACT_LEVELS; level++)
            CHECK(!shows(clean, level));
    }
    buf_done(&scratch);
}

struct joined {
    struct arena *arena;
    struct buf text;
};

/* What a client makes of the texts of one choice. */
static void join(struct str name, struct str data, void *arg)
{
    struct joined *j = arg;
    struct json_value root;
    struct str text;
    (void)name;
    if (json_parse(data, "event", 1, &root, NULL) == OK &&
        json_string_decode(json_get(root, "text"), j->arena, &text) == OK)
        buf_add(&j->text, text);
}

static void follow(struct str rest)
{
    struct joined j = {.arena = arena_create(ARENA_BYTES_MAX)};
    struct redact_stream r;
    struct buf scratch;
    CHECK(j.arena);
    buf_init(&j.text, TEXT_BYTES_MAX);
    buf_init(&scratch, TEXT_BYTES_MAX);
    redact_stream_init(&r, secret, join, &j);
    while (rest.len > 0) {
        struct str line = redact(str_split(&rest, '\n'), secret, &scratch);
        CHECK(redact_stream_feed(&r, STR(""), line) == OK);
    }
    redact_stream_end(&r);
    redact_stream_done(&r);
    CHECK(!shows(buf_str(&j.text), 0));
    buf_done(&j.text);
    buf_done(&scratch);
    arena_free(j.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    if (size > TEXT_BYTES_MAX / 16)
        return 0;
    take_out(text);
    follow(text);
    return 0;
}
