/* POST /v1/embeddings: passed to the expert that the request names, out of the `embeddings` of the configuration.
 * Vectors of different models cannot be compared, so nothing is routed here and nobody else steps in; failed tries are
 * made again. */
#include "dialect/embeddings.h"
#include "base/clock.h"
#include "expert/call.h"
#include "gate/gate.h"
#include "serve/caller.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "serve/record.h"

#define EMBEDDINGS_BODY_SPARE  4096
#define EMBEDDINGS_WAIT_MAX_MS 20000
#define EMBEDDINGS_ERROR_MAX   (16u << 10)
#define EMBEDDINGS_HEADERS_MAX (8 + CALLER_HEADERS_MAX)

struct embedding {
    struct worker *worker;
    struct snapshot *snapshot; /* held */
    struct caller *caller;
    struct http_exchange *x;
    char id[REQUEST_ID_BYTES];
    struct embeddings_request request;
    const struct expert *expert;
    struct buf body;
    struct expert_call *call;
    struct gate *gate;
    struct gate_ticket ticket;
    struct loop_timer *timer; /* backoff */
    unsigned tries;
    int64_t begin_wall_ms;
    uint64_t begin_ms;
    struct cost cost;
};

static void release(struct embedding *e)
{
    gate_leave(&e->ticket, loop_now_ms(e->worker->loop), HEALTH_NONE, 0, e->call ? -1 : 0);
    if (e->call)
        expert_call_cancel(e->call);
    e->call = NULL;
    loop_timer_free(e->timer);
    e->timer = NULL;
    buf_done(&e->body);
    snapshot_release(e->snapshot);
    e->snapshot = NULL;
}

/* Money */

static struct cost cost_of(const struct embedding *e, int64_t tokens, enum cost_basis basis)
{
    return cost_of_tokens(e->expert, &(struct token_counts){.input = tokens}, basis);
}

static struct cost cost_predicted(const struct embedding *e)
{
    return cost_of(e, embeddings_request_tokens(&e->request), COST_ESTIMATED);
}

static struct record record_of(const struct embedding *e)
{
    int64_t predicted = e->expert ? cost_predicted(e).nano_usd : 0;
    return (struct record){
        .id = e->id,
        .begin_wall_ms = e->begin_wall_ms,
        .front = FRONT_EMBEDDINGS,
        .caller = e->caller,
        .model = e->request.model,
        .expert = e->expert ? e->expert->name : STR(""),
        .plan = STR("single"),
        .predicted_nano_usd = predicted,
        .reference_nano_usd = predicted, /* there is nobody to compare with */
        .first_token_ms = -1,
    };
}

static void account(struct embedding *e, enum request_outcome outcome, int http_status,
                    const char *problem)
{
    struct record r = record_of(e);
    struct record_call call = {.expert = r.expert,
                               .outcome = outcome == REQUEST_ANSWERED ? CALL_ANSWERED : CALL_FAILED,
                               .cost = e->cost};
    r.outcome = outcome;
    r.http_status = http_status;
    r.cost = e->cost;
    r.attempts = e->tries;
    r.total_ms = call.latency_ms = loop_now_ms(e->worker->loop) - e->begin_ms;
    r.problem = problem;
    r.calls = &call;
    r.call_count = e->tries > 0;
    record_end(e->worker, &r);
}

/* Ends of the exchange: its arena, and e in it, go with the answer. */

static void respond(struct embedding *e, int http_status, struct str body, uint64_t retry_after_ms,
                    const char *problem)
{
    struct http_header headers[EMBEDDINGS_HEADERS_MAX];
    struct http_exchange *x = e->x;
    struct buf usd;
    size_t n = 0;
    buf_init(&usd, 64);
    money_format_usd(&usd, e->cost.nano_usd);
    headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    headers[n++] = (struct http_header){STR("x-leeroo-request-id"), str_from(e->id)};
    headers[n++] = (struct http_header){STR("x-request-id"), str_from(e->id)};
    headers[n++] =
        (struct http_header){STR("x-leeroo-cost-usd"), arena_copy(x->arena, buf_str(&usd))};
    headers[n++] =
        (struct http_header){STR("x-leeroo-cost-basis"), str_from(cost_basis_name(e->cost.basis))};
    buf_done(&usd);
    if (e->expert) /* copied: the configuration may go before the headers do */
        headers[n++] =
            (struct http_header){STR("x-leeroo-expert"), arena_copy(x->arena, e->expert->name)};
    if (retry_after_ms > 0)
        headers[n++] = (struct http_header){
            STR("retry-after"),
            str_from(
                arena_printf(x->arena, "%llu", (unsigned long long)(retry_after_ms + 999) / 1000))};
    n += caller_headers(e->caller, problem && e->caller->refused, x->arena, headers + n);
    account(e, problem ? REQUEST_FAILED : REQUEST_ANSWERED, http_status, problem);
    release(e);
    x->on_gone = NULL;
    http_respond(x, http_status, headers, n, body);
}

static void fail(struct embedding *e, enum status status, const struct error *err,
                 const char *param, const struct expert_answer *answer)
{
    const struct errors_row *row = errors_row(status);
    struct front_error error = {
        row->http_status, str_from(err->text), row->type, param, row->code, e->id};
    struct errors_row own;
    struct buf body;
    if (answer && answer->http_status >= 400 && answer->http_status < 500) {
        own = errors_http_row(answer->http_status);
        error.http_status = own.http_status;
        error.type = own.type;
        error.code = own.code;
    }
    buf_init(&body, EMBEDDINGS_ERROR_MAX);
    front_error_write(FRONT_EMBEDDINGS, &error, &body);
    respond(e, error.http_status, buf_str(&body), answer ? answer->retry_after_ms : 0, err->text);
    buf_done(&body);
}

static void on_gone(struct http_exchange *x)
{
    struct embedding *e = x->user;
    if (e->call && expert_call_sent(e->call))
        e->cost = cost_predicted(e);
    account(e, REQUEST_CANCELLED, errors_row(ERR_CANCELLED)->http_status, "client gone");
    release(e);
}

/* The call */

static void enter(struct embedding *e);

static void on_timer(void *arg)
{
    enter(arg);
}

static void on_event(struct expert_call *call, const struct expert_event *event)
{
    (void)call, (void)event; /* an embedding is never streamed */
}

static void on_flush(struct expert_call *call)
{
    (void)call;
}

static void leave(struct embedding *e, enum status status, const struct expert_answer *answer,
                  int64_t tokens)
{
    uint64_t hold_ms = 0;
    enum health_outcome outcome = answer ? gate_judge(status, answer, &hold_ms) : HEALTH_BAD;
    gate_leave(&e->ticket, loop_now_ms(e->worker->loop), outcome, hold_ms, tokens);
}

static bool again(struct embedding *e, const struct expert_answer *answer)
{
    uint64_t now = loop_now_ms(e->worker->loop), until = 0;
    uint64_t wait = retry_backoff_ms(e->tries - 1, &e->worker->rng);
    if (answer->retry_after_ms > wait)
        wait = answer->retry_after_ms;
    if (answer->retry != EXPERT_RETRY_SAME || e->tries > e->expert->retries ||
        wait > EMBEDDINGS_WAIT_MAX_MS)
        return false;
    if (gate_barred(e->gate, now, &until) && until > now + wait)
        return false;
    loop_timer_start(e->timer, wait);
    return true;
}

static void on_done(struct expert_call *call, enum status status, const struct error *err)
{
    struct embedding *e = expert_call_user(call);
    const struct expert_answer *answer = expert_call_answer(call);
    struct embeddings_reply reply;
    struct error odd = {0};
    e->call = NULL;
    if (status == OK &&
        (embeddings_reply_read(answer->body, &reply, &odd) != OK || !reply.has_vectors)) {
        status = error_set(&odd, ERR_UPSTREAM, "expert %.*s sent no embeddings",
                           STR_FMT(e->expert->name));
        err = &odd;
        answer = NULL;
    }
    bool told = status == OK && reply.known;
    leave(e, status, answer, told ? reply.input_tokens : status == OK ? -1 : 0);
    if (status == OK) {
        e->cost = reply.known ? cost_of(e, reply.input_tokens, COST_USAGE) : cost_predicted(e);
        respond(e, 200, answer->body, 0, NULL);
    } else if (!answer || !again(e, answer)) {
        fail(e, status, err, NULL, answer);
    }
}

static void ask(struct embedding *e)
{
    struct error err = {0};
    struct cost want = cost_predicted(e);
    struct expert_call_options o = {
        .expert = e->expert,
        .path = "/embeddings",
        .body = buf_str(&e->body),
        .answer_bytes_max = e->snapshot->config->limits.answer_bytes,
        .user = e,
        .on_event = on_event,
        .on_flush = on_flush,
        .on_done = on_done,
    };
    enum status status = caller_may_spend(
        e->caller, (struct key_reserved){.nano_usd = want.nano_usd, .tokens = want.tokens.input},
        &err);
    e->tries++;
    if (status == OK)
        status = expert_call_start(e->worker->client, &o, &e->call, &err);
    if (status != OK)
        fail(e, status, &err, NULL, NULL);
}

static void on_turn(void *arg, enum gate_verdict verdict)
{
    struct embedding *e = arg;
    struct error err;
    uint64_t now = loop_now_ms(e->worker->loop), until = e->ticket.until_ms;
    if (verdict == GATE_GO) {
        ask(e);
        return;
    }
    struct gate_reading r;
    gate_read(e->gate, now, &r);
    const struct expert_answer closed = {.http_status = r.state == HEALTH_CLOSED ? 429 : 0,
                                         .retry_after_ms = until > now ? until - now : 1};
    error_set(&err, ERR_OVERLOAD, "expert %.*s cannot be asked now: %s", STR_FMT(e->expert->name),
              e->ticket.why);
    fail(e, ERR_OVERLOAD, &err, NULL, &closed);
}

static void enter(struct embedding *e)
{
    const struct gate_ask terms = {.wakes = &e->worker->wakes,
                                   .now_ms = loop_now_ms(e->worker->loop),
                                   .tokens = embeddings_request_tokens(&e->request),
                                   .may_wait = true,
                                   .on_turn = on_turn,
                                   .arg = e};
    enum gate_verdict verdict = gate_enter(e->gate, &e->ticket, &terms);
    if (verdict != GATE_WAIT)
        on_turn(e, verdict);
}

/* Start */

static enum status find_expert(struct embedding *e, struct error *err)
{
    const struct config *c = e->snapshot->config;
    struct str name = e->request.model;
    size_t index = expert_index(c->embedders, c->embedder_count, name);
    if (index == SIZE_MAX && c->embedder_count == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "this gateway serves no embeddings; its configuration lists none");
    if (index == SIZE_MAX)
        return error_set(err, ERR_NOT_FOUND,
                         "no embedding model is called '%.*s'; /v1/models lists them",
                         (int)(name.len < 100 ? name.len : 100), name.ptr);
    if (!caller_may_name(e->caller, c->embedders[index].name))
        return error_set(err, ERR_FORBIDDEN, "this key may not use '%.*s'",
                         STR_FMT(c->embedders[index].name));
    e->expert = &c->embedders[index];
    e->gate = e->snapshot->gates[c->expert_count + index];
    return OK;
}

static enum status prepare(struct embedding *e, const char **param, struct error *err)
{
    enum status status = embeddings_request_parse(e->x->body, e->x->arena, &e->request, param, err);
    if (status != OK)
        return status;
    *param = "model";
    status = find_expert(e, err);
    if (status != OK)
        return status;
    *param = NULL;
    embeddings_request_write(&e->request, e->expert->upstream_model, &e->body);
    e->timer = loop_timer_create(e->worker->loop, on_timer, e);
    if (!e->timer)
        return error_set(err, ERR_MEMORY, "out of memory for a timer");
    return buf_status(&e->body, err);
}

void embeddings_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct error err = {0};
    const char *param = NULL;
    struct embedding *e = ARENA_NEW(x->arena, struct embedding);
    if (!e) {
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    e->worker = w;
    e->snapshot = snapshot_hold(w->snapshot);
    e->caller = caller;
    e->x = x;
    e->begin_wall_ms = clock_wall_ms();
    e->begin_ms = loop_now_ms(w->loop);
    worker_request_id(w, e->id);
    buf_init(&e->body, x->body.len + EMBEDDINGS_BODY_SPARE);
    enum status status = prepare(e, &param, &err);
    if (status != OK) {
        fail(e, status, &err, param, NULL);
        return;
    }
    x->user = e;
    x->on_gone = on_gone;
    const struct record r = record_of(e);
    record_begin(w, &r);
    enter(e);
}
