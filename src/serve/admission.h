/* Private to serve: what every request passes first. It asks for a key where keys are asked for, counts the request
 * against the key's rates, and turns away whoever has used up a budget. What a path needs is in its row
 * (serve/path.h); one that nobody thought of needs all of it. */
#pragma once

#include "serve/gateway_int.h"

/* Fills *caller, which is in x->arena. `path` NULL: no row has it. False: the exchange has been answered. */
bool admission_pass(struct worker *w, struct http_exchange *x, const struct path *path,
                    struct caller *caller);
