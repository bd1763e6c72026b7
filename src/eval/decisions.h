/* Every decision behind a report, as CSV: from it alone the figures can be computed again.
 *
 *   id,operating_point,lambda,weight,plan,calls,answered,score,cost_usd
 *
 * operating_point is a fraction of the reference's cost ("0.5"), "lambda=0", or "reference" (the reference on every
 * query). The curve at a cost is a mix of two policies that differ in one query: that query has two rows, and `weight`
 * says how much each counts; all other rows count 1. Over the rows of an operating point
 *
 *   accuracy   = sum(weight * score) / sum(weight)
 *   USD/1,000  = sum(weight * cost_usd) / sum(weight) * 1000
 *
 * are exactly those of the report. `calls` are the experts that were paid, "a+b+c"; `answered` is the one whose answer
 * stands.
 * A fraction for which no policy is cheap enough has no rows. */
#pragma once

#include "eval/build.h"
#include "eval/report.h"

/* Writes the header row and all rows to `path` (as file_out_open does). `d` is the data set of `set`. */
NODISCARD enum status decisions_write(const struct eval_set *set, const struct dataset *d,
                                      const struct report *r, struct arena *a, const char *path,
                                      struct error *err);
