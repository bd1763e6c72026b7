/* What a router has to beat: single experts, mixes of them, and the oracle. Plans are no part of any of these. Figures
 * of recorded outcomes; scores and costs are means over the queries. Internal to eval/. */
#pragma once

#include "eval/report.h"

/* Mean and its standard error (sample deviation / sqrt n). */
struct figure baseline_mean(double sum, double sum_of_squares, size_t count);
/* Always `expert`, which may be a plan. */
struct report_baseline baseline_single(const struct eval_table *t, size_t expert);
/* Most accurate of the pool; ties to the cheaper. */
struct report_baseline baseline_best_single(const struct eval_table *t);
struct report_baseline baseline_random(const struct eval_table *t);
struct report_baseline baseline_oracle(const struct eval_table *t);
/* Best accuracy of a random mix of at most two single experts of the pool costing `usd_per_1k` or less on average;
 * NaN when every one costs more. */
double baseline_mix_at(const struct eval_table *t, const struct report_expert *singles,
                       double usd_per_1k);
