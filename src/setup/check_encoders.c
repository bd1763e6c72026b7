/* See check_encoders.h. */
#include "setup/check_encoders.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "opinion/opinion_prompt.h"

/* Two texts, because what was said of the first is kept. */
static enum status try_texts(const struct encoder *e, double *ret_ms, struct error *err)
{
    static const char *const texts[] = {"What is the capital of Mongolia?",
                                        "Which river flows through Vienna?"};
    struct encoding said;
    enum status status = OK;
    void *work = e->work_create(e);
    if (!work)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < 2 && status == OK; i++) {
        uint64_t begin_ns = clock_now_ns();
        status = e->encode(e, work, str_from(texts[i]), &said, err);
        *ret_ms = (double)(clock_now_ns() - begin_ns) * 1e-6;
    }
    e->work_free(work);
    return status;
}

/* The model's own of that name, whose width is known; NULL: it was not trained with it. */
static const struct encoder *find_used(const struct model *m, const char *name)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(m, &encoders);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(encoders[i]->name, name))
            return encoders[i];
    return NULL;
}

/* An orchestrator that no model knows yet is told of the configuration's experts, to see whether it can be asked. */
static enum status open_orchestrator(const struct config *config, struct encoder_spec s,
                                     const struct encoder **ret, struct error *err)
{
    struct opinion_expert experts[OPINION_EXPERTS_MAX];
    struct buf head;
    size_t count = config->expert_count;
    for (size_t e = 0; e < count && e < OPINION_EXPERTS_MAX; e++)
        experts[e] = (struct opinion_expert){.name = config->experts[e].name,
                                             .priced = true,
                                             .price = config->experts[e].price,
                                             .accuracy = (double)NAN};
    buf_init(&head, OPINION_HEAD_BYTES_MAX);
    enum status status = opinion_head_write(experts, count, 0, &head, err);
    s.head = head.ptr;
    s.labels = (uint32_t)count;
    if (status == OK)
        status = encoder_open(&s, ret, err);
    buf_done(&head);
    return status;
}

static enum status open_unused(const struct config *config, const struct encoder_spec *s,
                               const struct encoder **ret, struct error *err)
{
    return s->orchestrates ? open_orchestrator(config, *s, ret, err) : encoder_open(s, ret, err);
}

/* Without what the table says anyhow: whose fault it is, and that it is an encoder's. */
static void tell_failure(const struct check_encoder *c, const struct error *err, char *into,
                         size_t size)
{
    char before[ENCODER_NAME_MAX + 16];
    struct str text = str_from(err->text);
    snprintf(before, sizeof(before), "encoder '%s': ", c->name);
    if (!str_starts(text, str_from(before)))
        snprintf(before, sizeof(before), "%s: ", c->name);
    if (str_starts(text, str_from(before)))
        text = str_slice(text, strlen(before), text.len);
    bool named = str_starts(text, str_from(c->where));
    snprintf(into, size, "%s%s%.*s", named ? "" : c->where, named ? "" : ": ", STR_FMT(text));
}

static void check_one(const struct config *config, const struct encoder_spec *s,
                      const struct encoder *e, struct check_encoder *c)
{
    struct error err = {0};
    struct stat file;
    if (s->gguf && stat(s->gguf, &file) == 0)
        c->file_bytes = (uint64_t)file.st_size;
    c->status = e ? OK : open_unused(config, s, &e, &err);
    if (c->status == OK)
        c->status = try_texts(e, &c->ms, &err);
    if (c->status == OK)
        c->width = e->dense_count;
    else
        tell_failure(c, &err, c->text, sizeof(c->text));
}

size_t check_encoders(const struct config *config, const struct model *model, bool connect,
                      struct check_encoder *list)
{
    for (size_t i = 0; i < config->encoder_count; i++) {
        const struct encoder_spec *s = &config->encoders[i];
        const struct encoder *used = find_used(model, s->name);
        list[i] = (struct check_encoder){.name = s->name,
                                         .where = s->gguf ? s->gguf : s->url,
                                         .used = used != NULL,
                                         .tried = s->gguf || connect};
        if (list[i].tried)
            check_one(config, s, used, &list[i]);
    }
    return config->encoder_count;
}

uint64_t check_memory(const struct config *config)
{
    bool any = false;
    unsigned long long pages = 0, resident = 0;
    for (size_t i = 0; i < config->encoder_count; i++)
        any |= config->encoders[i].gguf != NULL;
    for (size_t i = 0; i < config->expert_count; i++)
        any |= config->experts[i].gguf != NULL;
    FILE *f = any ? fopen("/proc/self/statm", "re") : NULL;
    if (!f)
        return 0;
    if (fscanf(f, "%llu %llu", &pages, &resident) != 2)
        resident = 0;
    (void)!fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
