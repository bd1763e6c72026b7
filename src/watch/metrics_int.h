/* Private to watch/: families of series, and the series of a worker, which metrics_count.c fills and metrics_write.c
 * reads. */
#pragma once

#include <stdatomic.h>

#include "watch/metrics_count.h"

#define METRICS_LABELS_MAX  6
#define METRICS_BUCKETS_MAX 16

enum metrics_kind {
    METRICS_COUNT,
    METRICS_USD,       /* nano-USD */
    METRICS_USD_GAUGE, /* the same, and may fall */
    METRICS_MICRO,     /* millionths */
    METRICS_SECONDS,   /* a histogram of milliseconds: the buckets' counts, then count and sum */
};

enum metrics_family_name {
    FAMILY_REQUESTS,
    FAMILY_DURATION,
    FAMILY_FIRST_TOKEN,
    FAMILY_DECISIONS,
    FAMILY_CALLS,
    FAMILY_CALL_DURATION,
    FAMILY_CHECKS,
    FAMILY_CHECK_DURATION,
    FAMILY_TOKENS,
    FAMILY_COST,
    FAMILY_PREDICTED,
    FAMILY_REFERENCE,
    FAMILY_SAVED,
    FAMILY_QUALITY,
    FAMILY_RETRIES,
    FAMILY_FAILOVERS,
    FAMILY_HEDGES,
    FAMILY_CACHE_HITS,
    FAMILY_REPORTS_REFUSED,
    FAMILY_REJECTED,
    FAMILIES,
};

struct metrics_family {
    const char *name, *help;
    enum metrics_kind kind;
    const char *labels[METRICS_LABELS_MAX]; /* NULL ends them */
    const uint32_t *bounds_ms;              /* of a histogram; 0 ends them */
};

extern const struct metrics_family metrics_families[FAMILIES];

size_t metrics_bucket_count(const struct metrics_family *f); /* without +Inf */
size_t metrics_value_count(const struct metrics_family *f);

struct metrics_series {
    struct metrics_series *next;          /* in its bucket; only the worker follows it */
    struct metrics_series *_Atomic older; /* in the order of making, for whoever reads */
    enum metrics_family_name family;
    uint64_t hash;
    struct str key;            /* the labels' values, each ended by '\0' */
    _Atomic uint64_t values[]; /* [metrics_value_count] */
};

/* The newest first, then `older` of each. */
const struct metrics_series *metrics_newest(const struct metrics *m);
uint64_t metrics_lost_series(const struct metrics *m);
