/* Heads of GGUF files: any bytes are read or refused, more of the same file never turn a refusal into an acceptance,
 * and what is accepted lies within the file. */
#include "lm/gguf_file.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size};
    struct gguf_head head = {0}, part = {0};
    struct error err = {0};
    enum status status = gguf_head_read(all, size, &head, &err);
    CHECK(status != AGAIN);
    CHECK((status == OK) == (head.architecture[0] != '\0'));
    if (status == OK)
        CHECK(head.data_offset + head.data_bytes <= size || head.tensors == 0);
    for (size_t len = 0; len < size; len += size / 7 + 1) {
        enum status early = gguf_head_read(str_slice(all, 0, len), size, &part, NULL);
        CHECK(early == AGAIN || early == status);
    }
    return 0;
}
