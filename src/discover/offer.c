/* From lists of models to experts with names.
 *
 * A name is the last part of a model's, made fit for headers, logs and URLs; where two endpoints have the same, the
 * later one's is put in front of its own. Prices are the endpoint's where it lists them, else the catalogue's by the
 * rules of config/config_prices.c, because the file must say the same as one without prices would mean. */
#include "discover/offer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/name.h"

#define RENAMES_MAX 100
#define NAME_BUFFER (2 * NAME_BYTES_MAX)

/* Names */

static struct str last_part(struct str id)
{
    for (size_t i = id.len; i > 0; i--)
        if (id.ptr[i - 1] == '/' || id.ptr[i - 1] == '\\')
            return str_slice(id, i, id.len);
    return id;
}

/* The models that a router sells are called with their maker: "openai/gpt-4o". */
static struct str short_of(const struct endpoint *s, struct str id)
{
    bool router = s->provider && str_equal(s->provider->name, STR("openrouter"));
    struct str name = router ? id : last_part(id);
    if (str_ends(name, STR(".gguf")))
        name.len -= 5;
    return name.len > 0 ? name : STR("model");
}

/* Other bytes become '-'; at most NAME_BYTES_MAX. */
static struct str plain_of(struct str name, struct arena *a)
{
    if (name.len > NAME_BYTES_MAX - 40) /* for what may come in front and behind */
        name.len = NAME_BYTES_MAX - 40;
    struct str copy = arena_copy(a, name);
    char *bytes = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; bytes && i < copy.len; i++)
        if (!name_is_plain((struct str){bytes + i, 1}, true))
            bytes[i] = '-';
    return copy;
}

/* What tells an endpoint's models from others' of the same name: "groq", "ollama", "127.0.0.1-8080". */
static struct str prefix_of(const struct endpoint *s, struct arena *a)
{
    struct str name = s->provider          ? s->provider->name
                      : s->list.server.len ? s->list.server
                                           : s->title;
    struct str plain = plain_of(name, a);
    char *bytes = (char *)(uintptr_t)plain.ptr;
    for (size_t i = 0; bytes && i < plain.len; i++)
        bytes[i] =
            bytes[i] == ':' || bytes[i] == '/' ? '-' : (char)tolower((unsigned char)bytes[i]);
    return str_slice(plain, 0, 30);
}

static bool is_free(const struct map *taken, struct str name)
{
    uint32_t value;
    return !expert_name_mistake(name) && !map_get(taken, name, &value);
}

/* *ret is empty where all that are tried are taken: an endpoint may have any number of models called alike. */
static enum status name_of(const struct endpoint *s, struct str id, const struct map *taken,
                           struct arena *a, struct str *ret)
{
    char other[NAME_BUFFER];
    struct str plain = plain_of(short_of(s, id), a), prefix = prefix_of(s, a), name = plain;
    if (!plain.ptr || !prefix.ptr)
        return ERR_MEMORY;
    for (int i = 1; i < RENAMES_MAX && !is_free(taken, name); i++) {
        int length = snprintf(other, sizeof(other), "%.*s/%.*s", STR_FMT(prefix), STR_FMT(plain));
        if (i > 1)
            snprintf(other + length, sizeof(other) - (size_t)length, "-%d", i);
        name = str_from(other);
    }
    *ret = is_free(taken, name) ? arena_copy(a, name) : STR("");
    return ret->ptr ? OK : ERR_MEMORY;
}

/* Prices, limits, abilities */

static const struct catalogue_entry *known_of(const struct endpoint *s,
                                              const struct listed_model *m)
{
    struct str id = m->made_of.len > 0 ? m->made_of : m->id;
    if (s->provider)
        return catalogue_find(s->provider->name, id);
    const struct catalogue_entry *known = catalogue_find(STR(""), id);
    bool sold = known && provider_find(known->provider)->makes_models;
    return sold || (known && s->own) ? known : NULL;
}

static void set_price(struct offer *o)
{
    if (o->model->priced) {
        o->price = o->model->price;
        o->price_from = OFFER_PRICE_LISTED;
    } else if (o->endpoint->own || (!o->endpoint->provider && o->endpoint->list.server.len > 0)) {
        o->price = (struct price){0};
        o->price_from = OFFER_PRICE_OWN;
    } else if (o->known) {
        o->price = o->known->price;
        o->price_from = OFFER_PRICE_CATALOGUE;
    }
}

/* A server of one's own has as much context as it was started with, which only it can say. */
static void set_limits(struct offer *o)
{
    bool told_by_table = o->known && o->price_from != OFFER_PRICE_OWN;
    o->context_tokens = o->model->context_tokens;
    o->output_tokens = o->model->output_tokens;
    if (o->context_tokens == 0 && told_by_table)
        o->context_tokens = o->known->context_tokens;
    if (o->output_tokens == 0 && told_by_table)
        o->output_tokens = o->known->output_tokens;
    if (o->known && o->known->abilities) {
        o->abilities = o->known->abilities;
        o->abilities_known = true;
    } else if (o->model->abilities_told) {
        o->abilities = o->model->abilities;
        o->abilities_known = true;
    } else if (o->price_from == OFFER_PRICE_OWN) { /* few local models see */
        o->abilities = CATALOGUE_TOOLS | CATALOGUE_JSON;
        o->abilities_known = true;
    }
}

static struct str url_of(const struct endpoint *s, const struct listed_model *m, struct arena *a)
{
    if (s->dialect != &dialect_azure)
        return s->url;
    return str_from(arena_printf(a, "%.*s/deployments/%.*s", STR_FMT(s->url), STR_FMT(m->id)));
}

static enum status add(struct offer_list *list, const struct endpoint *s,
                       const struct listed_model *m, struct map *taken, struct arena *a,
                       struct error *err)
{
    struct offer o = {.endpoint = s, .model = m, .known = known_of(s, m), .url = url_of(s, m, a)};
    if (o.known && o.known->abilities & CATALOGUE_RESPONSES_ONLY) {
        list->responses_only++;
        return OK;
    }
    if (s->dialect == &dialect_azure && !name_is_plain(m->id, false)) /* it stands in the URL */
        return OK;
    if (name_of(s, m->id, taken, a, &o.name) != OK || !o.url.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for names of experts");
    if (o.name.len == 0) {
        list->unnamed++;
        return OK;
    }
    set_price(&o);
    set_limits(&o);
    list->items[list->count] = o;
    return map_put(taken, o.name, (uint32_t)list->count++) == OK
               ? OK
               : error_set(err, ERR_MEMORY, "out of memory for names of experts");
}

static enum status add_all(struct offer_list *list, const struct endpoint_list *s,
                           struct map *taken, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < s->count; i++) {
        const struct endpoint *from = &s->items[i];
        for (size_t k = 0; status == OK && from->state == ENDPOINT_LISTED && k < from->list.count;
             k++)
            status = add(list, from, &from->list.models[k], taken, s->arena, err);
    }
    return status;
}

enum status offers_make(const struct endpoint_list *s, struct offer_list *ret, struct error *err)
{
    struct offer_list list = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->items[i].list.count;
    list.items = ARENA_ARRAY(s->arena, count + 1, struct offer);
    struct map *taken = map_create(count + 1);
    enum status status = list.items && taken
                             ? add_all(&list, s, taken, err)
                             : error_set(err, ERR_MEMORY, "out of memory for experts");
    map_free(taken);
    if (status == OK)
        *ret = list;
    return status;
}

struct offer *offer_find(const struct offer_list *offers, struct str name)
{
    for (size_t i = 0; i < offers->count; i++)
        if (str_equal(offers->items[i].name, name))
            return &offers->items[i];
    for (size_t i = 0; i < offers->count; i++)
        if (str_equal(offers->items[i].model->id, name))
            return &offers->items[i];
    return NULL;
}
