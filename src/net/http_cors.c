/* Cross-origin requests: who may, and the headers that say so to a browser. The server adds http_cors_headers to every
 * answer, so that a page can read an error as well; only the answer to a preflight is made here. Any thread. */
#include "net/http_cors.h"

#include "base/buf.h"

#define NUMBER_BYTES_MAX 12

/* Names beside "*", which browsers take for a name where a request has credentials. */
static const char exposed[] =
    "x-leeroo-request-id, x-leeroo-expert, x-leeroo-plan, x-leeroo-lambda, x-leeroo-cost-usd, "
    "x-leeroo-cost-basis, x-leeroo-dropped, x-leeroo-silent, x-leeroo-session, x-leeroo-cache, "
    "x-leeroo-verified, x-leeroo-verified-by, x-leeroo-check-cost-usd, "
    "x-leeroo-tokens-basis, x-request-id, request-id, retry-after, age, "
    "x-should-retry, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
    "x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, "
    "x-ratelimit-reset-tokens, *";

static bool is_meant(struct str listed, struct str origin)
{
    size_t star = str_find(listed, STR("://*."), 0);
    if (str_equal(listed, STR("*")))
        return true;
    if (star == SIZE_MAX)
        return str_equal_nocase(listed, origin);
    struct str front = str_slice(listed, 0, star + 3),
               back = str_slice(listed, star + 4, listed.len);
    return origin.len > front.len + back.len &&
           str_equal_nocase(str_slice(origin, 0, front.len), front) &&
           str_equal_nocase(str_slice(origin, origin.len - back.len, origin.len), back);
}

bool http_cors_lets(const struct http_cors *c, struct str origin)
{
    for (size_t i = 0; i < c->count; i++)
        if (is_meant(c->origins[i], origin))
            return true;
    return false;
}

bool http_cors_names(const struct http_cors *c, struct str origin)
{
    for (size_t i = 0; i < c->count; i++)
        if (!str_equal(c->origins[i], STR("*")) && !str_equal(c->origins[i], STR("null")) &&
            is_meant(c->origins[i], origin))
            return true;
    return false;
}

bool http_cors_is_same(struct str origin, struct str host)
{
    size_t scheme = str_find(origin, STR("://"), 0);
    return scheme != SIZE_MAX && host.len > 0 &&
           str_equal_nocase(str_slice(origin, scheme + 3, origin.len), host);
}

static bool lets_everybody(const struct http_cors *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_equal(c->origins[i], STR("*")))
            return true;
    return false;
}

size_t http_cors_headers(const struct http_cors *c, struct str origin,
                         struct http_header into[HTTP_CORS_HEADERS_MAX])
{
    size_t n = 0;
    if (c->count == 0)
        return 0;
    into[n++] = (struct http_header){STR("vary"), STR("Origin")};
    if (origin.len == 0 || !http_cors_lets(c, origin))
        return n;
    into[n++] = (struct http_header){STR("access-control-allow-origin"),
                                     lets_everybody(c) ? STR("*") : origin};
    into[n++] = (struct http_header){STR("access-control-expose-headers"), str_from(exposed)};
    return n;
}

bool http_cors_is_preflight(const struct http_exchange *x)
{
    return str_equal(x->method, STR("OPTIONS")) && http_header_get(x, "origin").len > 0 &&
           http_header_get(x, "access-control-request-method").len > 0;
}

void http_cors_answer_preflight(const struct http_cors *c, struct http_exchange *x)
{
    struct http_header headers[6];
    size_t n = 0;
    struct str asked = http_header_get(x, "access-control-request-headers");
    struct buf age;
    buf_init(&age, NUMBER_BYTES_MAX);
    buf_addf(&age, "%u", (unsigned)c->max_age_s);
    headers[n++] = (struct http_header){STR("access-control-allow-methods"),
                                        STR("GET, HEAD, POST, PATCH, DELETE")};
    if (asked.len > 0)
        headers[n++] = (struct http_header){STR("access-control-allow-headers"), asked};
    headers[n++] = (struct http_header){STR("access-control-max-age"), buf_str(&age)};
    headers[n++] = (struct http_header){STR("vary"), STR("Access-Control-Request-Headers")};
    if (http_header_get(x, "access-control-request-private-network").len > 0)
        headers[n++] =
            (struct http_header){STR("access-control-allow-private-network"), STR("true")};
    http_respond(x, 204, headers, n, STR(""));
    buf_done(&age);
}
