/* The gate in front of one expert: how many calls at once, how many a minute, which calls wait, and the expert's health
 * (expert/health.h). There is one gate for each name of an expert. All threads share it, and it lives as long as a
 * configuration names the expert, so that neither a reload nor another thread begins anew.
 *
 *     enter ─▶ GO ───────────────────────────────────────────────▶ leave
 *        │                                                           ▲
 *        ├─▶ WAIT: in line, first come first served ─▶ on_turn(GO) ──┤
 *        │                                     └─▶ on_turn(FULL or BARRED): not in line any more
 *        └─▶ FULL, BARRED
 *
 * A ticket in line is told of its turn on its own thread, by way of that thread's wake queue: the thread that frees a
 * place puts the next ticket into that queue and posts one message for all tickets in it. gate_leave may be called at
 * any time: it takes the ticket out of line, or gives its place back. Calling it twice does no harm. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/scheduler.h"
#include "expert/call.h"
#include "expert/expert.h"

#define GATE_QUEUE_MAX       100000
#define GATE_QUEUE_DEFAULT   100
#define GATE_TIMEOUT_DEFAULT 30000
/* When to come back, as told to a ticket that finds no place while it is unknown how soon one will be free. */
#define GATE_RETRY_MS          1000
#define GATE_LATENCY_MEMORY_MS 600000

struct gate;
struct gates;
enum gate_kind { GATE_CHAT, GATE_EMBEDDINGS }; /* each has names of its own */
struct gate_ticket;

enum gate_verdict {
    GATE_GO,
    GATE_WAIT,   /* on_turn will tell */
    GATE_FULL,   /* no place, and none in line, or not in time */
    GATE_BARRED, /* its circuit is open, or it is cooling down */
};

struct wake_queue { /* of a thread; outlives its tickets */
    struct scheduler *scheduler;
    pthread_mutex_t lock; /* guards what follows */
    struct gate_ticket *first, *last;
    bool posted;
};

enum gate_place { GATE_NOWHERE, GATE_IN_LINE, GATE_CALLED, GATE_TURNED_AWAY, GATE_INSIDE };

/* One call's. All zero to begin with; the owner reads why and until_ms, after FULL and BARRED, and touches nothing
 * else. */
struct gate_ticket {
    const char *why;   /* static text */
    uint64_t until_ms; /* when it is worth another try, by the scheduler's clock */
    struct gate *gate; /* NULL: nowhere */
    enum gate_place place;
    struct wake_queue *wakes;
    void (*on_turn)(void *arg, enum gate_verdict verdict);
    void *arg;
    struct health_pass pass;
    int64_t tokens;
    bool may_cool;
    uint64_t deadline_ms, poll_ms;
    struct scheduler_timer *timer;
    struct gate_ticket *next, *previous;             /* in line */
    struct gate_ticket *woken_next, *woken_previous; /* in the wake queue */
    bool in_wake_queue;
};

struct gate_ask {
    struct wake_queue *wakes;
    uint64_t now_ms; /* the scheduler's */
    int64_t tokens;  /* predicted, input and output */
    bool may_wait;
    bool
        may_cool; /* and also for the end of a cooldown, where that comes in time; may_wait alone: for a place */
    uint64_t since_ms; /* when this waiting began, for queue.timeout; 0: now */
    void (*on_turn)(void *arg, enum gate_verdict verdict); /* never from inside gate_enter */
    void *arg;
};

NODISCARD enum status gates_create(struct gates **ret, struct error *err);
void gates_free(struct gates *t); /* NULL is fine; after the last gates_release */
/* The gates of these experts into ret[count], held, with their settings put in force. ERR_MEMORY. */
NODISCARD enum status gates_bind(struct gates *t, enum gate_kind kind, const struct expert *experts,
                                 size_t count, uint64_t now_ms, struct gate **ret,
                                 struct error *err);
void gates_release(struct gates *t, struct gate *const *gates, size_t count);

NODISCARD enum status wake_queue_init(struct wake_queue *q, struct scheduler *s, struct error *err);
/* Before the scheduler is freed. A queue of zeros, which was never made, is fine. */
void wake_queue_done(struct wake_queue *q);

/* How long a call has taken, from its first try to its end. Of one that was called off it counts only where it had run
 * for longer than is believed, as if it were half done then. Takes no lock. */
void gate_took(struct gate *g, uint64_t now_ms, uint64_t took_ms, bool called_off);
/* How long a call is expected to take: a mean of those that were answered in which each newer one weighs an eighth; of
 * its configuration before there are any, and again when none has been heard of for GATE_LATENCY_MEMORY_MS, so that who
 * was too slow to be asked is tried again. 0: unknown. Takes no lock. */
uint32_t gate_latency_ms(const struct gate *g, uint64_t now_ms);

enum gate_verdict gate_enter(struct gate *g, struct gate_ticket *t, const struct gate_ask *ask);
/* `tokens`: what it really took, -1: as predicted. */
void gate_leave(struct gate_ticket *t, uint64_t now_ms, enum health_outcome outcome,
                struct health_hold hold, int64_t tokens);
/* What a call says of its expert's health, and how long the expert asked to be left alone. */
enum health_outcome gate_judge(enum status status, const struct expert_answer *answer,
                               struct health_hold *ret_hold);
void gate_prove(struct gate_ticket *t,
                uint64_t now_ms); /* the answer has begun; cheap where it does not matter */
const char *gate_name(const struct gate *g);
/* NULL: it may be asked. Else why not, a static text, and until when. */
const char *gate_barred(struct gate *g, uint64_t now_ms, uint64_t *ret_until_ms);

/* Whether it is barred by nothing but a cooldown which ends in time for one who waits in its line since `since_ms`, and
 * that line has a place. */
bool gate_cools(struct gate *g, uint64_t now_ms, uint64_t since_ms, uint64_t *ret_until_ms);
/* Ends the cooldowns of all experts, because an operator says so; circuits stay as they are. */
void gates_lift(struct gates *t, uint64_t now_ms);

struct gate_reading {
    enum health_state state;
    const char *why;   /* NULL: it may be asked */
    uint64_t wait_ms;  /* until it may be; 0: now */
    int cool_status;   /* of the answer that asked for the present cooldown; 0: there is none */
    uint32_t failures; /* in a row */
    uint64_t opened;   /* how often its circuit opened since it is known */
    uint32_t in_flight, waiting;
    uint64_t turned_away; /* tickets that found no place, since it is known */
    uint32_t latency_ms;  /* gate_latency_ms */
};
void gate_read(struct gate *g, uint64_t now_ms, struct gate_reading *ret);
