/* What a client sends to rehearsed experts: a chat request that parses has a model; its prompt, cut into pieces and
 * put together again, is the same. */
#include "base/check.h"
#include "rehearse/chat_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(16 << 20);
    struct chat_request r;
    size_t at = 0;
    if (a && chat_request_parse((struct str){(const char *)data, size}, a, &r, NULL) == OK) {
        CHECK(r.model.ptr != NULL);
        while (at < r.prompt.len) {
            struct str piece = chat_piece(r.prompt, at);
            CHECK(piece.len > 0);
            CHECK(utf8_valid(piece) || !utf8_valid(r.prompt));
            at += piece.len;
        }
        CHECK(at == r.prompt.len);
    }
    arena_free(a);
    return 0;
}
