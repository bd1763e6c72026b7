/* POST /v1/chat/completions and the other fronts: reads the request, decides, and has the experts asked (ask/asking.h);
 * ends what runs when the client leaves, in every phase. Runs on the worker's thread. The chat lives in its exchange's
 * arena: once the exchange has been answered, which relay.c does, nothing may touch it. Handlers may be called from the
 * table of paths alone. */
#include "route/candidates.h"
#include "serve/chat_int.h"
#include "serve/errors.h"
#include "serve/target.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

/* What of the client's headers an expert may see. Never authorization: the client's key is not the expert's. */
static const char *const forwarded_names[] = {
    "idempotency-key", "traceparent", "tracestate", "baggage", "accept-language", "anthropic-beta"};
#define FORWARDED_NATIVE_FIRST 5 /* from here on for experts of the client's own dialect */

size_t chat_candidate(const struct chat *c)
{
    return c->asking ? asking_candidate_at(c->asking) : 0;
}

const struct expert *chat_expert(const struct chat *c)
{
    return &c->snapshot->config->experts[c->choice.order[chat_candidate(c)]];
}

void chat_release(struct chat *c)
{
    estimating_cancel(c->estimating);
    asking_release(c->asking);
    chat_cache_release(c);
    buf_done(&c->out);
    snapshot_release(c->snapshot);
    c->snapshot = NULL;
    c->estimating = NULL;
    c->phase = CHAT_OVER;
}

/* Cancels whatever is going on, in every phase. What went out and what was generated until now is billed, by
 * estimate if need be. */
static void on_gone(struct http_exchange *x)
{
    struct chat *c = x->user;
    if (c->asking)
        asking_cancel(c->asking);
    if (c->done_mark) /* it has heard all, and need not wait for the end of the transfer */
        chat_account(c, REQUEST_ANSWERED, 200, NULL);
    else
        chat_account(c, REQUEST_CANCELLED, errors_row(ERR_CANCELLED)->http_status, "client gone");
    chat_release(c);
}

static void forward_headers(struct chat *c)
{
    for (size_t i = 0; i < sizeof(forwarded_names) / sizeof(forwarded_names[0]); i++) {
        struct str value = http_header_get(c->x, forwarded_names[i]);
        if (!value.ptr)
            continue;
        size_t *count =
            i < FORWARDED_NATIVE_FIRST ? &c->forwarded_count : &c->forwarded_native_count;
        size_t at = c->forwarded_count + c->forwarded_native_count;
        c->forwarded[at] = (struct http_header){str_from(forwarded_names[i]), value};
        (*count)++;
    }
}

/* Down to what is estimated, or to a hit of the cache. */
static enum status read_request(struct chat *c, const char **param, const char **code,
                                struct error *err)
{
    struct pool_target target;
    struct worker *w = c->worker;
    enum status status =
        front_request(c->front.front, c->x->body, c->x->arena, &c->asked, param, err);
    if (status == OK)
        status = openai_request_parse(c->asked.body, true, c->x->arena, &c->request, param, err);
    if (status != OK)
        return status;
    status =
        target_read(w->snapshot->pool, c->caller, c->x, &c->request, &target, param, code, err);
    if (status == OK)
        status = target_recall(w->gateway->affinity, w->snapshot->pool, &c->request,
                               target_tenant(c->caller), c->begin_ms, c->x->arena, &target, err);
    if (status != OK)
        return status;
    if (w->snapshot->config->sessions.ttl_ms > 0)
        target_hold(w->gateway->sessions, c->x, w->snapshot->pool, &c->request,
                    target_tenant(c->caller), c->begin_ms, &target, &c->session);
    status = caller_restrict(c->caller, w->snapshot->pool, &target, c->x->arena, err);
    if (status != OK)
        return status;
    target.native_dialect = front_dialect(c->front.front);
    target.native_only = c->asked.native_only;
    target.native_rather = c->asked.native_rather;
    c->front.model = c->request.model;
    c->request.effort_is_wish = c->asked.effort.len > 0;
    chat_check_target(c, &target);
    c->choice.target = target; /* also for the record of a hit */
    return chat_cache_look(c, code, err);
}

static void fail(struct chat *c, enum status status, const struct error *err, const char *param,
                 const char *code)
{
    chat_account(c, REQUEST_FAILED, errors_row(status)->http_status, err->text);
    chat_release(c);
    if (status == ERR_CONTEXT && c->request.stream && front_streams_overflow(c->front.front))
        answer_overflow_streamed(&c->front, c->x, err->text);
    else
        answer_error_as(c->front.front, c->x, c->id, status, err->text, param, code);
}

/* The choice is there: what asking needs. */
static enum status prepare(struct chat *c, struct error *err)
{
    c->chosen = true;
    c->phase = CHAT_ASKING;
    c->has_plan = c->choice.arms[c->choice.decision.arm].kind != PLAN_SINGLE;
    c->front.input_tokens = (uint64_t)c->choice.input_tokens;
    enum status status = c->request.stream ? relay_prepare(c, err) : OK;
    return status == OK ? chat_asking_create(c, err) : status;
}

/* The estimates are there, or not to be had. */
static void choose(struct chat *c, enum status status, struct error *err)
{
    const struct pool_target target = c->choice.target;
    const char *param = NULL;
    if (status == OK)
        status = candidates_choose(c->snapshot->pool, c->snapshot->gates, &c->request, target,
                                   loop_now_ms(c->worker->loop), &c->estimates, c->x->arena,
                                   &c->choice, err);
    if (status == ERR_INPUT)
        param = target.plans_param;
    if (status == OK)
        status = prepare(c, err);
    if (status != OK) {
        fail(c, status, err, param, NULL);
        return;
    }
    chat_open(c);
    c->x->user = c;
    c->x->on_gone = on_gone;
    forward_headers(c);
    asking_start(c->asking);
}

static void on_estimates(enum status status, const struct error *err, void *arg)
{
    struct chat *c = arg;
    struct error own = {0};
    CHECK(c->phase == CHAT_ESTIMATING && c->estimating && status != AGAIN);
    c->estimating = NULL;
    c->x->on_gone = NULL; /* until there is somebody to be called off */
    if (status != OK)
        own = *err;
    choose(c, status, &own);
}

static void estimate(struct chat *c)
{
    struct error err = {0};
    const struct estimator_ask ask = {.pool = c->snapshot->pool,
                                      .request = &c->request,
                                      .cached_tokens = c->choice.target.cached_tokens,
                                      .arena = c->x->arena,
                                      .done = on_estimates,
                                      .arg = c};
    enum status status =
        estimator_begin(c->worker->estimator, &ask, &c->estimates, &c->estimating, &err);
    if (status == AGAIN) {
        c->x->user = c;
        c->x->on_gone = on_gone;
    } else {
        choose(c, status, &err);
    }
}

/* One piece: it fills the chat, member by member, before anything may fail. */
static void begin(struct worker *w, struct http_exchange *x, struct caller *caller,
                  enum front front)
{
    struct error err = {0};
    const char *param = NULL, *code = NULL;
    struct chat *c = ARENA_NEW(x->arena, struct chat);
    if (!c) {
        answer_error_as(front, x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    c->worker = w;
    c->snapshot = snapshot_hold(w->snapshot);
    c->caller = caller;
    c->x = x;
    c->begin_wall_ms = clock_wall_ms();
    c->begin_ms = loop_now_ms(w->loop);
    worker_request_id(w, c->id);
    if (c->snapshot->config->traces.endpoint.len > 0)
        trace_begin(&c->trace, http_header_get(x, "traceparent"),
                    c->snapshot->config->traces.sample, &w->rng);
    c->front = (struct front_context){.front = front,
                                      .request = x->body,
                                      .request_id = c->id,
                                      .created_s = c->begin_wall_ms / 1000};
    /* One read's events: bounded by the parser and by curl's buffer. */
    buf_init(&c->out, SIZE_MAX / 2);
    enum status status = read_request(c, &param, &code, &err);
    if (status != OK)
        fail(c, status, &err, param, code);
    else if (c->cache.hit)
        chat_cache_answer(c);
    else
        estimate(c);
}

void chat_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    begin(w, x, caller, FRONT_CHAT);
}

void completions_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    begin(w, x, caller, FRONT_COMPLETIONS);
}

void responses_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    begin(w, x, caller, FRONT_RESPONSES);
}

void messages_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    begin(w, x, caller, FRONT_MESSAGES);
}
