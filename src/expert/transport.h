/* How the request of a call goes out and its answer comes back: over HTTP (expert/transport_http.h); in tests by a
 * script; for a model in this process by a row of its own. A table of functions, so that nothing above it knows a
 * socket.
 *
 * Callbacks come on the caller's thread, never from inside start, resume or cancel, in this order: on_head once,
 * on_body any number of times, on_done once. After on_done has returned, or after cancel, which may be called in any of
 * them, the transport's call is gone and no callback follows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/header.h"
#include "base/str.h"

struct transport;
struct transport_call;

/* Stays, with all that it points to, until on_done is called or cancel has returned; cancel does not read the body,
 * which may be gone by then. Time limits of 0 are none, but for connecting. That of the first content runs until
 * progress is called, and the idle one from there on, anew with every further call. */
struct transport_request {
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    uint32_t connect_timeout_ms, first_content_timeout_ms, idle_timeout_ms, total_timeout_ms;
    void *user;
    void (*on_head)(void *user, int http_status);
    void (*on_body)(void *user, struct str bytes);
    /* OK: the answer is complete, whatever its status. Else ERR_TIMEOUT, ERR_UPSTREAM, ERR_MEMORY. */
    void (*on_done)(void *user, enum status status, const struct error *err);
};

struct transport_ops {
    enum status (*start)(struct transport *t, const struct transport_request *r,
                         struct transport_call **ret, struct error *err);
    void (*cancel)(struct transport_call *c);
    void (*pause)(struct transport_call *c); /* nothing more is read until resume */
    void (*resume)(struct transport_call *c);
    /* Something of the answer has come, as opposed to bytes that only keep the connection alive. */
    void (*progress)(struct transport_call *c);
    /* A header of the answer; ptr NULL: there is none. Until on_done returns. */
    struct str (*header)(const struct transport_call *c, const char *name);
    /* Whether the request went out: before that nothing can cost, and a failure is safe to try again. */
    bool (*sent)(const struct transport_call *c);
};

/* The first member of whatever implements it. Outlives its calls; one thread's. */
struct transport {
    const struct transport_ops *ops;
};
