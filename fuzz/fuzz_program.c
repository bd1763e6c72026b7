/* A task to the sandbox's coders: what is read from a text has parameters that fit, and programs with them. */
#include "base/check.h"
#include "rehearse/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program_ask ask;
    struct buf out;
    if (!program_read((struct str){(const char *)data, size}, &ask))
        return 0;
    buf_init(&out, PROGRAM_BYTES_MAX);
    program_write(&ask, ask.family->reference, &out);
    CHECK(buf_status(&out, NULL) == OK && out.len > 0);
    buf_done(&out);
    return 0;
}
