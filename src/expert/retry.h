/* Whether a failed call is worth another try, of which expert, and after how long. Pure functions; none waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/str.h"

enum expert_retry {
    EXPERT_RETRY_NEVER, /* another expert would fail, too: the request is at fault, or we are */
    EXPERT_RETRY_NEXT,  /* not with this expert, but another may answer */
    EXPERT_RETRY_SAME,  /* with the same expert after a pause */
};

#define RETRY_BACKOFF_FIRST_MS 250
#define RETRY_BACKOFF_MAX_MS   8000

/* By the HTTP status of an answer that is no good. 408, 409, 425, 429 and 5xx are worth another try; 2xx is malformed
 * and 3xx redirects, 401 to 403 are about the expert's key: the next expert; other 4xx are the client's fault. */
enum expert_retry retry_for_http(int http_status);
enum retry_reason { /* what an expert's own words say beyond the HTTP status */
                    RETRY_PLAIN,
                    RETRY_QUOTA,    /* the account has nothing left; waiting does not help */
                    RETRY_REFUSED,  /* this expert cannot do it, another may (expert/refusal.h) */
                    RETRY_NO_MODEL, /* it does not have the model that our configuration names */
};

/* By status and error body of an answer. As retry_for_http, but an account without money, a model that the expert does
 * not have, and what only this expert refuses lead to the next expert: none of them is the client's fault. */
enum expert_retry retry_for_error(int http_status, struct str body, enum retry_reason *ret_reason);
/* By what became of the connection: `status` is how it failed, `sent` whether the request had gone out. */
enum expert_retry retry_for_transport(enum status status, bool sent);
/* The pause before another try, doubling from RETRY_BACKOFF_FIRST_MS to RETRY_BACKOFF_MAX_MS, half of it random so that
 * clients do not come back all at once. `attempt` counts from 0. */
uint64_t retry_backoff_ms(unsigned attempt, struct rng *rng);
/* The header Retry-After, seconds or a date, as milliseconds from `wall_ms`, which is now since 1970. Seconds and
 * milliseconds that would be decades are taken for the time since 1970. 0 where it is absent, past or malformed; a day
 * at most. */
uint64_t retry_after_ms(struct str value, int64_t wall_ms);
/* The same of a number of units, of so many milliseconds each. */
uint64_t retry_after_number_ms(struct str value, int64_t unit_ms, int64_t wall_ms);
