/* Private to gate.c, gate_latency.c, gate_table.c and wake_queue.c. */
#pragma once

#include <stdatomic.h>

#include "gate/gate.h"
#include "gate/gate_bucket.h"

struct gate {
    struct gate *next; /* the table's; with holders and name guarded by its lock */
    size_t holders;
    char *name;
    enum gate_kind kind;
    atomic_uint_least64_t latency;       /* gate_latency.c's; read and written without the lock */
    atomic_uint_least32_t configured_ms; /* the latency that its owner expects; 0: none is said */
    pthread_mutex_t lock; /* guards what follows; a wake queue's lock may be taken inside */
    atomic_bool troubled; /* false: it is certainly not barred; read without the lock */
    struct expert_limits limits;
    struct health health;
    struct gate_bucket requests, tokens;
    uint32_t in_flight, waiting;
    struct gate_ticket *first, *last; /* in line */
    uint64_t sifted_ms; /* the end of the cooldown by which the line was last looked through */
    uint64_t turned_away;
};

/* With the lock held: lets in those whose turn it is, and tells the first of the others when to look again. */
void gate_poll(struct gate *g, uint64_t now_ms);
void gate_set_troubled(struct gate *g, uint64_t now_ms);

/* The ticket's thread looks at it: it may go in, is turned away, or waits on. */
void gate_ticket_look(struct gate_ticket *t, uint64_t now_ms);

/* wake_queue.c. Both may be called from any thread, with the gate's lock held. */
void wake_queue_put(struct gate_ticket *t);
void wake_queue_remove(struct gate_ticket *t);
