/* Private to serve: a plan (predict/arm.h) being run for one chat. Its first members are asked in parallel, their
 * answers are held back, and the model's check says what to do next.
 *
 *     FIRST ──────────── agreed, or trusted ────────────────────────────────────────▶ the winner's answer
 *       │                                                                               ▲      ▲
 *       │ go on; what still runs is cancelled                                           │      │ a first one stands
 *       ├─ PLAN_AGREE and a stream ─▶ CHAT_CALLING: the last is relayed as it comes ─ failed ──┤
 *       └─ else ────────────────────▶ LAST, held back, too ── answered ─────────────────┘      │
 *                                                          └─ failed ──────────────────────────┤
 *                                                                                              │ none does
 *                                                CHAT_CALLING: the other experts, the best first ◀
 *
 *     a member:  UNASKED ─▶ RUNNING ⇄ WAITING (backoff) ─▶ ANSWERED | FAILED | CANCELLED
 *
 * With PLAN_AGREE it is certain that the last is asked as soon as one of the first has failed or cannot be told; the
 * others are then cancelled at once. A member that failed counts as one that cannot be told. A client that leaves
 * cancels whatever runs. Every call is noted in chat.paid. */
#pragma once

#include "serve/chat_int.h"

/* Asks the first members of the chosen arm, which is a plan. ERR_MEMORY; from then on the run ends the exchange. */
NODISCARD enum status plan_run_start(struct chat *c, struct error *err);
/* The candidate, a member that was relayed, has failed and been noted: the best answer held back stands. False: there
 * is none. */
bool plan_run_rescue(struct chat *c);
void plan_run_cancel(struct plan_run *r);  /* cancels and notes what runs */
void plan_run_release(struct plan_run *r); /* cancels and frees; the run itself is in the arena */
