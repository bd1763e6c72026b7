/* Which web pages may read answers (Fetch standard, CORS). A page's origin is "https://chat.example" or
 * "http://localhost:5173"; pages without one (files, sandboxed frames) have "null". Plain values and headers. */
#pragma once

#include "net/http_server.h"

#define HTTP_CORS_HEADERS_MAX HTTP_ANSWER_HEADERS_MAX

struct http_cors {             /* count 0: no page */
    const struct str *origins; /* "*" is all; a host that begins with "*." all below it */
    size_t count;
    uint32_t max_age_s; /* how long a browser keeps what a preflight said */
};

bool http_cors_lets(const struct http_cors *c, struct str origin);
/* The same where "*" is not enough, nor "null", which any page can be in a frame: what acts for an operator is not for
 * every page. */
bool http_cors_names(const struct http_cors *c, struct str origin);
/* Whether the page was served by this very server, as the client calls it. */
bool http_cors_is_same(struct str origin, struct str host);

/* What every answer says to the page that asked, errors and streams included. `origin` empty: no page did. Returns how
 * many; their texts are static or c's. */
size_t http_cors_headers(const struct http_cors *c, struct str origin,
                         struct http_header into[HTTP_CORS_HEADERS_MAX]);
/* Asked by a browser before what the page really wants. */
bool http_cors_is_preflight(const struct http_exchange *x);
/* Says to a page that is let in that it may send its request; http_cors_headers are the server's business. */
void http_cors_answer_preflight(const struct http_cors *c, struct http_exchange *x);
