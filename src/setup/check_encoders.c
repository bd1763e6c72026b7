/* See check_encoders.h. */
#include "setup/check_encoders.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

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

static void check_one(const struct encoder_spec *s, const struct encoder *e,
                      struct check_encoder *c)
{
    struct error err = {0};
    struct stat file;
    if (s->gguf && stat(s->gguf, &file) == 0)
        c->file_bytes = (uint64_t)file.st_size;
    c->status = e ? OK : encoder_open(s, &e, &err);
    if (c->status == OK)
        c->status = try_texts(e, &c->ms, &err);
    if (c->status == OK)
        c->width = e->dense_count;
    else
        snprintf(c->text, sizeof(c->text), "%s", err.text);
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
            check_one(s, used, &list[i]);
    }
    return config->encoder_count;
}
