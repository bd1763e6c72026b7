/* A client's traceparent: any bytes are read without harm, and what is taken goes out again as it came in. */
#include <string.h>

#include "base/check.h"
#include "watch/trace_context.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size};
    struct trace t;
    struct rng rng;
    char out[TRACEPARENT_BYTES];
    rng_seed(&rng, 1);
    trace_begin(&t, text, 1, &rng);
    CHECK(t.span != 0 && (t.id_high | t.id_low) != 0);
    if (t.parent == 0)
        return 0;
    trace_write_parent(&t, t.parent, out);
    CHECK(memcmp(out + 3, text.ptr + 3, 49) == 0);
    return 0;
}
