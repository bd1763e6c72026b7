/* Error bodies of upstreams: whatever they hold, numbers of an overflow come as a pair that makes sense. */
#include <stdint.h>

#include "base/check.h"
#include "dialect/overflow.h"
#include "expert/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct overflow o = {0};
    if (overflow_read(body, &o)) {
        CHECK((o.tokens == 0 && o.maximum == 0) || (o.maximum > 0 && o.tokens > o.maximum));
    } else {
        CHECK(o.tokens == 0 && o.maximum == 0);
    }
    (void)refusal_is_of_expert(400, body);
    (void)refusal_is_of_expert(
        413, body); /* also of an overflow: it may name a mistake of the request, too */
    (void)refusal_is_of_expert(500, body);
    return 0;
}
