/* Checks that are begun as others end: see check_batch.h. No more are begun than twice those that run, because a check
 * waits in line no longer than it may run.
 *
 * One thread, which runs the loop; the verifier has its own for the commands. */
#include "demo/check_batch.h"

#include <stdlib.h>

#include "base/progress.h"
#include "net/loop.h"

struct batch {
    struct loop *loop;
    struct verifier *verifier;
    struct check_job *jobs;
    size_t count, next, ended;
    struct progress progress;
    enum status status; /* the first that could not be begun */
    struct error err;
};

struct pending {
    struct batch *batch;
    struct check_job *job;
};

static void begin_next(struct batch *b);

static void on_end(void *user, const struct verify_end *end)
{
    struct pending *p = user;
    struct batch *b = p->batch;
    p->job->end = *end;
    free(p);
    progress_update(&b->progress, ++b->ended);
    begin_next(b);
    if (b->ended == b->next)
        loop_stop(b->loop);
}

static void begin_next(struct batch *b)
{
    if (b->next == b->count || b->status != OK)
        return;
    const struct verify_thread on = {.scheduler = loop_scheduler(b->loop)};
    struct pending *p = malloc(sizeof(*p));
    struct verify_task *task;
    if (!p) {
        b->status = error_set(&b->err, ERR_MEMORY, "out of memory for a check");
        return;
    }
    *p = (struct pending){b, &b->jobs[b->next]};
    const struct verify_input input = {.question = p->job->question, .answer = p->job->answer};
    b->status = verifier_begin(b->verifier, &on, &input, on_end, p, &task, &b->err);
    if (b->status == OK)
        b->next++;
    else
        free(p);
}

static enum status run(struct batch *b, size_t at_once, struct error *err)
{
    for (size_t i = 0; i < at_once; i++)
        begin_next(b);
    enum status status = b->next > 0 ? loop_run(b->loop, err) : OK;
    if (status == OK && b->status != OK) {
        status = b->status;
        if (err)
            *err = b->err;
    }
    return status;
}

enum status check_batch_run(const struct verify_settings *settings, struct check_job *jobs,
                            size_t count, const char *what, struct error *err)
{
    struct batch b = {.jobs = jobs, .count = count};
    enum status status = loop_create(&b.loop, err);
    if (status == OK)
        status = verifier_create(settings, &b.verifier, err);
    progress_begin(&b.progress, what, count);
    if (status == OK)
        status = run(&b, 2 * (size_t)settings->workers, err);
    progress_end(&b.progress);
    verifier_free(b.verifier);
    loop_free(b.loop);
    return status;
}
