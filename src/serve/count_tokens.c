/* POST /v1/messages/count_tokens: how many input tokens a message would have, as the expert that would be asked is
 * predicted to count them. No call is made, so it is an estimate, and says so. */
#include "serve/choosing.h"
#include "serve/target.h"

static void answer(struct choosing *c, enum status status, const struct error *err)
{
    struct http_exchange *x = c->x;
    if (status != OK) {
        answer_error_as(FRONT_MESSAGES, x, c->id, status, err->text, NULL, NULL);
        return;
    }
    size_t expert = c->choice.order[0];
    const struct estimate *e = &c->choice.estimates[expert];
    int64_t predicted = (int64_t)(e->input_tokens + 0.5f);
    int64_t least = pool_least_tokens(e, c->choice.input_tokens);
    int64_t tokens = e->counted || predicted > least ? predicted : least;
    const char *body = arena_printf(x->arena, "{\"input_tokens\":%lld}", (long long)tokens);
    const struct http_header headers[] = {
        {STR("content-type"), STR("application/json")},
        {STR("request-id"), str_from(c->id)},
        {STR("x-leeroo-request-id"), str_from(c->id)},
        {STR("x-leeroo-expert"), c->snapshot->config->experts[expert].name},
        {STR("x-leeroo-tokens-basis"), e->counted ? STR("counted") : STR("predicted")},
    };
    http_respond(x, 200, headers, sizeof(headers) / sizeof(headers[0]), str_from(body));
}

static enum status read_request(struct choosing *c, const struct caller *caller, const char **param,
                                const char **code, struct error *err)
{
    struct front_chat asked;
    struct http_exchange *x = c->x;
    const struct pool *p = c->worker->snapshot->pool;
    enum status status = front_messages_count_request(x->body, x->arena, &asked, param, err);
    if (status == OK)
        status = openai_request_parse(asked.body, true, x->arena, &c->request, param, err);
    if (status == OK)
        status = target_read(p, caller, x, &c->request, &c->target, param, code, err);
    if (status == OK) /* a key learns nothing of experts that it may not use */
        status = caller_restrict(caller, p, &c->target, x->arena, err);
    if (status != OK)
        return status;
    c->target.native_dialect = front_dialect(FRONT_MESSAGES);
    c->target.native_only = asked.native_only;
    c->target.native_rather = asked.native_rather;
    return OK;
}

void count_tokens_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct error err = {0};
    const char *param = NULL, *code = NULL;
    struct choosing *c = ARENA_NEW(x->arena, struct choosing);
    if (!c) {
        answer_error_as(FRONT_MESSAGES, x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
        return;
    }
    *c = (struct choosing){.worker = w, .x = x, .caller = caller, .on_chosen = answer};
    worker_request_id(w, c->id);
    enum status status = read_request(c, caller, &param, &code, &err);
    if (status == OK)
        choosing_begin(c);
    else
        answer_error_as(FRONT_MESSAGES, x, c->id, status, err.text, param, code);
}
