/* One GET for each expert, all at once (discover/fetch.h): whether it can be reached, knows the key and has the model.
 * Nothing is asked that costs money. */
#include "setup/check_connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "discover/fetch.h"
#include "discover/model_list.h"
#include "serve/gateway.h"

bool check_reach_fine(enum check_reach reach)
{
    return reach == REACH_FINE || reach == REACH_NO_LIST || reach == REACH_NO_MODEL;
}

const char *check_reach_name(enum check_reach reach)
{
    static const char *const names[] = {"ok",
                                        "ok, no list of models",
                                        "model not listed",
                                        "wrong url",
                                        "refused",
                                        "not ready",
                                        "broken",
                                        "not reached"};
    CHECK(reach >= 0 && reach <= REACH_NOBODY);
    return names[reach];
}

/* A model in this process is there: it has been opened. */
static bool is_here(const struct expert *e)
{
    return e->dialect->in_process;
}

static enum check_reach judge(const struct fetch *f, const struct expert *e, size_t *ret_models)
{
    static const enum check_reach reaches[] = {
        [FETCH_ANSWERED] = REACH_FINE,   [FETCH_REFUSED] = REACH_REFUSED,
        [FETCH_NOTHING] = REACH_NO_LIST, [FETCH_LOADING] = REACH_LOADING,
        [FETCH_BROKEN] = REACH_BROKEN,   [FETCH_NOBODY] = REACH_NOBODY};
    if (f->end != FETCH_ANSWERED)
        return reaches[f->end];
    bool found = model_list_names(buf_str(&f->body), e->upstream_model, ret_models);
    if (*ret_models == 0)
        return REACH_NO_LIST;
    return found ? REACH_FINE : REACH_NO_MODEL;
}

static enum status fill(struct fetch *list, const struct config *config, struct error *err)
{
    for (size_t i = 0, n = 0; i < config->expert_count; i++) {
        const struct expert *e = &config->experts[i];
        bool versioned = e->api_version.len > 0;
        char *url =
            arena_printf(config->arena, "%.*s/models%s%s%s%.*s", STR_FMT(e->url),
                         versioned ? "?" : "", versioned ? e->dialect->version_parameter : "",
                         versioned ? "=" : "", STR_FMT(e->api_version));
        if (!url)
            return error_set(err, ERR_MEMORY, "out of memory for a URL");
        if (is_here(e))
            continue;
        list[n++] = (struct fetch){.url = str_from(url),
                                   .dialect = e->dialect,
                                   .key = e->api_key,
                                   .connect_timeout_ms = e->connect_timeout_ms,
                                   .total_timeout_ms = CHECK_CONNECT_MS};
    }
    return OK;
}

static size_t count_elsewhere(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->expert_count; i++)
        n += !is_here(&config->experts[i]);
    return n;
}

enum status check_connect(const struct config *config, struct check_reply *ret, struct error *err)
{
    const struct http_client_options o = gateway_network(config);
    size_t count = config->expert_count, asked = 0;
    struct fetch *list = calloc(count, sizeof(*list));
    if (!list)
        return error_set(err, ERR_MEMORY, "out of memory for calls");
    enum status status = fill(list, config, err);
    if (status == OK)
        status = fetch_all(list, count_elsewhere(config), &o, err);
    for (size_t i = 0; status == OK && i < count; i++) {
        if (is_here(&config->experts[i])) {
            ret[i] = (struct check_reply){.reach = REACH_FINE, .models = 1};
            continue;
        }
        const struct fetch *f = &list[asked++];
        ret[i] = (struct check_reply){.http_status = f->http_status, .took_ms = f->took_ms};
        ret[i].reach = judge(f, &config->experts[i], &ret[i].models);
        snprintf(ret[i].text, sizeof(ret[i].text), "%s", f->text);
    }
    for (size_t i = 0; i < count_elsewhere(config); i++)
        fetch_done(&list[i]);
    free(list);
    return status == OK ? check_urls(config, ret, err) : status;
}
