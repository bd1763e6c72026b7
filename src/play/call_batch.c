/* Calls whose number is known, made at once: see questions_int.h. */
#include "base/check.h"
#include "play/questions_int.h"

static bool next_job(void *self, struct call_job *ret)
{
    struct call_batch *b = self;
    if (b->next == b->count)
        return false;
    b->jobs[b->next].tag = b->next;
    *ret = b->jobs[b->next++];
    return true;
}

static void on_done(void *self, const struct call_job *job, const struct call_result *result)
{
    struct call_batch *b = self;
    CHECK(job->tag < b->count);
    b->results[job->tag] = *result;
    b->results[job->tag].problem = NULL;
}

enum status call_batch_create(struct arena *a, size_t count, struct call_batch *ret,
                              struct error *err)
{
    struct call_batch b = {.count = count};
    b.jobs = ARENA_ARRAY(a, count, struct call_job);
    b.results = ARENA_ARRAY(a, count, struct call_result);
    if (!b.jobs || !b.results)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    *ret = b;
    return OK;
}

enum status call_batch_run(struct call_batch *b, struct posing *p, const char *what,
                           struct error *err)
{
    const struct call_source source = {.self = b, .next = next_job, .done = on_done};
    enum status status = b->count == 0 ? OK : calls_run(p->calls, &source, what, b->count, err);
    for (size_t i = 0; i < b->count && status == OK; i++)
        p->sums.cost_nano_usd += b->results[i].cost_nano_usd;
    return status;
}
