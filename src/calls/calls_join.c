/* Calls for another machine's run: see join.h.
 *
 * A struct calls without journal and without cap lends its slots, its loop and its gates; what comes of a call goes to
 * the thread of share.c instead of into a journal. A slot is free for each call that comes, because share.c claims no
 * more than there are. */
#include "calls/join.h"

#include "base/check.h"
#include "calls/calls_int.h"

struct calls_joined {
    struct join_end end;
    struct error failure;
    bool stopping;
    struct arena *texts[CALLS_CONCURRENCY_MAX]; /* of each slot's job */
};

static void fail(struct calls *c, const struct error *err)
{
    if (c->joined->failure.status == OK)
        c->joined->failure = *err;
    loop_stop(c->loop);
}

/* One piece: every member of a result is filled in, whatever the end was. */
void calls_join_end(struct calls *c, struct call_slot *s, const struct call_ending *ending)
{
    const struct cost *cost = ending->cost;
    const bool answered = ending->text.ptr;
    struct error err;
    const struct share_result r = {.key = s->job.key,
                                   .expert = c->experts[s->job.expert].name,
                                   .asked = s->job.tag,
                                   .paid = str_from(s->id),
                                   .end = answered                                ? SHARE_ANSWERED
                                          : ending->failure->status == ERR_BUDGET ? SHARE_TOO_DEAR
                                                                                  : SHARE_BROKEN,
                                   .text =
                                       answered ? ending->text : str_from(ending->failure->text),
                                   .http_status = ending->http_status > 0 ? ending->http_status : 0,
                                   .basis = cost->basis,
                                   .input_tokens = cost->tokens.input,
                                   .output_tokens = cost->tokens.output,
                                   .cost_nano_usd = cost->nano_usd,
                                   .latency_ms = ending->latency_ms,
                                   .certainty = ending->certainty};
    struct join_end *end = &c->joined->end;
    end->answered += answered;
    end->broken += !answered;
    end->cost_nano_usd += cost->nano_usd;
    bool refused = !answered && (r.http_status == 401 || r.http_status == 403);
    enum status status = share_answer(c->share, &r, &err);
    if (status == OK && refused)
        status = share_refuse(c->share, s->job.expert, &err);
    calls_leave(c, s);
    if (status != OK)
        fail(c, &err);
}

static struct call_slot *free_slot(struct calls *c)
{
    for (size_t i = 0; i < c->o.concurrency; i++)
        if (!c->slots[i].busy)
            return &c->slots[i];
    return NULL;
}

/* The job as the leader has it; its texts are as long-lived as the slot is busy. */
static enum status read_job(struct calls *c, size_t slot, const struct share_call *call,
                            struct call_job *ret, struct error *err)
{
    struct arena **a = &c->joined->texts[slot];
    if (!*a && !(*a = arena_create(3 * (uint64_t)SHARE_TEXT_BYTES)))
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    arena_reset(*a);
    *ret = (struct call_job){.key = arena_copy(*a, call->key),
                             .expert = expert_index(c->experts, c->o.expert_count, call->expert),
                             .system = arena_copy(*a, call->system),
                             .user = arena_copy(*a, call->user),
                             .output_tokens =
                                 call->output_tokens == SHARE_NO_LIMIT ? -1 : call->output_tokens,
                             .tag = call->asked};
    CHECK(ret->expert < c->o.expert_count);
    return ret->key.ptr && ret->system.ptr && ret->user.ptr
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory for a question");
}

static void on_call(struct calls *c, const struct share_call *call)
{
    static const struct cost nothing = {.basis = COST_USAGE};
    struct call_slot *s = free_slot(c);
    struct call_job job;
    struct error err;
    CHECK(s != NULL);
    enum status status = read_job(c, (size_t)(s - c->slots), call, &job, &err);
    if (status != OK) {
        fail(c, &err);
        return;
    }
    calls_fill(c, s, &job);
    s->reserved_nano_usd = call->most_nano_usd;
    if (call_slot_begin(s, &err) == OK)
        return;
    const struct call_ending ending = {.cost = &nothing, .failure = &err};
    calls_join_end(c, s, &ending);
}

static void on_event(void *arg, const struct share_event *e)
{
    struct calls *c = arg;
    struct error err;
    switch (e->kind) {
    case SHARE_CALL:
        on_call(c, &e->call);
        break;
    case SHARE_SAID:
        calls_share_said(c, e);
        break;
    case SHARE_OVER:
        loop_stop(c->loop);
        break;
    case SHARE_FAILED:
        error_set(&err, ERR_USAGE, "%s", e->text);
        fail(c, &err);
        break;
    case SHARE_RESULT:
    case SHARE_LOST:
        break;
    }
}

static void on_tick(void *arg)
{
    struct calls *c = arg;
    struct error err;
    if (c->o.stop && *c->o.stop && !c->joined->stopping) {
        c->joined->stopping = true;
        if (share_stop(c->share, &err) != OK)
            fail(c, &err);
    }
    loop_timer_start(c->tick, CALLS_TICK_MS);
}

/* One piece: what is made is let go of in one place, whatever fails. */
enum status calls_join(const struct calls_options *o, struct join_end *ret, struct error *err)
{
    struct calls_options alone = *o;
    struct calls_joined joined = {.stopping = false};
    struct calls *c = NULL;
    alone.journal = NULL;
    alone.cap_nano_usd = PURSE_NO_CAP;
    alone.share = NULL;
    enum status status = calls_create(&alone, &c, err);
    if (status != OK)
        return status;
    c->joined = &joined;
    c->o.share = o->share;
    status = calls_share_connect(c, false, on_event, on_tick, err);
    if (status == OK)
        status = share_start(c->share, err);
    if (status == OK)
        status = loop_run(c->loop, err);
    if (status == OK && joined.failure.status != OK) {
        status = joined.failure.status;
        if (err)
            *err = joined.failure;
    }
    for (size_t i = 0; i < CALLS_CONCURRENCY_MAX; i++)
        call_slot_drop(&c->slots[i]);
    calls_free(c);
    for (size_t i = 0; i < CALLS_CONCURRENCY_MAX; i++)
        arena_free(joined.texts[i]);
    if (status == OK)
        *ret = joined.end;
    return status;
}
