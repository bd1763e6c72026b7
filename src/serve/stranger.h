/* Private to serve: by which name a client calls this gateway, and which page makes it. That says who may be calling
 * where a key does not: where nobody is asked for one, and where a browser has signed in and sends a cookie along. */
#pragma once

#include "net/http_cors.h"
#include "serve/serving.h"

struct http_cors stranger_cors(const struct worker *w); /* whose pages may read answers */
/* `path` NULL: no row has it. False: the exchange has been answered. */
bool stranger_pass(struct worker *w, struct http_exchange *x, const struct path *path);
