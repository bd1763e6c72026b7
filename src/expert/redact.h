/* Keeps an expert's key out of whatever an upstream sends back: some echo it in their error bodies.
 *
 * The key is found as it is, and in any spelling that JSON has for it: \u002d, \/, surrogates, mixed with plain bytes,
 * and again inside a string that holds JSON itself (arguments of tools, an error quoted in an error), to a depth of
 * REDACT_LEVELS. Other encodings (base64, percent) are not looked into. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define REDACT_SECRET_BYTES_MIN 6 /* shorter ones would hit ordinary text */
#define REDACT_LEVELS           3
#define REDACTED                "[redacted]" /* what stands in its place */

/* `text` itself when the secret is not in it, else a copy in *into (cleared first) with the secret replaced. */
struct str redact(struct str text, struct str secret, struct buf *into);

/* The next character of a text inside JSON strings nested `level` deep, escapes resolved: bytes of UTF-8, a plain byte
 * by itself. *at (< text.len) moves behind it. An escape that is none is the backslash alone. */
struct str redact_unescape(struct str text, size_t *at, int level, char into[4]);
