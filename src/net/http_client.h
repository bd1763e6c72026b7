/* Outgoing HTTP(S) calls on a loop. Plain HTTP to a literal address goes straight over a socket, which costs a third;
 * TLS, HTTP/2, names to look up and proxies are libcurl's. Redirects are never followed, TLS is always verified,
 * proxies come from the environment only when options.use_proxy is set.
 *
 * Callbacks run on the loop's thread, never from inside http_call_start, http_call_resume or http_call_cancel. Order:
 * on_head once, on_body*, on_done once. After on_done, or after http_call_cancel, the call is gone. http_call_cancel
 * may be called from inside any callback of the same call; nothing is called after it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/header.h"
#include "base/str.h"
#include "net/loop.h"

struct http_client;
struct http_call;

struct http_client_options {
    long host_connections_max; /* default 512 */
    bool use_proxy;
    bool deny_private;   /* no connection to what net/address.h calls private, whatever its name */
    const char *ca_file; /* NULL: the system's */
    bool only_curl;      /* no straight way */
};

struct http_call_options {
    const char *method; /* "POST", "GET" */
    const char *url;    /* http:// or https:// */
    const struct http_header *headers;
    size_t header_count;
    struct str body;                /* must stay valid until on_done or cancel */
    uint32_t connect_timeout_ms;    /* default 5,000 */
    uint32_t first_byte_timeout_ms; /* start to first body byte; 0: none */
    uint32_t idle_timeout_ms;       /* between body bytes; 0: none. Does not run while paused */
    uint32_t total_timeout_ms;      /* 0: none */
    /* Bytes do not count for the first two by themselves: http_call_progress says when something came that does. */
    bool progress_is_told;
    void *user;
    void (*on_head)(struct http_call *c, int http_status);
    void (*on_body)(struct http_call *c, struct str bytes);
    /* status OK: the answer is complete (whatever its HTTP status). ERR_TIMEOUT, ERR_UPSTREAM (connect, TLS, cut,
     * malformed), ERR_MEMORY. err->text says which, without URL userinfo or header values. */
    void (*on_done)(struct http_call *c, enum status status, const struct error *err);
};

NODISCARD enum status http_client_create(struct loop *l, const struct http_client_options *options,
                                         struct http_client **ret, struct error *err);
/* Cancels what still runs, silently. Not from inside a callback of a call. */
void http_client_free(struct http_client *client);

NODISCARD enum status http_call_start(struct http_client *client, const struct http_call_options *o,
                                      struct http_call **ret, struct error *err);
void http_call_cancel(struct http_call *c);
/* What has been read already (64 KiB at most) is held back until resume. */
void http_call_pause(struct http_call *c);
void http_call_resume(struct http_call *c);
/* With progress_is_told: the answer has begun, or has gone on. While it is not paused. */
void http_call_progress(struct http_call *c);
void *http_call_user(const struct http_call *c);
/* Response header of the final head, case-insensitive; ptr NULL when absent. Valid until on_done returns. */
struct str http_call_header(const struct http_call *c, const char *name);
/* Whether the connection was established and the request sent (a failure before it is safe to retry).
 * While the call runs, and in its callbacks. */
bool http_call_sent(const struct http_call *c);
