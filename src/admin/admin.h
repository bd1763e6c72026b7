/* The page that an operator looks at, and the API behind it, /v1/admin/ (docs/admin.md): paths that the gateway takes
 * from above, answered on its loops by what it counts and holds. */
#pragma once

#include "serve/gateway.h"

struct admin_build { /* what runs; both stay */
    const char *version, *commit;
};

/* Once, before gateway_run. What it makes goes with the gateway. */
NODISCARD enum status admin_serve(struct gateway *g, const struct admin_build *build,
                                  struct error *err);
