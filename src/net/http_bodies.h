/* What the request bodies of all servers hold together. One for the process; any thread may take and give back. The
 * first bytes of each body are free, so that small requests pass while large ones have to wait for their turn. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_BODY_FREE_BYTES (16u << 10) /* of each body */

struct http_bodies {
    atomic_size_t bytes; /* above what is free */
    size_t bytes_max;    /* 0: no limit */
};

/* A body of `before` bytes grows by `more`. False: there is no room, and nothing is taken. `b` NULL is fine. */
bool http_bodies_take(struct http_bodies *b, size_t before, size_t more);
/* All that a body of `bytes` took. */
void http_bodies_give_back(struct http_bodies *b, size_t bytes);
