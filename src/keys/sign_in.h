/* Browsers that have signed in with a key: it is given once, and a cookie stands for it from then on.
 *
 * Only digests of cookies are kept, in memory: a restart ends all of them, and so does what ends the key, which is
 * looked up anew with every request (keys_find_digest). A cookie goes with every request of a browser, also those that
 * another page causes, so what changes something needs a second proof in a header, which only a page of this origin can
 * read: the CSRF token, made of the cookie and therefore kept nowhere. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/header.h"

#define SIGN_IN_COOKIE      "leeroo_session"
#define SIGN_IN_CSRF_HEADER "x-leeroo-csrf"
#define SIGN_IN_TOKEN_BYTES 44  /* with the NUL: 256 bits as 43 letters */
#define SIGN_IN_COUNT_MAX   256 /* the oldest goes */
#define SIGN_IN_SECONDS     43200

struct sign_ins;

struct sign_ins *sign_ins_create(void); /* NULL: no memory */
void sign_ins_free(struct sign_ins *s); /* NULL is fine */

/* A fresh token for the key with this digest. Times are the wall's. ERR_IO: no random bytes; ERR_MEMORY. */
NODISCARD enum status sign_ins_begin(struct sign_ins *s, const struct digest *key, int64_t now_ms,
                                     char token[SIGN_IN_TOKEN_BYTES], int64_t *ret_expires_ms,
                                     struct error *err);
/* Whose key the token stands for, and until when. False: for none. */
bool sign_ins_find(struct sign_ins *s, struct str token, int64_t now_ms, struct digest *ret_key,
                   int64_t *ret_expires_ms);
void sign_ins_end(struct sign_ins *s,
                  struct str token); /* of whoever it is; nothing happens for none */

/* The token's. ERR_MEMORY. */
NODISCARD enum status sign_in_csrf(struct str token, char ret[SIGN_IN_TOKEN_BYTES]);
bool sign_in_csrf_is(struct str token, struct str csrf); /* takes as long wherever they differ */

/* The value of our cookie in the headers `cookie`. Empty: there is none, or there are several that differ, of which one
 * may be somebody else's doing. The span is the header's. */
struct str sign_in_cookie(const struct http_header *headers, size_t count);
