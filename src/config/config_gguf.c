/* Experts of this process: the file of a model and what it is run with, in the expert's own entry. Whether the file is
 * there and can be read is found out when it is opened (setup/setup_gguf.h), not by reading a configuration. */
#include "config/config_int.h"

#include <stddef.h>

#include "infer/infer_engine.h"

static enum status read_loras(struct conf_reader *r, const struct yaml_tree *node,
                              struct expert_gguf *g, struct error *err)
{
    if (!node)
        return OK;
    if (node->kind != TREE_LIST || node->count == 0 || node->count > INFER_LORAS_MAX)
        return conf_fail(r, node, err, "lora must be a list of 1 to %d paths, not %s",
                         INFER_LORAS_MAX, yaml_tree_kind_name(node));
    const char **list = ARENA_ARRAY(r->arena, node->count, const char *);
    if (!list)
        return config_no_memory(err);
    for (size_t i = 0; i < node->count; i++) {
        struct str path = {0};
        enum status status = config_read_text(r, "lora", &node->items[i], &path, err);
        if (status == OK)
            status = config_join_path(r, path, &list[i], err);
        if (status != OK)
            return status;
    }
    g->loras = list;
    g->lora_count = node->count;
    return OK;
}

/* What belongs to a model in this process only. */
static enum status refuse_all(struct conf_reader *r, const struct config_raw_gguf *raw,
                              struct error *err)
{
    const struct yaml_tree *const nodes[] = {raw->path,       raw->slots, raw->threads,
                                             raw->gpu_layers, raw->loras, raw->chat_template};
    static const char *const keys[] = {"gguf",       "slots", "threads",
                                       "gpu_layers", "lora",  "chat_template"};
    for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
        if (nodes[i])
            return conf_fail(r, nodes[i], err,
                             "%s: it is for a model in this process; add "
                             "dialect: gguf, or leave it out",
                             keys[i]);
    return OK;
}

static enum status read_number(struct conf_reader *r, const char *key, double min, double max,
                               const struct yaml_tree *node, uint32_t *ret, struct error *err)
{
    const struct conf_row row = {key, conf_read_u32, 0, false, min, max};
    return node ? conf_read_u32(r, &row, node, ret, err) : OK;
}

/* One piece: what goes into the options, key by key. */
static enum status read_all(struct conf_reader *r, const struct config_raw_gguf *raw,
                            struct expert_gguf *g, struct error *err)
{
    struct str text = {0};
    enum status status = config_read_text(r, "gguf", raw->path, &text, err);
    if (status == OK)
        status = config_join_path(r, text, &g->path, err);
    if (status == OK)
        status = read_number(r, "slots", 1, INFER_SLOTS_MAX, raw->slots, &g->slots, err);
    if (status == OK)
        status = read_number(r, "threads", 1, 256, raw->threads, &g->threads, err);
    if (status == OK)
        status = read_number(r, "gpu_layers", 0, 1000, raw->gpu_layers, &g->gpu_layers, err);
    if (status == OK)
        status = read_loras(r, raw->loras, g, err);
    if (status == OK && raw->chat_template)
        status = config_read_text(r, "chat_template", raw->chat_template, &text, err);
    if (status == OK && raw->chat_template) {
        struct str copy = arena_copy(r->arena, text);
        status = copy.ptr ? OK : config_no_memory(err);
        g->chat_template = copy.ptr;
    }
    return status;
}

/* One piece: what belongs together with the dialect and what does not, then what follows from it. */
enum status config_read_gguf(struct conf_reader *r, const struct yaml_tree *node,
                             const struct config_raw_gguf *raw, struct expert *e, struct error *err)
{
    if (!e->dialect->in_process)
        return refuse_all(r, raw, err);
    if (raw->url)
        return conf_fail(r, raw->url, err,
                         "url: dialect %s needs none, the model is in this process; leave it out",
                         e->dialect->name);
    if (!raw->path)
        return conf_fail(r, node, err,
                         "an expert of dialect %s lacks the key 'gguf', the path of "
                         "its model",
                         e->dialect->name);
    struct expert_gguf *g = ARENA_NEW(r->arena, struct expert_gguf);
    if (!g)
        return config_no_memory(err);
    g->slots = INFER_SLOTS_USUAL;
    enum status status = read_all(r, raw, g, err);
    if (status != OK)
        return status;
    const char *url = arena_printf(r->arena, INFER_URL_SCHEME "%s", g->path);
    if (!url)
        return config_no_memory(err);
    e->url = str_from(url);
    e->gguf = g;
    if (e->limits.concurrency == 0)
        e->limits.concurrency = g->slots;
    return OK;
}
