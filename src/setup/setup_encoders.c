/* See setup_encoders.h. */
#include "setup/setup_encoders.h"

#include <stdlib.h>
#include <string.h>

#include "export/export.h"

enum status setup_encoders(const struct config *config, bool only, struct error *err)
{
    return encoders_name(config->encoders, config->encoder_count, config->place, only, err);
}

/* Paths, a line each, from the root; NULL stays. */
static enum status make_absolute(const char **paths, struct arena *a, struct error *err)
{
    const char *result = NULL;
    struct str rest = str_from(*paths ? *paths : "");
    while (rest.len > 0) {
        struct str line = str_split(&rest, '\n');
        const char *path = arena_printf(a, "%.*s", STR_FMT(line));
        char *real = path ? realpath(path, NULL) : NULL;
        const char *full = real ? real : path; /* whoever opens it says what is wrong */
        result =
            arena_printf(a, "%s%s%s", result ? result : "", result ? "\n" : "", full ? full : "");
        free(real);
        if (!path || !result)
            return error_set(err, ERR_MEMORY, "out of memory");
    }
    *paths = result;
    return OK;
}

/* What an orchestrator is told of the experts, which the model file keeps: prices may change later, what it was
 * calibrated on does not. */
static enum status write_head(const struct setup_training *t, struct encoder_spec *s,
                              struct arena *a, struct error *err)
{
    struct buf b;
    buf_init(&b, OPINION_HEAD_BYTES_MAX);
    enum status status = export_head_write(t->dataset, t->experts, t->expert_count, 0, &b, err);
    if (status == OK) {
        s->head = arena_printf(a, "%.*s", STR_FMT(buf_str(&b)));
        s->labels = (uint32_t)t->expert_count;
        status = s->head ? OK : error_set(err, ERR_MEMORY, "out of memory");
    }
    buf_done(&b);
    return status;
}

static enum status add(const struct setup_training *t, struct encoder_spec s, struct arena *a,
                       struct train_source *list, size_t *count, struct error *err)
{
    const struct encoder *e = NULL;
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(list[i].name, s.name))
            return OK;
    if (*count == TRAIN_LATE_MAX)
        return error_set(err, ERR_INPUT, "a model has at most %d encoders beside its n-grams",
                         TRAIN_LATE_MAX);
    enum status status = make_absolute(&s.gguf, a, err);
    if (status == OK)
        status = make_absolute(&s.loras, a, err);
    if (status == OK && s.orchestrates)
        status = write_head(t, &s, a, err);
    if (status == OK)
        status = encoder_spec_find_key(&s, a, err);
    if (status == OK)
        status = encoder_open(&s, &e, err);
    if (status == OK)
        list[(*count)++] = (struct train_source){
            .name = e->name, .kind = s.orchestrates ? "opinion" : "dense", .instance = e};
    return status;
}

enum status setup_late_sources(const struct setup_training *t, struct arena *a,
                               struct train_source *list, size_t *count, struct error *err)
{
    struct config *config = NULL;
    struct encoder_spec s;
    enum status status = OK;
    *count = 0;
    for (size_t i = 0; status == OK && i < t->spec_count; i++) {
        status = encoder_spec_parse(str_from(t->specs[i]), a, &s, err);
        if (status == OK)
            status = add(t, s, a, list, count, err);
    }
    if (status == OK && t->config_path)
        status = config_load(t->config_path, &config, err);
    for (size_t i = 0; config && status == OK && i < config->encoder_count; i++)
        if (t->dataset || !config->encoders[i].orchestrates)
            status = add(t, config->encoders[i], a, list, count, err);
    config_free(config);
    return status;
}

const char *setup_encoding_folder(struct arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return arena_printf(a, "%s/leeroo/encodings", cache);
    return home && *home == '/' ? arena_printf(a, "%s/.cache/leeroo/encodings", home) : NULL;
}
