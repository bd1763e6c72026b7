/* A scheduler whose time stands still until a test moves it: timers and messages come in the order of their time, and
 * nothing sleeps. */
#pragma once

#include <pthread.h>

#include "base/scheduler.h"

struct virtual_timer;
struct virtual_message;

struct virtual_clock {
    struct scheduler scheduler; /* first */
    uint64_t now_ms;
    struct virtual_timer *timers;
    pthread_mutex_t lock; /* of the messages: other threads may post */
    struct virtual_message *first, **last;
    unsigned timers_to_refuse; /* so many timers are not to be had: as if memory had run out */
};

void virtual_clock_init(struct virtual_clock *c, uint64_t now_ms);
/* Fails the test when somebody has forgotten a timer. */
void virtual_clock_done(struct virtual_clock *c);
/* Runs what is due now: messages, then timers, until nothing is. */
void virtual_clock_settle(struct virtual_clock *c);
/* Lets time pass, from one timer to the next. A time that is past already only settles. */
void virtual_clock_advance_to(struct virtual_clock *c, uint64_t now_ms);
void virtual_clock_advance(struct virtual_clock *c, uint64_t ms);
