/* What an expert as orchestrator answers: refused, or a row of finite numbers. */
#include <math.h>
#include <stdlib.h>

#include "opinion/opinion_prompt.h"
#include "opinion/opinion_said.h"
#include "reader/opinion_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float row[OPINION_EXPERTS_MAX + OPINION_CERTAINTIES];
    struct error err;
    size_t labels = size ? 1 + data[0] % OPINION_EXPERTS_MAX : 1;
    struct str body = {(const char *)data + (size > 0), size - (size > 0)};
    if (opinion_reply_row(body, labels, row, &err) == OK)
        for (size_t i = 0; i < opinion_width(labels); i++)
            if (!isfinite(row[i]))
                abort();
    return 0;
}
