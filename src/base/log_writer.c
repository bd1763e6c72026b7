/* Lines on their way to standard error: a ring of bytes under a short lock, and the one thread that empties it.
 *
 * Any thread puts lines in. Only the writer's thread writes while it runs; it asks with poll() before each write of at
 * most PIPE_BUF bytes, so that it can be ended although standard error takes nothing. Should a write block all the same
 * (somebody else filled the pipe in between), log_writer_stop leaves the thread behind; the process ends it. */
#include "base/log_writer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"

#define POLL_MS       100
#define RETRY_MS      1000 /* after a write that failed: a full disk, a pipe without a reader */
#define LAST_WORDS_MS 300
#define JOIN_MS       200 /* beyond the writer's own deadline */

_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "a batch holds at least one line");

static struct {
    struct worker_thread worker; /* its lock guards what follows */
    char ring[LOG_BUFFER_BYTES];
    size_t first, used;
    uint64_t unsaid;     /* lines dropped since the last line that said so */
    bool writing;        /* a batch has left the ring and is not written yet */
    uint64_t give_up_ms; /* once the writer is to end: when at the latest */
} w;

static atomic_bool running, stuck;
static _Atomic uint64_t dropped;

/* Putting in */

static void put(struct str line)
{
    size_t at = (w.first + w.used) % sizeof(w.ring), right = sizeof(w.ring) - at;
    size_t n = line.len < right ? line.len : right;
    memcpy(w.ring + at, line.ptr, n);
    memcpy(w.ring, line.ptr + n, line.len - n);
    w.used += line.len;
}

static void count_dropped(uint64_t lines)
{
    w.unsaid += lines;
    atomic_fetch_add_explicit(&dropped, lines, memory_order_relaxed);
}

void log_write(struct str line)
{
    CHECK(line.len > 0 && line.len <= LOG_LINE_BYTES);
    if (!atomic_load_explicit(&running, memory_order_acquire)) {
        if (!atomic_load_explicit(&stuck, memory_order_relaxed))
            (void)!write(STDERR_FILENO, line.ptr, line.len);
        return;
    }
    worker_lock(&w.worker);
    if (w.unsaid || sizeof(w.ring) - w.used < line.len)
        count_dropped(1);
    else
        put(line);
    worker_unlock_and_wake(&w.worker);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}

/* Writing */

static bool has_work(void *arg)
{
    (void)arg;
    return w.used || w.unsaid;
}

/* Whole lines of at most PIPE_BUF bytes together, which a pipe takes at once: lines of other processes that write to it
 * never stand amid ours. */
static size_t take_batch(char batch[PIPE_BUF])
{
    worker_lock(&w.worker);
    size_t n = w.used < PIPE_BUF ? w.used : PIPE_BUF, right = sizeof(w.ring) - w.first;
    size_t head = n < right ? n : right;
    memcpy(batch, w.ring + w.first, head);
    memcpy(batch + head, w.ring, n - head);
    if (n > 0)
        n = (size_t)((const char *)memrchr(batch, '\n', n) + 1 - batch);
    w.first = (w.first + n) % sizeof(w.ring);
    w.used -= n;
    w.writing = n > 0;
    worker_unlock(&w.worker);
    return n;
}

/* False: the writer is to end, and its time is up. */
static bool wait_writable(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (poll(&p, 1, POLL_MS) == 0) {
        worker_lock(&w.worker);
        bool late = w.worker.stopping && clock_now_ms() >= w.give_up_ms;
        worker_unlock(&w.worker);
        if (late)
            return false;
    }
    return true; /* also when it is broken: the write says how */
}

static bool write_out(const char *bytes, size_t n)
{
    while (n > 0) {
        if (!wait_writable())
            return false;
        ssize_t done = write(STDERR_FILENO, bytes, n);
        if (done < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        bytes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool write_batch(const char *batch, size_t n)
{
    uint64_t lines = 0;
    bool written = write_out(batch, n);
    for (size_t i = 0; i < n && !written; i++)
        lines += batch[i] == '\n';
    worker_lock(&w.worker);
    w.writing = false;
    if (!written)
        count_dropped(lines);
    worker_unlock(&w.worker);
    return written;
}

/* That lines are missing. Nothing was taken since the first of them, so this is where they would stand. */
static bool say_dropped(void)
{
    char line[LOG_LINE_BYTES];
    worker_lock(&w.worker);
    uint64_t lines = w.unsaid;
    worker_unlock(&w.worker);
    if (!lines)
        return true;
    size_t n = log_line(line, LOG_WARN, "log lines dropped", "lines=%llu mend=\"%s\"",
                        (unsigned long long)lines,
                        "standard error takes less than is written to it: read it faster, or set "
                        "--log warn");
    if (!write_out(line, n))
        return false;
    worker_lock(&w.worker);
    w.unsaid -=
        lines; /* more may have been dropped while it was written: the next line is theirs */
    worker_unlock(&w.worker);
    return true;
}

/* Writes all that there is. False: a write failed. */
static bool drain(void)
{
    char batch[PIPE_BUF];
    for (size_t n; (n = take_batch(batch)) > 0;)
        if (!write_batch(batch, n))
            return false;
    return say_dropped();
}

static void writer_main(void *arg)
{
    (void)arg;
    enum worker_event event = WORKER_READY;
    while (event != WORKER_STOP) {
        bool well = drain();
        event = worker_wait(&w.worker, well ? has_work : NULL, well ? WORKER_FOREVER_MS : RETRY_MS);
    }
    (void)!drain();
}

/* Last words: what a CHECK that failed has to say, behind all lines that came before. The writer goes on meanwhile, so
 * this waits for it, for a moment; the failed thread may be the writer itself, or hold its lock. */
static void say_last(const char *words)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    const struct timespec moment = {.tv_nsec = 1000000};
    bool empty = false;
    for (int ms = 0; ms < LAST_WORDS_MS && !empty; ms++) {
        if (pthread_mutex_trylock(&w.worker.lock) == 0) {
            empty = !w.used && !w.writing;
            worker_unlock(&w.worker);
        }
        if (!empty)
            nanosleep(&moment, NULL);
    }
    if (poll(&p, 1, LAST_WORDS_MS) > 0)
        (void)!write(STDERR_FILENO, words, strlen(words));
}

/* Life */

static void before_fork(void)
{
    if (atomic_load(&running))
        worker_lock(&w.worker);
}

static void after_fork_in_parent(void)
{
    if (atomic_load(&running))
        worker_unlock(&w.worker);
}

/* There is one thread only, and what waits in the ring is the parent's to write. */
static void after_fork_in_child(void)
{
    if (!atomic_load(&running))
        return;
    worker_unlock(&w.worker);
    w.worker.has_thread = false;
    w.used = w.unsaid = 0;
    check_say_by(NULL);
    atomic_store(&running, false);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

enum status log_writer_start(struct error *err)
{
    static pthread_once_t forks = PTHREAD_ONCE_INIT;
    CHECK(!atomic_load(&running));
    pthread_once(&forks, watch_forks);
    w.first = w.used = w.unsaid = 0;
    w.writing = false;
    worker_init(&w.worker);
    enum status status = worker_start(&w.worker, writer_main, NULL, err);
    if (status != OK) {
        worker_done(&w.worker);
        return status;
    }
    check_say_by(say_last);
    atomic_store_explicit(&running, true, memory_order_release);
    return OK;
}

void log_writer_stop(uint32_t timeout_ms)
{
    if (!atomic_load(&running))
        return;
    worker_lock(&w.worker);
    w.give_up_ms = clock_now_ms() + timeout_ms;
    worker_unlock(&w.worker);
    bool ended = worker_stop_within(&w.worker, timeout_ms + JOIN_MS);
    check_say_by(NULL);
    atomic_store(&stuck, !ended || w.used || w.unsaid);
    atomic_store(&running, false);
    if (ended)
        worker_done(&w.worker);
}
