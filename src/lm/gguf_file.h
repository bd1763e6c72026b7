/* The head of a GGUF file, read before llama.cpp sees the file: whether it is whole, and whether every count, length,
 * type and place in it is one that can be. Needs no llama.cpp. Format: version 2 or 3, little-endian, as ggml's
 * gguf.h writes it down. What the tensors' numbers are, and whether an architecture has those it needs, is not looked
 * at here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define GGUF_HEAD_BYTES_MAX   ((size_t)256 << 20)
#define GGUF_KEYS_MAX         (1 << 16)
#define GGUF_TENSORS_MAX      (1 << 20)
#define GGUF_NAME_BYTES_MAX   64  /* with the NUL, of an architecture or a tensor */
#define GGUF_KEY_BYTES_MAX    256 /* of a key's name */
#define GGUF_ALIGNMENT_MAX    (1 << 16)
#define GGUF_TENSOR_BYTES_MAX ((uint64_t)1 << 46)

struct gguf_head {
    char architecture[GGUF_NAME_BYTES_MAX];
    bool is_adapter; /* a LoRA, not a model */
    uint64_t keys, tensors;
    uint64_t data_offset; /* in the file: where the first tensor's bytes are */
    uint64_t data_bytes;
};

/* From the file's first bytes. AGAIN: the head goes on behind them; ERR_CORRUPT: it cannot be so; ERR_UNSUPPORTED: a
 * version or a type of numbers that is not known here, or one file of several that belong together; ERR_TOO_LARGE: a
 * named limit. The error names what is wrong, not the file. */
NODISCARD enum status gguf_head_read(struct str bytes, uint64_t file_bytes, struct gguf_head *ret,
                                     struct error *err);
/* Of an open file, from its start; its place in it stays. `path` is for the error. Also ERR_IO. */
NODISCARD enum status gguf_file_check(int fd, const char *path, struct gguf_head *ret,
                                      struct error *err);

/* Of a tensor's type: elements in a block, bytes of one; false: not known here. */
bool gguf_type_block(uint32_t type, unsigned *elements, unsigned *bytes);
