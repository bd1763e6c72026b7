/* Commands as checks: a line of those that wait, threads that run them shut in, and what their ends mean.
 *
 * A worker has a task from when it takes it out of the line until it has posted the message of its end. In between only
 * the lock, and what is written into its pipe, reach it: a task that is cancelled is the worker's to free. The timer
 * is for those that wait too long, and, later, for an end that no message could tell. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "judge/confined.h"
#include "verify/verify_int.h"

#define GRACE_MS         5000 /* beyond its time, for a command to be gone */
#define NOT_RUN          126  /* a shell's exit codes from here on: it could not run the program */
#define SHELL_OF_SIGNALS 128  /* a shell says so of a command that signal N ended: 128 + N */

/* What its end means */

static void say_down(int exit_code, struct str said, struct verify_end *ret)
{
    const struct str why = str_trim(str_slice(said, 0, VERIFY_WHY_BYTES_MAX));
    verify_sayf(ret, VERIFY_DOWN, "exit code %d%s%.*s", exit_code, why.len ? ": " : "",
                (int)why.len, why.len ? why.ptr : "");
    ret->abstains = exit_code > 1 && exit_code < NOT_RUN;
}

/* A limit that is passed is the answer's doing, because the command runs what a model wrote; what a check cannot do at
 * all is not. A shell tells of a signal by its exit code. */
static void interpret(const struct verify_settings *s, const struct confined_end *c,
                      struct str said, struct verify_end *ret)
{
    int signal_number = c->signal;
    if (!signal_number && c->exit_code > SHELL_OF_SIGNALS && c->exit_code < SHELL_OF_SIGNALS + NSIG)
        signal_number = c->exit_code - SHELL_OF_SIGNALS;
    if (c->timed_out)
        verify_sayf(ret, VERIFY_REJECT, "timed out after %u ms", s->timeout_ms);
    else if (c->output_cut)
        verify_sayf(ret, VERIFY_REJECT, "said more than %d bytes", CONFINED_OUTPUT_BYTES);
    else if (signal_number == SIGXCPU || signal_number == SIGKILL)
        verify_sayf(ret, VERIFY_REJECT, "killed: over %u s of CPU time, or out of memory",
                    s->cpu_s);
    else if (signal_number)
        verify_sayf(ret, VERIFY_REJECT, "ended by signal %d", signal_number);
    else if (c->exit_code == 0 || (c->exit_code == 1 && str_trim(said).len))
        verify_say(ret, c->exit_code == 0 ? VERIFY_PASS : VERIFY_REJECT, said);
    else if (c->exit_code == 1)
        verify_say(ret, VERIFY_REJECT, STR("exit code 1"));
    else
        say_down(c->exit_code, said, ret);
}

static void run(const struct verify_settings *s, struct str document, const int *stop,
                struct verify_end *ret)
{
    static const char *const nothing[] = {NULL};
    const struct confined_limits limits = {.wall_ms = s->timeout_ms,
                                           .cpu_s = s->cpu_s,
                                           .memory_bytes = s->memory_bytes,
                                           .readable = s->files ? s->files : nothing,
                                           .stop = stop};
    struct confined_end end;
    struct error err = {0};
    struct buf said;
    buf_init(&said, 2 * (size_t)CONFINED_OUTPUT_BYTES);
    enum status status = confined_run(s->command, document, &limits, &said, &end, &err);
    if (status == OK)
        interpret(s, &end, buf_str(&said), ret);
    else
        verify_say(ret, VERIFY_DOWN, str_from(err.text));
    buf_done(&said);
}

/* The line */

static struct verify_task *unlink_task(struct verifier *v, struct verify_task **at)
{
    struct verify_task *t = *at;
    *at = t->next;
    if (!*at)
        v->last = at;
    t->next = NULL;
    v->waiting--;
    return t;
}

static void leave_line(struct verify_task *t)
{
    struct verify_task **at = &t->verifier->first;
    while (*at != t)
        at = &(*at)->next;
    unlink_task(t->verifier, at);
}

/* Workers */

static bool has_work(void *arg)
{
    const struct verify_worker *w = arg;
    pthread_mutex_lock(&w->verifier->lock);
    bool has = w->verifier->first != NULL;
    pthread_mutex_unlock(&w->verifier->lock);
    return has;
}

/* NULL: another worker was quicker. */
static struct verify_task *take(struct verify_worker *w)
{
    struct verifier *v = w->verifier;
    pthread_mutex_lock(&v->lock);
    struct verify_task *t = v->first ? unlink_task(v, &v->first) : NULL;
    if (t) {
        char stale;
        while (read(w->stop[0], &stale, 1) == 1) /* of the one before */
            continue;
        t->place = VERIFY_RUNNING;
        t->worker = w;
        w->task = t;
        v->running++;
    }
    pthread_mutex_unlock(&v->lock);
    return t;
}

/* The message, on the thread that began. The verifier may be gone where nobody waits any more. */
static void on_ended(void *arg)
{
    struct verify_task *t = arg;
    if (t->place == VERIFY_CALLED_OFF)
        verify_task_free(t);
    else
        verify_tell(t);
}

static void hand_over(struct verify_worker *w, struct verify_task *t, const struct verify_end *end)
{
    struct verifier *v = w->verifier;
    pthread_mutex_lock(&v->lock);
    bool called_off = t->place == VERIFY_CALLED_OFF;
    v->running--;
    w->task = NULL;
    if (!called_off) {
        const int64_t price = t->end.cost_nano_usd;
        t->end = *end;
        t->end.cost_nano_usd = price;
        t->worker = NULL;
        t->place = VERIFY_ENDED;
        if (scheduler_post(t->on.scheduler, on_ended, t) != OK)
            t->place = VERIFY_LOST;
    }
    pthread_mutex_unlock(&v->lock);
    if (called_off)
        verify_task_free(t);
}

static void work(void *arg)
{
    struct verify_worker *w = arg;
    while (worker_wait(&w->thread, has_work, WORKER_FOREVER_MS) == WORKER_READY) {
        struct verify_task *t = take(w);
        struct verify_end end = {.verdict = VERIFY_DOWN};
        if (!t)
            continue;
        run(w->verifier->settings, buf_str(&t->document), &w->stop[0], &end);
        hand_over(w, t, &end);
    }
}

enum status verify_workers_start(struct verifier *v, struct error *err)
{
    const size_t count = v->settings->workers;
    CHECK(count > 0 && count <= VERIFY_WORKERS_MAX);
    v->workers = calloc(count, sizeof(*v->workers));
    if (!v->workers)
        return error_set(err, ERR_MEMORY, "out of memory for a check");
    enum status status = OK;
    for (v->worker_count = 0; v->worker_count < count && status == OK; v->worker_count++) {
        struct verify_worker *w = &v->workers[v->worker_count];
        *w = (struct verify_worker){.verifier = v, .stop = {-1, -1}};
        worker_init(&w->thread);
        if (pipe2(w->stop, O_CLOEXEC | O_NONBLOCK) != 0)
            status = error_set_errno(err, ERR_IO, errno, "no pipe for a check");
        else
            status = worker_start(&w->thread, work, w, err);
    }
    return status;
}

static void stop_command(struct verify_worker *w)
{
    (void)!write(w->stop[1], "x", 1); /* a full pipe says the same */
}

void verify_workers_free(struct verifier *v)
{
    for (size_t i = 0; i < v->worker_count; i++) {
        struct verify_worker *w = &v->workers[i];
        pthread_mutex_lock(&v->lock);
        CHECK(!w->task || w->task->place == VERIFY_CALLED_OFF);
        if (w->task)
            stop_command(w);
        pthread_mutex_unlock(&v->lock);
        worker_done(&w->thread);
        for (size_t end = 0; end < 2; end++)
            if (w->stop[end] >= 0)
                close(w->stop[end]);
    }
    free(v->workers);
}

/* Tasks */

void verify_command_begin(struct verify_task *t)
{
    struct verifier *v = t->verifier;
    pthread_mutex_lock(&v->lock);
    const size_t idle = v->worker_count - v->running;
    bool full = v->waiting >= idle + v->settings->queue;
    if (!full) {
        t->place = VERIFY_IN_LINE;
        *v->last = t;
        v->last = &t->next;
        v->waiting++;
    }
    pthread_mutex_unlock(&v->lock);
    if (full) {
        verify_sayf(&t->end, VERIFY_DOWN, "its line is full: %u checks wait", v->settings->queue);
        return;
    }
    t->at_once = false;
    scheduler_timer_start(t->timer, v->settings->timeout_ms);
    for (size_t i = 0; i < v->worker_count; i++)
        worker_wake(&v->workers[i].thread);
}

/* Not even killing it has ended it: the kernel holds it. */
static void give_up(struct verify_task *t)
{
    struct verify_end end = {.elapsed_ms = scheduler_now_ms(t->on.scheduler) - t->begun_ms};
    verify_done *done = t->done;
    void *user = t->user;
    verify_say(&end, VERIFY_DOWN, STR("it cannot be killed"));
    verify_command_cancel(t);
    done(user, &end);
}

/* It has waited in line for as long as it may run; or it runs, and gets its time for that; or it should have ended by
 * then. One piece: what each place means when the time comes. */
void verify_command_on_time(struct verify_task *t)
{
    struct verifier *v = t->verifier;
    const uint32_t timeout_ms = v->settings->timeout_ms;
    pthread_mutex_lock(&v->lock);
    const enum verify_place place = t->place;
    const uint64_t passed_ms = scheduler_now_ms(t->on.scheduler) - t->begun_ms;
    bool in_line = place == VERIFY_IN_LINE, lost = place == VERIFY_LOST;
    bool hangs = place == VERIFY_RUNNING && passed_ms >= 2 * (uint64_t)timeout_ms + GRACE_MS;
    if (in_line)
        leave_line(t);
    pthread_mutex_unlock(&v->lock);
    if (in_line)
        verify_sayf(&t->end, VERIFY_DOWN, "no worker was free within %u ms", timeout_ms);
    if (in_line || lost)
        verify_tell(t);
    else if (hangs)
        give_up(t);
    else if (place == VERIFY_RUNNING)
        scheduler_timer_start(t->timer, (uint64_t)timeout_ms + GRACE_MS);
}

void verify_command_cancel(struct verify_task *t)
{
    struct verifier *v = t->verifier;
    scheduler_timer_free(t->timer);
    t->timer = NULL;
    pthread_mutex_lock(&v->lock);
    const enum verify_place place = t->place;
    if (place == VERIFY_IN_LINE)
        leave_line(t);
    if (place == VERIFY_RUNNING)
        stop_command(t->worker);
    if (place == VERIFY_RUNNING || place == VERIFY_ENDED)
        t->place = VERIFY_CALLED_OFF; /* its worker's, or its message's */
    pthread_mutex_unlock(&v->lock);
    if (place == VERIFY_IN_LINE || place == VERIFY_LOST)
        verify_task_free(t);
}
