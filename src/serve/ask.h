/* Private to serve: asking the candidates of a chat one after the other until one answers, and what plans and hedges
 * share of it. Everything before the first byte to the client. */
#pragma once

#include "serve/chat_int.h"

/* Once the choice is there. ERR_MEMORY. */
NODISCARD enum status ask_prepare(struct chat *c, struct error *err);
/* Asks the chosen single, with all that follows. */
void ask_single(struct chat *c);
/* The same for order[candidate], on behalf of a plan. */
void ask_candidate(struct chat *c, size_t candidate);
void ask_on_timer(struct chat *c); /* the pause is over */
/* The client has gone: notes what was asked and not noted yet. */
void ask_cancel(struct chat *c);
/* Nobody can be asked now: the client hears why and when to come back. */
void ask_refuse(struct chat *c);

/* The best candidate that is neither the present one nor done with nor barred; SIZE_MAX: nobody. */
size_t ask_next(const struct chat *c);
struct gate *ask_gate(const struct chat *c, size_t candidate);
struct gate_ask ask_terms(const struct chat *c, size_t candidate); /* without the callback */
/* A call has ended: its place is free, its expert's health told. */
void ask_leave(const struct chat *c, struct gate_ticket *t, enum status status,
               const struct expert_answer *answer, bool sent);
/* False, with ERR_TIMEOUT: earlier tries and the line have used the expert's total timeout up. */
bool ask_has_time(const struct chat *c, const struct expert *expert, unsigned tries,
                  uint64_t asked_ms, struct error *err);
/* For a call whose expert was first asked at asked_ms; 0: all of it, or no limit. */
uint32_t ask_time_left_ms(const struct chat *c, const struct expert *expert, uint64_t asked_ms);

struct ask_try {
    size_t candidate;
    unsigned tries;    /* of it, until now */
    uint64_t asked_ms; /* the first one */
    bool rescued;      /* there is somebody else, whatever ask_next says */
};
/* Whether and when to ask the same expert again after a failed try; false: not again. */
bool ask_again(struct chat *c, const struct ask_try *t, const struct expert_answer *answer,
               uint64_t *ret_wait_ms);
void ask_log_retry(const struct chat *c, const struct expert *from, const struct expert *next,
                   const struct error *err, uint64_t wait_ms);
/* Makes the chat itself hear of a call. */
void ask_callbacks(struct chat *c, struct expert_call_options *o);
void ask_event(struct expert_call *call, const struct expert_event *event);
void ask_done(struct expert_call *call, enum status status, const struct error *err);
