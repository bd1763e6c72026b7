/* The section `orchestrator` of leeroo.yaml: a language model that is asked whom to ask, in this process or one of the
 * experts. It is an encoder like the others (reader/encoder_spec.h), but for its prompt, which training writes: so it
 * becomes the last of the configuration's encoders, without a head. An expert lends its address, its model and its key,
 * which is wiped with those of the encoders. Read on the thread that loads the configuration; nothing is opened or
 * asked here. */
#include <stddef.h>
#include <string.h>

#include "config/config_int.h"

#define ORCHESTRATOR_DAY_MS 86400000.0

struct raw_orchestrator {
    struct encoder_spec spec;
    struct str expert, chat_template;
    const struct yaml_tree *gguf, *lora;
    bool choices;
};

#define RAW(field)  offsetof(struct raw_orchestrator, field)
#define SPEC(field) RAW(spec.field)

static const struct conf_row orchestrator_rows[] = {
    {"gguf", config_read_node, RAW(gguf), false, 0, 0},
    {"lora", config_read_node, RAW(lora), false, 0, 0},
    {"chat_template", conf_read_str, RAW(chat_template), false, 0, 0},
    {"tokens", conf_read_u32, SPEC(tokens), false, 16, ENCODER_TOKENS_MAX},
    {"threads", conf_read_u32, SPEC(threads), false, 1, 256},
    {"gpu_layers", conf_read_u32, SPEC(gpu_layers), false, 0, ENCODER_GPU_LAYERS_MAX},
    {"batch", conf_read_u32, SPEC(batch), false, 1, ENCODER_BATCH_MAX},
    {"choices", conf_read_bool, RAW(choices), false, 0, 0},
    {"expert", conf_read_str, RAW(expert), false, 0, 0},
    {"timeout", conf_read_ms, SPEC(timeout_ms), false, 1, ORCHESTRATOR_DAY_MS / 24},
    {"calls", conf_read_u32, SPEC(calls), false, 1, LATE_WORKERS_MAX},
    {"max_wait", conf_read_ms, SPEC(limits.max_wait_ms), false, 1, ORCHESTRATOR_DAY_MS / 24},
    {"queue", conf_read_bytes, SPEC(limits.queue), false, 1, LATE_QUEUE_MAX},
    {"cache", conf_read_bytes, SPEC(limits.cache_bytes), false, 1024, 1e12},
};

static enum status add_lora(struct conf_reader *r, const struct yaml_tree *node,
                            struct encoder_spec *s, struct error *err)
{
    struct str path;
    const char *full = NULL;
    enum status status = config_read_text(r, "lora", node, &path, err);
    if (status == OK)
        status = config_join_path(r, path, &full, err);
    if (status != OK)
        return status;
    s->loras = s->loras ? arena_printf(r->arena, "%s\n%s", s->loras, full) : full;
    return s->loras ? OK : config_no_memory(err);
}

static enum status read_loras(struct conf_reader *r, const struct yaml_tree *node,
                              struct encoder_spec *s, struct error *err)
{
    enum status status = OK;
    if (!node || node->kind == TREE_SCALAR)
        return node ? add_lora(r, node, s, err) : OK;
    if (node->kind != TREE_LIST || node->count == 0 || node->count > ENCODER_LORAS_MAX)
        return conf_fail(r, node, err, "lora must be a path, or a list of 1 to %d",
                         ENCODER_LORAS_MAX);
    for (size_t i = 0; i < node->count && status == OK; i++)
        status = add_lora(r, &node->items[i], s, err);
    return status;
}

static enum status keep_text(struct conf_reader *r, struct str text, const char **into,
                             struct error *err)
{
    *into = arena_printf(r->arena, "%.*s", STR_FMT(text));
    return *into ? OK : config_no_memory(err);
}

/* The endpoint of an expert, by which it is asked for chat completions with log-probabilities. */
static enum status take_expert(struct conf_reader *r, const struct yaml_tree *node, struct str name,
                               struct encoder_spec *s, struct error *err)
{
    struct config *c = r->context;
    struct pool_reader *reader = &c->readers[c->encoder_count - 1];
    size_t at = expert_index(c->experts, c->expert_count, name);
    if (at == SIZE_MAX)
        return conf_fail(r, node, err, "orchestrator: there is no expert '%.*s'", STR_FMT(name));
    const struct expert *e = &c->experts[at];
    if (strcmp(e->dialect->name, "openai") != 0)
        return conf_fail(r, node, err,
                         "orchestrator: expert '%.*s' speaks %s, of which no log-probabilities are "
                         "read; name one that speaks openai, or a file (gguf: PATH)",
                         STR_FMT(name), e->dialect->name);
    s->url = arena_printf(r->arena, "%.*s/chat/completions", STR_FMT(e->url));
    reader->price = &e->price; /* which may be known later */
    s->key = arena_copy(r->arena, e->api_key);
    if (e->api_key.len)
        s->key_variable = "env:" ENCODER_KEY_VARIABLE; /* for commands without a configuration */
    if (!s->url || (e->api_key.len && !s->key.ptr))
        return config_no_memory(err);
    return keep_text(r, e->upstream_model, &s->model, err);
}

/* One piece: which of the two ways it is decides about all the rest. */
static enum status fill(struct conf_reader *r, const struct yaml_tree *node,
                        const struct raw_orchestrator *raw, struct encoder_spec *s,
                        struct error *err)
{
    struct str path;
    enum status status = OK;
    s->orchestrates = true;
    s->name = ENCODER_ORCHESTRATOR;
    s->without_choices = raw->gguf && !raw->choices;
    if (!raw->gguf == !raw->expert.ptr)
        return conf_fail(r, node, err,
                         "an orchestrator is a file (gguf: PATH) or an expert (expert: NAME)");
    if (raw->expert.ptr && (s->tokens || s->threads || s->gpu_layers || s->batch))
        return conf_fail(r, node, err, "tokens, threads, gpu_layers and batch are of a file");
    if (raw->expert.ptr)
        status = take_expert(r, node, raw->expert, s, err);
    else
        status = config_read_text(r, "gguf", raw->gguf, &path, err);
    if (status == OK && raw->gguf)
        status = config_join_path(r, path, &s->gguf, err);
    if (status == OK && raw->chat_template.ptr)
        status = keep_text(r, raw->chat_template, &s->chat_template, err);
    return status == OK ? read_loras(r, raw->lora, s, err) : status;
}

/* One piece: what is half read belongs to nobody yet. */
enum status config_read_orchestrator(struct conf_reader *r, const struct yaml_tree *node,
                                     struct error *err)
{
    struct config *c = r->context;
    struct raw_orchestrator raw = {.choices = true};
    if (!node)
        return OK;
    enum status status =
        conf_read_map(r, node, "orchestrator", orchestrator_rows,
                      sizeof(orchestrator_rows) / sizeof(*orchestrator_rows), &raw, NULL, err);
    struct encoder_spec *specs = ARENA_ARRAY(c->arena, c->encoder_count + 1, struct encoder_spec);
    if (status == OK && !specs)
        status = config_no_memory(err);
    if (status == OK && c->encoder_count == ENCODERS_NAMED_MAX)
        status = conf_fail(r, node, err, "beside an orchestrator there are at most %d encoders",
                           ENCODERS_NAMED_MAX - 1);
    if (status != OK)
        return status;
    struct encoder_spec *s = &specs[c->encoder_count];
    if (c->encoder_count)
        memcpy(specs, c->encoders, c->encoder_count * sizeof(*specs));
    *s = raw.spec;
    c->encoders = specs;
    c->encoder_count++; /* its key is wiped from here on */
    status = fill(r, node, &raw, s, err);
    return status == OK ? config_finish_encoder(r, node, err) : status;
}
