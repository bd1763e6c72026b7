/* What a model file's checksum covers. */
#include "predict/model_format.h"

#include "base/check.h"
#include "base/hash.h"

uint64_t model_file_checksum(struct str header, const char *digits, struct str data)
{
    size_t at = (size_t)(digits - header.ptr);
    CHECK(at + CHECKSUM_DIGITS <= header.len);
    uint64_t h = hash64(str_slice(header, 0, at), 1);
    h = hash64_mix(h, hash64(str_slice(header, at + CHECKSUM_DIGITS, header.len), 2));
    return hash64_mix(h, hash64(data, 3));
}
