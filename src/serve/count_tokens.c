/* POST /v1/messages/count_tokens: how many input tokens a message would have, as the expert that would be asked is
 * predicted to count them. No call is made, so it is an estimate, and says so. */
#include "route/candidates.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"
#include "serve/target.h"

static enum status count(struct worker *w, struct http_exchange *x, struct caller *caller,
                         struct pool_choice *ret, const char **param, const char **code,
                         struct error *err)
{
    struct front_chat asked;
    struct openai_request request;
    struct pool_target target;
    const struct snapshot *s = w->snapshot;
    enum status status = front_messages_count_request(x->body, x->arena, &asked, param, err);
    if (status == OK)
        status = openai_request_parse(asked.body, true, x->arena, &request, param, err);
    if (status == OK)
        status = target_read(s->pool, x, &request, &target, param, code, err);
    if (status == OK) /* a key learns nothing of experts that it may not use */
        status = caller_restrict(caller, s->pool, &target, x->arena, err);
    if (status != OK)
        return status;
    target.native_dialect = front_dialect(FRONT_MESSAGES);
    target.native_only = asked.native_only;
    return candidates_choose(s->pool, s->gates, &request, target, loop_now_ms(w->loop),
                             &w->features, x->arena, ret, err);
}

void count_tokens_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    char id[REQUEST_ID_BYTES];
    struct error err = {0};
    struct pool_choice choice;
    const char *param = NULL, *code = NULL;
    worker_request_id(w, id);
    enum status status = count(w, x, caller, &choice, &param, &code, &err);
    if (status != OK) {
        answer_error_as(FRONT_MESSAGES, x, id, status, err.text, param, code);
        return;
    }
    size_t expert = choice.order[0];
    /* As for max_cost: never less than a quarter of the characters. */
    int64_t predicted = (int64_t)(choice.estimates[expert].input_tokens + 0.5f);
    int64_t tokens = predicted > choice.input_tokens ? predicted : choice.input_tokens;
    const char *body = arena_printf(x->arena, "{\"input_tokens\":%lld}", (long long)tokens);
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("request-id"), str_from(id)},
        {STR("x-leeroo-request-id"), str_from(id)},
        {STR("x-leeroo-expert"), w->snapshot->config->experts[expert].name},
        {STR("x-leeroo-tokens-basis"), STR("predicted")},
    };
    http_respond(x, 200, headers, sizeof(headers) / sizeof(headers[0]), str_from(body));
}
