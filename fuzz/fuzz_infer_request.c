/* Any bytes as a chat asked of a model in this process: what is read is whole, and what is refused says why. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "infer/infer_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(64 << 20);
    struct infer_request r;
    const char *param = NULL;
    struct error err = {0};
    if (a &&
        infer_request_read((struct str){(const char *)data, size}, a, &r, &param, &err) == OK) {
        CHECK(r.message_count > 0 && r.stop_count <= INFER_STOPS_MAX);
        CHECK(r.sampling.temperature >= 0 && r.sampling.bias_count <= LM_SAMPLER_BIASES_MAX);
        CHECK(!r.grammar || strncmp(r.grammar, "root ::= ", 9) == 0);
        CHECK(!r.calls_grammar || strncmp(r.calls_grammar, "root ::= ", 9) == 0);
        for (size_t i = 0; i < r.message_count; i++)
            CHECK(r.messages[i].role && r.messages[i].content);
    } else if (a) {
        CHECK(err.text[0]);
    }
    arena_free(a);
    return 0;
}
