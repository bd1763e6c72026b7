/* One sum for all request bodies. */
#include "net/http_bodies.h"

#include "base/check.h"

static size_t counted(size_t bytes)
{
    return bytes > HTTP_BODY_FREE_BYTES ? bytes - HTTP_BODY_FREE_BYTES : 0;
}

bool http_bodies_take(struct http_bodies *b, size_t before, size_t more)
{
    size_t wanted = b ? counted(before + more) - counted(before) : 0;
    if (wanted == 0)
        return true;
    size_t held = atomic_fetch_add(&b->bytes, wanted);
    if (b->bytes_max == 0 || held + wanted <= b->bytes_max)
        return true;
    atomic_fetch_sub(&b->bytes, wanted);
    return false;
}

void http_bodies_give_back(struct http_bodies *b, size_t bytes)
{
    if (!b || counted(bytes) == 0)
        return;
    size_t held = atomic_fetch_sub(&b->bytes, counted(bytes));
    CHECK(held >= counted(bytes));
}
