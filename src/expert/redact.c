/* Taking secrets out of texts that others wrote. */
#include "expert/redact.h"

struct str redact(struct str text, struct str secret, struct buf *into)
{
    if (secret.len < REDACT_SECRET_BYTES_MIN)
        return text;
    size_t hit = str_find(text, secret, 0);
    if (hit == SIZE_MAX)
        return text;
    size_t from = 0;
    buf_clear(into);
    for (; hit != SIZE_MAX; hit = str_find(text, secret, from)) {
        buf_add(into, str_slice(text, from, hit));
        buf_add(into, STR("[redacted]"));
        from = hit + secret.len;
    }
    buf_add(into, str_slice(text, from, text.len));
    return into->status == OK ? buf_str(into) : STR("[redacted]");
}
