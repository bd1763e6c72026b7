/* A conversation's prefixes: hashing them never reads outside of the body, and what marks the cache changes nothing.
 * How far any text refers back is a share, and what a text says without its client's notes is a part of it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "encode/follow_up.h"
#include "encode/spoken.h"
#include "session/affinity.h"

#define FUZZ_ARENA_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_prefix(const struct openai_request *r, struct arena *a)
{
    struct affinity_prefix one, two;
    affinity_prefix_read(r, 1, a, &one);
    affinity_prefix_read(r, 2, a, &two);
    CHECK(one.count == two.count && one.count <= AFFINITY_MARKS_MAX);
    CHECK(one.count <= r->message_count);
    CHECK(one.count == 0 || affinity_is_worth_it(r));
    for (size_t i = 0; i < one.count; i++) {
        CHECK(one.marks[i].hash != two.marks[i].hash); /* tenants */
        CHECK(i == 0 || one.marks[i].bytes > one.marks[i - 1].bytes);
    }
}

static void check_spoken(struct str text, struct arena *a)
{
    struct str said;
    if (spoken_text(text, a, &said, NULL) != OK)
        return;
    CHECK(said.len <= text.len);
    CHECK(said.ptr != text.ptr || said.len == text.len);
    CHECK(said.ptr == text.ptr || said.len < text.len);
    CHECK(text.len == 0 || memchr(text.ptr, '\n', text.len) || memchr(text.ptr, '<', text.len) ||
          said.len == 0 || said.len == text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct openai_request request;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    double share = follow_up_share(text);
    CHECK(share >= 0 && share <= 1);
    if (a)
        check_spoken(text, a);
    if (a && openai_request_parse(text, true, a, &request, NULL, NULL) == OK)
        check_prefix(&request, a);
    arena_free(a);
    return 0;
}
