/* The safetensors layout (https://github.com/huggingface/safetensors): 8 bytes of header length, a JSON header
 * naming each tensor's dtype, shape and place, then the bytes. Any Python user can open a file of ours. Reading trusts
 * nothing: every span is checked, tensors must be aligned, whole and inside the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

#define SAFETENSORS_HEADER_MAX  (16u << 20)
#define SAFETENSORS_TENSORS_MAX 64
#define SAFETENSORS_RANK_MAX    3

struct safetensors {
    struct str header, data;
    struct json_value root, metadata; /* metadata: an object of strings, or JSON_NONE */
};

/* `bytes` must be 8-byte aligned and outlive the result. ERR_CORRUPT with what is wrong. */
NODISCARD enum status safetensors_open(const void *bytes, size_t len, const char *place,
                                       struct safetensors *ret, struct error *err);

/* Points *ret at a tensor's bytes. dtype "F32", "U16", "U64", "U8"; shape[rank] must match exactly. ERR_CORRUPT. */
NODISCARD enum status safetensors_get(const struct safetensors *s, const char *name,
                                      const char *dtype, const size_t *shape, size_t rank,
                                      const void **ret, struct error *err);
/* Whether a tensor of that name is there, whatever it is. */
bool safetensors_has(const struct safetensors *s, const char *name);
/* One dimension of a tensor of the given rank, for sizes that are not known beforehand. ERR_CORRUPT. */
NODISCARD enum status safetensors_dim(const struct safetensors *s, const char *name, size_t rank,
                                      size_t axis, size_t *ret, struct error *err);

struct safetensors_item {
    const char *name, *dtype;
    size_t rank, shape[SAFETENSORS_RANK_MAX];
    const void *bytes;
};
size_t safetensors_bytes(const struct safetensors_item *item);

/* `metadata` is the body of the "__metadata__" object: JSON text of an object of strings. The header is padded so that
 * the data start on a multiple of 64 bytes. */
NODISCARD enum status safetensors_header(const struct safetensors_item *items, size_t count,
                                         struct str metadata, struct buf *out, struct error *err);
