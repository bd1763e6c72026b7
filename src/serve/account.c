/* What an exchange cost and who hears of it. One path for streamed and whole answers: the same usage at the same
 * price costs the same. */
#include <stdio.h>

#include "base/check.h"
#include "base/log.h"
#include "expert/tokens.h"
#include "serve/chat_int.h"

#define USD_BYTES_MAX   32
#define CALLS_BYTES_MAX 8192

const char *cost_basis_name(enum cost_basis basis)
{
    switch (basis) {
    case COST_USAGE:
        return "usage";
    case COST_ESTIMATED:
        return "estimated";
    case COST_PREDICTED:
        return "predicted";
    }
    return "?";
}

struct chat_cost chat_cost_found(const struct chat *c, const struct expert *expert,
                                 const struct expert_answer *answer)
{
    struct chat_cost cost = {COST_USAGE, 0, answer->usage.input_tokens,
                             answer->usage.output_tokens};
    if (!answer->usage.known) {
        cost.basis = COST_ESTIMATED;
        cost.input_tokens = c->choice.input_tokens;
        cost.output_tokens = tokens_from_characters(answer->output_characters);
    }
    int64_t cached = answer->usage.known ? answer->usage.cached_tokens : 0;
    cost.nano_usd =
        price_cost_cached_nano_usd(&expert->price, cost.input_tokens, cached, cost.output_tokens);
    return cost;
}

static int64_t add_saturated(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

struct chat_cost chat_cost_failed(const struct chat *c, const struct expert *expert,
                                  const struct expert_answer *answer, bool sent)
{
    const struct chat_cost none = {COST_USAGE, 0, 0, 0};
    bool generated = answer->usage.known || answer->output_characters > 0;
    bool refused = answer->http_status >= 400;
    if (!generated && (refused || !sent))
        return none;
    return chat_cost_found(c, expert, answer);
}

enum status chat_write_body(const struct chat *c, const struct expert *expert, size_t candidate,
                            struct buf *out, struct error *err)
{
    int64_t spent = chat_cost_total(c).nano_usd + c->failed.nano_usd;
    int64_t limit =
        pool_output_limit(c->worker->gateway->pool, &c->request, &c->choice, candidate, spent);
    if (limit == 0)
        return error_set(err, ERR_BUDGET,
                         "what failed tries have cost leaves no answer within max_cost");
    openai_request_write(&c->request, expert->upstream_model, limit == INT64_MAX ? 0 : limit, out);
    return buf_status(out, err);
}

void chat_cost_add(struct chat_cost *sum, const struct chat_cost *more)
{
    if (more->basis > sum->basis)
        sum->basis = more->basis;
    sum->nano_usd = add_saturated(sum->nano_usd, more->nano_usd);
    sum->input_tokens = add_saturated(sum->input_tokens, more->input_tokens);
    sum->output_tokens = add_saturated(sum->output_tokens, more->output_tokens);
}

void chat_note(struct chat *c, size_t expert, enum chat_outcome outcome,
               const struct chat_cost *cost, uint64_t asked_ms)
{
    CHECK(c->paid_count < CHAT_PAID_MAX);
    c->paid[c->paid_count++] =
        (struct chat_paid){expert, outcome, *cost, loop_now_ms(c->worker->loop) - asked_ms};
}

void chat_note_candidate(struct chat *c, enum chat_outcome outcome,
                         const struct expert_answer *answer)
{
    struct chat_cost cost = {COST_ESTIMATED, 0, 0, 0};
    if (answer)
        cost = chat_cost_found(c, chat_expert(c), answer);
    chat_cost_add(&cost, &c->failed);
    c->failed = (struct chat_cost){COST_USAGE, 0, 0, 0};
    chat_note(c, c->choice.order[c->candidate], outcome, &cost, c->asked_ms);
}

/* A call that failed and cost nothing says nothing about the basis of the others. */
struct chat_cost chat_cost_total(const struct chat *c)
{
    struct chat_cost sum = {COST_USAGE, 0, 0, 0};
    bool counted = false;
    for (size_t i = 0; i < c->paid_count; i++) {
        const struct chat_paid *p = &c->paid[i];
        if (p->outcome != CHAT_ANSWERED && p->cost.nano_usd == 0)
            continue;
        chat_cost_add(&sum, &p->cost);
        counted = true;
    }
    if (!counted)
        sum.basis = COST_ESTIMATED;
    return sum;
}

struct chat_cost chat_cost_predicted(const struct chat *c)
{
    const struct estimate *e = &c->choice.estimates[c->choice.order[c->candidate]];
    struct chat_cost sum = chat_cost_total(c);
    const struct chat_cost next = {COST_PREDICTED, e->cost_nano_usd, (int64_t)e->input_tokens,
                                   (int64_t)e->output_tokens};
    chat_cost_add(&sum, &c->failed);
    chat_cost_add(&sum, &next);
    return sum;
}

static void format_usd(int64_t nano_usd, char into[USD_BYTES_MAX])
{
    struct buf text;
    buf_init(&text, USD_BYTES_MAX);
    money_format_usd(&text, nano_usd);
    snprintf(into, USD_BYTES_MAX, "%s", text.ptr ? text.ptr : "");
    buf_done(&text);
}

static struct str in_arena(const struct chat *c, const char *text)
{
    return arena_copy(c->x->arena, str_from(text));
}

static struct str plan_label(const struct chat *c)
{
    return c->run ? pool_arm_label(c->worker->gateway->pool, c->choice.decision.arm)
                  : str_from(plan_kind_name(PLAN_SINGLE));
}

static const char *outcome_name(enum chat_outcome outcome)
{
    switch (outcome) {
    case CHAT_ANSWERED:
        return "answered";
    case CHAT_FAILED:
        return "failed";
    case CHAT_CANCELLED:
        return "cancelled";
    }
    return "?";
}

static struct str paid_name(const struct chat *c, const struct chat_paid *p)
{
    return c->worker->gateway->config->experts[p->expert].name;
}

static void write_paid(const struct chat *c, const struct chat_paid *p, struct buf *out)
{
    buf_addf(out, "{\"expert\":\"%.*s\",\"cost_usd\":", STR_FMT(paid_name(c, p)));
    money_format_usd(out, p->cost.nano_usd);
    buf_addf(out, ",\"latency_ms\":%llu,\"cost_basis\":\"%s\",\"outcome\":\"%s\"}",
             (unsigned long long)p->latency_ms, cost_basis_name(p->cost.basis),
             outcome_name(p->outcome));
}

void chat_write_member(const struct chat *c, const struct expert_answer *running, struct buf *out)
{
    struct chat now = *c; /* with the running call as if it had just ended */
    if (running)
        chat_note_candidate(&now, CHAT_ANSWERED, running);
    struct chat_cost cost = chat_cost_total(&now);
    struct str plan = str_from(plan_kind_name(PLAN_SINGLE));
    if (c->run)
        plan = pool_arm_at(c->worker->gateway->pool, c->choice.decision.arm)->name;
    buf_addf(out, ",\"leeroo\":{\"expert\":\"%.*s\",\"plan\":\"%.*s\",\"cost_usd\":",
             STR_FMT(chat_expert(c)->name), STR_FMT(plan));
    money_format_usd(out, cost.nano_usd);
    buf_addf(out, ",\"cost_basis\":\"%s\"", cost_basis_name(cost.basis));
    for (size_t i = 0; c->run && i < now.paid_count; i++) {
        buf_add_c(out, i ? "," : ",\"calls\":[");
        write_paid(c, &now.paid[i], out);
    }
    buf_add_c(out, c->run ? "]}" : "}");
}

size_t chat_headers(const struct chat *c, const struct chat_cost *cost, struct http_header *headers)
{
    char usd[USD_BYTES_MAX], lambda[40];
    size_t n = 0;
    format_usd(cost->nano_usd, usd);
    snprintf(lambda, sizeof(lambda), "%.9g", c->choice.decision.lambda);
    headers[n++] = (struct http_header){STR("x-leeroo-request-id"), str_from(c->id)};
    headers[n++] =
        (struct http_header){STR("x-request-id"), str_from(c->id)}; /* for OpenAI's clients */
    headers[n++] = (struct http_header){STR("x-leeroo-expert"), chat_expert(c)->name};
    headers[n++] = (struct http_header){STR("x-leeroo-plan"), plan_label(c)};
    headers[n++] = (struct http_header){STR("x-leeroo-lambda"), in_arena(c, lambda)};
    headers[n++] = (struct http_header){STR("x-leeroo-cost-usd"), in_arena(c, usd)};
    headers[n++] =
        (struct http_header){STR("x-leeroo-cost-basis"), str_from(cost_basis_name(cost->basis))};
    return n;
}

static struct str policy_name(const struct chat *c)
{
    size_t policy = c->choice.target.policy;
    return policy == SIZE_MAX ? STR("-") : c->worker->gateway->config->policies[policy].name;
}

/* ` calls="cheap answered 0.000012000 120ms; mid ..."`, or nothing for a single expert. */
static void write_calls(const struct chat *c, struct buf *out)
{
    for (size_t i = 0; c->run && i < c->paid_count; i++) {
        const struct chat_paid *p = &c->paid[i];
        buf_addf(out, "%s%.*s %s ", i ? "; " : " calls=\"", STR_FMT(paid_name(c, p)),
                 outcome_name(p->outcome));
        money_format_usd(out, p->cost.nano_usd);
        buf_addf(out, " %llums", (unsigned long long)p->latency_ms);
    }
    if (out->len > 0)
        buf_add_char(out, '"');
}

static void log_request(const struct chat *c, int http_status, const struct chat_cost *cost,
                        const char *quoted_problem)
{
    char predicted[USD_BYTES_MAX], found[USD_BYTES_MAX], plan[CALLS_BYTES_MAX];
    uint64_t now = loop_now_ms(c->worker->loop);
    size_t arm = c->run ? c->choice.decision.arm : c->choice.order[c->candidate];
    struct buf calls;
    buf_init(&calls, CALLS_BYTES_MAX);
    write_calls(c, &calls);
    log_quote(plan, sizeof(plan), plan_label(c));
    format_usd(c->choice.estimates[arm].cost_nano_usd, predicted);
    format_usd(cost->nano_usd, found);
    log_event(LOG_INFO, "request",
              "req=%s policy=%.*s expert=%.*s plan=%s status=%d stream=%d quality=%.4f lambda=%.9g "
              "predicted_usd=%s cost_usd=%s basis=%s input_tokens=%lld output_tokens=%lld "
              "attempts=%u first_token_ms=%lld total_ms=%llu%s%s%s",
              c->id, STR_FMT(policy_name(c)), STR_FMT(chat_expert(c)->name), plan, http_status,
              c->request.stream, (double)c->choice.estimates[arm].quality,
              c->choice.decision.lambda, predicted, found, cost_basis_name(cost->basis),
              (long long)cost->input_tokens, (long long)cost->output_tokens, c->attempts,
              c->first_token_ms ? (long long)(c->first_token_ms - c->begin_ms) : -1LL,
              (unsigned long long)(now - c->begin_ms), calls.len ? calls.ptr : "",
              quoted_problem ? " error=" : "", quoted_problem ? quoted_problem : "");
    buf_done(&calls);
}

void chat_account(struct chat *c, int http_status, const char *problem)
{
    char quoted[320];
    struct chat_cost cost = chat_cost_total(c);
    if (problem)
        log_quote(quoted, sizeof(quoted), str_from(problem));
    if (!c->chosen) {
        log_event(LOG_INFO, "request", "req=%s status=%d total_ms=%llu error=%s", c->id,
                  http_status, (unsigned long long)(loop_now_ms(c->worker->loop) - c->begin_ms),
                  problem ? quoted : "-");
        return;
    }
    log_request(c, http_status, &cost, problem ? quoted : NULL);
    if (http_status == 200 || cost.nano_usd > 0)
        pool_observe(c->worker->gateway->pool, c->choice.target.policy, cost.nano_usd,
                     c->choice.usual_usd);
}
