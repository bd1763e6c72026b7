/* A base URL that answers with 404 is the commonest mistake of a configuration: /v1 is missing, or the whole path of a
 * chat was pasted. An endpoint may also have no list of models, so the chat's own path is tried with a body that no
 * endpoint would answer, and then the usual places of the same host.
 *
 * All calls of all experts at once, on the command's thread (discover/fetch.h); the key goes to no other host. */
#include <stdio.h>
#include <stdlib.h>

#include "discover/fetch.h"
#include "discover/model_list.h"
#include "serve/gateway.h"
#include "setup/check_connect.h"

#define PLACES_MAX 5 /* the chat's, and others */

/* Behind the host, or behind the URL as it stands. */
static const struct {
    bool behind_url;
    const char *path;
} places[PLACES_MAX - 1] = {
    {true, "/v1"}, {false, "/v1"}, {false, "/api/v1"}, {false, "/openai/v1"}};

struct trial {
    size_t expert;
    struct str base[PLACES_MAX]; /* [0] is the URL itself */
    size_t count;
};

static bool is_doubtful(const struct check_reply *r)
{
    return r->reach == REACH_NO_LIST && (r->http_status == 404 || r->http_status == 405);
}

/* "https://host:port" */
static struct str origin_of(struct str url)
{
    size_t scheme = str_find(url, STR("://"), 0);
    size_t slash = str_find(url, STR("/"), scheme == SIZE_MAX ? 0 : scheme + 3);
    return str_slice(url, 0, slash == SIZE_MAX ? url.len : slash);
}

/* Where models may be listed instead; places that are the URL itself, or there already, are left out. */
static enum status list_places(const struct config *c, const struct expert *e, struct trial *t,
                               struct error *err)
{
    t->base[t->count++] = e->url;
    for (size_t i = 0; i < PLACES_MAX - 1; i++) {
        struct str before = places[i].behind_url ? e->url : origin_of(e->url);
        char *base = arena_printf(c->arena, "%.*s%s", STR_FMT(before), places[i].path);
        bool there = false;
        if (!base)
            return error_set(err, ERR_MEMORY, "out of memory for a URL");
        for (size_t k = 0; k < t->count; k++)
            there |= str_equal(t->base[k], str_from(base));
        if (!there)
            t->base[t->count++] = str_from(base);
    }
    return OK;
}

/* The first is the chat of the URL itself, with nothing in it. */
static enum status fill(const struct config *c, const struct trial *t, struct fetch *list,
                        struct error *err)
{
    const struct expert *e = &c->experts[t->expert];
    bool versioned = e->api_version.len > 0;
    for (size_t i = 0; i < t->count; i++) {
        char *url = arena_printf(c->arena, "%.*s%s%s%s%s%.*s", STR_FMT(t->base[i]),
                                 i ? "/models" : e->dialect->path, versioned ? "?" : "",
                                 versioned ? e->dialect->version_parameter : "",
                                 versioned ? "=" : "", STR_FMT(e->api_version));
        if (!url)
            return error_set(err, ERR_MEMORY, "out of memory for a URL");
        list[i] = (struct fetch){.url = str_from(url),
                                 .dialect = e->dialect,
                                 .key = e->api_key,
                                 .post = i ? STR("") : STR("{}"),
                                 .connect_timeout_ms = e->connect_timeout_ms,
                                 .total_timeout_ms = CHECK_CONNECT_MS};
    }
    return OK;
}

static bool lists_models(const struct fetch *f)
{
    size_t models = 0;
    if (f->end != FETCH_ANSWERED)
        return false;
    (void)model_list_names(buf_str(&f->body), STR("-"), &models);
    return models > 0;
}

static void judge(const struct config *c, const struct trial *t, const struct fetch *list,
                  struct check_reply *r)
{
    const struct expert *e = &c->experts[t->expert];
    bool has_chat = list[0].http_status && list[0].http_status != 404 &&
                    list[0].http_status != 405 && list[0].http_status != 501;
    if (has_chat)
        return;
    r->reach = REACH_WRONG_URL;
    for (size_t i = 1; i < t->count; i++)
        if (lists_models(&list[i])) {
            snprintf(r->text, sizeof(r->text),
                     "there is nothing at %.*s%s, but models are listed below url: %.*s",
                     STR_FMT(e->url), e->dialect->path, STR_FMT(t->base[i]));
            return;
        }
    snprintf(r->text, sizeof(r->text),
             "there is nothing at %.*s%s; url must be what stands before %s, mostly with /v1 at "
             "its end, like https://api.openai.com/v1 or http://127.0.0.1:11434/v1",
             STR_FMT(e->url), e->dialect->path, e->dialect->path);
}

/* One piece: all trials in one list of calls, and what comes of each. */
static enum status try_all(const struct config *c, struct trial *trials, size_t count,
                           struct check_reply *ret, struct error *err)
{
    const struct http_client_options o = gateway_network(c);
    struct fetch *list = calloc(count * PLACES_MAX, sizeof(*list));
    size_t n = 0;
    enum status status = list ? OK : error_set(err, ERR_MEMORY, "out of memory for calls");
    for (size_t i = 0; status == OK && i < count; i++) {
        status = list_places(c, &c->experts[trials[i].expert], &trials[i], err);
        if (status == OK)
            status = fill(c, &trials[i], list + n, err);
        n += trials[i].count;
    }
    if (status == OK)
        status = fetch_all(list, n, &o, err);
    for (size_t i = 0, at = 0; status == OK && i < count; at += trials[i++].count)
        judge(c, &trials[i], list + at, &ret[trials[i].expert]);
    for (size_t i = 0; list && i < n; i++)
        fetch_done(&list[i]);
    free(list);
    return status;
}

enum status check_urls(const struct config *config, struct check_reply *ret, struct error *err)
{
    size_t count = 0;
    struct trial *trials = calloc(config->expert_count, sizeof(*trials));
    if (!trials)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    for (size_t i = 0; i < config->expert_count; i++)
        if (is_doubtful(&ret[i]))
            trials[count++].expert = i;
    enum status status = count > 0 ? try_all(config, trials, count, ret, err) : OK;
    free(trials);
    return status;
}
