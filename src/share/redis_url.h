/* Where a Redis server is: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], unix://[[USER]:PASSWORD@]/PATH[?db=N] or
 * unix:/PATH. User and password may be percent-encoded. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#define REDIS_PORT      6379
#define REDIS_URL_BYTES 2048
#define REDIS_DB_MAX    65535

struct redis_url {
    const char *host;     /* NULL: a socket */
    const char *path;     /* of it */
    const char *user;     /* NULL: the default one */
    const char *password; /* NULL: none */
    uint16_t port;
    uint32_t db;
};

/* Texts live in `a`. ERR_INPUT, ERR_UNSUPPORTED; what is said never holds the password. */
NODISCARD enum status redis_url_parse(struct str url, struct arena *a, struct redis_url *ret,
                                      struct error *err);
/* For people: without user and password. */
void redis_url_write(const struct redis_url *u, struct buf *out);
