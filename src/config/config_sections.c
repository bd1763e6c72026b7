/* The `experts` and `policies` sections of leeroo.yaml as rows: key, reader, field, bounds. Experts come first,
 * whatever the order in the file, because policies name them.
 *
 * Runs in the thread that makes a configuration; everything lives in its arena. Defaults stand where the section is
 * read, so that the table and docs/configuration.md can be compared row by row. */
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/name.h"
#include "config/config_int.h"
#include "expert/expert.h"
#include "gate/gate.h"

#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])
#define DAY_MS      86400000.0

#define DIALECT_NAMES_BYTES_MAX 256
#define CAPABILITIES_USUAL      UINT_MAX

struct raw_expert {
    struct expert expert;
    const struct yaml_tree *name, *fallbacks, *like, *parameters, *logprobs;
    struct config_raw_gguf gguf; /* and the URL that others have in its place */
    const struct yaml_tree
        *unpriced_output; /* a price without one; NULL: it has one, or there is no price */
    bool priced;
    unsigned capabilities; /* CAPABILITIES_USUAL: not said */
};

struct raw_policy {
    struct policy policy;
    const struct yaml_tree *experts, *plans, *verify;
    uint32_t hedge_after_ms;
};

enum status config_read_node(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    (void)r, (void)row, (void)err;
    *(const struct yaml_tree **)into = value;
    return OK;
}

/* Only while the section is read is it known which prices were given, so the struct with its -1, its rows and what
 * follows from them stay together. */
static enum status read_price(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    struct raw_price {
        struct price price;
        int64_t output, cached, cache_write, cache_write_1h, reasoning; /* -1: not given */
    } p = {.output = -1, .cached = -1, .cache_write = -1, .cache_write_1h = -1, .reasoning = -1};
    static const struct conf_row rows[] = {
        {"input", conf_read_usd, offsetof(struct raw_price, price.input_nano_usd_per_m), true, 0,
         0},
        {"output", conf_read_usd, offsetof(struct raw_price, output), false, 0, 0},
        {"cached_input", conf_read_usd, offsetof(struct raw_price, cached), false, 0, 0},
        {"cache_write", conf_read_usd, offsetof(struct raw_price, cache_write), false, 0, 0},
        {"cache_write_1h", conf_read_usd, offsetof(struct raw_price, cache_write_1h), false, 0, 0},
        {"reasoning", conf_read_usd, offsetof(struct raw_price, reasoning), false, 0, 0},
    };
    struct raw_expert *e = into;
    (void)row;
    enum status status = conf_read_map(r, value, "price", ROWS(rows), &p, NULL, err);
    if (status != OK)
        return status;
    e->unpriced_output = p.output < 0 ? value : NULL;
    if (p.output >= 0)
        p.price.output_nano_usd_per_m = p.output;
    if (p.cached >= 0 && !price_set_cached_input(&p.price, p.cached))
        return conf_fail(r, value, err, "cached_input must not be above input");
    if (p.cache_write >= 0)
        price_set_cache_write(&p.price, p.cache_write);
    if (p.cache_write_1h >= 0)
        price_set_cache_write_1h(&p.price, p.cache_write_1h);
    if (p.reasoning >= 0)
        price_set_reasoning(&p.price, p.reasoning);
    e->priced = true;
    e->expert.price = p.price;
    return OK;
}

static enum status read_timeouts(struct conf_reader *r, const struct conf_row *row,
                                 const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"connect", conf_read_ms, offsetof(struct expert, connect_timeout_ms), false, 1, DAY_MS},
        {"first_token", conf_read_ms, offsetof(struct expert, first_token_timeout_ms), false, 0,
         DAY_MS},
        {"idle", conf_read_ms, offsetof(struct expert, idle_timeout_ms), false, 0, DAY_MS},
        {"total", conf_read_ms, offsetof(struct expert, total_timeout_ms), false, 0, DAY_MS},
    };
    (void)row;
    return conf_read_map(r, value, "timeouts", ROWS(rows), into, NULL, err);
}

static enum status read_capabilities(struct conf_reader *r, const struct conf_row *row,
                                     const struct yaml_tree *value, void *into, struct error *err)
{
    enum { COUNT = 4 };
    static const char *const names[COUNT] = {"tools", "images", "json", "effort"};
    static const unsigned bits[COUNT] = {EXPERT_TOOLS, EXPERT_IMAGES, EXPERT_JSON, EXPERT_EFFORT};
    unsigned all = 0;
    if (value->kind != TREE_LIST)
        return conf_fail(r, value, err,
                         "%s must be a list out of tools, images, json, effort, not %s", row->key,
                         yaml_tree_kind_name(value));
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_tree *item = &value->items[i];
        size_t k = 0;
        while (k < COUNT &&
               !(item->kind == TREE_SCALAR && str_equal(item->scalar, str_from(names[k]))))
            k++;
        if (k == COUNT)
            return conf_fail(r, item, err,
                             "unknown capability '%.*s'; known are tools, images, json, effort",
                             STR_FMT(item->scalar));
        all |= bits[k];
    }
    *(unsigned *)into = all;
    return OK;
}

static enum status read_dialect(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    const struct dialect *dialect = value->kind == TREE_SCALAR ? dialect_find(value->scalar) : NULL;
    struct buf known;
    (void)row;
    if (dialect) {
        *(const struct dialect **)into = dialect;
        return OK;
    }
    buf_init(&known, DIALECT_NAMES_BYTES_MAX);
    dialect_list(&known);
    enum status status = conf_fail(r, value, err, "dialect must be %.*s", STR_FMT(buf_str(&known)));
    buf_done(&known);
    return status;
}

static enum status read_limit_name(struct conf_reader *r, const struct conf_row *row,
                                   const struct yaml_tree *value, void *into, struct error *err)
{
    bool longer = false;
    enum status status =
        conf_read_either(r, row, value, "max_tokens", "max_completion_tokens", &longer, err);
    if (status == OK)
        *(enum openai_limit_name *)into =
            longer ? OPENAI_LIMIT_MAX_COMPLETION_TOKENS : OPENAI_LIMIT_MAX_TOKENS;
    return status;
}

/* It stands in the URL. */
static enum status read_api_version(struct conf_reader *r, const struct conf_row *row,
                                    const struct yaml_tree *value, void *into, struct error *err)
{
    struct str version = {0};
    enum status status = conf_read_str(r, row, value, &version, err);
    if (status == OK && !name_is_plain(version, false))
        return conf_fail(r, value, err, "%s must be letters, digits and . _ -, like 2024-10-21",
                         row->key);
    if (status == OK)
        *(struct str *)into = version;
    return status;
}

static enum status read_system(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    bool anywhere = false;
    enum status status = conf_read_either(r, row, value, "first", "anywhere", &anywhere, err);
    if (status == OK)
        *(int *)into = anywhere ? EXPERT_SYSTEM_ANYWHERE : EXPERT_SYSTEM_FIRST;
    return status;
}

static enum status read_path(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    struct str path = {0};
    enum status status = conf_read_str(r, row, value, &path, err);
    return status == OK ? config_join_path(r, path, into, err) : status;
}

#define EXPERT_FIELD(field) offsetof(struct raw_expert, expert.field)

static const struct conf_row expert_rows[] = {
    {"name", config_read_node, offsetof(struct raw_expert, name), true, 0, 0},
    {"url", config_read_node, offsetof(struct raw_expert, gguf.url), false, 0, 0},
    {"api_key", conf_read_secret, EXPERT_FIELD(api_key), false, 0, 0},
    {"upstream_model", conf_read_str, EXPERT_FIELD(upstream_model), false, 0, 0},
    {"dialect", read_dialect, EXPERT_FIELD(dialect), false, 0, 0},
    {"gguf", config_read_node, offsetof(struct raw_expert, gguf.path), false, 0, 0},
    {"slots", config_read_node, offsetof(struct raw_expert, gguf.slots), false, 0, 0},
    {"threads", config_read_node, offsetof(struct raw_expert, gguf.threads), false, 0, 0},
    {"gpu_layers", config_read_node, offsetof(struct raw_expert, gguf.gpu_layers), false, 0, 0},
    {"lora", config_read_node, offsetof(struct raw_expert, gguf.loras), false, 0, 0},
    {"chat_template", config_read_node, offsetof(struct raw_expert, gguf.chat_template), false, 0,
     0},
    {"api_version", read_api_version, EXPERT_FIELD(api_version), false, 0, 0},
    {"limit_name", read_limit_name, EXPERT_FIELD(limit_name), false, 0, 0},
    {"system_messages", read_system, EXPERT_FIELD(system_messages), false, 0, 0},
    {"drop", config_read_drop, offsetof(struct raw_expert, expert), false, 0, 0},
    {"rename", config_read_rename, offsetof(struct raw_expert, expert), false, 0, 0},
    {"parameters", config_read_node, offsetof(struct raw_expert, parameters), false, 0, 0},
    {"logprobs", config_read_node, offsetof(struct raw_expert, logprobs), false, 0, 0},
    {"max_output_tokens", conf_read_u32, EXPERT_FIELD(max_output_tokens), false, 1, 1e9},
    {"output_limit", conf_read_u32, EXPERT_FIELD(output_limit), false, 1, 1e9},
    {"price", read_price, 0, false, 0, 0},
    {"like", config_read_node, offsetof(struct raw_expert, like), false, 0, 0},
    {"context", conf_read_u32, EXPERT_FIELD(context_tokens), false, 1, 1e9},
    {"tokenizer", read_path, EXPERT_FIELD(tokenizer), false, 0, 0},
    {"capabilities", read_capabilities, offsetof(struct raw_expert, capabilities), false, 0, 0},
    {"timeouts", read_timeouts, offsetof(struct raw_expert, expert), false, 0, 0},
    {"latency", conf_read_ms, EXPERT_FIELD(latency_ms), false, 1, DAY_MS},
    {"retry_after_max", conf_read_ms, EXPERT_FIELD(retry_after_max_ms), false, 1, DAY_MS},
    {"retries", conf_read_u32, EXPERT_FIELD(retries), false, 0, 10},
    {"cache_ttl", conf_read_ms, EXPERT_FIELD(cache_ttl_ms), false, 0, DAY_MS},
    {"fallbacks", config_read_node, offsetof(struct raw_expert, fallbacks), false, 0, 0},
    {"breaker", config_read_breaker, EXPERT_FIELD(breaker), false, 0, 0},
    {"concurrency", conf_read_u32, EXPERT_FIELD(limits.concurrency), false, 1, 1e6},
    {"requests_per_minute", conf_read_u32, EXPERT_FIELD(limits.requests_per_minute), false, 1, 1e9},
    {"tokens_per_minute", conf_read_u32, EXPERT_FIELD(limits.tokens_per_minute), false, 1, 1e9},
    {"queue", config_read_queue, EXPERT_FIELD(limits), false, 0, 0},
};

enum status config_read_text(struct conf_reader *r, const char *key, const struct yaml_tree *node,
                             struct str *into, struct error *err)
{
    const struct conf_row row = {key, conf_read_str, 0, false, 0, 0};
    return conf_read_str(r, &row, node, into, err);
}

static enum status read_url(struct conf_reader *r, const struct yaml_tree *node,
                            const struct yaml_tree *url, struct expert *e, struct error *err)
{
    if (!url)
        return conf_fail(r, node, err, "an expert lacks the key 'url'");
    enum status status = config_read_text(r, "url", url, &e->url, err);
    if (status == OK)
        status = config_check_url(r, url, &e->url, err);
    return status == OK ? config_check_base(r, url, e->url, err) : status;
}

/* Not by default where others might refuse them: a refused call is a failed one. */
static enum status read_logprobs(struct conf_reader *r, const struct yaml_tree *node,
                                 struct expert *e, struct error *err)
{
    static const struct conf_row row = {"logprobs", conf_read_bool, 0, false, 0, 0};
    e->logprobs = e->gguf != NULL;
    enum status status = node ? conf_read_bool(r, &row, node, &e->logprobs, err) : OK;
    if (status == OK && e->logprobs && !e->dialect->has_logprobs)
        return conf_fail(r, node, err,
                         "logprobs: dialect %s has no log-probabilities; leave it out",
                         e->dialect->name);
    return status;
}

/* Reads one expert. The defaults come first and in one place; the checks follow in the order of the keys, so that the
 * first complaint is the first mistake. */
static enum status read_fields(struct conf_reader *r, const struct yaml_tree *node,
                               struct raw_expert *ret, struct error *err)
{
    struct config *c = r->context;
    struct raw_expert raw = {.capabilities = CAPABILITIES_USUAL,
                             .expert = {.dialect = &dialect_openai,
                                        .capabilities = EXPERT_TOOLS | EXPERT_IMAGES | EXPERT_JSON,
                                        .connect_timeout_ms = 5000,
                                        .first_token_timeout_ms = 60000,
                                        .idle_timeout_ms = 60000,
                                        .total_timeout_ms = 600000,
                                        .max_output_tokens = 4096,
                                        .cache_ttl_ms = 300000,
                                        .retries = 2,
                                        .retry_after_max_ms = EXPERT_RETRY_AFTER_MAX_MS,
                                        .breaker = HEALTH_OPTIONS_DEFAULT,
                                        .limits = {.queue_length = GATE_QUEUE_DEFAULT,
                                                   .queue_timeout_ms = GATE_TIMEOUT_DEFAULT}}};
    struct expert *e = &raw.expert;
    enum status status = conf_read_map(r, node, "an expert", ROWS(expert_rows), &raw, NULL, err);
    if (status == OK)
        status = config_read_text(r, "name", raw.name, &e->name, err);
    if (status == OK)
        status = config_check_expert_name(r, raw.name, c, e->name, err);
    else if (conf_goes_on(r, status) && raw.gguf.url)
        (void)!read_url(r, node, raw.gguf.url, e, err); /* noted beside the others */
    if (status == OK)
        status = config_read_gguf(r, node, &raw.gguf, e, err);
    if (status == OK && !e->gguf)
        status = read_url(r, node, raw.gguf.url, e, err);
    if (status == OK)
        status = config_read_parameters(r, raw.parameters, e, err);
    if (status == OK)
        status = read_logprobs(r, raw.logprobs, e, err);
    if (status != OK)
        return status;
    if (e->upstream_model.len == 0)
        e->upstream_model = e->name;
    if (e->gguf) { /* what runs here costs what its owner says, and sees no images */
        e->capabilities = EXPERT_TOOLS | EXPERT_JSON;
        raw.priced = true;
    }
    if (raw.capabilities != CAPABILITIES_USUAL)
        e->capabilities = raw.capabilities;
    *ret = raw;
    return OK;
}

/* One piece: the raw entry becomes an expert and what is known of where it came from. */
static enum status read_expert(struct conf_reader *r, const struct yaml_tree *node,
                               const struct yaml_tree **ret_fallbacks, struct error *err)
{
    struct config *c = r->context;
    struct raw_expert raw;
    enum status status = read_fields(r, node, &raw, err);
    if (status != OK)
        return status;
    if (raw.unpriced_output)
        return conf_fail(r, raw.unpriced_output, err, "price lacks the key 'output'");
    struct str like = {0};
    if (raw.like)
        status = config_read_text(r, "like", raw.like, &like, err);
    if (status != OK)
        return status;
    const struct catalogue_entry *known = config_find_known(&raw.expert);
    if (known)
        config_take_known(&raw.expert, known, raw.capabilities != CAPABILITIES_USUAL);
    c->experts[c->expert_count] = raw.expert;
    c->origins[c->expert_count] = (struct config_origin){
        .line = raw.name->line,
        .column = raw.name->column,
        .price_from = raw.priced ? CONFIG_PRICE_CONFIGURED : CONFIG_PRICE_UNKNOWN,
        .known = known,
        .like = like};
    *ret_fallbacks = raw.fallbacks;
    c->expert_count++;
    return OK;
}

/* Of an entry that is wrong no more than its name is kept, so that what names it is not called wrong, too. */
static void keep_name(struct config *c, const struct yaml_tree *node)
{
    for (size_t k = 0; node->kind == TREE_MAP && k < node->count; k++) {
        if (!str_equal(node->keys[k].scalar, STR("name")) || node->items[k].kind != TREE_SCALAR)
            continue;
        c->origins[c->expert_count] =
            (struct config_origin){.line = node->items[k].line, .column = node->items[k].column};
        c->experts[c->expert_count++] =
            (struct expert){.name = node->items[k].scalar, .dialect = &dialect_openai};
        return;
    }
    c->names_unread = true;
}

/* Where problems are gathered, all entries are read, and the first mistake's status comes back. */
static enum status read_entries(struct conf_reader *r, const struct yaml_tree *node,
                                const struct yaml_tree **ret_fallbacks, struct error *err)
{
    struct config *c = r->context;
    enum status first = OK;
    for (size_t i = 0; i < node->count; i++) {
        enum status status = read_expert(r, &node->items[i], &ret_fallbacks[i], err);
        if (!conf_goes_on(r, status))
            return status;
        if (status != OK)
            keep_name(c, &node->items[i]);
        first = first == OK ? status : first;
    }
    return first;
}

enum status config_read_experts(struct conf_reader *r, const struct yaml_tree *node,
                                struct error *err)
{
    struct config *c = r->context;
    c->names_unread = !node || node->kind != TREE_LIST || node->count > CONFIG_EXPERTS_MAX;
    if (!node) /* that it lacks has been said */
        return ERR_INPUT;
    if (node->kind != TREE_LIST || node->count == 0)
        return conf_fail(r, node, err,
                         "experts must be a list with at least one expert, not %s; each begins "
                         "with `- name: NAME`",
                         node->kind == TREE_LIST ? "an empty one" : yaml_tree_kind_name(node));
    if (node->count > CONFIG_EXPERTS_MAX)
        return conf_fail(r, node, err, "%zu experts; at most %d are possible", node->count,
                         CONFIG_EXPERTS_MAX);
    c->experts = ARENA_ARRAY(c->arena, node->count, struct expert);
    c->origins = ARENA_ARRAY(c->arena, node->count, struct config_origin);
    if (!c->experts || !c->origins)
        return config_no_memory(err);
    const struct yaml_tree *fallbacks[CONFIG_EXPERTS_MAX] = {NULL};
    enum status status = read_entries(r, node, fallbacks, err);
    for (size_t i = 0; status == OK && i < node->count; i++)
        status = config_read_fallbacks(r, fallbacks[i], i, err);
    return status;
}

static enum status read_embedder(struct conf_reader *r, const struct yaml_tree *node,
                                 struct error *err)
{
    struct config *c = r->context;
    struct raw_expert raw;
    enum status status = read_fields(r, node, &raw, err);
    if (status != OK)
        return status;
    if (expert_index(c->embedders, c->embedder_count, raw.expert.name) != SIZE_MAX)
        return conf_fail(r, raw.name, err, "name: '%.*s' is listed twice under embeddings",
                         STR_FMT(raw.expert.name));
    if (raw.fallbacks)
        return conf_fail(r, raw.fallbacks, err,
                         "fallbacks: vectors of another model mean something else; leave it out");
    if (raw.like)
        return conf_fail(r, raw.like, err, "like: nothing is routed among embedders; leave it out");
    if (!raw.expert.dialect->has_embeddings)
        return conf_fail(r, node, err, "dialect: %s has no embeddings", raw.expert.dialect->name);
    if (!raw.priced)
        return conf_fail(r, node, err,
                         "price is missing: the model file knows no price of embeddings");
    c->embedders[c->embedder_count++] = raw.expert;
    return OK;
}

enum status config_read_embedders(struct conf_reader *r, const struct yaml_tree *node,
                                  struct error *err)
{
    struct config *c = r->context;
    if (!node)
        return OK;
    if (node->kind != TREE_LIST || node->count == 0 || node->count > CONFIG_EXPERTS_MAX)
        return conf_fail(r, node, err, "embeddings must be a list of 1 to %d experts, not %s",
                         CONFIG_EXPERTS_MAX, yaml_tree_kind_name(node));
    c->embedders = ARENA_ARRAY(c->arena, node->count, struct expert);
    if (!c->embedders)
        return config_no_memory(err);
    enum status first = OK;
    for (size_t i = 0; i < node->count; i++) {
        enum status status = read_embedder(r, &node->items[i], err);
        if (!conf_goes_on(r, status))
            return status;
        first = first == OK ? status : first;
    }
    return first;
}

static const struct conf_row policy_rows[] = {
    {"lambda", conf_read_real, offsetof(struct raw_policy, policy.lambda), false, 0, 1e15},
    {"budget", conf_read_real, offsetof(struct raw_policy, policy.budget_usd_per_1k), false, 1e-9,
     1e9},
    {"min_quality", conf_read_real, offsetof(struct raw_policy, policy.min_quality), false, 1e-9,
     1},
    {"max_cost", conf_read_usd, offsetof(struct raw_policy, policy.max_cost_nano_usd), false, 1, 0},
    {"max_calls", conf_read_u32, offsetof(struct raw_policy, policy.max_calls), false, 1,
     PLAN_MEMBERS_MAX},
    {"max_latency", conf_read_ms, offsetof(struct raw_policy, policy.max_latency_ms), false, 1,
     DAY_MS},
    {"experts", config_read_node, offsetof(struct raw_policy, experts), false, 0, 0},
    {"plans", config_read_node, offsetof(struct raw_policy, plans), false, 0, 0},
    {"verify", config_read_node, offsetof(struct raw_policy, verify), false, 0, 0},
    {"hedge_after", conf_read_ms, offsetof(struct raw_policy, hedge_after_ms), false, 1, DAY_MS},
};
#define POLICY_TARGET_ROWS 3 /* the first three rows exclude each other */

static enum status read_use(struct conf_reader *r, const struct yaml_tree *node, const bool **ret,
                            struct error *err)
{
    struct config *c = r->context;
    bool *use = ARENA_ARRAY(c->arena, c->expert_count, bool);
    if (!use)
        return config_no_memory(err);
    if (node->kind != TREE_LIST || node->count == 0)
        return conf_fail(r, node, err, "experts must be a list of expert names, not %s",
                         node->kind == TREE_LIST ? "an empty one" : yaml_tree_kind_name(node));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *item = &node->items[i];
        size_t index = expert_index(c->experts, c->expert_count, item->scalar);
        if (index == SIZE_MAX)
            return conf_fail(r, item, err, "no expert '%.*s' is listed under experts",
                             STR_FMT(item->scalar));
        use[index] = true;
    }
    *ret = use;
    return OK;
}

static enum status add_pattern(struct conf_reader *r, const struct yaml_tree *node,
                               struct buf *joined, struct error *err)
{
    struct str pattern = node->kind == TREE_SCALAR ? str_trim(node->scalar) : STR("");
    if (pattern.len == 0 || memchr(pattern.ptr, ';', pattern.len))
        return conf_fail(
            r, node, err,
            "plans must be all, none, cascade, panel, sequential or the name of a plan "
            "such as \"panel(a,b->c)\", or a list of such, not %s",
            node->kind == TREE_SCALAR ? "this" : yaml_tree_kind_name(node));
    buf_addf(joined, "%s%.*s", joined->len ? ";" : "", STR_FMT(pattern));
    return OK;
}

/* Whether the model has such plans is checked in config_bind. */
static enum status read_plans(struct conf_reader *r, const struct yaml_tree *node,
                              struct str *ret_plans, const struct config_place **ret_places,
                              struct error *err)
{
    bool list = node->kind == TREE_LIST;
    size_t count = list ? node->count : 1;
    struct config_place *places = ARENA_ARRAY(r->arena, count, struct config_place);
    struct buf joined;
    enum status status = OK;
    buf_init(&joined, CONFIG_BYTES_MAX);
    if (count == 0)
        status = conf_fail(r, node, err, "plans: the list is empty; \"none\" switches them off");
    for (size_t i = 0; places && i < count && status == OK; i++) {
        const struct yaml_tree *item = list ? &node->items[i] : node;
        places[i] = (struct config_place){item->line, item->column};
        status = add_pattern(r, item, &joined, err);
    }
    struct str kept = arena_copy(r->arena, buf_str(&joined));
    if (status == OK && (!places || !kept.ptr || joined.status != OK))
        status = config_no_memory(err);
    buf_done(&joined);
    if (status != OK)
        return status;
    *ret_plans = kept;
    *ret_places = places;
    return OK;
}

/* One piece: what a policy says, in the order of its keys; what is half read belongs to nobody. */
static enum status read_policy(struct conf_reader *r, const struct yaml_tree *key,
                               const struct yaml_tree *node, struct error *err)
{
    struct config *c = r->context;
    struct route_policy *p = &c->policies[c->policy_count];
    struct raw_policy raw = {0};
    uint64_t seen = 0;
    enum status status = config_check_policy_name(r, key, err);
    if (status == OK && node->kind != TREE_EMPTY)
        status = conf_read_map(r, node, "a policy", ROWS(policy_rows), &raw, &seen, err);
    if (status == OK && __builtin_popcountll(seen & ((1u << POLICY_TARGET_ROWS) - 1)) > 1)
        status = conf_fail(r, key, err,
                           "policy '%.*s' has more than one of lambda, budget and min_quality; "
                           "keep one",
                           STR_FMT(key->scalar));
    if (status == OK && raw.experts)
        status = read_use(r, raw.experts, &p->use, err);
    if (status == OK && raw.plans)
        status = read_plans(r, raw.plans, &p->plans, &c->plan_places[c->policy_count], err);
    if (status == OK && raw.verify)
        status = config_read_verify(r, raw.verify, &c->verify[c->policy_count], err);
    if (status != OK)
        return status;
    p->name = key->scalar;
    p->policy = raw.policy;
    p->hedge_after_ms = raw.hedge_after_ms;
    c->policy_count++;
    return OK;
}

/* One piece: room for what the file has, and for the policy of those that have none. */
enum status config_read_policies(struct conf_reader *r, const struct yaml_tree *node,
                                 struct error *err)
{
    struct config *c = r->context;
    size_t count = node && node->kind == TREE_MAP ? node->count : 0;
    if (node && count == 0)
        return conf_fail(r, node, err,
                         "policies must be a section with at least one policy, not %s",
                         yaml_tree_kind_name(node));
    if (count > CONFIG_POLICIES_MAX)
        return conf_fail(r, node, err, "%zu policies; at most %d are possible", count,
                         CONFIG_POLICIES_MAX);
    /* + default, + override */
    c->policies_given = node != NULL;
    c->policies = ARENA_ARRAY(c->arena, count + 2, struct route_policy);
    c->plan_places = ARENA_ARRAY(c->arena, count + 2, const struct config_place *);
    c->verify = ARENA_ARRAY(c->arena, count + 3, struct verify_settings); /* + half read */
    if (!c->policies || !c->plan_places || !c->verify)
        return config_no_memory(err);
    enum status first = OK;
    for (size_t i = 0; i < count; i++) {
        enum status status = read_policy(r, &node->keys[i], &node->items[i], err);
        if (!conf_goes_on(r, status))
            return status;
        first = first == OK ? status : first;
    }
    if (count == 0) /* no price on quality: the best predicted expert */
        c->policies[c->policy_count++] = (struct route_policy){.name = STR("default")};
    return first;
}

size_t config_policy_index(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->policy_count; i++)
        if (str_equal(c->policies[i].name, name))
            return i;
    return SIZE_MAX;
}

/* The expert that is named; else config_bind takes the one with the most expensive output. */
enum status config_pick_reference(struct conf_reader *r, const struct yaml_tree *node,
                                  struct error *err)
{
    struct config *c = r->context;
    c->reference = node ? expert_index(c->experts, c->expert_count, node->scalar) : SIZE_MAX;
    if (node && c->reference == SIZE_MAX)
        return conf_fail(r, node, err, "reference: no expert '%.*s' is listed under experts",
                         STR_FMT(node->scalar));
    return OK;
}

/* default_policy, else the one called "default", else the first. */
enum status config_pick_default(struct conf_reader *r, const struct yaml_tree *node,
                                struct error *err)
{
    struct config *c = r->context;
    size_t index = config_policy_index(c, node ? node->scalar : STR("default"));
    if (node && index == SIZE_MAX)
        return conf_fail(r, node, err, "default_policy: no policy '%.*s' is listed under policies",
                         STR_FMT(node->scalar));
    c->default_policy = index == SIZE_MAX ? 0 : index;
    return OK;
}
