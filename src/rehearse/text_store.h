/* Many texts, written once and then only read, kept out of the heap: they go to an unnamed temporary file (in TMPDIR or
 * else /tmp) that is mapped when it is complete, so only what is read takes memory. Where no temporary file can be
 * made, the texts stay in memory. One writer; after text_store_seal any number of reading threads. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct text_store;

NODISCARD enum status text_store_create(struct text_store **ret, struct error *err);
void text_store_free(struct text_store *s); /* NULL is fine */
/* Before sealing. The text is found again by *ret_offset and its length. */
NODISCARD enum status text_store_add(struct text_store *s, struct str text, uint64_t *ret_offset,
                                     struct error *err);
/* No more texts; from now on text_store_get may be called. */
NODISCARD enum status text_store_seal(struct text_store *s, struct error *err);
struct str text_store_get(const struct text_store *s, uint64_t offset, size_t len);
uint64_t text_store_bytes(const struct text_store *s);
