/* The base model as bytes: a safetensors file (docs/prior.md), and the one that ships with the program. */
#pragma once

#include "prior/base.h"

NODISCARD enum status base_write(const struct base *b, struct buf *out, struct error *err);
/* `bytes` must be 8-byte aligned and outlive *ret, which lives in `a`. ERR_CORRUPT, ERR_UNSUPPORTED, ERR_MEMORY. */
NODISCARD enum status base_read(struct str bytes, const char *place, struct arena *a,
                                struct base *ret, struct error *err);
/* The bytes that were compiled in. */
struct str base_shipped(void);
