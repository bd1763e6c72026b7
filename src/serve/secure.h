/* The listener's TLS, as the configuration wants it. Certificate and key are read at the start, read again when the
 * configuration is reloaded, and checked for changes in between: programs that renew certificates do not say so.
 *
 * If anything is wrong with a new pair of files, that is logged and the old pair stays in use. */
#pragma once

#include "config/config.h"
#include "net/tls.h"

#define SECURE_WARN_DAYS 14 /* left of a certificate: warned of once a day */

struct secure;

/* *ret is NULL when the configuration has no `tls`. */
NODISCARD enum status secure_create(const struct config *c, struct secure **ret, struct error *err);
void secure_free(struct secure *s);                   /* NULL is fine */
struct tls_context *secure_context(struct secure *s); /* NULL for NULL: plain HTTP */
/* Whether the pair of files can be used. Keeps nothing. */
NODISCARD enum status secure_check(const struct config *c, struct error *err);

/* These two on one thread that may wait for a disk; s may be NULL. */
void secure_follow(struct secure *s, const struct config *fresh); /* files are read again */
void secure_look(struct secure *s);                               /* every second or so */
