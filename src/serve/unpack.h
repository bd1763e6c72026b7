/* Private to serve: request bodies that come compressed. Call it after admission, so that nothing is unpacked for a
 * client that is not let in. */
#pragma once

#include "net/http_server.h"

/* Replaces x->body by what it holds, which lives as long as x; a body that is not compressed stays. False: the exchange
 * has been answered, with 415 where the encoding is not supported, 413 where the body unpacks to more than `bytes_max`,
 * 400 where it is damaged. */
bool unpack_body(struct http_exchange *x, size_t bytes_max);
