/* GET /v1/models and /v1/models/NAME: the router's names and the experts'. */
#include "serve/errors.h"
#include "serve/gateway_int.h"

#define MODELS_BYTES_MAX (1u << 20)
#define MODELS_PATH      STR("/v1/models")

static void write_model(struct buf *out, struct str prefix, struct str name, bool *first)
{
    buf_add_c(out, *first ? "" : ",");
    buf_addf(out,
             "{\"id\":\"%.*s%.*s\",\"object\":\"model\",\"created\":0,\"owned_by\":\"leeroo\"}",
             STR_FMT(prefix), STR_FMT(name)); /* config_check keeps names free of quotes */
    *first = false;
}

static void write_list(const struct config *c, struct buf *out)
{
    bool first = true;
    buf_add_c(out, "{\"object\":\"list\",\"data\":[");
    write_model(out, STR("leeroo"), STR(""), &first);
    for (size_t i = 0; i < c->policy_count; i++)
        write_model(out, STR("leeroo/"), c->policies[i].name, &first);
    for (size_t i = 0; i < c->expert_count; i++)
        write_model(out, STR(""), c->experts[i].name, &first);
    buf_add_c(out, "]}");
}

void models_handle(struct worker *w, struct http_exchange *x)
{
    struct buf body;
    struct error err = {0};
    struct pool_target target;
    bool first = true;
    buf_init(&body, MODELS_BYTES_MAX);
    if (str_equal(x->path, MODELS_PATH)) {
        write_list(w->gateway->config, &body);
        answer_json(x, 200, NULL, buf_str(&body));
    } else {
        struct str name = str_slice(x->path, MODELS_PATH.len + 1, x->path.len);
        if (pool_target_find(w->gateway->pool, name, &target, &err) == OK && name.len > 0) {
            write_model(&body, STR(""), name, &first);
            answer_json(x, 200, NULL, buf_str(&body));
        } else {
            answer_error(x, NULL, ERR_NOT_FOUND, err.text, "model", "model_not_found");
        }
    }
    buf_done(&body);
}
