/* Between calls.c, which decides which jobs are made, calls_known.c, which keeps what is known, and calls_slot.c, which
 * makes them; calls_share.c and calls_join.c are those of several machines. */
#pragma once

#include "ask/asking.h"
#include "base/map.h"
#include "base/progress.h"
#include "base/saturate.h"
#include "calls/call_journal.h"
#include "calls/calls.h"
#include "expert/transport_http.h"
#include "infer/transport_gguf.h"
#include "net/loop.h"
#include "share/share.h"

struct calls;

struct call_slot { /* one call at a time */
    struct calls *calls;
    bool busy;
    bool out;     /* with other machines, or waiting for one: nothing is asked here */
    size_t tries; /* that it has been put out */
    struct call_job job;
    int64_t limit_nano_usd;    /* the most that a try within its limits costs */
    int64_t bound_nano_usd;    /* of one try, by what its expert has cost beyond its limits */
    int64_t reserved_nano_usd; /* in the purse */
    int64_t output_tokens;     /* of the answer at most; INT64_MAX: no limit */
    char id[RECORD_ID_BYTES];
    int64_t begin_wall_ms;
    uint64_t begin_ms;
    struct arena *arena;
    struct openai_request request;
    struct asking_candidate candidate; /* the only one */
    struct asking *asking;
};

struct call_known {  /* what the journal says of a key */
    struct str text; /* ptr NULL: it was not answered */
    uint64_t asked;
    uint32_t expert; /* who answered; UINT32_MAX: one that is not there any more */
    enum cost_basis basis;
    int64_t input_tokens, output_tokens, latency_ms;
    struct certainty certainty;
    int64_t nano_usd;       /* of all that was done for it */
    int64_t told_nano_usd;  /* of it, what a result has told, or a round that is over */
    size_t ends, told_ends; /* calls; and those that are told with their cost */
    int64_t open_nano_usd;  /* reserved by an intent that nothing has followed yet; -1: none */
    int64_t open_limit_nano_usd;
    uint64_t open_asked; /* where that call is out yet */
};

struct call_expert {
    size_t failures; /* in a row */
    size_t in_flight;
    bool left_out;
    bool heard; /* a call has ended, well or not, in this process or before it */
    /* In thousandths of what its limits allow, the most that a call has cost; an endpoint that passes over them is
     * reserved more for from then on. */
    int64_t worst_permille;
    struct calls_sum sum;
    struct calls_told told[CALL_PURPOSES]; /* in this round */
};

struct calls {
    struct calls_options o;
    struct expert *experts; /* [expert_count] copies that wait in line for as long as it takes */
    struct arena *arena;    /* of keys, texts and all that stays */
    struct map *keys;       /* into known */
    struct buf known;       /* of struct call_known */
    struct call_journal journal;
    struct purse purse;
    int64_t lost_nano_usd, told_nano_usd;
    size_t ended;                  /* calls that the journal has the end of */
    struct call_expert *by_expert; /* [expert_count] */

    struct loop *loop;
    struct http_client *client;
    struct transport_http transport;
    struct transport_gguf *in_process;
    struct wake_queue wakes;
    struct gates *table;
    struct gate **gates; /* [expert_count] */
    struct rng pauses, ids;
    struct asking_context context;

    const struct call_source *source; /* of the present calls_run */
    struct progress progress;
    size_t done, busy;
    bool has_held; /* a job that waits for money in flight */
    struct call_job held;
    bool posted, pumping, cap_reached;

    struct share *share; /* NULL: alone */
    struct loop_timer *tick;
    struct map *paid; /* what other machines have paid, by its id */
    bool finished, rests;
    struct calls_joined *joined; /* NULL: it does not work for another machine */

    struct error *failure; /* of the present calls_run; its status is OK while there is none */
    struct call_slot slots[CALLS_CONCURRENCY_MAX];
};

/* What stays of an answer or a failure, and its `done`. `text` ptr NULL: a failure. */
struct call_ending {
    struct str text;
    struct certainty certainty;
    const struct cost *cost;
    int64_t latency_ms;
    const struct error *failure;
    int http_status;
    bool
        unasked; /* a failure: nothing was sent, because its circuit is open or its queue is full */
    struct str paid, id; /* of another machine, and of its result; ptr NULL: of this one */
};
/* The slot is free afterwards. */
void calls_end(struct calls *c, struct call_slot *s, const struct call_ending *ending);
void calls_leave(struct calls *c, struct call_slot *s); /* free again */
/* Free again, and told that it was not made, or not answered. */
void calls_give_up(struct calls *c, struct call_slot *s, enum call_end end, const char *problem);
/* The job's slot, as far as calls.c knows of it. */
void calls_fill(struct calls *c, struct call_slot *s, const struct call_job *job);
/* Writes down what a slot's call has reserved in the purse, before it is made. False: c->failure says why. */
bool calls_intend(struct calls *c, struct call_slot *s, int64_t reserved_nano_usd);
/* False: c->failure says why. */
bool calls_append(struct calls *c, const struct call_entry *e);
/* Books an entry that no slot waits for, and keeps it. False: c->failure says why. */
bool calls_take_entry(struct calls *c, const struct call_entry *e);
void calls_pump_soon(struct calls *c);
uint64_t calls_asked(const struct call_job *job);

/* calls_known.c */
struct call_known *calls_known(const struct calls *c, struct str key); /* NULL: none */
/* A line of the journal, as call_journal_open tells it; its texts live as long as the calls. */
NODISCARD enum status calls_on_entry(void *arg, const struct call_entry *e, struct error *err);
/* What a call in this process has come to, which the journal holds already; texts are copied. *ret as it is told. */
NODISCARD enum status calls_remember(struct calls *c, const struct call_slot *s,
                                     struct call_entry *e, struct call_result *ret);
void calls_note_end(struct call_expert *e, int64_t limit_nano_usd, int64_t reserved_nano_usd,
                    int64_t paid_nano_usd);
void calls_mark_told(struct call_known *known);
/* When the journal is read: intents that nothing follows, and what it should hold and does not, are booked. */
void calls_lose_all(struct calls *c);
void calls_lose_rest(struct calls *c);

/* calls_share.c */
#define CALLS_TICK_MS 250 /* between two looks for a stop, while nothing comes */

typedef void calls_share_fn(void *arg, const struct share_event *e);
/* Opens c->share by the options' `share`, as its leader or as one who joins; events and ticks get `c`. Not started. */
NODISCARD enum status calls_share_connect(struct calls *c, bool leads, calls_share_fn *hear,
                                          void (*tick)(void *), struct error *err);
void calls_share_said(const struct calls *c, const struct share_event *e);
NODISCARD enum status calls_share_open(struct calls *c, struct error *err);
/* Puts the job of a slot out, which is reserved for; or fails the run. */
void calls_share_put(struct calls *c, struct call_slot *s);
/* A job that an earlier process has put out: its slot waits for it again. */
bool calls_share_resume(struct calls *c, struct call_slot *s, const struct call_job *job);
void calls_share_settle(struct calls *c, struct str key, struct str id);

/* calls_join.c: what came of a call for another machine. */
void calls_join_end(struct calls *c, struct call_slot *s, const struct call_ending *ending);

/* For another try: reserves as much again as the failed ones have cost. False: it is not left. */
bool calls_cover(struct calls *c, struct call_slot *s, int64_t failed_nano_usd);

/* Makes the call of slot->job, which is reserved for. Its end may come before it returns, by calls_end. Fails, with the
 * slot free again, when the question cannot be put. */
NODISCARD enum status call_slot_begin(struct call_slot *s, struct error *err);
/* Ends what runs, unnoted. */
void call_slot_drop(struct call_slot *s);

/* The machinery: loop, client, gates. */
NODISCARD enum status calls_wire(struct calls *c, struct error *err);
void calls_unwire(struct calls *c);
