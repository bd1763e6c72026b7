/* A question to the sandbox experts: whatever is understood has an answer, and a slip of it is another one. */
#include <string.h>

#include "base/check.h"
#include "rehearse/slip.h"
#include "rehearse/solve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct solution s;
    struct rng rng;
    char wrong[SOLUTION_ANSWER_BYTES];
    if (!solve((struct str){(const char *)data, size}, &s))
        return 0;
    CHECK(s.answer[0] != '\0');
    CHECK(memchr(s.because, '\0', sizeof(s.because)) != NULL);
    rng_seed(&rng, size);
    slip_answer(&s, &rng, wrong);
    CHECK(strcmp(wrong, s.answer) != 0);
    return 0;
}
