/* Asking endpoints for their lists: all at once, then llama-servers for the context that they were started with, which
 * their list does not say.
 *
 * Nothing that an endpoint says is taken for true, and nothing that one does hinders the others: what went wrong is its
 * state. Blocks the thread of the command; it is not for an event loop. */
#include <stdio.h>
#include <stdlib.h>

#include "catalogue/catalogue.h"
#include "discover/endpoint.h"
#include "discover/fetch.h"

#define KEY_BYTES_MAX    2048
#define SECRET_BYTES_MIN 8 /* what is shorter may stand in any name */

static struct fetch fetch_of(const struct endpoint *s, struct str url)
{
    uint32_t ms = s->remote ? ENDPOINT_REMOTE_MS : ENDPOINT_LOCAL_MS;
    return (struct fetch){.url = url,
                          .dialect = s->dialect,
                          .key = s->key,
                          .connect_timeout_ms = ms,
                          .total_timeout_ms = ms};
}

static enum endpoint_state state_of(const struct fetch *f)
{
    static const enum endpoint_state states[] = {
        [FETCH_ANSWERED] = ENDPOINT_LISTED, [FETCH_REFUSED] = ENDPOINT_REFUSED,
        [FETCH_NOTHING] = ENDPOINT_NO_LIST, [FETCH_LOADING] = ENDPOINT_LOADING,
        [FETCH_BROKEN] = ENDPOINT_BROKEN,   [FETCH_NOBODY] = ENDPOINT_NOBODY};
    return states[f->end];
}

/* Some who make models list them for people only. */
enum status endpoint_take_catalogue(struct endpoint *s, struct arena *a, struct error *err)
{
    struct model_list list = {.models = ARENA_ARRAY(a, catalogue_count(), struct listed_model)};
    if (!list.models)
        return error_set(err, ERR_MEMORY, "out of memory for a list of models");
    for (size_t i = 0; s->provider->makes_models && i < catalogue_count(); i++)
        if (str_equal(catalogue_at(i)->provider, s->provider->name))
            list.models[list.count++] = (struct listed_model){.id = catalogue_at(i)->model};
    if (list.count == 0)
        return OK;
    s->list = list;
    s->state = ENDPOINT_LISTED;
    s->from_catalogue = true;
    return OK;
}

/* An endpoint that plays our key back would have it written into the configuration. */
static void drop_secrets(struct endpoint *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->list.count && s->key.len >= SECRET_BYTES_MIN; i++)
        if (str_find(s->list.models[i].id, s->key, 0) == SIZE_MAX)
            s->list.models[count++] = s->list.models[i];
    if (s->key.len >= SECRET_BYTES_MIN)
        s->list.count = count;
}

/* The body is copied, because ids are spans of it. */
static enum status read_list(struct endpoint *s, struct arena *a, const struct fetch *f,
                             struct error *err)
{
    struct error why = {0};
    struct str body = arena_copy(a, buf_str(&f->body));
    s->http_status = f->http_status;
    s->state = state_of(f);
    snprintf(s->text, sizeof(s->text), "%s", f->text);
    if (!body.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for a list of models");
    enum status status =
        s->state == ENDPOINT_LISTED ? model_list_parse(body, a, &s->list, &why) : OK;
    if (status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "%s", why.text);
    if (status == OK)
        drop_secrets(s);
    if (status == OK && s->list.is_gateway)
        s->state = ENDPOINT_GATEWAY;
    if (s->state == ENDPOINT_NO_LIST && s->provider && str_equal(s->url, s->provider->url))
        return endpoint_take_catalogue(s, a, err);
    if (status != OK) {
        s->state = ENDPOINT_BROKEN;
        snprintf(s->text, sizeof(s->text), "%s", why.text);
    }
    char *title = s->list.server.len == 0
                      ? NULL
                      : arena_printf(a, "%.*s at %.*s", STR_FMT(s->list.server), STR_FMT(s->title));
    if (title)
        s->title = str_from(title);
    return OK;
}

static bool is_asked(const struct endpoint *s)
{
    return s->asked && s->state == ENDPOINT_NOT_ASKED;
}

/* A file that is read into a variable may bring its line end, or be another one. No header holds that, and the others
 * can be asked all the same. */
static bool key_fits(struct str key)
{
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] <= ' ' || key.ptr[i] > '~')
            return false;
    return key.len <= KEY_BYTES_MAX;
}

static void refuse_keys(struct endpoint_list *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct endpoint *e = &s->items[i];
        bool is_used = is_asked(e) || e->state == ENDPOINT_LISTED; /* some need not be asked */
        if (!is_used || key_fits(e->key))
            continue;
        e->state = ENDPOINT_BROKEN;
        snprintf(e->text, sizeof(e->text),
                 "%s holds no key: one has at most %d characters, no blank or line end among them",
                 e->key_name, KEY_BYTES_MAX);
    }
}

static bool lacks_context(const struct endpoint *s)
{
    return s->state == ENDPOINT_LISTED && str_equal(s->list.server, STR("llama-server")) &&
           s->list.count > 0 && s->list.models[0].context_tokens == 0;
}

/* "http://host:8080/props" for "http://host:8080/v1". */
static struct str props_url(const struct endpoint *s, struct arena *a)
{
    struct str base = s->url;
    if (str_ends(base, STR("/v1")))
        base.len -= 3;
    return str_from(arena_printf(a, "%.*s/props", STR_FMT(base)));
}

static enum status ask_lists(struct endpoint_list *s, struct fetch *fetches, struct error *err)
{
    static const struct http_client_options options = {0};
    struct endpoint *whose[ENDPOINTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (is_asked(&s->items[i])) {
            whose[count] = &s->items[i];
            fetches[count++] = fetch_of(&s->items[i], s->items[i].list_url);
        }
    enum status status = fetch_all(fetches, count, &options, err);
    for (size_t i = 0; status == OK && i < count; i++)
        status = read_list(whose[i], s->arena, &fetches[i], err);
    for (size_t i = 0; i < count; i++)
        fetch_done(&fetches[i]);
    return status;
}

static enum status ask_contexts(struct endpoint_list *s, struct fetch *fetches, struct error *err)
{
    static const struct http_client_options options = {0};
    struct endpoint *whose[ENDPOINTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct str url = lacks_context(&s->items[i]) ? props_url(&s->items[i], s->arena) : STR("");
        if (url.len == 0)
            continue;
        whose[count] = &s->items[i];
        fetches[count++] = fetch_of(&s->items[i], url);
    }
    enum status status = fetch_all(fetches, count, &options, err);
    for (size_t i = 0; i < count; i++) {
        if (status == OK && fetches[i].end == FETCH_ANSWERED)
            whose[i]->list.models[0].context_tokens =
                llama_server_context(buf_str(&fetches[i].body));
        fetch_done(&fetches[i]);
    }
    return status;
}

enum status endpoint_ask(struct endpoint_list *s, struct error *err)
{
    struct fetch *fetches = calloc(ENDPOINTS_MAX, sizeof(*fetches));
    if (!fetches)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    refuse_keys(s);
    enum status status = ask_lists(s, fetches, err);
    if (status == OK)
        status = ask_contexts(s, fetches, err);
    free(fetches);
    return status;
}
