/* One connection to a Redis server, for one thread: commands and their replies. Nothing here knows what is kept there.
 * Every wait has an end; a connection that has failed stays failed, and another is made. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "share/redis_url.h"

#define REDIS_WAIT_MS 5000 /* for a connection, and for each reply */

enum redis_kind { REDIS_NOTHING, REDIS_TEXT, REDIS_NUMBER, REDIS_LIST, REDIS_REFUSED };

struct redis_value {
    enum redis_kind kind;
    struct str text; /* of REDIS_TEXT; of REDIS_REFUSED, what the server says */
    int64_t number;
    size_t count; /* of REDIS_LIST */
    const void *items;
};
struct redis_value redis_item(struct redis_value list, size_t i); /* REDIS_NOTHING beyond its end */

struct redis;

/* With the password given and the database chosen. ERR_IO: not to be reached. ERR_AUTH: the password is refused. */
NODISCARD enum status redis_connect(const struct redis_url *u, struct redis **ret,
                                    struct error *err);
void redis_close(struct redis *r); /* NULL is fine */

/* The words of a command, and their number. */
#define REDIS_WORDS(...)                                                                           \
    (const struct str[]){__VA_ARGS__},                                                             \
        sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)

/* Puts a command on its way; its reply is taken later, in the same order. */
NODISCARD enum status redis_send(struct redis *r, const struct str *words, size_t count,
                                 struct error *err);
/* The next reply, until the next take. ERR_IO: the connection has failed. A reply that refuses is OK here. */
NODISCARD enum status redis_take(struct redis *r, struct redis_value *ret, struct error *err);
/* Both. ERR_UPSTREAM: refused; err->text ends with what the server says. */
NODISCARD enum status redis_run(struct redis *r, const struct str *words, size_t count,
                                struct redis_value *ret, struct error *err);
