/* Any bytes as a text to be redacted: nothing is read past its end, and what was taken out stays out. */
#include <string.h>

#include "base/check.h"
#include "store/kept_redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;
    buf_init(&b, 64u << 20);
    struct str text = {(const char *)data, size}, got = kept_redact(text, &b);
    CHECK(b.status == OK);
    CHECK(got.ptr == text.ptr || b.len > 0);
    CHECK(got.len <= 9 * size + 9);
    buf_done(&b);
    return 0;
}
