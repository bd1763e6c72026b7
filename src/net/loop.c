/* The event loop over libevent: one epoll round, then the hooks that were put off to its end (flushes, curl's
 * deadlines, freeing), then the next round.
 *
 * The event base is built without locks. Other threads reach a loop only through loop_post and loop_stop: a list of
 * messages guarded by a mutex, and an eventfd that is written only for the first message of a batch. Everything else
 * must be called from the thread that runs the loop. */
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/loop_int.h"

/* A hook may put off further work; past this many in one round, sockets get their turn first. */
#define LOOP_HOOKS_PER_ROUND_MAX 65536

#define TIMER_MS_MAX (UINT64_C(365) * 24 * 3600 * 1000)

struct loop_signal_watch {
    struct event event;
    void (*fn)(void *);
    void *arg;
    struct loop_signal_watch *next;
};

static const struct scheduler_ops scheduler_ops;

struct loop {
    struct scheduler scheduler; /* first: the loop as a scheduler, and back */
    struct event_base *base;
    uint64_t now_ms;        /* 0: not read in this round */
    struct loop_hook hooks; /* ring; this is its head */
    struct loop_signal_watch *signals;
    int wake_fd;
    struct event wake;
    atomic_bool stopping;
    pthread_mutex_t lock; /* guards the two below */
    struct loop_message *first, **last;
};

struct loop_timer {
    struct scheduler_timer as_scheduler; /* first */
    struct event event;
    struct loop *loop;
    uint64_t due_ms; /* by loop_now_ms */
    void (*fn)(void *);
    void *arg;
};

struct loop_io {
    struct event read, write;
    struct loop *loop;
    int fd;
    unsigned wanted;
    void (*fn)(void *, unsigned);
    void *arg;
};

/* Messages */

static struct loop_message *messages_take(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct loop_message *list = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return list;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop *l = arg;
    uint64_t count;
    if (read((int)fd, &count, sizeof count) < 0 && errno != EAGAIN && errno != EINTR)
        return;
    struct loop_message *m = messages_take(l);
    while (m) {
        struct loop_message *next = m->next, *made = m->made_by_loop ? m : NULL;
        m->fn(m->arg); /* which may free it, unless it is ours */
        free(made);
        m = next;
    }
}

static void wake(struct loop *l)
{
    uint64_t one = 1;
    while (write(l->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

enum status loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
    struct loop_message *m = malloc(sizeof *m);
    if (!m)
        return ERR_MEMORY;
    *m = (struct loop_message){.fn = fn, .arg = arg, .made_by_loop = true};
    loop_post_message(l, m);
    return OK;
}

void loop_post_message(struct loop *l, struct loop_message *m)
{
    m->next = NULL;
    pthread_mutex_lock(&l->lock);
    bool was_empty = !l->first;
    *l->last = m;
    l->last = &m->next;
    pthread_mutex_unlock(&l->lock);
    if (was_empty)
        wake(l);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    wake(l);
}

/* Life of a loop */

/* libevent would write to standard error itself, and a loop must not wait for that. */
static void on_libevent_says(int severity, const char *text)
{
    char quoted[512];
    log_quote(quoted, sizeof(quoted), str_from(text));
    log_event(severity >= EVENT_LOG_WARN ? LOG_WARN : LOG_DEBUG, "event loop", "err=%s", quoted);
}

static enum status base_create(struct loop *l, struct error *err)
{
    event_set_log_callback(on_libevent_says);
    struct event_config *config = event_config_new();
    if (!config)
        return error_set(err, ERR_MEMORY, "out of memory for an event loop");
    int refused = event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    if (refused == 0)
        l->base = event_base_new_with_config(config);
    event_config_free(config);
    if (!l->base)
        return error_set(err, ERR_IO, "cannot create an event loop (file descriptors used up?)");
    return OK;
}

static enum status wake_create(struct loop *l, struct error *err)
{
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (l->wake_fd < 0)
        return error_set_errno(err, ERR_IO, errno, "cannot create an eventfd");
    if (event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l) != 0 ||
        event_add(&l->wake, NULL) != 0) {
        close(l->wake_fd);
        l->wake_fd = -1;
        return error_set(err, ERR_IO, "cannot watch the loop's eventfd");
    }
    return OK;
}

enum status loop_create(struct loop **ret, struct error *err)
{
    struct loop *l = calloc(1, sizeof *l);
    if (!l)
        return error_set(err, ERR_MEMORY, "out of memory for an event loop");
    l->scheduler.ops = &scheduler_ops;
    l->wake_fd = -1;
    l->last = &l->first;
    l->hooks.next = l->hooks.previous = &l->hooks;
    pthread_mutex_init(&l->lock, NULL);
    enum status status = base_create(l, err);
    if (status == OK)
        status = wake_create(l, err);
    if (status != OK) {
        loop_free(l);
        return status;
    }
    *ret = l;
    return OK;
}

static void signals_free(struct loop *l)
{
    while (l->signals) {
        struct loop_signal_watch *w = l->signals;
        l->signals = w->next;
        event_del(&w->event);
        free(w);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    signals_free(l);
    struct loop_message *m = messages_take(l);
    while (m) {
        struct loop_message *next = m->next;
        if (m->made_by_loop)
            free(m);
        m = next;
    }
    if (l->wake_fd >= 0) {
        event_del(&l->wake);
        close(l->wake_fd);
    }
    if (l->base)
        event_base_free(l->base);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static bool hooks_run(struct loop *l)
{
    for (size_t i = 0; l->hooks.next != &l->hooks; i++) {
        if (i == LOOP_HOOKS_PER_ROUND_MAX)
            return false;
        struct loop_hook *hook = l->hooks.next;
        loop_defer_cancel(l, hook);
        hook->fn(hook->arg);
    }
    return true;
}

enum status loop_run(struct loop *l, struct error *err)
{
    bool idle = hooks_run(l);
    while (!atomic_load(&l->stopping)) {
        l->now_ms = 0;
        if (event_base_loop(l->base, idle ? EVLOOP_ONCE : EVLOOP_NONBLOCK) < 0)
            return error_set_errno(err, ERR_IO, errno, "the event loop failed");
        idle = hooks_run(l);
    }
    atomic_store(&l->stopping, false);
    l->now_ms = 0;
    return OK;
}

uint64_t loop_now_ms(const struct loop *l)
{
    if (l->now_ms == 0)
        ((struct loop *)l)->now_ms = clock_now_ms(); /* a cache; loops are never const objects */
    return l->now_ms;
}

void loop_defer(struct loop *l, struct loop_hook *hook)
{
    if (hook->next)
        return;
    hook->next = &l->hooks;
    hook->previous = l->hooks.previous;
    hook->previous->next = hook;
    l->hooks.previous = hook;
}

void loop_defer_cancel(struct loop *l, struct loop_hook *hook)
{
    CHECK(hook != &l->hooks);
    if (!hook->next)
        return;
    hook->next->previous = hook->previous;
    hook->previous->next = hook->next;
    hook->next = hook->previous = NULL;
}

/* Timers. libevent goes by a coarse clock and may be some milliseconds early (its precise one would cost a timerfd
 * call each), so the time is looked at again. */

static void timer_add(struct loop_timer *t, uint64_t delay_ms)
{
    struct timeval delay = {.tv_sec = (time_t)(delay_ms / 1000),
                            .tv_usec = (suseconds_t)(delay_ms % 1000 * 1000)};
    /* Fails only when the heap of timers cannot grow; then this deadline is lost, but the process lives on. */
    (void)event_add(&t->event, &delay);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct loop_timer *t = arg;
    uint64_t now = loop_now_ms(t->loop);
    if (now < t->due_ms)
        timer_add(t, t->due_ms - now);
    else
        t->fn(t->arg);
}

struct loop_timer *loop_timer_create(struct loop *l, void (*fn)(void *), void *arg)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->as_scheduler.ops = &scheduler_ops;
    t->loop = l;
    t->fn = fn;
    t->arg = arg;
    if (evtimer_assign(&t->event, l->base, on_timer, t) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

void loop_timer_start(struct loop_timer *t, uint64_t delay_ms)
{
    if (delay_ms > TIMER_MS_MAX)
        delay_ms = TIMER_MS_MAX;
    t->due_ms = loop_now_ms(t->loop) + delay_ms;
    timer_add(t, delay_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    event_del(&t->event);
}

void loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    event_del(&t->event);
    free(t);
}

/* The loop as a scheduler: the same functions by way of the members that stand first. */

static uint64_t scheduler_now(const struct scheduler *s)
{
    return loop_now_ms((const struct loop *)s);
}

static struct scheduler_timer *scheduler_create_timer(struct scheduler *s, void (*fn)(void *),
                                                      void *arg)
{
    return (struct scheduler_timer *)loop_timer_create((struct loop *)s, fn, arg);
}

static void scheduler_start_timer(struct scheduler_timer *t, uint64_t delay_ms)
{
    loop_timer_start((struct loop_timer *)t, delay_ms);
}

static void scheduler_stop_timer(struct scheduler_timer *t)
{
    loop_timer_stop((struct loop_timer *)t);
}

static void scheduler_free_timer(struct scheduler_timer *t)
{
    loop_timer_free((struct loop_timer *)t);
}

static enum status scheduler_post_message(struct scheduler *s, void (*fn)(void *), void *arg)
{
    return loop_post((struct loop *)s, fn, arg);
}

static const struct scheduler_ops scheduler_ops = {
    .now_ms = scheduler_now,
    .timer_create = scheduler_create_timer,
    .timer_start = scheduler_start_timer,
    .timer_stop = scheduler_stop_timer,
    .timer_free = scheduler_free_timer,
    .post = scheduler_post_message,
};

_Static_assert(offsetof(struct loop, scheduler) == 0, "a loop is a scheduler");
_Static_assert(offsetof(struct loop_timer, as_scheduler) == 0, "and so are its timers");

struct scheduler *loop_scheduler(struct loop *l)
{
    return &l->scheduler;
}

/* Signals */

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct loop_signal_watch *w = arg;
    w->fn(w->arg);
}

enum status loop_signal(struct loop *l, int signal_number, void (*fn)(void *), void *arg)
{
    struct loop_signal_watch *w = calloc(1, sizeof *w);
    if (!w)
        return ERR_MEMORY;
    w->fn = fn;
    w->arg = arg;
    if (evsignal_assign(&w->event, l->base, signal_number, on_signal, w) != 0 ||
        evsignal_add(&w->event, NULL) != 0) {
        free(w);
        return ERR_IO;
    }
    w->next = l->signals;
    l->signals = w;
    return OK;
}

/* File descriptors: a read event and a write event, so that the usual case, readable for ever and writable at
 * once, costs one registration per connection. Where only the peer's shutdown is wanted, both are edge-triggered:
 * bytes that are not read then wake the loop only once each time they arrive, and a reset is still seen, which epoll
 * reports as readable and libevent therefore only to the read event. */

static bool peer_has_left(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct loop_io *io = arg;
    if (!(io->wanted & LOOP_GONE))
        io->fn(io->arg, LOOP_READ);
    else if (peer_has_left((int)fd))
        io->fn(io->arg, LOOP_GONE);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct loop_io *io = arg;
    io->fn(io->arg, LOOP_WRITE);
}

/* Both events off, and their kind chosen anew. */
static enum status io_assign(struct loop_io *io, bool gone)
{
    struct event_base *base = io->loop->base;
    short kind = (short)(EV_PERSIST | (gone ? EV_ET : 0));
    short read = (short)(EV_READ | (gone ? EV_CLOSED : 0) | kind), write = (short)(EV_WRITE | kind);
    io->wanted = 0;
    if (event_assign(&io->read, base, io->fd, read, on_readable, io) != 0 ||
        event_assign(&io->write, base, io->fd, write, on_writable, io) != 0)
        return ERR_IO;
    return OK;
}

struct loop_io *loop_io_create(struct loop *l, int fd, void (*fn)(void *, unsigned), void *arg)
{
    struct loop_io *io = calloc(1, sizeof *io);
    if (!io)
        return NULL;
    io->loop = l;
    io->fd = fd;
    io->fn = fn;
    io->arg = arg;
    if (io_assign(io, false) != OK) {
        free(io);
        return NULL;
    }
    return io;
}

static enum status event_switch(struct event *e, bool on)
{
    return (on ? event_add(e, NULL) : event_del(e)) == 0 ? OK : ERR_IO;
}

enum status loop_io_want(struct loop_io *io, unsigned ready)
{
    const unsigned read_side = LOOP_READ | LOOP_GONE;
    CHECK((ready & read_side) != read_side);
    if ((ready ^ io->wanted) & LOOP_GONE) {
        event_del(&io->read);
        event_del(&io->write);
        if (io_assign(io, (ready & LOOP_GONE) != 0) != OK)
            return ERR_IO;
    }
    unsigned change = ready ^ io->wanted;
    io->wanted = ready;
    if (change & read_side && event_switch(&io->read, ready & read_side) != OK)
        return ERR_IO;
    if (change & LOOP_WRITE && event_switch(&io->write, ready & LOOP_WRITE) != OK)
        return ERR_IO;
    return OK;
}

unsigned loop_io_wanted(const struct loop_io *io)
{
    return io->wanted;
}

void loop_io_free(struct loop_io *io)
{
    if (!io)
        return;
    event_del(&io->read);
    event_del(&io->write);
    free(io);
}
