/* Private to serve: a second expert asked beside the first, when no content has come for policy.hedge_after. Whoever
 * has content first becomes the chat's call, the other is cancelled; both are paid for and noted.
 *
 *     armed ── hedge_after, nobody has begun ──▶ running ── content, or the other failed ──▶ the chat's own call
 *       └──────── content, or the end ────────────┴──────▶ stopped
 *
 * For singles only, one for a request, and only where somebody has a place at once. */
#pragma once

#include "serve/chat_int.h"

/* Where the policy wants one, and max_cost leaves room for what the loser's input costs. */
void hedge_arm(struct chat *c);
bool hedge_runs(const struct chat *c);
/* The chat's own call has come to its end, or cannot be made: the hedge is its call now. False: there is none. */
bool hedge_take_over(struct chat *c);
/* Cancels it and notes what it cost; nothing happens where there is none. Before the exchange is accounted. */
void hedge_stop(struct chat *c);
