/* What a watcher wants to know of the counters of all workers, as a few sums since the process began. Any thread, at
 * any time, as metrics_write.h: each number whole, all of them together a moment blurred. */
#pragma once

#include "base/map.h"
#include "watch/metrics_count.h"

#define METRICS_SUMS_BUCKETS 16

struct metrics_sums {
    uint64_t
        requests;    /* over, for which an expert was chosen: those that have a row in the ledger */
    uint64_t failed; /* of them */
    uint64_t rejected;  /* answered with an error before anybody was chosen */
    uint64_t retries;   /* tries that were followed by another, of the same expert or the next */
    uint64_t tokens;    /* input and output */
    int64_t nano_usd;   /* what calls cost */
    int64_t saved_nano; /* less than the reference was predicted to cost, where that is known */
    /* How many took no longer than metrics_sums_bound, each counted once; the last: longer than all bounds. */
    uint64_t total[METRICS_SUMS_BUCKETS], first_token[METRICS_SUMS_BUCKETS];
};

struct metrics_expert_sums {
    uint64_t answered;      /* requests */
    uint64_t calls, failed; /* experts asked, all tries of one request together */
    uint64_t call[METRICS_SUMS_BUCKETS];
};

enum metrics_sums_histogram { METRICS_SUMS_TOTAL, METRICS_SUMS_FIRST_TOKEN, METRICS_SUMS_CALL };
/* The upper bound of a bucket, in ms; 0 behind the last. */
uint32_t metrics_sums_bound(enum metrics_sums_histogram of, size_t bucket);

/* `names`: of experts, with their places in `experts`, which is filled from zero up to `expert_count`; what others did
 * counts in `ret` alone. Takes as long as there are series. */
void metrics_sum(const struct metrics *const *all, size_t count, const struct map *names,
                 struct metrics_sums *ret, struct metrics_expert_sums *experts,
                 size_t expert_count);
