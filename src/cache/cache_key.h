/* When two requests are the same: when the same client sends the same JSON to the same path with the same wishes about
 * routing, and configuration and model have not been loaded anew in between. White space, the order of an object's
 * members and how a character is escaped do not matter; every parameter does, also those that we do not know, and so
 * does the spelling of numbers: 1 and 1.0 may be read differently by an expert. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/json.h"

#define CACHE_KEY_HEADERS_MAX 32

struct cache_request {
    struct str tenant; /* the id of the client's key; empty: nobody is asked for keys */
    struct str path;
    struct str body;                               /* JSON that has been parsed before */
    struct str headers[2 * CACHE_KEY_HEADERS_MAX]; /* names and values that change answers */
    size_t header_count;
    uint64_t generation; /* of configuration and model */
};

/* ERR_INPUT, ERR_MEMORY; `scratch` is the request's. */
NODISCARD enum status cache_key_make(const struct cache_request *q, struct arena *scratch,
                                     struct digest *ret, struct error *err);
/* One text for all spellings of a value. ERR_MEMORY. */
NODISCARD enum status cache_key_canonical(struct json_value v, struct arena *scratch,
                                          struct buf *out);
