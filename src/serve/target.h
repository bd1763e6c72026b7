/* What a request says of its own routing: "model", the member "leeroo" of its body, and headers:
 *
 *     "leeroo": {"experts": ["a", "b"], "lambda": 50, "max_cost": 0.01, "plans": "none", "policy": "thrift"}
 *     x-leeroo-experts: a, b      x-leeroo-min-quality: 0.8      x-leeroo-plans: cascade; panel
 *
 * The body wins over a header. Nothing of it goes upstream. A request may narrow what its policy allows, and choose
 * another trade between quality and money, but not get past a cap or a bar. */
#pragma once

#include "keys/caller.h"
#include "net/http_server.h"
#include "route/pool_choice.h"
#include "session/affinity.h"
#include "session/session.h"

/* Bars of experts are in x->arena. On failure *ret_param names the member or header at fault, and *ret_code is set
 * where the error has a code of its own; it names to `caller` (NULL: nobody is asked) only what that may use.
 * ERR_NOT_FOUND: no such model; ERR_INPUT. */
NODISCARD enum status target_read(const struct pool *p, const struct caller *caller,
                                  const struct http_exchange *x, const struct openai_request *r,
                                  struct pool_target *ret, const char **ret_param,
                                  const char **ret_code, struct error *err);
/* The name under which what prompt caches hold for this client is kept apart from other clients'. */
struct str target_tenant(const struct caller *c);
/* Sets target->cached_tokens and target->prefix where some expert has a price for cached input and the request is long
 * enough to be cached. */
NODISCARD enum status target_recall(struct affinity *t, const struct pool *p,
                                    const struct openai_request *r, struct str tenant,
                                    uint64_t now_ms, struct arena *a, struct pool_target *target,
                                    struct error *err);
/* Whose turn it is, into *ret and the target. */
void target_hold(struct sessions *t, const struct http_exchange *x, const struct pool *p,
                 const struct openai_request *r, struct str tenant, uint64_t now_ms,
                 struct pool_target *target, struct session *ret);
