/* A specification of failures, "P" and "NAME=P" in a list: refused, or usable. */
#include <string.h>

#include "base/check.h"
#include "rehearse/faults.h"
#include "rehearse/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sandbox sandbox = {1};
    struct rehearse_source source = sandbox_source(&sandbox);
    char spec[256] = "";
    const char *specs[FAULT_COUNT] = {[FAULT_CUT] = spec};
    struct faults *f = NULL;
    struct error err;
    if (size >= sizeof(spec))
        return 0;
    memcpy(spec, data, size);
    if (faults_create(&source, specs, 1, &f, &err) == OK) {
        struct fault fault = faults_draw(f, 0, size);
        CHECK(fault.kind == FAULT_CUT || fault.kind == FAULT_NONE);
    }
    faults_free(f);
    return 0;
}
