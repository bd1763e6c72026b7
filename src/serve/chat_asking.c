/* A chat as the user of an asking (ask/asking.h): which experts may be asked, what each is sent, and who hears of what
 * comes back. Everything runs on the worker's thread. on_done may come from inside asking_start and ends the exchange,
 * and the chat with it: nothing is touched after either. Only the asking calls these functions; whoever wants to end
 * one early calls asking_cancel. */
#include "serve/chat_int.h"

#include <math.h>

#include "expert/idempotency.h"
#include "route/prompt_choices.h"
#include "session/portable.h"

static const struct expert *expert_at(const struct chat *c, size_t candidate)
{
    return &c->snapshot->config->experts[c->choice.order[candidate]];
}

/* In place of the caller's span, where the request is traced, the one of asking this expert. */
static enum status set_trace(const struct chat *c, const struct expert *expert,
                             struct http_header *headers, size_t *count)
{
    char text[TRACEPARENT_BYTES];
    size_t n = 0;
    trace_write_parent(&c->trace, trace_child(&c->trace, expert->name), text);
    struct str copy = arena_copy(c->x->arena, str_from(text));
    if (!copy.ptr)
        return ERR_MEMORY;
    for (size_t i = 0; i < *count; i++)
        if (!str_equal(headers[i].name, STR("traceparent")))
            headers[n++] = headers[i];
    headers[n++] = (struct http_header){STR("traceparent"), copy};
    *count = n;
    return OK;
}

/* Under other parameters the same name is another expert. */
static struct str identity(const struct chat *c, const struct expert *expert)
{
    if (expert->parameters.len == 0)
        return expert->name;
    return str_from(
        arena_printf(c->x->arena, "%.*s %.*s", STR_FMT(expert->name), STR_FMT(expert->parameters)));
}

static enum status bind_idempotency(const struct chat *c, const struct expert *expert,
                                    struct http_header *headers, size_t count, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        if (str_equal(headers[i].name, STR("idempotency-key")))
            status = idempotency_bind(caller_key_id(c->caller), identity(c, expert),
                                      headers[i].value, c->x->arena, &headers[i].value, err);
    return status;
}

/* What of the client's headers this expert sees. */
static enum status make_headers(const struct chat *c, const struct expert *expert,
                                struct expert_call_options *o, struct error *err)
{
    size_t count = c->forwarded_count + (o->native ? c->forwarded_native_count : 0);
    o->header_count = count;
    o->headers = c->forwarded;
    if (count == 0 && !c->trace.on)
        return OK;
    struct http_header *own = ARENA_ARRAY(c->x->arena, count + 1, struct http_header);
    if (!own)
        return error_set(err, ERR_MEMORY, "out of memory for headers");
    for (size_t i = 0; i < count; i++)
        own[i] = c->forwarded[i];
    enum status status = bind_idempotency(c, expert, own, count, err);
    if (status == OK && c->trace.on && set_trace(c, expert, own, &count) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for headers");
    o->headers = own;
    o->header_count = count;
    return status;
}

/* Whether the client's bytes may go to this expert as they are, and its answer back. */
static bool is_native(const struct chat *c, const struct expert *expert)
{
    return expert->dialect == front_dialect(c->front.front);
}

/* Functions of the asking */

static enum status may_ask(void *user, size_t candidate, struct error *err)
{
    const struct chat *c = user;
    return chat_may_ask(c, expert_at(c, candidate), err);
}

static int64_t output_limit(void *user, size_t candidate, int64_t others_nano_usd,
                            int64_t failed_nano_usd)
{
    const struct chat *c = user;
    return pool_output_limit(c->snapshot->pool, &c->request, &c->choice, candidate, others_nano_usd,
                             failed_nano_usd);
}

/* The history for an expert that did not make all of it. */
static enum status make_portable(const struct chat *c, size_t candidate,
                                 struct expert_call_options *o, struct error *err)
{
    const struct pool_target *t = &c->choice.target;
    bool steps_in = candidate > 0 || (t->is_held && c->choice.order[0] != t->holder);
    struct sessions *sessions = c->worker->gateway->sessions;
    uint64_t now_ms = loop_now_ms(c->worker->loop);
    if (c->request.last_answer.type == JSON_NONE || !(c->session.has_state || steps_in))
        return OK;
    if (o->native)
        return session_portable(sessions, &c->session, o->expert, steps_in, c->x->body, now_ms,
                                c->x->arena, &o->native_body, err);
    return session_portable_chat(sessions, &c->session, o->expert, steps_in, &c->request, now_ms,
                                 c->x->arena, &o->chat, err);
}

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct chat *c = user;
    const struct expert *expert = expert_at(c, candidate);
    o->chat = &c->request;
    o->native = !is_read && is_native(c, expert);
    o->native_body = c->x->body;
    o->certainty = is_read && expert->logprobs;
    o->collects = c->front.front == FRONT_CHAT;
    o->scratch = c->x->arena;
    o->answer_bytes_max = c->snapshot->config->limits.answer_bytes;
    enum status status = make_portable(c, candidate, o, err);
    return status == OK ? make_headers(c, expert, o, err) : status;
}

static void on_event(void *user, const struct expert_event *event)
{
    relay_event(user, event);
}

static void on_flush(void *user)
{
    relay_flush(user);
}

static void on_retry(void *user, size_t failed, size_t next)
{
    const struct chat *c = user;
    watch_retried(&c->worker->watch, expert_at(c, failed)->name, failed == next);
}

/* What an expert holds in its prompt cache now. */
static void on_paid(void *user, const struct asking_paid *paid)
{
    const struct chat *c = user;
    if (paid->outcome == CALL_ANSWERED && paid->cost.basis == COST_USAGE && c->choice.target.prefix)
        affinity_learn(c->worker->gateway->affinity, c->choice.target.prefix,
                       expert_at(c, paid->candidate), &paid->cost.tokens, paid->ended_ms);
}

static void verdict(void *user, const struct plan_state *state, struct plan_verdict *ret)
{
    const struct chat *c = user;
    pool_choice_verdict(c->snapshot->pool, &c->choice, state, ret);
}

static void on_done(void *user, const struct asking_end *end)
{
    relay_done(user, end);
}

static const struct asking_ops chat_ops = {
    .may_ask = may_ask,
    .output_limit = output_limit,
    .fill = fill,
    .on_event = on_event,
    .on_flush = on_flush,
    .on_retry = on_retry,
    .on_paid = on_paid,
    .verdict = verdict,
    .check = chat_check,
    .check_cancel = chat_check_cancel,
    .on_done = on_done,
};

/* Making it */

static const struct asking_candidate *list_candidates(const struct chat *c)
{
    size_t count = c->choice.order_count;
    struct asking_candidate *all = ARENA_ARRAY(c->x->arena, count, struct asking_candidate);
    for (size_t i = 0; all && i < count; i++) {
        const struct estimate *e = &c->choice.estimates[c->choice.order[i]];
        all[i] = (struct asking_candidate){
            .expert = expert_at(c, i),
            .gate = c->snapshot->gates[c->choice.order[i]],
            .input_tokens = pool_input_tokens(e, c->choice.input_tokens),
            .output_tokens = (int64_t)e->output_tokens,
            .rate_tokens = (int64_t)e->input_tokens + (int64_t)e->output_tokens,
        };
    }
    return all;
}

static enum status make_plan(const struct chat *c, struct asking_plan **ret, struct error *err)
{
    const struct plan *plan = &c->choice.arms[c->choice.decision.arm];
    struct asking_plan *made = ARENA_NEW(c->x->arena, struct asking_plan);
    if (!made)
        return error_set(err, ERR_MEMORY, "out of memory for a plan");
    made->plan = plan;
    made->characters = c->choice.characters;
    made->max_calls = (uint8_t)c->choice.policy.max_calls;
    made->strict =
        c->choice.is_verified && c->snapshot->config->policies[c->choice.target.policy].strict;
    made->kept_bytes_max = c->snapshot->config->limits.answer_bytes;
    uint32_t most_ms = c->choice.policy.max_latency_ms;
    made->deadline_ms = most_ms ? c->begin_ms + most_ms : 0;
    for (size_t i = 0; i < plan->member_count; i++) {
        made->members[i] = &c->choice.estimates[c->choice.order[i]];
        if (most_ms && c->choice.target.latency_ms)
            made->latency_ms[i] = c->choice.target.latency_ms[c->choice.order[i]];
    }
    *ret = made;
    return plan_query_read(c->estimates.question, c->x->arena, &made->question, err);
}

static uint32_t hedge_after_ms(const struct chat *c)
{
    size_t policy = c->choice.target.policy;
    return policy == SIZE_MAX || c->choice.target.is_held
               ? 0
               : c->snapshot->config->policies[policy].hedge_after_ms;
}

enum status chat_asking_create(struct chat *c, struct error *err)
{
    struct asking_plan *plan = NULL;
    enum status status = c->has_plan ? make_plan(c, &plan, err) : OK;
    const struct asking_options o = {
        .context = &c->worker->asking,
        .ops = &chat_ops,
        .user = c,
        .id = c->id,
        .arena = c->x->arena,
        .candidates = list_candidates(c),
        .count = c->choice.order_count,
        .input_tokens = c->choice.input_tokens,
        .stream = c->request.stream,
        .waits_for_first =
            c->choice.target.is_held && c->choice.order[0] == c->choice.target.holder,
        .hedge_after_ms = hedge_after_ms(c),
        .plan = plan,
    };
    if (status == OK && !o.candidates)
        status = error_set(err, ERR_MEMORY, "out of memory for a request");
    return status == OK ? asking_create(&o, &c->asking, err) : status;
}
