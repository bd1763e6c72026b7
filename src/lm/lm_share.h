/* One model in memory for all who read the same file with the same adapters: encoders, experts, an orchestrator. Any
 * thread. A file that was replaced or written again since is another model. */
#pragma once

#include "lm/lm.h"

#define LM_SHARED_MAX 32 /* models at once */

/* As lm_load; blocks while another one is being loaded. Given back by lm_release. ERR_TOO_LARGE: too many at once. */
NODISCARD enum status lm_share(const char *path, const struct lm_options *options, struct lm **ret,
                               struct error *err);
/* The last one frees it. NULL is fine. */
void lm_release(struct lm *lm);
