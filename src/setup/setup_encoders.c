/* See setup_encoders.h. */
#include "setup/setup_encoders.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_KIND "dense"

enum status setup_encoders(const struct config *config, bool only, struct error *err)
{
    return encoders_name(config->encoders, config->encoder_count, config->place, only, err);
}

/* A model file is read from other folders, too. */
static enum status make_absolute(struct encoder_spec *s, struct arena *a, struct error *err)
{
    char *real = s->gguf ? realpath(s->gguf, NULL) : NULL;
    if (!real)
        return OK; /* whoever opens it says what is wrong */
    s->gguf = arena_printf(a, "%s", real);
    free(real);
    return s->gguf ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status add(struct encoder_spec s, struct arena *a, struct train_source *list,
                       size_t *count, struct error *err)
{
    const struct encoder *e = NULL;
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(list[i].name, s.name))
            return OK;
    if (*count == TRAIN_LATE_MAX)
        return error_set(err, ERR_INPUT, "a model has at most %d encoders beside its n-grams",
                         TRAIN_LATE_MAX);
    enum status status = make_absolute(&s, a, err);
    if (status == OK)
        status = encoder_spec_find_key(&s, a, err);
    if (status == OK)
        status = encoder_open(&s, &e, err);
    if (status == OK)
        list[(*count)++] =
            (struct train_source){.name = e->name, .kind = SOURCE_KIND, .instance = e};
    return status;
}

enum status setup_late_sources(const char *config_path, const char *const *specs, size_t spec_count,
                               struct arena *a, struct train_source *list, size_t *count,
                               struct error *err)
{
    struct config *config = NULL;
    struct encoder_spec s;
    enum status status = OK;
    *count = 0;
    for (size_t i = 0; status == OK && i < spec_count; i++) {
        status = encoder_spec_parse(str_from(specs[i]), a, &s, err);
        if (status == OK)
            status = add(s, a, list, count, err);
    }
    if (status == OK && config_path)
        status = config_load(config_path, &config, err);
    for (size_t i = 0; config && status == OK && i < config->encoder_count; i++)
        status = add(config->encoders[i], a, list, count, err);
    config_free(config);
    return status;
}
