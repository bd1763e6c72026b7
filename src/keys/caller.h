/* Who makes a request, found out once (serve/admission.h) and asked again on every hop. Lives in the exchange's arena,
 * and whatever its key has reserved is given back when that goes, if not before.
 *
 * Whoever asks an expert on behalf of a client: caller_restrict before the choice, caller_may_spend before every call,
 * caller_settle once at its end. */
#pragma once

#include "expert/cost.h"
#include "keys/client_keys.h"
#include "net/http_server.h"
#include "route/pool_choice.h"

#define CALLER_HEADERS_MAX 8

struct caller {
    struct client_key *key; /* held; NULL: nobody is asked for keys */
    struct str cookie; /* of a browser's session that stands for the key; empty: there is none */
    int64_t session_end_ms; /* of it */
    struct key_reserved reserved;
    bool refused; /* the last thing asked for */
    struct key_refusal refusal;
    uint64_t asked[(CONFIG_EXPERTS_MAX + 63) / 64]; /* experts that were asked, a bit each */
};

/* What records and the ledger call the key; empty: there is none. c NULL is fine. */
struct str caller_key_id(const struct caller *c);
/* Bars what the key may not use. ERR_FORBIDDEN: not this policy, by name not this expert, or a policy of the key's but
 * not as it is; ERR_MEMORY. */
NODISCARD enum status caller_restrict(const struct caller *c, const struct pool *p,
                                      struct pool_target *target, struct arena *a,
                                      struct error *err);
/* For lists of models; index SIZE_MAX for policy or expert where the other one is meant. */
bool caller_may_use(const struct caller *c, const struct pool *p, size_t policy, size_t expert);

/* Whether the key may use what goes by this name and is no policy. */
bool caller_may_name(const struct caller *c, struct str name);

/* Whether the key is shown this arm of the pool: all its members may answer it. */
bool caller_may_see(const struct caller *c, const struct pool *p, const struct plan *plan);
/* The same of an expert by its name, as a record of earlier has it. */
bool caller_may_hear_of(const struct caller *c, struct str name);

/* Before a call: the whole request is predicted to cost `want`, what it has cost until now included. Reserves that.
 * ERR_QUOTA, ERR_RATE: refused; the text is for the client. */
NODISCARD enum status caller_may_spend(struct caller *c, struct key_reserved want,
                                       struct error *err);
/* The request has cost this. Before the record's end is told, so that whoever reads of it finds the key settled. c NULL
 * is fine. */
void caller_settle(struct caller *c, const struct cost *cost);

/* What is wrong, for the client. */
enum status caller_refuse(const struct caller *c, struct error *err);
/* What is left of the key's rates, as OpenAI's clients know it, into headers[CALLER_HEADERS_MAX]. `refused`: also when
 * to come back. Returns how many; their text is in the arena. */
size_t caller_headers(const struct caller *c, bool refused, struct arena *a,
                      struct http_header *headers);
