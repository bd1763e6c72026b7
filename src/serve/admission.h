/* Private to serve: what every request passes first. It asks for a key where keys are asked for, counts the
 * request against the key's rates, and turns away who has used up a budget. Routes do not say what they need: one that
 * nobody thought of needs all of it. */
#pragma once

#include "serve/gateway_int.h"

/* Fills *caller, which is in x->arena. False: the exchange has been answered. */
bool admission_pass(struct worker *w, struct http_exchange *x, struct caller *caller);
