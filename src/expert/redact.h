/* Keeps an expert's key out of whatever an upstream sends back: some echo it in their error bodies. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define REDACT_SECRET_BYTES_MIN 6 /* shorter ones would hit ordinary text */

/* `text` itself when the secret is not in it, else a copy in *into (cleared first) with the secret replaced. */
struct str redact(struct str text, struct str secret, struct buf *into);
