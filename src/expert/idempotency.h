/* The client's idempotency-key as an expert sees it. All clients share the expert's account, so that two which send the
 * same value would get each other's answers; what goes up is a digest of whose it is, who is asked, and the value. The
 * same request to the same expert has the same one, however often it is tried. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* `client`: whoever may not see others' answers; empty where nobody is asked for a key. In the arena. ERR_MEMORY. */
NODISCARD enum status idempotency_bind(struct str client, struct str expert, struct str value,
                                       struct arena *a, struct str *ret, struct error *err);
