/* A file of encodings: refused, or its rows lie within it. The hash at its end, which would stop every mutation, is put
 * there. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "encode/encoding_cache.h"

#define DIMS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct encoding_file f;
    char *bytes = malloc(size + sizeof(uint64_t));
    CHECK(bytes);
    memcpy(bytes, data, size);
    uint64_t sum = hash64((struct str){bytes, size}, 1);
    memcpy(bytes + size, &sum, sizeof(sum));
    struct str whole = {bytes, size + sizeof(sum)};
    if (encoding_file_read(whole, STR("toy/1"), DIMS, &f, NULL) == OK) {
        const unsigned char *end = (const unsigned char *)bytes + size;
        CHECK(f.dims == DIMS);
        CHECK(f.keys + f.count * ENCODING_KEY_BYTES == f.rows);
        CHECK(f.rows + f.count * DIMS * sizeof(float) == end);
    }
    (void)!encoding_file_read((struct str){bytes, size}, STR("toy/1"), DIMS, &f, NULL);
    free(bytes);
    return 0;
}
