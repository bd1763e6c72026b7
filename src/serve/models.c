/* GET /v1/models and /v1/models/NAME: the router's names, the experts', and other names for them. */
#include "base/percent.h"
#include "front/front_models.h"
#include "serve/errors.h"
#include "serve/gateway_int.h"

#define MODELS_BYTES_MAX (4u << 20)
#define MODELS_PATH      STR("/v1/models")

struct list {
    const struct snapshot *snapshot;
    const struct caller *caller;
    struct front_model *models;
    size_t count;
};

static void add(struct list *l, struct str id, uint32_t context_tokens)
{
    l->models[l->count++] = (struct front_model){id, context_tokens};
}

static bool may_use(const struct list *l, size_t policy, size_t expert)
{
    return caller_may_use(l->caller, l->snapshot->pool, policy, expert);
}

static void add_policies(struct list *l, struct arena *a)
{
    const struct config *c = l->snapshot->config;
    if (may_use(l, c->default_policy, SIZE_MAX))
        add(l, STR("leeroo"), 0);
    for (size_t i = 0; i < c->policy_count; i++) {
        const char *id = arena_printf(a, "leeroo/%.*s", STR_FMT(c->policies[i].name));
        if (id && may_use(l, i, SIZE_MAX))
            add(l, str_from(id), 0);
    }
}

/* Patterns stand for too many names to list. */
static void add_aliases(struct list *l)
{
    const struct config *c = l->snapshot->config;
    for (size_t i = 0; i < c->alias_count; i++) {
        const struct model_alias *alias = &c->aliases[i];
        if (model_alias_is_name(alias) && may_use(l, alias->policy, alias->expert))
            add(l, alias->pattern,
                alias->expert == SIZE_MAX ? 0 : c->experts[alias->expert].context_tokens);
    }
}

static enum status make_list(struct list *l, struct arena *a, struct error *err)
{
    const struct config *c = l->snapshot->config;
    size_t most = 1 + c->policy_count + c->expert_count + c->alias_count + c->embedder_count;
    l->models = ARENA_ARRAY(a, most, struct front_model);
    if (!l->models)
        return error_set(err, ERR_MEMORY, "out of memory");
    add_policies(l, a);
    for (size_t i = 0; i < c->expert_count; i++)
        if (may_use(l, SIZE_MAX, i))
            add(l, c->experts[i].name, c->experts[i].context_tokens);
    add_aliases(l);
    for (size_t i = 0; i < c->embedder_count; i++)
        if (caller_may_name(l->caller, c->embedders[i].name))
            add(l, c->embedders[i].name, c->embedders[i].context_tokens);
    return OK;
}

static enum status write_list(struct list *l, struct http_exchange *x, struct buf *out,
                              struct error *err)
{
    struct front_page page;
    enum status status = front_page_read(x->query, x->arena, &page, err);
    if (status == OK)
        status = make_list(l, x->arena, err);
    if (status == OK)
        status = front_models_write(l->models, l->count, &page, out, err);
    return status;
}

/* Some clients write the slash of "leeroo/POLICY" as %2F. */
static struct str name_in(const struct http_exchange *x)
{
    return percent_decode(str_slice(x->path, MODELS_PATH.len + 1, x->path.len), x->arena);
}

static enum status find_model(const struct list *l, struct str name, struct front_model *ret,
                              struct error *err)
{
    struct pool_target target;
    const struct config *c = l->snapshot->config;
    if (name.len == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "a model without a name does not exist; /v1/models lists them");
    size_t embedder = expert_index(c->embedders, c->embedder_count, name);
    if (embedder != SIZE_MAX && caller_may_name(l->caller, name)) {
        *ret = (struct front_model){name, c->embedders[embedder].context_tokens};
        return OK;
    }
    enum status status = pool_target_find(l->snapshot->pool, name, &target, err);
    if (status != OK)
        return status;
    if (!may_use(l, target.policy, target.expert))
        return error_set(err, ERR_NOT_FOUND,
                         "the model '%.*s' does not exist; /v1/models lists them",
                         (int)(name.len < 100 ? name.len : 100), name.ptr);
    *ret = (struct front_model){
        name, target.expert == SIZE_MAX ? 0 : c->experts[target.expert].context_tokens};
    return OK;
}

void models_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct list l = {.snapshot = w->snapshot, .caller = caller};
    struct front_model model;
    struct error err = {0};
    struct buf body;
    /* Anthropic's clients say which version they speak, with every request. */
    bool anthropic = http_header_get(x, "anthropic-version").ptr;
    bool whole = str_equal(x->path, MODELS_PATH);
    enum status status = OK;
    buf_init(&body, MODELS_BYTES_MAX);
    if (whole) {
        status = write_list(&l, x, &body, &err);
    } else {
        status = find_model(&l, name_in(x), &model, &err);
        if (status == OK)
            front_model_write(&model, &body);
    }
    if (status == OK)
        answer_json(x, 200, NULL, buf_str(&body));
    else
        answer_error_as(anthropic ? FRONT_MESSAGES : FRONT_CHAT, x, NULL, status, err.text,
                        whole ? NULL : "model", whole ? NULL : "model_not_found");
    buf_done(&body);
}
