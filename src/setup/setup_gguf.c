/* Models are opened once per configuration that is loaded, and closed with its memory; those that two configurations
 * share stay open in between (infer/infer_engine.h). */
#include "setup/setup_gguf.h"

#include <stdio.h>

#include "infer/infer_engine.h"

static void close_model(void *engine)
{
    infer_close(engine);
}

static enum status open_model(struct config *config, struct expert *e, struct error *err)
{
    const struct expert_gguf *g = e->gguf;
    const struct infer_options o = {.path = g->path,
                                    .loras = g->loras,
                                    .lora_count = g->lora_count,
                                    .slots = g->slots,
                                    .context = e->context_tokens,
                                    .threads = g->threads,
                                    .gpu_layers = g->gpu_layers,
                                    .chat_template = g->chat_template};
    struct infer_engine *engine = NULL;
    enum status status = infer_open(&o, &engine, err);
    if (status != OK)
        return status;
    status = arena_defer(config->arena, close_model, engine);
    if (status != OK) {
        infer_close(engine);
        return error_set(err, status, "out of memory for a configuration");
    }
    const struct infer_facts facts = infer_facts_of(engine);
    e->url = str_from(facts.url);
    e->context_tokens = (uint32_t)facts.context;
    return OK;
}

enum status setup_open_models(struct config *config, struct error *err)
{
    enum status first = OK;
    for (size_t i = 0; i < config->expert_count; i++) {
        struct expert *e = &config->experts[i];
        const struct config_origin *at = &config->origins[i];
        struct error cause, told;
        enum status status = e->gguf ? open_model(config, e, &cause) : OK;
        if (status == OK)
            continue;
        error_set_at(&told, status, config->place, at->line, at->column, "expert '%.*s': %s",
                     STR_FMT(e->name), cause.text);
        if (first == OK && err)
            *err = told;
        first = first == OK ? status : first;
        if (!problems_go_on(config->problems, status, &told))
            return status;
    }
    return first;
}

enum status setup_config(const char *path, struct config **ret, struct error *err)
{
    struct config *config = NULL;
    enum status status = config_load(path, &config, err);
    if (status == OK)
        status = setup_open_models(config, err);
    if (status != OK) {
        config_free(config);
        return status;
    }
    *ret = config;
    return OK;
}
