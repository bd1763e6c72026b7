/* What an exchange cost and who hears of it. One path for streamed and whole answers: the same usage at the same
 * price costs the same. */
#include <stdio.h>

#include "base/log.h"
#include "expert/tokens.h"
#include "serve/chat_int.h"

#define USD_BYTES_MAX 32

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

struct chat_cost chat_cost_predicted(const struct chat *c)
{
    const struct estimate *e = &c->choice.estimates[c->choice.order[c->candidate]];
    return (struct chat_cost){COST_PREDICTED, e->cost_nano_usd, (int64_t)e->input_tokens,
                              (int64_t)e->output_tokens};
}

struct chat_cost chat_cost_found(const struct chat *c, const struct expert_answer *answer)
{
    struct chat_cost cost = {COST_USAGE, 0, answer->usage.input_tokens,
                             answer->usage.output_tokens};
    if (!answer->usage.known) {
        cost.basis = COST_ESTIMATED;
        cost.input_tokens = c->choice.input_tokens;
        cost.output_tokens = tokens_from_characters(answer->output_characters);
    }
    cost.nano_usd =
        price_cost_nano_usd(&chat_expert(c)->price, cost.input_tokens, cost.output_tokens);
    return cost;
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
    headers[n++] =
        (struct http_header){STR("x-leeroo-plan"), str_from(plan_kind_name(PLAN_SINGLE))};
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

void chat_account(struct chat *c, int http_status, const struct chat_cost *cost,
                  const char *problem)
{
    char predicted[USD_BYTES_MAX], found[USD_BYTES_MAX], quoted[320];
    uint64_t now = loop_now_ms(c->worker->loop);
    if (problem)
        log_quote(quoted, sizeof(quoted), str_from(problem));
    if (!c->chosen) {
        log_event(LOG_INFO, "request", "req=%s status=%d total_ms=%llu error=%s", c->id,
                  http_status, (unsigned long long)(now - c->begin_ms), problem ? quoted : "-");
        return;
    }
    size_t asked = c->choice.order[c->candidate];
    format_usd(c->choice.estimates[asked].cost_nano_usd, predicted);
    format_usd(cost->nano_usd, found);
    log_event(
        LOG_INFO, "request",
        "req=%s policy=%.*s expert=%.*s plan=%s status=%d stream=%d quality=%.4f lambda=%.9g "
        "predicted_usd=%s cost_usd=%s basis=%s input_tokens=%lld output_tokens=%lld "
        "attempts=%u first_token_ms=%lld total_ms=%llu%s%s",
        c->id, STR_FMT(policy_name(c)), STR_FMT(chat_expert(c)->name),
        plan_kind_name(PLAN_SINGLE), http_status, c->request.stream,
        (double)c->choice.estimates[asked].quality, c->choice.decision.lambda, predicted, found,
        cost_basis_name(cost->basis), (long long)cost->input_tokens, (long long)cost->output_tokens,
        c->attempts, c->first_token_ms ? (long long)(c->first_token_ms - c->begin_ms) : -1LL,
        (unsigned long long)(now - c->begin_ms), problem ? " error=" : "", problem ? quoted : "");
    if (http_status == 200 || cost->nano_usd > 0)
        pool_observe(c->worker->gateway->pool, c->choice.target.policy, cost->nano_usd);
}
