/* The section `encoders` of leeroo.yaml: language models that read what is asked, in this process or behind an
 * endpoint. What belongs together is checked where model files are checked, too (reader/encoder_spec.h); what is paid
 * stands beside the specs, because a model file knows nothing of it.
 *
 * On the thread that loads the configuration; nothing is opened or asked here. */
#include <stddef.h>
#include <string.h>

#include "config/config_int.h"

#define ENCODER_DAY_MS 86400000.0

struct raw_encoder {
    struct encoder_spec spec;
    struct str name, url, model;
    const struct yaml_tree *gguf, *api_key;
    const struct price *price;
};

static enum status read_pooling(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    if (value->kind == TREE_SCALAR && encoder_pooling_named(value->scalar, into))
        return OK;
    return conf_fail(r, value, err, "%s must be own, mean, last or hidden", row->key);
}

/* What a million tokens cost that it reads; of those that it writes it tells none, as a rule. */
static enum status read_price(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"input", conf_read_usd, offsetof(struct price, input_nano_usd_per_m), true, 0, 0},
        {"output", conf_read_usd, offsetof(struct price, output_nano_usd_per_m), false, 0, 0},
    };
    struct price *price = ARENA_NEW(r->arena, struct price);
    (void)row;
    if (!price)
        return config_no_memory(err);
    enum status status =
        conf_read_map(r, value, "price", rows, sizeof(rows) / sizeof(*rows), price, NULL, err);
    if (status == OK)
        *(const struct price **)into = price;
    return status;
}

#define SPEC(field) offsetof(struct raw_encoder, spec.field)

static const struct conf_row encoder_rows[] = {
    {"name", conf_read_str, offsetof(struct raw_encoder, name), false, 0, 0},
    {"gguf", config_read_node, offsetof(struct raw_encoder, gguf), false, 0, 0},
    {"pooling", read_pooling, SPEC(pooling), false, 0, 0},
    {"layer", conf_read_u32, SPEC(layer), false, 1, 1000},
    {"tokens", conf_read_u32, SPEC(tokens), false, 1, ENCODER_TOKENS_MAX},
    {"threads", conf_read_u32, SPEC(threads), false, 1, 256},
    {"gpu_layers", conf_read_u32, SPEC(gpu_layers), false, 0, ENCODER_GPU_LAYERS_MAX},
    {"url", conf_read_str, offsetof(struct raw_encoder, url), false, 0, 0},
    {"model", conf_read_str, offsetof(struct raw_encoder, model), false, 0, 0},
    {"api_key", config_read_node, offsetof(struct raw_encoder, api_key), false, 0, 0},
    {"dimensions", conf_read_u32, SPEC(dimensions), false, 1, LATE_WIDTH_MAX},
    {"timeout", conf_read_ms, SPEC(timeout_ms), false, 1, ENCODER_DAY_MS / 24},
    {"calls", conf_read_u32, SPEC(calls), false, 1, LATE_WORKERS_MAX},
    {"batch", conf_read_u32, SPEC(batch), false, 1, ENCODER_BATCH_MAX},
    {"price", read_price, offsetof(struct raw_encoder, price), false, 0, 0},
    {"max_wait", conf_read_ms, SPEC(limits.max_wait_ms), false, 1, ENCODER_DAY_MS / 24},
    {"queue", conf_read_bytes, SPEC(limits.queue), false, 1, LATE_QUEUE_MAX},
    {"cache", conf_read_bytes, SPEC(limits.cache_bytes), false, 1024, 1e12},
};

static enum status keep_text(struct conf_reader *r, struct str text, const char **into,
                             struct error *err)
{
    if (!text.ptr)
        return OK;
    *into = arena_printf(r->arena, "%.*s", STR_FMT(text));
    return *into ? OK : config_no_memory(err);
}

/* The key itself, and the name of its variable, which a model file keeps. */
static enum status read_key(struct conf_reader *r, const struct yaml_tree *at,
                            struct encoder_spec *s, struct error *err)
{
    static const struct conf_row row = {.key = "api_key"};
    if (!at)
        return OK;
    enum status status = conf_read_secret(r, &row, at, &s->key, err);
    return status == OK ? keep_text(r, at->scalar, &s->key_variable, err) : status;
}

enum status config_finish_encoder(struct conf_reader *r, const struct yaml_tree *node,
                                  struct error *err)
{
    struct config *c = r->context;
    struct encoder_spec *s = &c->encoders[c->encoder_count - 1];
    struct error why = {0};
    enum status status = encoder_spec_complete(s, r->arena, &why);
    if (status != OK)
        return status == ERR_INPUT ? conf_fail(r, node, err, "%s", why.text)
                                   : config_no_memory(err);
    c->readers[c->encoder_count - 1].name = s->name;
    for (size_t i = 0; i + 1 < c->encoder_count; i++)
        if (!strcmp(c->encoders[i].name, s->name))
            return conf_fail(r, node, err,
                             "an encoder is called '%s' already; give one another name", s->name);
    return OK;
}

/* One piece: what is half read belongs to nobody yet. */
static enum status read_encoder(struct conf_reader *r, const struct yaml_tree *node,
                                struct error *err)
{
    struct config *c = r->context;
    struct raw_encoder raw = {0};
    struct str path = {0};
    enum status status =
        conf_read_map(r, node, "an encoder", encoder_rows,
                      sizeof(encoder_rows) / sizeof(*encoder_rows), &raw, NULL, err);
    if (status == OK && raw.gguf)
        status = config_read_text(r, "gguf", raw.gguf, &path, err);
    if (status == OK && raw.gguf)
        status = config_join_path(r, path, &raw.spec.gguf, err);
    if (status == OK)
        status = keep_text(r, raw.name, &raw.spec.name, err);
    if (status == OK)
        status = keep_text(r, raw.url, &raw.spec.url, err);
    if (status == OK)
        status = keep_text(r, raw.model, &raw.spec.model, err);
    if (status == OK)
        status = read_key(r, raw.api_key, &raw.spec, err);
    if (status != OK)
        return status;
    if (raw.price && !raw.url.ptr)
        return conf_fail(r, node, err, "price is of an endpoint: nobody is paid for a file");
    c->readers[c->encoder_count].price = raw.price;
    c->encoders[c->encoder_count++] = raw.spec; /* its key is wiped from here on */
    return config_finish_encoder(r, node, err);
}

enum status config_read_encoders(struct conf_reader *r, const struct yaml_tree *node,
                                 struct error *err)
{
    struct config *c = r->context;
    enum status first = OK;
    if (!node)
        return OK;
    if (node->kind != TREE_LIST || node->count == 0 || node->count > ENCODERS_NAMED_MAX)
        return conf_fail(r, node, err, "encoders must be a list of 1 to %d encoders, not %s",
                         ENCODERS_NAMED_MAX, yaml_tree_kind_name(node));
    c->encoders = ARENA_ARRAY(c->arena, node->count, struct encoder_spec);
    if (!c->encoders)
        return config_no_memory(err);
    for (size_t i = 0; i < node->count; i++) {
        enum status status = read_encoder(r, &node->items[i], err);
        if (!conf_goes_on(r, status))
            return status;
        first = first == OK ? status : first;
    }
    return first;
}

void config_wipe_encoders(struct config *c)
{
    for (size_t i = 0; i < c->encoder_count; i++)
        if (c->encoders[i].key.len)
            explicit_bzero((void *)(uintptr_t)c->encoders[i].key.ptr, c->encoders[i].key.len);
}
