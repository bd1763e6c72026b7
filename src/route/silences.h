/* What the encoders of a model said of one request: whether those that answer late spoke, or why they did not, in which
 * case the decision is by the others alone. Reads a choice; any thread. */
#pragma once

#include "route/pool_choice.h"

/* Whether one of them said nothing. */
bool silences_any(const struct pool_choice *c);
/* ,"encoders":{"minilm":"spoke","e5":"late"}: those of the pool's model that answer late; nothing where it has none. */
void silences_write(const struct pool *p, const struct pool_choice *c, struct buf *out);
/* ,"reading_usd":{"orchestrator":0.000012300}: those that were paid; nothing where none was. */
void silences_write_paid(const struct pool *p, const struct pool_choice *c, struct buf *out);
/* "e5=late", in the arena; empty where all spoke, or memory is short. */
struct str silences_header(const struct pool *p, const struct pool_choice *c, struct arena *a);
