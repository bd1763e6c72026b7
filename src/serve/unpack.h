/* Private to serve: request bodies that come compressed. Call it after admission, so that nothing is unpacked for a
 * client that is not let in. */
#pragma once

#include "net/http_bodies.h"
#include "net/http_server.h"

/* At the door: whether the body comes in an encoding that is undone here. False: answered with 415. */
bool unpack_offered(struct http_exchange *x);
/* Replaces x->body by what it holds, which lives as long as x and counts among `bodies`; a body that is not compressed
 * stays. False: the exchange has been answered, with 413 where the body unpacks to more than `bytes_max`, 400 where it
 * is damaged, 503 where there is no room. */
bool unpack_body(struct http_exchange *x, size_t bytes_max, struct http_bodies *bodies);
