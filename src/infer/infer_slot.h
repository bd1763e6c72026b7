/* Private to infer/: a conversation that an engine is at. All of it belongs to the engine's thread. */
#pragma once

#include "infer/infer_int.h"
#include "lm/lm_state.h"

struct infer_slot {
    struct infer_call *call; /* held; NULL: free */
    struct infer_answer answer;
    struct lm_sampler *sampler;
    int32_t *read; /* [read_count] tokens that the sequence holds, also when the slot is free */
    size_t read_count;
    int32_t *next; /* [next_count] that it is to read: a prompt, or what was chosen last */
    size_t next_count, next_at;
    struct infer_usage usage;
    uint64_t used;    /* when it was taken last, by a count of calls */
    bool constrained; /* the sampler keeps to a grammar */
    bool reads_prompt;
};

struct infer_desk { /* what slots work with */
    const struct lm *lm;
    struct lm_state *state; /* of as many sequences as there are slots */
    const char *chat_template;
    char fingerprint[24]; /* in answers */
    struct infer_slot *slots;
    size_t slot_count;
    uint64_t calls; /* so far */
};

/* The call, which is held, gets a slot of those that are free, that which has read most of the conversation; what
 * cannot be done is told to the call, which is let go. */
void infer_slot_take(struct infer_desk *d, struct infer_call *c);
/* Lets go of what nobody wants any more. */
void infer_slots_clear(struct infer_desk *d);
/* All slots that may go on do so, by a token or by a piece of their prompt. */
void infer_slots_step(struct infer_desk *d);
bool infer_slot_is_free(const struct infer_slot *s);
bool infer_slot_goes_on(const struct infer_slot *s); /* or is to be let go of */
/* Ends every call, as a failure. */
void infer_slots_fail(struct infer_desk *d, const char *why);
