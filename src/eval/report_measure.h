/* Everything that has a bootstrap error: measured on all queries, then again on every draw. Internal to eval/. */
#pragma once

#include "eval/report.h"

/* Fills sweep, points, steps, path (without shares), at and claims (without mix and shares), keeps, matched and the
 * figures of a pair; r->experts, at[].fraction, queries, draws and seed are given. Scratch memory comes from `a`. */
NODISCARD enum status report_measure(const struct eval_table *t,
                                     const struct report_options *options, struct arena *a,
                                     struct report *r, struct error *err);
