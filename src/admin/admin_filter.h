/* Private to admin/: which requests are looked for, out of what stands behind the ?. */
#pragma once

#include "base/buf.h"
#include "store/search.h"

#define ADMIN_FILTER_ROWS_USUAL 50

/* limit, before, id, key, expert, policy, outcome, from_ms, to_ms, min_usd, max_usd, q; an empty one is none. Texts are
 * in the arena. ERR_INPUT names the parameter and the mend. */
NODISCARD enum status admin_filter_read(struct str query, struct arena *a,
                                        struct ledger_search *ret, struct error *err);

/* The place of a request as `before` takes it, as text. */
void admin_filter_write_place(const struct search_place *place, struct buf *out);
NODISCARD enum status admin_filter_read_place(struct str text, struct search_place *ret,
                                              struct error *err);
