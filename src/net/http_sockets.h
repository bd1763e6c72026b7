/* Private to the HTTP client: the descriptors of a transfer library on the loop. Knows no curl.
 *
 * A socket that rests between two requests stays registered for reading, because the next request usually wants
 * just that; this spares three epoll calls for each. Only sockets added by socket_add may rest, since only their
 * closing is announced to us (socket_forget). */
#pragma once

#include "net/loop_int.h"

struct sockets_entry;

struct sockets {
    struct loop *loop;
    void (*on_ready)(void *arg, int fd, unsigned ready); /* only what is wanted */
    void *arg;
    struct sockets_entry **by_fd;
    size_t capacity;
};

void sockets_init(struct sockets *s, struct loop *l, void (*on_ready)(void *, int, unsigned),
                  void *arg);
void sockets_done(struct sockets *s); /* forgets them all; closes none */
NODISCARD enum status sockets_add(struct sockets *s, int fd);
void sockets_forget(struct sockets *s, int fd); /* before it is closed; unknown ones are fine */
/* LOOP_READ | LOOP_WRITE; 0: at rest. Takes unknown descriptors too; they are forgotten when at rest. */
NODISCARD enum status sockets_want(struct sockets *s, int fd, unsigned wanted);
