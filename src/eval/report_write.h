/* A report for a person, and for a program. */
#pragma once

#include "base/buf.h"
#include "eval/report.h"

/* A table; accuracies in percent, errors behind them. */
void report_write_table(const struct report *r, struct buf *out);

/* The members of a JSON object, without its braces, so that the caller may put its own in front: "queries",
 * "reference", "experts", "plans", "baselines", "curve", "at_cost", "matched", "keeps", "pair", "verified",
 * "bootstrap". Shares are 0..1; what there is not is null. */
void report_write_json(const struct report *r, struct buf *out);
