/* Where nobody is asked for a key, being able to reach this machine is what lets a client in. A web page in somebody's
 * browser can, under a name of its own that it points here, or by its origin; so can whoever a proxy lets through. And
 * where a key is asked for, a browser that has signed in sends its cookie along for every page of this site.
 *
 * Asked by the door, on the worker's thread, before anything else is known of the request. */
#include "serve/stranger.h"

#include <stdio.h>

#include "keys/client_keys.h"
#include "keys/sign_in.h"
#include "net/http_host.h"
#include "serve/errors.h"

#define NAME_SHOWN_BYTES 100

struct http_cors stranger_cors(const struct worker *w)
{
    const struct config_cors *c = &w->snapshot->config->cors;
    return (struct http_cors){c->origins.list, c->origins.count, c->max_age_ms / 1000};
}

static bool refuse(struct worker *w, struct http_exchange *x, const char *message)
{
    watch_rejected(&w->watch, errors_row(ERR_FORBIDDEN)->http_status);
    answer_error_as(path_words(x->path), x, NULL, ERR_FORBIDDEN, message, NULL, NULL);
    return false;
}

static bool refuse_name(struct worker *w, struct http_exchange *x, bool keyless, const char *what,
                        struct str name, const char *mend)
{
    char message[400];
    int shown = name.len < NAME_SHOWN_BYTES ? (int)name.len : NAME_SHOWN_BYTES;
    snprintf(message, sizeof(message), "%s, so it is called by %s, not '%.*s'; %s",
             keyless ? "this gateway asks for no keys" : "browsers sign in to this gateway", what,
             shown, name.ptr, mend);
    return refuse(w, x, message);
}

static bool is_for_operators(const struct path *path)
{
    return path && (path->admission == ADMISSION_ADMIN || path->admission == ADMISSION_PAGE);
}

/* Whoever comes by way of a proxy may be anybody that the proxy lets through, which is meant for clients. */
static bool is_of_this_machine(const struct worker *w, const struct http_exchange *x)
{
    static const char *const ways[] = {"forwarded", "x-forwarded-for", "x-forwarded-host",
                                       "x-real-ip"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (http_header_get(x, ways[i]).ptr)
            return false;
    return !w->snapshot->config->remote && http_host_is_local(x->host);
}

/* What a browser says of the page that made it send this. It says so of pictures and frames, too, which name no origin;
 * what answers they get they cannot read, but may keep open. */
static bool is_of_another_page(const struct http_exchange *x)
{
    struct str site = http_header_get(x, "sec-fetch-site");
    return !http_header_get(x, "origin").ptr &&
           (str_equal(site, STR("cross-site")) || str_equal(site, STR("same-site")));
}

/* One piece: who may call by which name, in the order in which a mend is told. */
bool stranger_pass(struct worker *w, struct http_exchange *x, const struct path *path)
{
    const struct config *c = w->snapshot->config;
    const struct http_cors cors = stranger_cors(w);
    struct str origin = http_header_get(x, "origin");
    bool keyless = !keys_wanted(w->gateway->keys), operators = is_for_operators(path);
    bool by_cookie = !keyless && sign_in_cookie(x->headers, x->header_count).len > 0;
    if ((path && path->admission == ADMISSION_OPEN) || (!keyless && !operators && !by_cookie))
        return true;
    if ((!c->remote || c->hosts.count > 0) && !http_host_is_local(x->host) &&
        !http_host_is_among(x->host, c->hosts.list, c->hosts.count))
        return refuse_name(w, x, keyless, "loopback names", x->host,
                           keyless ? "add the name to `hosts` in the configuration, or make keys "
                                     "with `leeroo keys create`"
                                   : "add the name to `hosts` in the configuration");
    if (origin.ptr && !http_cors_is_same(origin, x->host) &&
        !(operators || by_cookie ? http_cors_names(&cors, origin) : http_cors_lets(&cors, origin)))
        return refuse_name(w, x, keyless, "no web page", origin,
                           operators || by_cookie
                               ? "name the page in `cors: {origins: [...]}` in the configuration"
                               : "add the page to `cors: {origins: [...]}` in the configuration");
    bool is_page = path && path->admission == ADMISSION_PAGE; /* which others may link to */
    if ((operators || by_cookie) && !is_page && is_of_another_page(x))
        return refuse(w, x, "another page than this gateway's own made a browser send this");
    if (keyless && path && path->admission == ADMISSION_ADMIN && c->page != PAGE_ON &&
        !is_of_this_machine(w, x))
        return refuse(w, x,
                      "nobody is asked for a key here, so the admin API is for this machine alone; "
                      "make a key with `leeroo keys create --role admin --name NAME`, or say "
                      "`page: true` where something in front lets only operators through to it");
    return true;
}
