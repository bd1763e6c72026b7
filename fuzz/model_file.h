/* Model files out of fuzzed bytes. The checksum would stop every mutation, so it is mended; and as 8 MB of weights
 * would make every input long, an input that names them is lengthened by zeros. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "encode/ngram_encoder.h"
#include "predict/linear.h"
#include "predict/model_format.h"

#define MODEL_FILE_KEY     "\"checksum\":\""
#define MODEL_FILE_PADDING ((size_t)NGRAM_BUCKETS * LINEAR_WIDTH_STEP * sizeof(uint16_t) + 64)

static inline void model_file_mend(char *bytes, size_t size)
{
    uint64_t length = 0;
    for (int i = 7; i >= 0 && size >= 8; i--)
        length = length << 8 | (unsigned char)bytes[i];
    if (size < 8 || length > size - 8)
        return;
    struct str header = {bytes + 8, (size_t)length};
    size_t at = str_find(header, STR(MODEL_FILE_KEY), 0);
    if (at == SIZE_MAX || at + strlen(MODEL_FILE_KEY) + CHECKSUM_DIGITS > header.len)
        return;
    char *digits = bytes + 8 + at + strlen(MODEL_FILE_KEY), hex[CHECKSUM_DIGITS + 1];
    struct str rest = {bytes + 8 + length, size - 8 - (size_t)length};
    snprintf(hex, sizeof(hex), "%016" PRIx64, model_file_checksum(header, digits, rest));
    memcpy(digits, hex, CHECKSUM_DIGITS);
}

/* To free; NULL: out of memory. */
static inline char *model_file_make(const uint8_t *data, size_t size, size_t *ret_size)
{
    struct str input = {(const char *)data, size};
    bool weights = str_find(input, STR(".weights\""), 0) != SIZE_MAX;
    size_t total = size + (weights ? MODEL_FILE_PADDING : 0);
    char *bytes = calloc(total + 1, 1);
    if (!bytes)
        return NULL;
    memcpy(bytes, data, size);
    model_file_mend(bytes, total);
    *ret_size = total;
    return bytes;
}
