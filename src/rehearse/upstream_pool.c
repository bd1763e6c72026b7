/* Several upstreams on one listening socket, a thread and a loop each. The threads share nothing that changes but
 * the attempt counters of the faults; stopping is a message to each loop. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/thread.h"
#include "rehearse/upstream.h"

struct worker {
    pthread_t thread;
    struct loop *loop;
    struct upstream *upstream;
    bool running;
};

struct upstream_pool {
    int listen_fd;
    size_t count;
    struct worker workers[UPSTREAM_THREADS_MAX];
};

static void *work(void *arg)
{
    struct worker *w = arg;
    enum status status = loop_run(w->loop, NULL);
    CHECK(status == OK || status == ERR_IO);
    return NULL;
}

static enum status worker_start(struct worker *w, int listen_fd,
                                const struct upstream_options *options, struct error *err)
{
    enum status status = loop_create(&w->loop, err);
    if (status == OK)
        status = upstream_create(w->loop, listen_fd, options, &w->upstream, err);
    if (status != OK)
        return status;
    status = thread_start(&w->thread, work, w, err);
    w->running = status == OK;
    return status;
}

enum status upstream_pool_start(const char *address, size_t threads,
                                const struct upstream_options *options, struct upstream_pool **ret,
                                char *bound, struct error *err)
{
    CHECK(threads >= 1 && threads <= UPSTREAM_THREADS_MAX);
    struct upstream_pool *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, ERR_MEMORY, "out of memory");
    p->listen_fd = -1;
    enum status status = http_listen(address, &p->listen_fd, bound, err);
    while (status == OK && p->count < threads)
        status = worker_start(&p->workers[p->count++], p->listen_fd, options, err);
    if (status != OK) {
        upstream_pool_stop(p);
        return status;
    }
    *ret = p;
    return OK;
}

void upstream_pool_stop(struct upstream_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        if (p->workers[i].running)
            loop_stop(p->workers[i].loop);
    for (size_t i = 0; i < p->count; i++) {
        struct worker *w = &p->workers[i];
        if (w->running)
            pthread_join(w->thread, NULL);
        upstream_free(w->upstream);
        loop_free(w->loop);
    }
    if (p->listen_fd >= 0)
        close(p->listen_fd);
    free(p);
}
