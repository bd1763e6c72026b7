/* Plans whose answer is wanted within a time (plan_state.is_timed). Who is expected to come too late is not asked, and
 * a sequential panel that has no time for one turn after the other asks together whoever is worth it:
 *
 *   time for another turn after the next     the next alone, as without a limit
 *   no such time                             all that are worth their price, in one wave; the panel stops as soon as
 *                                            none of those still out is worth it any more
 *   no time at all                           the best answer that is there stands; without any the first that comes
 *
 * Latencies that are unknown count as no time. Pure functions of their arguments, as all verdicts are. */
#pragma once

#include "predict/arm.h"
#include "predict/panel.h"

#define TIMED_LIKELY 0.5f /* who is asked more often than this belongs to a first wave */

/* How long the plan takes when all its calls are made, one turn after the other, latency_ms[members]: of a sequential
 * one, which may ask all at once and leave out who is too slow, until its two fastest have answered. */
uint64_t timed_plan_ms(const struct plan *p, const uint32_t *latency_ms);
/* What of a verdict on a cascade, a panel or a verified plan there is time for. Nothing changes where none is limited,
 * nor while there is no answer. */
void timed_verdict(const struct plan *p, const struct plan_state *s, struct plan_verdict *v);
/* The verdict on a sequential plan. `state`: what the panel sees of s; likely[members]: the probability that each is
 * asked where time does not count, which says who is worth asking before anything is known. */
void timed_panel_verdict(const struct panel *panel, const struct plan *p,
                         const struct plan_state *s, const struct panel_state *state,
                         const float *likely, struct plan_verdict *ret);
/* What is expected of a sequential plan that has time for one turn alone, by s->left_ms, latency_ms, calls_max and
 * members: e->asked and all costs. Nothing changes where there is time for more. */
void timed_estimate(const struct plan *p, const struct plan_state *s, struct estimate *e);
