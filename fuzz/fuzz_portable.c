/* A history for another expert is JSON again, has no state in it, and is the client's own bytes where none was. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "session/portable.h"

#define FUZZ_ARENA_BYTES (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sessions *t, struct str body, const struct expert *e, struct arena *a)
{
    const struct session s = {.tenant = 1, .root = 1, .in_turn = true};
    struct str once, twice;
    struct json_value root;
    if (session_portable(t, &s, e, true, body, 0, a, &once, NULL) != OK)
        return;
    CHECK(json_parse(once, "portable", 1, &root, NULL) == OK);
    CHECK(once.ptr == body.ptr || e->upstream_model.len > 0 || once.len <= body.len + 32);
    if (e->upstream_model.len > 0)
        return;
    CHECK(session_portable(t, &s, e, true, once, 0, a, &twice, NULL) == OK);
    CHECK(str_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sessions *t;
    const struct expert plain = {.name = STR("a")},
                        gemini = {.name = STR("g"), .upstream_model = STR("gemini-3")};
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    if (!t)
        CHECK(sessions_create(&t, NULL) == OK);
    if (a) {
        check(t, (struct str){(const char *)data, size}, &plain, a);
        check(t, (struct str){(const char *)data, size}, &gemini, a);
    }
    arena_free(a);
    return 0;
}
