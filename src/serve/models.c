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

static void write_list(const struct snapshot *s, const struct caller *caller, struct buf *out)
{
    const struct config *c = s->config;
    bool first = true;
    buf_add_c(out, "{\"object\":\"list\",\"data\":[");
    if (caller_may_use(caller, s->pool, c->default_policy, SIZE_MAX))
        write_model(out, STR("leeroo"), STR(""), &first);
    for (size_t i = 0; i < c->policy_count; i++)
        if (caller_may_use(caller, s->pool, i, SIZE_MAX))
            write_model(out, STR("leeroo/"), c->policies[i].name, &first);
    for (size_t i = 0; i < c->expert_count; i++)
        if (caller_may_use(caller, s->pool, SIZE_MAX, i))
            write_model(out, STR(""), c->experts[i].name, &first);
    for (size_t i = 0; i < c->embedder_count; i++)
        if (caller_may_name(caller, c->embedders[i].name))
            write_model(out, STR(""), c->embedders[i].name, &first);
    buf_add_c(out, "]}");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Some clients write the slash of "leeroo/POLICY" as %2F. What is no escape stays as it is. */
static struct str decode_name(struct str raw, struct arena *a)
{
    char *into = arena_alloc(a, raw.len + 1);
    size_t len = 0;
    if (!into)
        return raw;
    for (size_t i = 0; i < raw.len; i++) {
        bool escape = raw.ptr[i] == '%' && i + 2 < raw.len;
        int high = escape ? hex_digit(raw.ptr[i + 1]) : -1;
        int low = escape ? hex_digit(raw.ptr[i + 2]) : -1;
        into[len++] = high >= 0 && low >= 0 ? (char)(high * 16 + low) : raw.ptr[i];
        i += high >= 0 && low >= 0 ? 2 : 0;
    }
    return (struct str){into, len};
}

static enum status find_model(const struct snapshot *s, const struct caller *caller,
                              struct str name, struct error *err)
{
    struct pool_target target;
    if (name.len == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "a model without a name does not exist; /v1/models lists them");
    const struct config *c = s->config;
    if (expert_index(c->embedders, c->embedder_count, name) != SIZE_MAX &&
        caller_may_name(caller, name))
        return OK;
    enum status status = pool_target_find(s->pool, name, &target, err);
    if (status == OK && !caller_may_use(caller, s->pool, target.policy, target.expert))
        return error_set(err, ERR_NOT_FOUND,
                         "the model '%.*s' does not exist; /v1/models lists them", STR_FMT(name));
    return status;
}

void models_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    (void)caller;
    struct buf body;
    struct error err = {0};
    bool first = true;
    buf_init(&body, MODELS_BYTES_MAX);
    if (str_equal(x->path, MODELS_PATH)) {
        write_list(w->snapshot, caller, &body);
        answer_json(x, 200, NULL, buf_str(&body));
    } else {
        struct str path = str_slice(x->path, MODELS_PATH.len + 1, x->path.len);
        struct str name = decode_name(path, x->arena);
        if (find_model(w->snapshot, caller, name, &err) == OK) {
            write_model(&body, STR(""), name, &first);
            answer_json(x, 200, NULL, buf_str(&body));
        } else {
            answer_error(x, NULL, ERR_NOT_FOUND, err.text, "model", "model_not_found");
        }
    }
    buf_done(&body);
}
