/* A request for embeddings: what is accepted is written back as valid JSON that reads the same, with another model.
 * Any answer can be read. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "front/front_embeddings.h"

#define FUZZ_ARENA_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct embeddings_request *r, struct arena *a)
{
    struct embeddings_request again;
    struct buf out;
    buf_init(&out, r->root.raw.len + 64);
    embeddings_request_write(r, STR("up/\"x"), &out);
    CHECK(buf_status(&out, NULL) == OK);
    CHECK(embeddings_request_parse(buf_str(&out), a, &again, NULL, NULL) == OK);
    CHECK(str_equal(again.model, STR("up/\"x")));
    CHECK(again.inputs == r->inputs && again.inputs > 0);
    CHECK(embeddings_request_tokens(&again) == embeddings_request_tokens(r));
    CHECK(again.leeroo_cut.ptr == NULL);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct embeddings_request request;
    struct embeddings_reply reply;
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    if (a && embeddings_request_parse(text, a, &request, NULL, NULL) == OK)
        check_round_trip(&request, a);
    if (embeddings_reply_read(text, &reply, NULL) == OK)
        CHECK(reply.input_tokens >= 0);
    arena_free(a);
    return 0;
}
