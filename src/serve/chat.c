/* POST /v1/chat/completions and the other fronts: reads and decides, has the experts asked (serve/ask.h), and ends what
 * runs when the client leaves. */
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
    asking_release(c->asking);
    chat_cache_release(c);
    buf_done(&c->out);
    snapshot_release(c->snapshot);
    c->snapshot = NULL;
    c->phase = CHAT_OVER;
}

/* Cancels whatever is going on, in every phase. What went out and what was generated until now is billed, by
 * estimate if need be. */
static void on_gone(struct http_exchange *x)
{
    struct chat *c = x->user;
    asking_cancel(c->asking);
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

static enum status read_and_choose(struct chat *c, const char **param, const char **code,
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
    status = target_read(w->snapshot->pool, c->x, &c->request, &target, param, code, err);
    if (status == OK)
        status = target_recall(w->gateway->affinity, w->snapshot->pool, &c->request,
                               target_tenant(c->caller), c->begin_ms, c->x->arena, &target, err);
    if (status != OK)
        return status;
    status = caller_restrict(c->caller, w->snapshot->pool, &target, c->x->arena, err);
    if (status != OK)
        return status;
    c->choice.target = target; /* for the record of a hit */
    status = chat_cache_look(c, code, err);
    if (status != OK || c->cache.hit)
        return status;
    target.native_dialect = front_dialect(c->front.front);
    target.native_only = c->asked.native_only;
    status = candidates_choose(w->snapshot->pool, w->snapshot->gates, &c->request, target,
                               c->begin_ms, &w->features, c->x->arena, &c->choice, err);
    if (status == ERR_INPUT)
        *param = target.plans_param;
    return status;
}

/* The choice is there. */
static enum status prepare(struct chat *c, struct error *err)
{
    c->chosen = true;
    c->has_plan = pool_arm_at(c->snapshot->pool, c->choice.decision.arm)->member_count > 1;
    c->front.input_tokens = (uint64_t)c->choice.input_tokens;
    enum status status = c->request.stream ? relay_prepare(c, err) : OK;
    return status == OK ? chat_asking_create(c, err) : status;
}

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
    buf_init(&c->out,
             SIZE_MAX / 2); /* one read's events: bounded by the parser and by curl's buffer */
    enum status status = read_and_choose(c, &param, &code, &err);
    if (status == OK && c->cache.hit) {
        chat_cache_answer(c);
        return;
    }
    if (status == OK)
        status = prepare(c, &err);
    if (status != OK) {
        chat_account(c, REQUEST_FAILED, errors_row(status)->http_status, err.text);
        chat_release(c);
        answer_error_as(front, x, c->id, status, err.text, param, code);
        return;
    }
    chat_open(c);
    x->user = c;
    x->on_gone = on_gone;
    forward_headers(c);
    asking_start(c->asking);
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
