/* SHA-256, a comparison that takes the same time wherever two digests differ, and random bytes from the kernel: what
 * secrets are made of and recognised by. The only file that sees libcrypto's EVP. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define DIGEST_BYTES     32
#define DIGEST_HEX_BYTES (2 * DIGEST_BYTES + 1) /* with the NUL */

struct digest {
    unsigned char bytes[DIGEST_BYTES];
};

NODISCARD enum status digest_sha256(struct str bytes, struct digest *ret, struct error *err);
/* Of an open file from its start to its end, read in pieces; its place in it stays. ERR_IO. */
NODISCARD enum status digest_sha256_file(int fd, struct digest *ret, struct error *err);
bool digest_equal(const struct digest *a, const struct digest *b);
void digest_hex(const struct digest *d, char into[DIGEST_HEX_BYTES]);      /* lower case */
NODISCARD enum status digest_from_hex(struct str hex, struct digest *ret); /* ERR_INPUT */
NODISCARD enum status digest_random(void *into, size_t len, struct error *err);
/* RFC 4648 section 5 without padding: 32 bytes make 43 characters. */
void digest_write_base64url(struct buf *out, const unsigned char *bytes, size_t len);
