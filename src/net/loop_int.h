/* What the other files of net/ may use of a loop besides loop.h: readiness of file descriptors, and work put off
 * to the end of the round. Outsiders include loop.h only. */
#pragma once

#include "net/loop.h"

/* LOOP_GONE instead of LOOP_READ asks only for the peer's shutdown or reset, for a connection whose bytes are not
 * wanted at the moment. Together with it LOOP_WRITE is reported once per change: write until the socket is full. */
enum loop_ready { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_GONE = 4 };

struct loop_io;

/* Watches nothing until loop_io_want. Does not own the descriptor; free the loop_io before closing it. A freed
 * loop_io is never called again, even when its event is already queued. NULL: no memory. */
struct loop_io *loop_io_create(struct loop *l, int fd, void (*fn)(void *arg, unsigned ready),
                               void *arg);
/* Sets what is wanted; costs nothing when it is already so. */
NODISCARD enum status loop_io_want(struct loop_io *io, unsigned ready);
unsigned loop_io_wanted(const struct loop_io *io);
void loop_io_free(struct loop_io *io); /* NULL is fine */

/* Work for the end of the current round, when all events of the batch have been handled. Embedded in its owner;
 * zeroed it is ready for use. Putting off what is already put off does nothing. */
struct loop_hook {
    void (*fn)(void *arg);
    void *arg;
    struct loop_hook *next, *previous;
};

void loop_defer(struct loop *l, struct loop_hook *hook);
void loop_defer_cancel(struct loop *l, struct loop_hook *hook);
