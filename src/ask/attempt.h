/* Private to ask: one expert asked to its end, with as many tries as it is worth.
 *
 *     IDLE ─ enter ─▶ QUEUED ─ turn ─▶ CALLING ─ answered ───────────────────────▶ ENDED
 *              │        │                │  ▲ └─ failed for good, closed ──────────▶ │
 *              │        └─ turned away ──┼──┼──────────────────────────────────────▶ │
 *              └─ closed ────────────────┼──┼──────────────────────────────────────▶ │
 *                                        ▼  │ turn                                   ▲
 *                             PAUSED ─ again ─▶ QUEUED                               │
 *                             CALLING ─ [DONE] ─▶ LINGERING ─ the connection ends ───┘
 *
 * Its owner decides what an end means: the next candidate (ask/fallback.c), nothing (ask/hedge.c), the next member
 * (ask/ plan_run.c). An attempt that ended may be reset for another candidate. Its events are held until it is live,
 * which an owner makes it; a live attempt tells its events to the asking's user as they come, and does not fail over.
 * */
#pragma once

#include "ask/asking.h"
#include "ask/held_events.h"

enum attempt_state {
    ATTEMPT_IDLE,
    ATTEMPT_QUEUED,
    ATTEMPT_CALLING,
    ATTEMPT_PAUSED,    /* before the next try */
    ATTEMPT_LINGERING, /* the answer is whole, its connection is still open */
    ATTEMPT_ENDED,
};

struct attempt;

struct attempt_failure { /* valid during the callback */
    enum status status;
    const struct error *err;
    const struct expert_answer *answer; /* never NULL */
    bool unasked; /* no call was made: no money for it, no time, or no memory */
};

struct attempt_owner {
    /* The gate turned it away after it had waited; ticket.why and ticket.until_ms tell. */
    void (*on_closed)(struct attempt *t, enum gate_verdict verdict);
    /* Its pause is over. */
    void (*on_pause_over)(struct attempt *t);
    /* Its first content is about to be held or told. The owner may make it live, or end it. */
    void (*on_content)(struct attempt *t);
    /* A read has ended while it is not live; held.bytes says whether all of it was held. */
    void (*on_held)(struct attempt *t);
    /* Whether a failed try may be made again; *ret_backed_up: somebody else has answered, or may. */
    bool (*may_try_again)(const struct attempt *t, bool *ret_backed_up);
    /* ENDED: it is not asked again. Its failed tries are in t->cost. */
    void (*on_failed)(struct attempt *t, const struct attempt_failure *failure);
    /* ENDED, or LINGERING: its answer is whole. */
    void (*on_answered)(struct attempt *t, const struct expert_answer *answer);
};

struct attempt {
    struct asking *asking;
    const struct attempt_owner *owner;
    size_t candidate;
    enum attempt_state state;
    bool is_read; /* the answer is read here, and may not come in the client's own dialect */
    bool is_hedge;
    bool native; /* of the present call */
    bool live;
    bool done_mark;            /* [DONE] or its like has come: nothing may follow */
    unsigned tries;            /* of the candidate */
    uint64_t asked_ms;         /* its first try */
    uint64_t waiting_since_ms; /* for its next, in whichever line; 0: it does not wait */
    struct gate_ticket ticket;
    struct expert_call *call;      /* CALLING, LINGERING */
    struct scheduler_timer *timer; /* pauses, lingering; made when needed */
    struct held_events held;
    struct cost cost;    /* of failed tries */
    struct dropped lost; /* of the present call, as in struct expert_answer */
};

void attempt_init(struct attempt *t, struct asking *a, const struct attempt_owner *owner,
                  size_t held_bytes_max);
void attempt_done(struct attempt *t); /* cancels, unnoted, and frees; of a zeroed one, too */
/* For another candidate; not while it runs. */
void attempt_reset(struct attempt *t, size_t candidate);
/* For the same candidate, whose gate was closed: its tries go on. */
void attempt_again(struct attempt *t);
/* GATE_GO: the call was made, or could not be, which on_failed has said. GATE_WAIT: it waits in line. Else it is ENDED,
 * and on_closed was not called. The asking may be over when it returns GATE_GO. `may_cool`: the line's end may be
 * that of a cooldown. */
enum gate_verdict attempt_enter(struct attempt *t, bool may_wait, bool may_cool);
bool attempt_is_open(const struct attempt *t); /* something is still to come of it */
/* Its timer is there; false: no memory. */
bool attempt_needs_timer(struct attempt *t);
/* on_pause_over comes after wait_ms. Needs its timer. */
void attempt_pause(struct attempt *t, uint64_t wait_ms);
/* Tells the events that were held, and from here on all as they come. */
void attempt_go_live(struct attempt *t);
/* Ends it, be it running, in line or pausing; noted as `outcome` if it was asked. Nothing happens once it has ended. */
void attempt_stop(struct attempt *t, enum call_outcome outcome);
/* It is done with: what it cost goes to asking_paid. `answer` NULL: nothing came of the last call that would cost. */
void attempt_note(struct attempt *t, enum call_outcome outcome, const struct expert_answer *answer);
