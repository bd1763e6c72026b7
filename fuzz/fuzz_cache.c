/* Keys of the cache: the canonical text of JSON is JSON, has itself as its canonical text, and is never long.
 * Anything may stand in Cache-Control. */
#include <stdint.h>
#include <stdlib.h>

#include "cache/cache.h"
#include "cache/cache_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status canonical(struct str text, struct arena *a, struct buf *out)
{
    struct json_value v;
    buf_init(out, 2 * text.len + 64);
    enum status status = json_parse(text, "fuzz", 1, &v, NULL);
    return status == OK ? cache_key_canonical(v, a, out) : status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;
    struct str text = {(const char *)data, size};
    struct arena *a = arena_create(64u << 20);
    if (!a)
        return 0;
    (void)cache_control_read(text);
    if (canonical(text, a, &once) == OK) {
        if (canonical(buf_str(&once), a, &twice) != OK ||
            !str_equal(buf_str(&once), buf_str(&twice)))
            abort();
        buf_done(&twice);
    }
    buf_done(&once);
    arena_free(a);
    return 0;
}
