/* Private to serve: bodies that clients send compressed. After admission, so that the gzip of a stranger is never
 * inflated. */
#pragma once

#include "net/http_server.h"

/* x->body becomes what it holds; it lives as long as x. False: the exchange has been answered, with 415 where the
 * encoding is none of ours, 413 where the body unpacks to more than `bytes_max`, 400 where it is damaged. */
bool unpack_body(struct http_exchange *x, size_t bytes_max);
