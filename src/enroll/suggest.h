/* Which questions to ask a newcomer: of every kind and difficulty that there is, rather those whose answers are open,
 * under what the model knows of how hard they are. No outcome is needed, and nobody is asked. */
#pragma once

#include "enroll/enroll.h"

/* picks[want]: indices of rows[count]; the first of them are such a batch, too. *ret_count: how many there are, fewer
 * where there are fewer. Rows of which the newcomer's score is known, and those whose text is an earlier one's, are not
 * picked. may_ask[count]: NULL: all. Deterministic. ERR_MEMORY. */
NODISCARD enum status enroll_suggest(const struct model *m, const struct enroll_belief *belief,
                                     const struct enroll_row *rows, size_t count,
                                     const bool *may_ask, size_t want, struct arena *a,
                                     uint32_t *picks, size_t *ret_count, struct error *err);
