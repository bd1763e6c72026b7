/* An idempotency-key bound to client and expert. */
#include "expert/idempotency.h"

#include "base/digest.h"

#define TEXT_BYTES_MAX (64u << 10)
#define BOUND_BYTES    64

/* The parts with their lengths, so that no two requests make the same text. */
static void write_parts(struct buf *out, struct str client, struct str expert, struct str value)
{
    buf_addf(out, "%zu %zu ", client.len, expert.len);
    buf_add(out, client);
    buf_add(out, expert);
    buf_add(out, value);
}

enum status idempotency_bind(struct str client, struct str expert, struct str value,
                             struct arena *a, struct str *ret, struct error *err)
{
    struct digest digest;
    struct buf text, bound;
    buf_init(&text, TEXT_BYTES_MAX + value.len);
    buf_init(&bound, BOUND_BYTES);
    write_parts(&text, client, expert, value);
    enum status status = buf_status(&text, err);
    if (status == OK)
        status = digest_sha256(buf_str(&text), &digest, err);
    if (status == OK) {
        buf_add_c(&bound, "lr-");
        digest_write_base64url(&bound, digest.bytes, sizeof(digest.bytes));
        status = buf_status(&bound, err);
    }
    struct str copy = status == OK ? arena_copy(a, buf_str(&bound)) : STR("");
    if (status == OK && !copy.ptr)
        status = error_set(err, ERR_MEMORY, "out of memory for a header");
    buf_done(&text);
    buf_done(&bound);
    if (status == OK)
        *ret = copy;
    return status;
}
