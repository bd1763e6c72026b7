/* POST /v1/embeddings: passed to the expert that the request names, out of the `embeddings` of the configuration.
 * Vectors of different models cannot be compared, so nothing is routed here and no other expert steps in; failed tries
 * are made again (ask/asking.h). On the worker's thread. What was read lives in the exchange's arena: after respond()
 * nothing of it may be touched. */
#include "base/check.h"
#include "base/clock.h"
#include "front/front_embeddings.h"
#include "keys/caller.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "watch/record.h"

#define EMBEDDINGS_BODY_SPARE  4096
#define EMBEDDINGS_ERROR_MAX   (16u << 10)
#define EMBEDDINGS_HEADERS_MAX (8 + CALLER_HEADERS_MAX)

struct embedding {
    struct worker *worker;
    struct snapshot *snapshot; /* held */
    struct caller *caller;
    struct http_exchange *x;
    char id[RECORD_ID_BYTES];
    struct embeddings_request request;
    const struct expert *expert;
    struct buf body;                   /* as sent */
    struct asking_candidate candidate; /* the only one */
    struct asking *asking;             /* NULL before and after */
    int64_t begin_wall_ms;
    uint64_t begin_ms;
};

static void release(struct embedding *e)
{
    asking_release(e->asking);
    e->asking = NULL;
    buf_done(&e->body);
    snapshot_release(e->snapshot);
    e->snapshot = NULL;
}

/* Money */

static struct cost cost_predicted(const struct embedding *e)
{
    const struct token_counts tokens = {.input = embeddings_request_tokens(&e->request)};
    return cost_of_tokens(e->expert, &tokens, COST_ESTIMATED);
}

static size_t calls_made(const struct embedding *e)
{
    return e->asking ? asking_calls(e->asking) : 0;
}

/* Of all tries, failed ones included. */
static struct cost cost_found(const struct embedding *e)
{
    size_t count = 0;
    const struct asking_paid *paid = e->asking ? asking_paid(e->asking, &count) : NULL;
    struct cost sum = {.basis = COST_USAGE};
    for (size_t i = 0; i < count; i++)
        cost_add(&sum, &paid[i].cost);
    return sum;
}

static struct record record_of(const struct embedding *e)
{
    int64_t predicted = e->expert ? cost_predicted(e).nano_usd : 0;
    return (struct record){
        .id = e->id,
        .begin_wall_ms = e->begin_wall_ms,
        .front = str_from(front_name(FRONT_EMBEDDINGS)),
        .key = caller_key_id(e->caller),
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
    size_t count = 0;
    const struct asking_paid *paid = e->asking ? asking_paid(e->asking, &count) : NULL;
    struct record_call call = {.expert = r.expert, .asked = e->expert};
    if (count > 0) {
        call.outcome = paid->outcome;
        call.cost = paid->cost;
        call.begin_ms = paid->asked_ms - e->begin_ms;
        call.latency_ms = paid->ended_ms - paid->asked_ms;
    }
    r.outcome = outcome;
    r.http_status = http_status;
    r.cost = cost_found(e);
    r.attempts = (unsigned)calls_made(e);
    r.total_ms = loop_now_ms(e->worker->loop) - e->begin_ms;
    r.problem = problem;
    r.calls = &call;
    r.call_count = count;
    CHECK(count <= 1);
    caller_settle(e->caller, &r.cost);
    watch_end(&e->worker->watch, &r);
}

/* Ends of the exchange: its arena, and e in it, go with the answer. */

/* One piece: a list of headers, and then the end in an order that matters. */
static void respond(struct embedding *e, int http_status, struct str body, uint64_t retry_after_ms,
                    const char *problem)
{
    struct http_header headers[EMBEDDINGS_HEADERS_MAX];
    struct http_exchange *x = e->x;
    const struct cost cost = cost_found(e);
    struct buf usd;
    size_t n = 0;
    buf_init(&usd, 64);
    money_format_usd(&usd, cost.nano_usd);
    headers[n++] = (struct http_header){STR("content-type"), STR("application/json")};
    headers[n++] = (struct http_header){STR("x-leeroo-request-id"), str_from(e->id)};
    headers[n++] = (struct http_header){STR("x-request-id"), str_from(e->id)};
    headers[n++] =
        (struct http_header){STR("x-leeroo-cost-usd"), arena_copy(x->arena, buf_str(&usd))};
    headers[n++] =
        (struct http_header){STR("x-leeroo-cost-basis"), str_from(cost_basis_name(cost.basis))};
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
    /* what is not found here is the model */
    const char *code = status == ERR_NOT_FOUND ? "model_not_found" : row->code;
    struct front_error error = {
        row->http_status, str_from(err->text), row->type, param, code, e->id, NULL};
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
    asking_cancel(e->asking);
    account(e, REQUEST_CANCELLED, errors_row(ERR_CANCELLED)->http_status, "client gone");
    release(e);
}

/* The asking */

static enum status may_ask(void *user, size_t candidate, struct error *err)
{
    const struct embedding *e = user;
    const struct cost want = cost_predicted(e);
    (void)candidate;
    struct key_reserved reserved = {
        .nano_usd = want.nano_usd,
        .tokens = want.tokens.input,
        .worst_nano_usd = price_worst_nano_usd(
            &e->expert->price, embeddings_request_tokens_worst(&e->request), 0, false)};
    return caller_may_spend(e->caller, reserved, err);
}

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct embedding *e = user;
    (void)candidate, (void)is_read, (void)err;
    o->path = "/embeddings";
    o->body = buf_str(&e->body);
    o->answer_bytes_max = e->snapshot->config->limits.answer_bytes;
    return OK;
}

/* Usage has a form of its own: a count of what went in. */
static enum status accept(void *user, struct expert_answer *answer, struct error *err)
{
    const struct embedding *e = user;
    struct embeddings_reply reply;
    if (embeddings_reply_read(answer->body, &reply, NULL) != OK || !reply.has_vectors)
        return error_set(err, ERR_UPSTREAM, "expert %.*s sent no embeddings",
                         STR_FMT(e->expert->name));
    answer->usage = (struct openai_usage){.known = reply.known, .input_tokens = reply.input_tokens};
    answer->output_characters = 0;
    return OK;
}

static void on_done(void *user, const struct asking_end *end)
{
    struct embedding *e = user;
    if (end->status == OK)
        respond(e, 200, end->answer->body, 0, NULL);
    else
        fail(e, end->status, end->err, NULL, end->answer);
}

static const struct asking_ops embedding_ops = {
    .may_ask = may_ask, .fill = fill, .accept = accept, .on_done = on_done};

static enum status make_asking(struct embedding *e, struct error *err)
{
    int64_t tokens = embeddings_request_tokens(&e->request);
    const struct asking_options o = {
        .context = &e->worker->asking,
        .ops = &embedding_ops,
        .user = e,
        .id = e->id,
        .arena = e->x->arena,
        .candidates = &e->candidate,
        .count = 1,
        .input_tokens = tokens,
    };
    e->candidate.expert = e->expert;
    e->candidate.input_tokens = e->candidate.rate_tokens = tokens;
    return asking_create(&o, &e->asking, err);
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
    e->candidate.gate = e->snapshot->gates[c->expert_count + index];
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
    status = buf_status(&e->body, err);
    return status == OK ? make_asking(e, err) : status;
}

/* One piece: it fills the struct, member by member, before anything may fail. */
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
    watch_begin(&w->watch, &r);
    asking_start(e->asking);
}
