/* Experts asked for one request, to its end: one after the other until one answers, a second beside a slow first, or
 * the members of a plan. What asks knows no gateway: a request served, a question of self-play and an embedding are
 * asked the same way. It opens no socket and reads no clock: calls go by a transport, time comes from a scheduler.
 *
 *     asking_start ─▶ attempts (ask/attempt.h) ─▶ on_event … on_flush … ─▶ on_done, once
 *
 * Nothing of a stream is told before its first content, so that until then another expert may take over; from there on
 * its events are told as they come, and nobody else steps in. An asking lives in the arena that it was made in and
 * belongs to the thread of its scheduler. on_done may come from inside asking_start; the asking may be released in it,
 * and is not touched afterwards. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
#include "base/scheduler.h"
#include "data/dataset.h"
#include "expert/call.h"
#include "expert/cost.h"
#include "gate/gate.h"
#include "predict/arm.h"

#define ASKING_CALLS_MAX      16   /* made for one request, whichever expert is asked */
#define ASKING_WAIT_MAX_MS    5000 /* a longer pause sends us to the next expert, if there is one, */
#define ASKING_WAIT_LAST_MS   20000 /* and if there is none, we give up rather than wait longer */
#define ASKING_HELD_BYTES_MAX 65536 /* of a stream before its first content */
#define ASKING_LINGER_MS      1000  /* for the end of an expert's connection after [DONE] */
#define ASKING_PAID_MAX       (ASKING_CALLS_MAX + PLAN_MEMBERS_MAX)

struct asking;

struct asking_context { /* of a thread; outlives its askings */
    struct scheduler *scheduler;
    struct wake_queue *wakes;
    struct transport *transport;
    struct transport *in_process; /* of dialects that are; NULL: there are none */
    struct rng *rng;              /* of pauses */
    int64_t (*wall_ms)(void);     /* the time of day, as for expert/call.h */
};

struct asking_candidate { /* an expert that may be asked */
    const struct expert *expert;
    struct gate *gate;
    int64_t
        input_tokens; /* at least what is predicted; what a second call's input may cost is counted by it */
    int64_t output_tokens; /* predicted */
    int64_t
        rate_tokens; /* predicted in all; what its token rate is charged until the real number is known */
};

struct asking_paid { /* what came of asking one expert, all its tries together */
    size_t candidate;
    enum call_outcome outcome;
    struct cost cost;
    uint64_t asked_ms, ended_ms; /* its first try, and the end of its last; the scheduler's time */
    bool hedge;
};

struct asking_check { /* what a check has said of one answer */
    size_t candidate; /* whose */
    enum plan_check verdict;
    double right;   /* P(the answer is right), as far as was known before */
    struct str why; /* empty: it did not say */
    struct cost cost;
    uint64_t begin_ms, ended_ms; /* the scheduler's time */
};

struct asking_end {
    enum status status;
    const struct error *err; /* status != OK */
    const struct expert_answer
        *answer; /* never NULL; of a failure what the expert said, if it said anything */
};

/* Optional functions may be NULL. */
struct asking_ops {
    /* Optional. Whether the expert may be asked on the request's behalf: before every call. ERR_BUDGET, ERR_FORBIDDEN.
     * */
    enum status (*may_ask)(void *user, size_t candidate, struct error *err);
    /* Optional. Tokens of the longest answer that the request may pay for, with `others_nano_usd` spent on other
     * experts and `failed_nano_usd` on this one's failed tries. 0: none is left; INT64_MAX: no limit. */
    int64_t (*output_limit)(void *user, size_t candidate, int64_t others_nano_usd,
                            int64_t failed_nano_usd);
    /* Fills in what is asked (expert/call.h), with headers and limits; expert, output_limit, time limit and callbacks
     * are set already. `is_read`: the answer is read here, so that it must come as a chat completion. */
    enum status (*fill)(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err);
    /* Optional. Whether what came, in one piece, is an answer to what was asked. May fill in the usage, where it stands
     * in a form of its own. Else ERR_UPSTREAM: as good as a failed call. */
    enum status (*accept)(void *user, struct expert_answer *answer, struct error *err);
    /* Optional, of streams only. The answer that stands, from its beginning on; asking_candidate_at says whose it is.
     * */
    void (*on_event)(void *user, const struct expert_event *event);
    void (*on_flush)(void *user); /* after the last event of a read */
    /* Optional. A call failed and is followed by another, of the same expert or the next. */
    void (*on_retry)(void *user, size_t failed, size_t next);
    /* Optional. An expert is done with. */
    void (*on_paid)(void *user, const struct asking_paid *paid);
    /* With a plan: what to do next (predict/arm.h). */
    void (*verdict)(void *user, const struct plan_state *state, struct plan_verdict *ret);
    /* With a verified plan: has an answer checked, a whole chat completion that stays until the check ends. OK:
     * asking_checked comes later, never from inside, unless check_cancel comes first. Else as if the check were down.
     */
    enum status (*check)(void *user, size_t candidate, struct str completion, struct error *err);
    struct cost (*check_cancel)(void *user); /* returns what it has cost all the same */
    void (*on_done)(void *user, const struct asking_end *end);
};

struct asking_plan { /* over the first candidates, in their order */
    const struct plan *plan;
    struct query question; /* what is asked: the answers are read by it */
    float characters;      /* of the prompt */
    uint8_t max_calls;     /* members asked by a sequential plan; 0: no limit */
    bool strict;           /* of a verified plan: only an answer that has passed may stand */
    const struct estimate *members[PLAN_MEMBERS_MAX];
    /* When an answer is wanted, by the scheduler's clock; 0: whenever it comes. Then the most trusted of those that are
     * there stands, or else the first that comes; of a strict plan only one that has passed, however late. */
    uint64_t deadline_ms;
    uint32_t latency_ms[PLAN_MEMBERS_MAX]; /* how long each is expected to take; 0: unknown */
    size_t kept_bytes_max;                 /* of an answer that is held back */
};

struct asking_options {
    const struct asking_context *context;
    const struct asking_ops *ops;
    void *user;
    const char *id;                            /* for the log; outlives the asking */
    struct arena *arena;                       /* outlives the asking */
    const struct asking_candidate *candidates; /* [count], the best first; outlive the asking */
    size_t count;
    int64_t
        input_tokens; /* of the request, estimated: the cost of a call whose expert reports no usage */
    bool stream;
    bool
        waits_for_first; /* through a cooldown of ASKING_WAIT_MAX_MS, though others might be asked */
    uint32_t hedge_after_ms;        /* 0: no second call beside a slow first */
    const struct asking_plan *plan; /* NULL: none; outlives the asking */
};

/* Asks nobody yet. ERR_MEMORY. */
NODISCARD enum status asking_create(const struct asking_options *o, struct asking **ret,
                                    struct error *err);
void asking_start(struct asking *a);
/* The reader of the events is slow; nothing more is read from the expert until resume. */
void asking_pause(struct asking *a);
void asking_resume(struct asking *a);
/* Nobody wants the answer any more: ends what runs and notes what it cost. on_done does not come. */
void asking_cancel(struct asking *a);
/* Ends what runs, unnoted, and frees all but the arena's memory. NULL is fine. */
void asking_release(struct asking *a);

/* What the check under way has said: PLAN_PASSED, PLAN_REJECTED or PLAN_CHECK_DOWN. `why` is copied. The asking may be
 * over when it returns. */
void asking_checked(struct asking *a, enum plan_check verdict, struct str why,
                    const struct cost *cost);
/* Checks that have ended, in their order. */
const struct asking_check *asking_checks(const struct asking *a, size_t *ret_count);

/* After a failure: what became of each expert that was asked, or could not be, the best first, as one sentence without
 * secrets or addresses. Empty: one alone was tried, and on_done has said all. In the asking's arena. */
struct str asking_failures(const struct asking *a);

/* The candidate that is asked now, at the end the one whose answer stands. */
size_t asking_candidate_at(const struct asking *a);
/* Whether the events that are told, or the answer, are in the client's own dialect, as `fill` wished. */
bool asking_is_native(const struct asking *a);
/* What the client wished for, but is otherwise in the parameters of the expert whose answer is told. */
const struct dropped *asking_lost(const struct asking *a);
unsigned asking_calls(const struct asking *a); /* made so far */
/* What was paid so far, one item for each expert that is done with. */
const struct asking_paid *asking_paid(const struct asking *a, size_t *ret_count);
/* The same with the call whose events are being told, as if it had just ended; into[ASKING_PAID_MAX + 1]. */
size_t asking_paid_until_now(const struct asking *a, struct asking_paid *into);
/* What the candidate's failed tries have cost, which is not in asking_paid yet. */
struct cost asking_cost_failed(const struct asking *a);
/* The sum of paid[count]. A call that failed and cost nothing says nothing about the basis of the others; nothing at
 * all is an estimate. */
struct cost asking_cost_of(const struct asking_paid *paid, size_t count);
