/* The front "responses": requests, answers and streams of chunks in any order. */
#include "front_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_front(FRONT_RESPONSES, data, size);
    return 0;
}
