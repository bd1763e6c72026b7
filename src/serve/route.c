/* POST /v1/route: the decision with every number that led to it, and no call made. */
#include "base/log.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"

#define ROUTE_BYTES_MAX (1u << 20)

static void write_estimates(struct buf *out, const struct config *c,
                            const struct pool_choice *choice)
{
    buf_add_c(out, ",\"estimates\":{");
    for (size_t i = 0; i < c->expert_count; i++) {
        buf_addf(out, "%s\"%.*s\":[", i ? "," : "", STR_FMT(c->experts[i].name));
        json_write_double(out, (double)choice->estimates[i].quality);
        buf_add_char(out, ',');
        money_format_usd(out, choice->estimates[i].cost_nano_usd);
        buf_add_char(out, ']');
    }
    buf_add_char(out, '}');
}

static void write_ruled_out(struct buf *out, const struct config *c,
                            const struct pool_choice *choice)
{
    const char *separator = "";
    buf_add_c(out, ",\"ruled_out\":{");
    for (size_t i = 0; i < c->expert_count; i++) {
        if (!choice->ruled_out[i])
            continue;
        buf_addf(out, "%s\"%.*s\":\"%s\"", separator, STR_FMT(c->experts[i].name),
                 choice->ruled_out[i]);
        separator = ",";
    }
    buf_add_char(out, '}');
}

static void write_order(struct buf *out, const struct config *c, const struct pool_choice *choice)
{
    buf_add_c(out, ",\"fallbacks\":[");
    for (size_t i = 1; i < choice->order_count; i++)
        buf_addf(out, "%s\"%.*s\"", i > 1 ? "," : "", STR_FMT(c->experts[choice->order[i]].name));
    buf_add_char(out, ']');
}

static void write_decision(struct buf *out, const struct worker *w, const char *id,
                           const struct pool_choice *choice)
{
    const struct config *c = w->gateway->config;
    const struct decision *d = &choice->decision;
    struct str policy =
        choice->target.policy == SIZE_MAX ? STR("") : c->policies[choice->target.policy].name;
    buf_addf(out, "{\"id\":\"%s\",\"plan\":\"%s\",\"expert\":\"%.*s\",\"quality\":", id,
             plan_kind_name(PLAN_SINGLE), STR_FMT(c->experts[d->arm].name));
    json_write_double(out, d->quality);
    buf_add_c(out, ",\"cost_usd\":");
    money_format_usd(out, d->cost_nano_usd);
    buf_add_c(out, ",\"lambda\":");
    json_write_double(out, d->lambda);
    write_estimates(out, c, choice);
    buf_addf(out, ",\"policy\":%s%.*s%s", policy.len ? "\"" : "null", STR_FMT(policy),
             policy.len ? "\"" : "");
    write_order(out, c, choice);
    write_ruled_out(out, c, choice);
    buf_addf(out, ",\"model_checksum\":\"%016llx\"}",
             (unsigned long long)model_checksum(pool_model(w->gateway->pool)));
}

void route_handle(struct worker *w, struct http_exchange *x)
{
    char id[REQUEST_ID_BYTES];
    struct error err = {0};
    struct openai_request request;
    struct pool_target target;
    struct pool_choice choice;
    const char *param = NULL;
    worker_request_id(w, id);
    enum status status = openai_request_parse(x->body, false, x->arena, &request, &param, &err);
    if (status == OK) {
        status = pool_target_find(w->gateway->pool, request.model, &target, &err);
        param = "model";
    }
    if (status == OK)
        status =
            pool_choose(w->gateway->pool, &request, target, &w->features, x->arena, &choice, &err);
    if (status != OK) {
        log_event(LOG_INFO, "route", "req=%s status=%d error=%s", id,
                  errors_row(status)->http_status, status_name(status));
        answer_error(x, id, status, err.text,
                     status == ERR_NOT_FOUND || status == ERR_INPUT ? param : NULL,
                     status == ERR_NOT_FOUND ? "model_not_found" : NULL);
        return;
    }
    log_event(LOG_INFO, "route", "req=%s expert=%.*s plan=%s status=200 quality=%.4f lambda=%.9g",
              id, STR_FMT(w->gateway->config->experts[choice.decision.arm].name),
              plan_kind_name(PLAN_SINGLE), choice.decision.quality, choice.decision.lambda);
    struct buf body;
    buf_init(&body, ROUTE_BYTES_MAX);
    write_decision(&body, w, id, &choice);
    if (body.status == OK)
        answer_json(x, 200, id, buf_str(&body));
    else
        answer_error(x, id, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&body);
}
