/* What the workers have counted, over time: the last hour in steps of 5 s, the last day in steps of 60 s, rates of the
 * last seconds, latencies of the last minutes, and sums of today and this month (UTC). All in memory of a fixed size.
 *
 * One thread samples, once a second, from counters that requests move anyway (metrics_sums.h); any thread reads. A lock
 * is held for the time of a copy; the sampler does not wait for it, and takes what it has missed a second later. */
#pragma once

#include "base/arena.h"
#include "watch/metrics_sums.h"

#define HISTORY_EXPERTS_MAX 256
#define HISTORY_SHORT_S     5
#define HISTORY_SHORT_STEPS 720
#define HISTORY_LONG_S      60
#define HISTORY_LONG_STEPS  1440
#define HISTORY_RATE_S      10  /* rates are over so long */
#define HISTORY_LATENCY_S   300 /* and percentiles */
#define HISTORY_MS_UNKNOWN  UINT32_MAX

struct history;

struct history *history_create(void); /* NULL: no memory */
void history_free(struct history *h); /* NULL is fine */

/* The sampler's thread only. `names` are the experts there are, at most HISTORY_EXPERTS_MAX, copied; others make room
 * for them. `now_ms` monotonic, `wall_ms` of the clock. The first sample is where rates and steps begin. */
void history_take(struct history *h, const struct metrics *const *all, size_t count,
                  const struct str *names, size_t name_count, uint64_t now_ms, int64_t wall_ms);

struct history_sum {
    uint64_t requests, failed;
    int64_t nano_usd, reference_nano_usd;
};
/* What the ledger had of a day or a month when the process began: its sums count from then on, if the period that began
 * at `begin_ms` is still the one. */
enum history_period { HISTORY_DAY, HISTORY_MONTH, HISTORY_PERIODS };
void history_add_ledger(struct history *h, enum history_period period, int64_t begin_ms,
                        const struct history_sum *sum);
/* When the period began that `wall_ms` lies in. */
int64_t history_period_begin(enum history_period period, int64_t wall_ms);

struct history_latency { /* ms; HISTORY_MS_UNKNOWN: nothing was measured */
    uint32_t p50, p95, p99;
};

struct history_expert {
    double calls_per_s, failed_per_s;
    uint32_t p50_ms;   /* of its calls */
    uint64_t answered; /* requests, within the last HISTORY_LONG_STEPS */
};

struct history_now {
    int64_t at_ms; /* of the last sample; 0: there is none */
    double requests_per_s, failed_per_s, rejected_per_s, retries_per_s, tokens_per_s, usd_per_hour;
    struct history_latency total, first_token;
    struct history_sum period[HISTORY_PERIODS];
    bool has_ledger[HISTORY_PERIODS]; /* its sums of before this process are in */
};
/* Any thread. experts[count] are those of these names; one that is unknown is all zero and HISTORY_MS_UNKNOWN. */
void history_read(struct history *h, const struct str *names, size_t count, struct history_now *ret,
                  struct history_expert *experts);

struct history_step {
    uint32_t requests, failed;
    uint32_t p50_ms, p95_ms, first_token_p50_ms; /* HISTORY_MS_UNKNOWN: nothing was measured */
    int64_t nano_usd, reference_nano_usd;
};
struct history_rows { /* the oldest first; in the arena */
    unsigned step_s;
    int64_t from_ms; /* when the first began */
    size_t count, expert_count;
    struct history_step *steps; /* [count] */
    const char **names;  /* [expert_count] experts that have answered something in that time */
    uint32_t **answered; /* [expert_count][count] requests */
};
/* The last `points` steps that are over, or as many as there are. `step_s` is one of the two. Any thread.
 * ERR_MEMORY. */
NODISCARD enum status history_copy(struct history *h, unsigned step_s, size_t points,
                                   struct arena *a, struct history_rows *ret, struct error *err);
#define HISTORY_ARENA_BYTES (4u << 20) /* is enough for any */

/* The value below which the share `q` of those lies that are counted in buckets, between bounds as if they were spread
 * evenly; behind the last bound that bound. */
uint32_t history_quantile(enum metrics_sums_histogram of,
                          const uint64_t counts[METRICS_SUMS_BUCKETS], double q);
