/* Private to ask: what an asking is made of. asking.c makes and ends it, attempt.c makes calls, and fallback.c, hedge.c
 * and plan_run.c decide whom to ask next. */
#pragma once

#include "ask/attempt.h"

struct plan_run;

struct plan_checks {
    struct buf completion; /* what is checked now */
    bool running;
    size_t candidate; /* whose answer is, or was last */
    uint64_t begin_ms;
    double right;
    struct asking_check ended[PLAN_MEMBERS_MAX];
    size_t count;
};

struct asking {
    struct asking_options o;
    const char **passed; /* [count] why it is not asked any more, a static text; NULL: it may be */
    size_t standing;     /* the candidate that is asked now, or whose answer stands */
    unsigned calls;
    bool may_cool;       /* the candidate is to be waited for, though it cools down */
    bool in_hurry;       /* an expert had no place: from here on nobody is waited for in line */
    bool over;           /* on_done was called */
    uint64_t soonest_ms; /* when an expert that was closed is worth another try; 0: none was */
    struct attempt attempts[2];
    struct attempt *main;                /* whose answer is to stand, if no member's does */
    struct attempt *hedge;               /* beside it; NULL: none runs */
    struct scheduler_timer *hedge_timer; /* NULL: none is armed */
    int64_t reserved_nano_usd;           /* of the cost limit, for the input of a hedge */
    const struct attempt *told;          /* whose answer is told; NULL: none yet */
    struct plan_run *run;                /* NULL: no plan */
    struct asking_paid paid[ASKING_PAID_MAX];
    size_t paid_count;
    struct plan_checks checks; /* of a verified plan */
    struct str *failures;      /* [count] why each failed; empty: it has not. NULL: none has */
    size_t failed_count;
};

/* asking.c */
uint64_t asking_now_ms(const struct asking *a);
const struct asking_candidate *asking_candidate_of(const struct asking *a, size_t candidate);
const struct expert *asking_expert(const struct asking *a, size_t candidate);
/* The best candidate that is neither `but` nor done with nor barred; SIZE_MAX: none. */
size_t asking_next(const struct asking *a, size_t but);
/* Of those that are not done with and merely cool down, the one that is back first, if that is soon enough to wait for
 * in its line; SIZE_MAX: none. */
size_t asking_next_cooling(const struct asking *a);
/* Whether no candidate at all could be asked now. */
bool asking_is_closed(const struct asking *a);
void asking_finish(struct asking *a, enum status status, const struct error *err,
                   const struct expert_answer *answer);
void asking_log_retry(struct asking *a, size_t from, size_t next, const struct error *err,
                      uint64_t wait_ms);
void asking_pay(struct asking *a, const struct asking_paid *paid);
int64_t asking_input_cost(const struct asking *a, size_t candidate);
extern const struct expert_answer asking_no_answer; /* of a call that was not made */

/* failures.c: the attempt has failed for good. */
void failures_note(struct asking *a, const struct attempt *t, const struct attempt_failure *f);

/* fallback.c: the candidates one after the other. */
void fallback_init(struct asking *a);
/* Asks this candidate, with all that follows. */
void fallback_ask(struct asking *a, size_t candidate);
/* The candidate to ask after `from`, which may be `from` itself where only waiting for it is left; SIZE_MAX: none. */
size_t fallback_next(struct asking *a, size_t from);
/* None can be asked now: the end, which says why and when to come back. */
void fallback_refuse(struct asking *a);
/* The hedge's call is the main one from here on. */
void fallback_adopt(struct asking *a, struct attempt *hedge);

/* hedge.c: a second expert asked beside the first when no content has come for hedge_after_ms. The one that has
 * content first goes on, the other is cancelled; both are paid for and noted.
 *
 *     armed ── hedge_after_ms, neither has begun ──▶ running ── content, or the other failed ──▶ the main call
 *       └──────── content, or the end ────────────────┴──────▶ stopped
 *
 * Never with a plan, one for a request, and only where an expert has a place at once. */
void hedge_arm(struct asking *a);
/* The main call has come to its end, or cannot be made: the hedge's is the main one now. False: none runs. */
bool hedge_take_over(struct asking *a);
/* Ends it and notes what it cost; nothing happens where there is none. */
void hedge_stop(struct asking *a);
/* Others' share of the cost limit, while the body for this attempt is written. */
int64_t hedge_reserved(const struct asking *a, const struct attempt *t);

/* plan_run.c: the members of a plan, whose answers are held back until the verdict says whose stands.
 *
 *       ┌─────────────────────────────────────── a member answered or failed ─┐
 *       ▼                                                                     │
 *     VERDICT ── ask some, held back; pending ones it does not name are cancelled
 *       ├─────── wait for those pending
 *       ├─────── one is final, and it is a stream ─▶ the main call, live ─ failed ─┐
 *       └─────── nobody ─▶ the winner's answer, if there is one; else: ◀───────────┘
 *                          the members left, then the other candidates, one after the other
 *
 * A member that failed counts as one whose answer is unknown. In a verified plan an answer is held to a check before
 * the next verdict, and what stands may be an answer that has passed alone (strict). Where an answer is wanted in time
 * the verdict knows what is left of it, and when it is over is asked for once more: what is there stands, and members
 * that are still out are cancelled. */
NODISCARD enum status plan_run_create(struct asking *a, struct error *err);
void plan_run_start(struct asking *a);
/* The main call, which is a member's, has failed and was noted: the best answer held back stands. False: there
 * is none. */
bool plan_run_rescue(struct asking *a);
void plan_run_cancel(struct asking *a);
void plan_run_done(struct asking *a);
/* What the check said of a member's answer. */
void plan_run_checked(struct asking *a, size_t candidate, enum plan_check verdict);

/* plan_checks.c: has the answers of a verified plan checked, one at a time. */
/* True: the check runs, and plan_run_checked will be called. False: it is down, which is noted. */
/* `right`: P(the answer is right), as far as is known. */
bool plan_checks_begin(struct asking *a, size_t candidate, const struct held_events *answer,
                       double right);
void plan_checks_cancel(struct asking *a); /* nothing happens where none runs */
void plan_checks_done(struct asking *a);
/* ERR_UPSTREAM: what the check said of each answer, for a client that gets none of them. */
void plan_checks_refusal(const struct asking *a, struct error *err);
/* Why a member is not asked as a fallback: a value of passed[]. */
extern const char plan_run_member[];
