/* See opinion_encoder.h. */
#include "reader/opinion_encoder.h"

#include <string.h>

#include "reader/opinion_gguf.h"

/* A line each, in place. */
static enum status split_loras(char *lines, const char **list, size_t *count, struct error *err)
{
    *count = 0;
    for (char *at = lines; at && *at;) {
        char *end = strchr(at, '\n');
        if (*count == ENCODER_LORAS_MAX)
            return error_set(err, ERR_INPUT, "an orchestrator has at most %d adapters",
                             ENCODER_LORAS_MAX);
        list[(*count)++] = at;
        if (end)
            *end++ = '\0';
        at = end;
    }
    return OK;
}

static enum status open_by(const struct encoder_spec *s, const char *spec, const char *const *loras,
                           size_t lora_count, struct late **ret, struct error *err)
{
    const struct opinion_gguf_options o = {.name = s->name,
                                           .head = str_from(s->head),
                                           .labels = s->labels,
                                           .path = s->gguf,
                                           .loras = loras,
                                           .lora_count = lora_count,
                                           .chat_template = s->chat_template,
                                           .without_choices = s->without_choices,
                                           .tokens_max = s->tokens,
                                           .batch = s->batch,
                                           .threads = s->threads,
                                           .gpu_layers = s->gpu_layers,
                                           .limits = s->limits,
                                           .spec = spec};
    enum status status = opinion_gguf_open(&o, ret, err);
    if (status != OK)
        error_prefix(err, "%s", s->name);
    return status;
}

enum status opinion_encoder_open(const struct encoder_spec *s, struct late **ret, struct error *err)
{
    const char *loras[ENCODER_LORAS_MAX];
    size_t count = 0;
    struct buf spec, lines;
    if (!s->head)
        return error_set(err, ERR_INPUT,
                         "%s: it reads what `leeroo train` tells it of the experts; train with it",
                         s->name);
    buf_init(&spec, ENCODER_SPEC_BYTES_MAX);
    buf_init(&lines, ENCODER_SPEC_BYTES_MAX);
    encoder_spec_write(s, &spec);
    buf_add_c(&lines, s->loras ? s->loras : "");
    enum status status = buf_status(&spec, err);
    if (status == OK)
        status = buf_status(&lines, err);
    if (status == OK)
        status = split_loras(lines.ptr, loras, &count, err);
    if (status == OK)
        status = open_by(s, spec.ptr, loras, count, ret, err);
    buf_done(&lines);
    buf_done(&spec);
    return status;
}
