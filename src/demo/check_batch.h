/* Many answers held to one check, as many at a time as there are processors: by the verifier that a gateway uses
 * (verify/verify.h), on a loop of its own. */
#pragma once

#include "verify/verify.h"

struct check_job {
    struct str question, answer;
    struct verify_end end; /* set by check_batch_run */
};

/* `what` is of the progress line. Returns when all have ended. */
NODISCARD enum status check_batch_run(const struct verify_settings *settings,
                                      struct check_job *jobs, size_t count, const char *what,
                                      struct error *err);
