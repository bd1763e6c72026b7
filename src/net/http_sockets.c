/* A table of sockets by descriptor, each with its loop_io. */
#include "net/http_sockets.h"

#include <stdlib.h>
#include <string.h>

#define SOCKETS_FIRST_CAPACITY 64

struct sockets_entry {
    struct sockets *sockets;
    struct loop_io *io;
    int fd;
    bool may_rest;
    unsigned wanted; /* the loop may watch more */
};

static struct sockets_entry *find(const struct sockets *s, int fd)
{
    return (size_t)fd < s->capacity ? s->by_fd[fd] : NULL;
}

static enum status grow(struct sockets *s, size_t need)
{
    size_t capacity = s->capacity != 0 ? s->capacity : SOCKETS_FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    if (capacity == s->capacity)
        return OK;
    struct sockets_entry **grown = reallocarray(s->by_fd, capacity, sizeof *grown);
    if (!grown)
        return ERR_MEMORY;
    memset(grown + s->capacity, 0, (capacity - s->capacity) * sizeof *grown);
    s->by_fd = grown;
    s->capacity = capacity;
    return OK;
}

static void on_io(void *arg, unsigned ready)
{
    struct sockets_entry *e = arg;
    ready &= e->wanted;
    if (ready != 0)
        e->sockets->on_ready(e->sockets->arg, e->fd, ready);
    else if (loop_io_want(e->io, e->wanted) != OK) /* idle, and the peer has closed, for instance */
        sockets_forget(e->sockets, e->fd);
}

static enum status entry_add(struct sockets *s, int fd, bool may_rest)
{
    sockets_forget(s, fd);
    if (grow(s, (size_t)fd + 1) != OK)
        return ERR_MEMORY;
    struct sockets_entry *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_MEMORY;
    *e = (struct sockets_entry){.sockets = s, .fd = fd, .may_rest = may_rest};
    e->io = loop_io_create(s->loop, fd, on_io, e);
    if (!e->io) {
        free(e);
        return ERR_MEMORY;
    }
    s->by_fd[fd] = e;
    return OK;
}

void sockets_init(struct sockets *s, struct loop *l, void (*on_ready)(void *, int, unsigned),
                  void *arg)
{
    *s = (struct sockets){.loop = l, .on_ready = on_ready, .arg = arg};
}

void sockets_done(struct sockets *s)
{
    for (size_t fd = 0; fd < s->capacity; fd++)
        sockets_forget(s, (int)fd);
    free(s->by_fd);
    s->by_fd = NULL;
    s->capacity = 0;
}

enum status sockets_add(struct sockets *s, int fd)
{
    return entry_add(s, fd, true);
}

void sockets_forget(struct sockets *s, int fd)
{
    struct sockets_entry *e = find(s, fd);
    if (!e)
        return;
    s->by_fd[fd] = NULL;
    loop_io_free(e->io);
    free(e);
}

enum status sockets_want(struct sockets *s, int fd, unsigned wanted)
{
    struct sockets_entry *e = find(s, fd);
    if (wanted == 0 && (!e || !e->may_rest)) {
        sockets_forget(s, fd);
        return OK;
    }
    if (!e) {
        if (entry_add(s, fd, false) != OK)
            return ERR_MEMORY;
        e = find(s, fd);
    }
    e->wanted = wanted;
    return loop_io_want(e->io, wanted | (loop_io_wanted(e->io) & LOOP_READ));
}
