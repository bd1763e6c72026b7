/* From variables and ports to endpoints.
 *
 * A provider's key is looked for by the names of the catalogue's table; NAME_BASE_URL beside NAME_API_KEY leads
 * elsewhere, as the providers' own libraries have it. Azure has an endpoint for each customer, and deployments in the
 * place of models. Pure but for `get`; nothing is asked here. */
#include "discover/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"

#define URL_BYTES_MAX    1024
#define AZURE_VERSION    "2024-10-21"         /* the last of its kind */
#define AZURE_LIST       "2023-03-15-preview" /* that lists deployments */
#define DEPLOYMENTS_MAX  64
#define NAME_OF_VARIABLE 64

struct environment {
    const char *(*get)(const char *name, void *arg);
    void *arg;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory for endpoints");
}

static struct str value_of(const struct environment *e, const char *name)
{
    return str_trim(str_from(e->get(name, e->arg)));
}

/* The first of them that is set; *ret_name is untouched where none is. */
static struct str first_of(const struct environment *e, const char *const *names, size_t count,
                           const char **ret_name)
{
    for (size_t i = 0; i < count && names[i]; i++) {
        struct str value = value_of(e, names[i]);
        if (value.len == 0)
            continue;
        *ret_name = names[i];
        return value;
    }
    return STR("");
}

static bool is_url(struct str url)
{
    if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://")))
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] >= 127 ||
            memchr("?#@\"\\", url.ptr[i], 5))
            return false;
    return url.len <= URL_BYTES_MAX && provider_host(url).len > 0;
}

static struct str without_slash(struct str url)
{
    while (str_ends(url, STR("/")))
        url.len--;
    return url;
}

/* "HOST:PORT" */
static struct str authority_of(struct str url)
{
    struct str host = str_slice(url, str_find(url, STR("://"), 0) + 3, url.len);
    return str_split(&host, '/');
}

static bool is_known(const struct endpoint_list *s, struct str url)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_equal(s->items[i].url, url))
            return true;
    return false;
}

static enum status add(struct endpoint_list *s, struct endpoint item, const char *list_path,
                       struct error *err)
{
    char *list_url = arena_printf(s->arena, "%.*s%s", STR_FMT(item.url), list_path);
    struct str url = arena_copy(s->arena, item.url);
    if (s->count == ENDPOINTS_MAX)
        return error_set(err, ERR_TOO_LARGE, "more than %d endpoints to look at", ENDPOINTS_MAX);
    if (!list_url || !url.ptr)
        return no_memory(err);
    item.url = url;
    item.list_url = str_from(list_url);
    item.remote = !provider_is_loopback(url);
    s->items[s->count++] = item;
    return OK;
}

/* Providers */

/* "OPENAI_BASE_URL" for "OPENAI_API_KEY". */
static struct str base_of(const struct environment *e, const char *key_name,
                          char name[NAME_OF_VARIABLE])
{
    size_t stem = strlen(key_name) - strlen("_API_KEY");
    if (stem + sizeof("_BASE_URL") > NAME_OF_VARIABLE)
        return STR("");
    memcpy(name, key_name, stem);
    memcpy(name + stem, "_BASE_URL", sizeof("_BASE_URL"));
    return value_of(e, name);
}

/* Where the key of this provider is good: at its own URL, or at the one that the environment has. Anthropic's library
 * wants its base without "/v1". */
static enum status place_of(const struct environment *e, const struct provider *p,
                            const char *key_name, struct endpoint_list *s, struct str *ret,
                            struct error *err)
{
    char name[NAME_OF_VARIABLE] = "";
    struct str url = base_of(e, key_name, name);
    if (url.len == 0 && str_equal(p->name, STR("openai"))) {
        snprintf(name, sizeof(name), "OPENAI_API_BASE");
        url = value_of(e, name);
    }
    if (url.len == 0) {
        *ret = p->url;
        return OK;
    }
    if (!is_url(url))
        return error_set(err, ERR_INPUT, "%s is no URL: it must be like %.*s", name,
                         STR_FMT(p->url));
    url = without_slash(url);
    if (str_equal(p->dialect, STR("anthropic")) && !str_ends(url, STR("/v1")))
        url = str_from(arena_printf(s->arena, "%.*s/v1", STR_FMT(url)));
    if (!url.ptr)
        return no_memory(err);
    *ret = url;
    return OK;
}

static enum status add_provider(struct endpoint_list *s, const struct environment *e,
                                const struct provider *p, struct error *err)
{
    const char *key_name = NULL, *usual = p->keys[0];
    struct str key = first_of(e, p->keys, PROVIDER_KEYS_MAX, &key_name), url = p->url;
    if (p->url.len == 0)
        return OK;
    enum status status = place_of(e, p, key_name ? key_name : usual, s, &url, err);
    bool elsewhere = !str_equal(url, p->url);
    if (status != OK || (!key_name && !elsewhere))
        return status;
    const struct provider *there = provider_of_url(url);
    if (!there && !str_equal(p->dialect, STR("openai")))
        there = p; /* whoever speaks Anthropic's dialect sells Anthropic's models */
    struct endpoint item = {.provider = there,
                            .dialect = dialect_find(p->dialect),
                            .url = url,
                            .key_name = key_name,
                            .key = key};
    item.title = elsewhere ? authority_of(url) : p->title;
    bool anthropic = str_equal(p->dialect, STR("anthropic"));
    return add(s, item, anthropic ? "/models?limit=1000" : "/models", err);
}

/* Azure */

/* The deployments that the environment names need not be asked for. */
static enum status take_named(struct endpoint_list *s, const char *variable, struct str names,
                              struct endpoint *item, struct error *err)
{
    item->list.models = ARENA_ARRAY(s->arena, DEPLOYMENTS_MAX, struct listed_model);
    if (!item->list.models)
        return no_memory(err);
    while (names.len > 0) {
        struct str name = str_trim(str_split(&names, ','));
        if (name.len == 0 || item->list.count == DEPLOYMENTS_MAX)
            continue;
        if (!name_is_plain(name, false)) /* it stands in the URL */
            return error_set(err, ERR_INPUT,
                             "%s names what cannot be a deployment: letters, digits and . _ - "
                             "are right, between commas",
                             variable);
        item->list.models[item->list.count++] = (struct listed_model){.id = name};
    }
    item->state = ENDPOINT_LISTED;
    return OK;
}

/* One piece: the names of Azure's variables, and what follows from each. */
static enum status add_azure(struct endpoint_list *s, const struct environment *e,
                             struct error *err)
{
    static const char *const versions[] = {"AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION"};
    static const char *const deployments[] = {"AZURE_OPENAI_DEPLOYMENTS", "AZURE_OPENAI_DEPLOYMENT",
                                              "AZURE_OPENAI_DEPLOYMENT_NAME",
                                              "AZURE_OPENAI_CHAT_DEPLOYMENT_NAME"};
    const char *version_name = NULL, *names_name = NULL;
    struct str key = value_of(e, "AZURE_OPENAI_API_KEY");
    struct str endpoint = value_of(e, "AZURE_OPENAI_ENDPOINT");
    struct str version = first_of(e, versions, 2, &version_name);
    struct str names = first_of(e, deployments, 4, &names_name);
    if (key.len == 0 || endpoint.len == 0)
        return OK;
    if (!is_url(endpoint))
        return error_set(err, ERR_INPUT,
                         "AZURE_OPENAI_ENDPOINT is no URL: it must be like "
                         "https://NAME.openai.azure.com");
    if (version.len > 0 && !name_is_plain(version, false)) /* it stands in the URL */
        return error_set(err, ERR_INPUT, "%s is no version: it must be like " AZURE_VERSION,
                         version_name);
    char *url = arena_printf(s->arena, "%.*s/openai", STR_FMT(without_slash(endpoint)));
    struct endpoint item = {.title = STR("Azure"),
                            .provider = provider_find(STR("azure")),
                            .dialect = &dialect_azure,
                            .url = str_from(url),
                            .api_version = version.len > 0 ? version : STR(AZURE_VERSION),
                            .key_name = "AZURE_OPENAI_API_KEY",
                            .key = key};
    if (!url)
        return no_memory(err);
    enum status status = names.len > 0 ? take_named(s, names_name, names, &item, err) : OK;
    return status == OK ? add(s, item, "/deployments?api-version=" AZURE_LIST, err) : status;
}

enum status endpoints_of_environment(struct endpoint_list *s,
                                     const char *(*get)(const char *name, void *arg), void *arg,
                                     struct error *err)
{
    const struct environment e = {get, arg};
    enum status status = OK;
    for (size_t i = 0; status == OK && i < provider_count(); i++)
        status = add_provider(s, &e, provider_at(i), err);
    return status == OK ? add_azure(s, &e, err) : status;
}

/* Ports */

static bool is_host_and_port(struct str s)
{
    const char *colon = memrchr(s.ptr, ':', s.len);
    uint64_t port = 0;
    if (!colon || colon == s.ptr)
        return false;
    size_t at = (size_t)(colon - s.ptr) + 1;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || (unsigned char)s.ptr[i] >= 127 || memchr("/?#@\"\\", s.ptr[i], 6))
            return false;
    return str_to_uint64(str_slice(s, at, s.len), &port) == OK && port > 0 && port < 65536;
}

static enum status add_port(struct endpoint_list *s, struct str port, struct error *err)
{
    struct str url = without_slash(port);
    if (is_host_and_port(port))
        url = str_from(arena_printf(s->arena, "http://%.*s/v1", STR_FMT(port)));
    else if (!is_url(port))
        return error_set(err, ERR_INPUT,
                         "--local: '%.*s' is neither HOST:PORT nor the base URL of an API",
                         (int)(port.len < 60 ? port.len : 60), port.ptr);
    if (!url.ptr)
        return no_memory(err);
    if (is_known(s, url))
        return OK;
    struct str title = arena_copy(s->arena, authority_of(url));
    const struct endpoint item = {.title = title,
                                  .provider = provider_of_url(url),
                                  .dialect = &dialect_openai,
                                  .url = url,
                                  .own = !provider_of_url(url)};
    return title.ptr ? add(s, item, "/models", err) : no_memory(err);
}

enum status endpoints_of_ports(struct endpoint_list *s, struct str ports, struct error *err)
{
    enum status status = OK;
    while (status == OK && ports.len > 0) {
        struct str port = str_trim(str_split(&ports, ','));
        if (port.len > 0)
            status = add_port(s, port, err);
    }
    return status;
}
