/* POST /v1/chat/completions and the other fronts: reads and decides, asks the expert, and until the first byte has
 * gone out tries again or asks the next best. */
#include "serve/chat_int.h"
#include "serve/errors.h"
#include "serve/plan_run.h"
#include "serve/target.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

/* What of the client's headers an expert may see. Never authorization: the client's key is not the expert's. */
static const char *const forwarded_names[] = {
    "idempotency-key", "traceparent", "tracestate", "baggage", "accept-language", "anthropic-beta"};
#define FORWARDED_NATIVE_FIRST 5 /* from here on for experts of the client's own dialect */

const struct expert *chat_expert(const struct chat *c)
{
    return &c->snapshot->config->experts[c->choice.order[c->candidate]];
}

void chat_release(struct chat *c)
{
    if (c->call)
        expert_call_cancel(c->call);
    if (c->run)
        plan_run_release(c->run);
    loop_timer_free(c->timer);
    buf_done(&c->body);
    buf_done(&c->out);
    snapshot_release(c->snapshot);
    c->snapshot = NULL;
    c->call = NULL;
    c->timer = NULL;
    c->phase = CHAT_OVER;
}

/* Cancels whatever is going on, in every phase. What went out and what was generated until now is billed, by
 * estimate if need be. */
static void on_gone(struct http_exchange *x)
{
    struct chat *c = x->user;
    if (c->run)
        plan_run_cancel(c->run);
    if (c->call)
        chat_note_candidate(c, CALL_CANCELLED,
                            expert_call_sent(c->call) ? expert_call_answer(c->call) : NULL);
    chat_account(c, REQUEST_CANCELLED, errors_row(ERR_CANCELLED)->http_status, "client gone");
    chat_release(c);
}

static void ask(struct chat *c);

static void on_timer(void *arg)
{
    struct chat *c = arg;
    if (c->phase == CHAT_WAITING)
        ask(c);
    else if (c->phase == CHAT_RELAYING)
        relay_linger_over(c);
}

bool chat_again(struct chat *c, const struct expert *expert, unsigned tries, bool another,
                const struct expert_answer *answer, uint64_t *ret_wait_ms)
{
    uint64_t wait = retry_backoff_ms(tries - 1, &c->worker->rng);
    if (answer->retry_after_ms > wait)
        wait = answer->retry_after_ms;
    *ret_wait_ms = wait;
    return c->attempts < CHAT_ATTEMPTS_MAX && answer->retry == EXPERT_RETRY_SAME &&
           tries <= expert->retries && wait <= (another ? CHAT_WAIT_MAX_MS : CHAT_WAIT_LAST_MS);
}

void chat_log_retry(const struct chat *c, const struct expert *failed, const struct expert *next,
                    const struct error *err, uint64_t wait_ms)
{
    char quoted[320];
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_WARN, "retry", "req=%s failed=%.*s next=%.*s attempts=%u wait_ms=%llu error=%s",
              c->id, STR_FMT(failed->name), STR_FMT(next->name), c->attempts,
              (unsigned long long)wait_ms, quoted);
}

static void wait_for(struct chat *c, uint64_t wait_ms)
{
    c->phase = CHAT_WAITING;
    loop_timer_start(c->timer, wait_ms);
}

/* The candidate will not be asked again. */
static void give_up(struct chat *c, enum status status, const struct error *err,
                    const struct expert_answer *answer)
{
    const struct expert *failed = chat_expert(c);
    bool another = c->candidate + 1 < c->choice.order_count && c->attempts < CHAT_ATTEMPTS_MAX &&
                   answer->retry != EXPERT_RETRY_NEVER;
    chat_note_candidate(c, CALL_FAILED, c->started ? answer : NULL);
    if (!c->started && c->run && plan_run_rescue(c))
        return;
    if (c->started || !another) {
        relay_fail(c, status, err, answer);
        return;
    }
    c->candidate++;
    c->tries = 0;
    chat_log_retry(c, failed, chat_expert(c), err, 0);
    wait_for(c, 0);
}

static void on_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct chat *c = expert_call_user(call);
    const struct expert_answer *answer = expert_call_answer(call);
    bool another = c->candidate + 1 < c->choice.order_count;
    uint64_t wait_ms = 0;
    bool sent = expert_call_sent(call);
    c->call = NULL; /* it goes by itself when this returns */
    if (status == OK) {
        chat_note_candidate(c, CALL_ANSWERED, answer);
        relay_finish(c, answer);
        return;
    }
    if (!c->started) {
        struct cost cost = chat_cost_failed(c, chat_expert(c), answer, sent);
        cost_add(&c->failed, &cost);
    }
    if (!c->started && chat_again(c, chat_expert(c), c->tries, another, answer, &wait_ms)) {
        chat_log_retry(c, chat_expert(c), chat_expert(c), err, wait_ms);
        wait_for(c, wait_ms);
    } else {
        give_up(c, status, err, answer);
    }
}

size_t chat_body_bytes_max(const struct chat *c)
{
    return 2 * (c->x->body.len + c->asked.body.len) + CHAT_BODY_BYTES_SPARE;
}

bool chat_is_native(const struct chat *c, const struct expert *expert)
{
    return c->front.front == FRONT_MESSAGES && expert->dialect == EXPERT_ANTHROPIC;
}

struct expert_call_options chat_call_options(const struct chat *c, const struct expert *expert,
                                             struct str body, bool native)
{
    return (struct expert_call_options){
        .expert = expert,
        .body = body,
        .stream = c->request.stream,
        .answer_bytes_max = c->snapshot->config->limits.answer_bytes,
        .headers = c->forwarded,
        .header_count = c->forwarded_count + (native ? c->forwarded_native_count : 0),
        .native = native,
    };
}

static enum status start_call(struct chat *c, struct error *err)
{
    const struct expert *expert = chat_expert(c);
    enum status status = chat_may_ask(c, expert, err);
    if (status != OK)
        return status;
    buf_clear(&c->body);
    buf_clear(&c->out);
    c->has_content = false;
    c->native = chat_is_native(c, expert);
    status = relay_prepare(c, err);
    if (status == OK)
        status = chat_write_body(c, expert, c->candidate, c->native, &c->body, err);
    if (status != OK)
        return status;
    struct expert_call_options o = chat_call_options(c, expert, buf_str(&c->body), c->native);
    o.user = c;
    o.on_event = relay_event;
    o.on_flush = relay_flush;
    o.on_done = on_done;
    return expert_call_start(c->worker->client, &o, &c->call, err);
}

static void ask(struct chat *c)
{
    static const struct expert_answer nothing = {0};
    struct error err = {0};
    c->phase = CHAT_CALLING;
    if (c->tries == 0)
        c->asked_ms = loop_now_ms(c->worker->loop);
    c->tries++;
    c->attempts++;
    enum status status = start_call(c, &err);
    if (status == OK)
        return;
    chat_note_candidate(c, CALL_FAILED, NULL);
    relay_fail(c, status, &err, &nothing);
}

void chat_ask(struct chat *c, size_t candidate)
{
    c->candidate = candidate;
    c->tries = 0;
    ask(c);
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
    struct str encoding = http_header_get(c->x, "content-encoding");
    if (encoding.len > 0 && !str_equal_nocase(encoding, STR("identity")))
        return error_set(err, ERR_UNSUPPORTED,
                         "content-encoding is not supported; send plain JSON");
    enum status status =
        front_request(c->front.front, c->x->body, c->x->arena, &c->asked, param, err);
    buf_init(&c->body, chat_body_bytes_max(c));
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
    target.native = c->front.front == FRONT_MESSAGES;
    target.native_dialect = EXPERT_ANTHROPIC;
    target.native_only = c->asked.native_only;
    status = pool_choose(w->snapshot->pool, &c->request, target, &w->features, c->x->arena,
                         &c->choice, err);
    if (status == ERR_INPUT)
        *param = target.plans_param;
    return status;
}

static bool is_plan(const struct chat *c)
{
    return pool_arm_at(c->snapshot->pool, c->choice.decision.arm)->member_count > 1;
}

static void run_plan(struct chat *c)
{
    static const struct expert_answer nothing = {0};
    struct error err = {0};
    enum status status = plan_run_start(c, &err);
    if (status != OK)
        relay_fail(c, status, &err, &nothing);
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
    c->front = (struct front_context){.front = front,
                                      .request = x->body,
                                      .request_id = c->id,
                                      .created_s = c->begin_wall_ms / 1000};
    buf_init(&c->out,
             SIZE_MAX / 2); /* one read's events: bounded by the parser and by curl's buffer */
    enum status status = read_and_choose(c, &param, &code, &err);
    if (status == OK) {
        c->chosen = true;
        c->front.input_tokens = (uint64_t)c->choice.input_tokens;
        c->timer = loop_timer_create(w->loop, on_timer, c);
        if (!c->timer)
            status = error_set(&err, ERR_MEMORY, "out of memory for a timer");
    }
    if (status != OK) {
        chat_account(c, REQUEST_FAILED, errors_row(status)->http_status, err.text);
        answer_error_as(front, x, c->id, status, err.text, param, code);
        chat_release(c);
        return;
    }
    chat_open(c);
    x->user = c;
    x->on_gone = on_gone;
    forward_headers(c);
    if (is_plan(c))
        run_plan(c);
    else
        chat_ask(c, 0);
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
