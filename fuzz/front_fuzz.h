/* What the fuzz targets of the fronts share. The input is a request, an empty line, and the lines of a stream, the
 * first of which is taken for a whole answer, too. A line "FAIL" is a failure in the middle. Whatever comes in, what
 * goes out is JSON, and a stream of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/json.h"
#include "front/front.h"

#define FUZZ_ARENA_BYTES (4u << 20)
#define FUZZ_OUT_BYTES   (256u << 20)

/* A value deep in an answer may be deeper still in ours, beyond what json_parse reads. */
static inline void fuzz_check_json(struct str text)
{
    struct json_value root;
    enum status status = json_parse(text, "out", 1, &root, NULL);
    CHECK(status == OK || status == ERR_TOO_LARGE);
}

static inline void fuzz_check_event(struct str event)
{
    while (event.len > 0) {
        struct str line = str_split(&event, '\n');
        if (str_starts(line, STR("event: ")))
            continue;
        CHECK(str_starts(line, STR("data: ")));
        CHECK(str_find(line, STR("\r"), 0) == SIZE_MAX);
        CHECK(event.len == 0);
        line = str_slice(line, 6, line.len);
        if (!str_equal(line, STR("[DONE]")))
            fuzz_check_json(line);
    }
}

static inline void fuzz_check_events(struct str out)
{
    while (out.len > 0) {
        size_t end = str_find(out, STR("\n\n"), 0);
        CHECK(end != SIZE_MAX);
        fuzz_check_event(str_slice(out, 0, end));
        out = str_slice(out, end + 2, out.len);
    }
}

static inline void fuzz_stream(const struct front_context *c, struct arena *a, struct str lines)
{
    struct front_stream *s = front_stream_create(c, a);
    const struct front_error e = {.http_status = 502, .message = STR("gone\xff"), .type = "x"};
    struct buf out;
    buf_init(&out, FUZZ_OUT_BYTES);
    while (s && lines.len > 0) {
        struct str line = str_split(&lines, '\n');
        if (str_equal(line, STR("FAIL")))
            front_stream_fail(s, &e, &out);
        else
            front_stream_event(s, line, &out);
    }
    if (s)
        front_stream_end(s, &out);
    CHECK(out.status == OK);
    fuzz_check_events(buf_str(&out));
    buf_done(&out);
}

static inline void fuzz_front(enum front front, const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size};
    size_t middle = str_find(all, STR("\n\n"), 0);
    struct str request = str_slice(all, 0, middle), rest = str_slice(all, middle, size);
    const struct front_context c = {
        .front = front, .request = request, .request_id = "req_1", .expert = STR("ada")};
    struct front_chat chat;
    const char *param = NULL;
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    struct buf out;
    if (!a)
        return;
    if (front_request(front, request, a, &chat, &param, NULL) == OK)
        fuzz_check_json(chat.body);
    rest = str_trim(rest);
    struct str lines = rest;
    buf_init(&out, FUZZ_OUT_BYTES);
    if (front_answer(&c, str_split(&lines, '\n'), &out, NULL) == OK)
        fuzz_check_json(buf_str(&out));
    buf_done(&out);
    fuzz_stream(&c, a, rest);
    arena_free(a);
}
