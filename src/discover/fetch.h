/* Many GETs (or POSTs) at once, on one loop, by a thread that waits for them: for commands that ask endpoints what they
 * have. Nothing is tried again. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "net/http_client.h"

enum fetch_end {
    FETCH_ANSWERED, /* 200 */
    FETCH_REFUSED,  /* 401, 402, 403 */
    FETCH_NOTHING,  /* another status below 500: there is somebody, who does not have it */
    FETCH_LOADING, /* 503: as servers say while they load a model, and those that have too much to do */
    FETCH_BROKEN, /* another 5xx; or the request went out, and no whole answer came in time */
    FETCH_NOBODY, /* no connection */
};

struct fetch {
    struct str url;                /* with its query */
    const struct dialect *dialect; /* whose headers go along */
    struct str key;                /* secret; empty: none */
    struct str post;               /* JSON that is sent; empty: a GET */
    uint32_t connect_timeout_ms, total_timeout_ms;
    /* What came: */
    enum fetch_end end;
    int http_status; /* 0: none came */
    uint64_t took_ms;
    struct buf body;
    char text[400]; /* why, where no whole answer came; without the key */
};

#define FETCH_BODY_BYTES_MAX (16u << 20)

/* Fails only for want of memory or of an event loop. fetch_done, once for each, also after a failure. */
NODISCARD enum status fetch_all(struct fetch *list, size_t count,
                                const struct http_client_options *o, struct error *err);
void fetch_done(struct fetch *f);
