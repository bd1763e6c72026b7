/* The encoders of a configuration: their names for whoever loads a model, and those that a training reads with, opened.
 * An orchestrator is told of the experts of the data set here, for good: what it was told stands in the model file.
 * What reading costs is reckoned at the prices that whoever serves will have.
 *
 * On the thread of a command: opening reads files and asks endpoints. */
#include "setup/setup_encoders.h"

#include <stdlib.h>
#include <string.h>

#include "catalogue/catalogue.h"
#include "export/export.h"

#define BYTES_OF_TOKEN 4 /* about, of English */

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

static enum status add(const struct setup_training *t, struct encoder_spec s,
                       const struct price *price, struct arena *a, struct setup_late *late,
                       struct error *err)
{
    const struct encoder *e = NULL;
    for (size_t i = 0; i < late->count; i++)
        if (!strcmp(late->sources[i].name, s.name))
            return OK;
    if (late->count == TRAIN_LATE_MAX)
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
    if (status != OK)
        return status;
    late->prices[late->count] = price ? *price : (struct price){0};
    late->sources[late->count++] = (struct train_source){
        .name = e->name, .kind = s.orchestrates ? "opinion" : "dense", .instance = e};
    return OK;
}

static bool is_free(const struct price *p)
{
    return !p->input_nano_usd_per_m && !p->output_nano_usd_per_m;
}

/* Of an expert to which the configuration gives no price it is the data set's, which the model file will have, or else
 * the catalogue's: as for whoever serves. */
static struct price price_of(const struct setup_training *t, const struct config *c, size_t encoder)
{
    const struct price *p = c->readers[encoder].price;
    for (size_t i = 0; i < c->expert_count; i++) {
        if (p != &c->experts[i].price || c->origins[i].price_from != CONFIG_PRICE_UNKNOWN)
            continue;
        size_t at = t->dataset ? dataset_expert_index(t->dataset, c->experts[i].name) : SIZE_MAX;
        if (at != SIZE_MAX && dataset_price_basis(t->dataset, at) != PRICE_UNKNOWN)
            return t->dataset->experts[at].price;
        if (c->origins[i].known)
            return c->origins[i].known->price;
    }
    return p ? *p : (struct price){0};
}

static enum status add_configured(const struct setup_training *t, const struct config *c,
                                  size_t encoder, struct arena *a, struct setup_late *late,
                                  struct error *err)
{
    const struct encoder_spec *s = &c->encoders[encoder];
    const struct price price = price_of(t, c, encoder);
    bool is_paid = t->keeps_purse && !is_free(&price);
    if (!is_paid && (t->dataset || !s->orchestrates))
        return add(t, *s, &price, a, late, err);
    if (t->notes)
        fprintf(t->notes, "note: %s is not asked%s; `leeroo train -c` learns with it\n", s->name,
                is_paid ? ", for it is paid for" : "");
    return OK;
}

enum status setup_late_sources(const struct setup_training *t, struct arena *a,
                               struct setup_late *ret, struct error *err)
{
    struct config *config = NULL;
    struct encoder_spec s;
    enum status status = OK;
    ret->count = 0;
    for (size_t i = 0; status == OK && i < t->spec_count; i++) {
        status = encoder_spec_parse(str_from(t->specs[i]), a, &s, err);
        if (status == OK)
            status = add(t, s, NULL, a, ret, err);
    }
    if (status == OK && t->config_path)
        status = config_load(t->config_path, &config, err);
    for (size_t i = 0; config && status == OK && i < config->encoder_count; i++)
        status = add_configured(t, config, i, a, ret, err);
    config_free(config);
    return status;
}

/* What reading costs */

void setup_print_reading_ahead(const struct setup_training *t, const struct setup_late *late,
                               FILE *out)
{
    size_t bytes = 0, count = t->dataset->query_count;
    for (size_t q = 0; q < count; q++)
        bytes += t->dataset->queries[q].prompt.len;
    for (size_t i = 0; i < late->count; i++) {
        const struct encoder *e = late->sources[i].instance;
        size_t head = e->spec ? strlen(e->spec) : 0; /* of an orchestrator it is the prompt's */
        int64_t tokens = (int64_t)((bytes + count * head) / BYTES_OF_TOKEN);
        if (!is_free(&late->prices[i]))
            fprintf(out, "%s: reads %zu questions for some %.2f USD, less those that it has read\n",
                    e->name, count,
                    money_usd(price_cost_nano_usd(&late->prices[i], tokens, (int64_t)count)));
    }
}

void setup_print_reading(const struct setup_late *late, FILE *out)
{
    struct late_reading r;
    for (size_t i = 0; i < late->count; i++) {
        const struct encoder *e = late->sources[i].instance;
        if (is_free(&late->prices[i]) || !late_of(e))
            continue;
        late_read(late_of(e), &r);
        fprintf(out, "%s: %llu texts for %.6f USD (%llu input + %llu output tokens)\n", e->name,
                (unsigned long long)r.texts,
                money_usd(price_cost_nano_usd(&late->prices[i], (int64_t)r.input_tokens,
                                              (int64_t)r.output_tokens)),
                (unsigned long long)r.input_tokens, (unsigned long long)r.output_tokens);
    }
}

const char *setup_encoding_folder(struct arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return arena_printf(a, "%s/leeroo/encodings", cache);
    return home && *home == '/' ? arena_printf(a, "%s/.cache/leeroo/encodings", home) : NULL;
}
