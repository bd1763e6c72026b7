/* Ask every expert every query, over the network, and score what comes back: the orchestrate and evaluate steps of
 * self-play, and how outcomes of a new pool are collected. */
#pragma once

#include "base/arena.h"
#include "data/dataset.h"
#include "expert/expert.h"
#include "watch/watch.h"

#define TRIAL_CONCURRENCY_MAX 256 /* CALLS_CONCURRENCY_MAX */

struct trial_options {
    const struct expert *experts; /* in the order of the data set's experts */
    size_t concurrency;           /* calls at a time, 1..TRIAL_CONCURRENCY_MAX */
    const char *what;             /* of the progress line */
    uint64_t seed;                /* of the pauses between tries */
    /* Hears of every question that an expert is asked, as of a client's request. NULL: nobody does. */
    const struct watch *watch;
};

struct trial_result {
    struct outcome
        *outcomes;     /* [queries × experts], as in struct dataset; a failed call is a hole */
    struct str *texts; /* [experts × queries]; ptr NULL where the call failed */
    size_t failed;     /* calls */
};

/* `d` needs queries with answers, and experts; its outcomes are not looked at. Everything in the result lives in
 * `a`. Fails only when no call at all succeeded, with the first failure. */
NODISCARD enum status trial_run(const struct dataset *d, const struct trial_options *options,
                                struct arena *a, struct trial_result *ret, struct error *err);
