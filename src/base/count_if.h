/* Counters for what should never happen but need not end the program: COUNT_IF(condition) is the condition, and when it
 * holds, the place where it stands is counted. It stands between CHECK, which ends the program, and an error, which a
 * caller handles: the program goes on, and whoever runs it can see that it had to.
 *
 *     if (COUNT_IF(ticket->places == 0))
 *         return;
 *
 * A place that was hit is listed until the process ends; one that never was costs the comparison only. The list is as
 * long as there are such places in the source, so it needs no limit. Any thread; nothing is allocated, and there is no
 * lock. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* One for each COUNT_IF, with static lifetime. */
struct count_place {
    const char *file;      /* as the compiler has it: "../src/ask/attempt.c" */
    const char *condition; /* its source text */
    int line;
    atomic_bool listed;
    _Atomic uint64_t count;
    struct count_place *older; /* in the list; never changes once the place is in it */
};

/* Returns true. */
bool count_place_hit(struct count_place *place) __attribute__((cold));

/* A bool: whether the condition, which is evaluated once, holds. */
#define COUNT_IF(expression)                                                                       \
    (__extension__({                                                                               \
        static struct count_place count_place_here = {                                             \
            .file = __FILE__, .condition = #expression, .line = __LINE__};                         \
        __builtin_expect(!!(expression), 0) && count_place_hit(&count_place_here);                 \
    }))

struct count_reading {
    const char *file; /* from src/ on: "ask/attempt.c" */
    int line;
    const char *condition;
    uint64_t count;
};

/* Every place that was hit, the latest to be hit for the first time first. Any thread. */
void count_places_each(void (*on_place)(const struct count_reading *place, void *arg), void *arg);
