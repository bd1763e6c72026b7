/* Rings of what was counted, filled by differences between one sample and the next.
 *
 * The sampler's thread alone touches what is outside of the lock's reach (`sums`, `experts_now`, the map of names);
 * readers copy what they want under the lock and compute without it. The sampler only tries the lock: a second that it
 * has missed is in the next difference. Steps go by the monotonic clock, so that a clock that is set moves their labels
 * and nothing else. */
#include "watch/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/money.h"
#include "base/name.h"
#include "base/saturate.h"

#define DAY_MS        INT64_C(86400000)
#define RATE_SAMPLES  (HISTORY_RATE_S + 1)
#define LATENCY_STEPS (HISTORY_LATENCY_S / HISTORY_SHORT_S + 1)
#define CALL_STEP_S   30
#define CALL_STEPS    (HISTORY_LATENCY_S / CALL_STEP_S + 1)
#define ANSWERED_CAP  UINT32_MAX

/* A ring of steps: of its column `at` is the one that will be filled next. */
struct ring {
    unsigned seconds;
    size_t size, count, at;
    uint64_t open_since_ms;     /* monotonic */
    int64_t closed_wall_ms;     /* of the last one */
    struct history_step *steps; /* [size] */
    struct metrics_sums base;   /* where the open step began */
};

struct expert {
    char name[NAME_BYTES_MAX + 1];
    bool taken, present;                     /* a slot in use; one of the last names given */
    bool fresh;                              /* its counters may be from before it had the slot */
    struct metrics_expert_sums now, base[2]; /* base: where the open step of each ring began */
    uint32_t short_answered[HISTORY_SHORT_STEPS], long_answered[HISTORY_LONG_STEPS];
    uint64_t calls[RATE_SAMPLES], failed[RATE_SAMPLES];
    uint64_t call[CALL_STEPS][METRICS_SUMS_BUCKETS];
};

struct period {
    int64_t begin_ms;         /* 0: no sample yet */
    struct metrics_sums base; /* at its begin, or the process's */
    struct history_sum ledger;
    bool has_ledger;
};

struct history {
    /* The sampler's */
    struct map *names;
    struct metrics_sums sums;
    struct metrics_expert_sums experts_now[HISTORY_EXPERTS_MAX];
    /* Under the lock */
    pthread_mutex_t lock;
    uint64_t now_ms;
    int64_t wall_ms;
    struct ring rings[2];
    struct expert *experts; /* [HISTORY_EXPERTS_MAX] */
    struct metrics_sums rate[RATE_SAMPLES];
    uint64_t rate_ms[RATE_SAMPLES];
    size_t rate_count, rate_at;
    uint64_t total[LATENCY_STEPS][METRICS_SUMS_BUCKETS],
        first_token[LATENCY_STEPS][METRICS_SUMS_BUCKETS];
    size_t latency_count, latency_at, call_count, call_at;
    uint64_t call_since_ms;
    struct period periods[HISTORY_PERIODS];
};

/* Numbers */

uint32_t history_quantile(enum metrics_sums_histogram of,
                          const uint64_t counts[METRICS_SUMS_BUCKETS], double q)
{
    uint64_t all = 0, before = 0;
    for (size_t i = 0; i < METRICS_SUMS_BUCKETS; i++)
        all += counts[i];
    if (all == 0)
        return HISTORY_MS_UNKNOWN;
    double rank = q * (double)all;
    uint32_t low = 0;
    for (size_t i = 0; i < METRICS_SUMS_BUCKETS; i++) {
        uint32_t bound = metrics_sums_bound(of, i);
        if (bound == 0)
            break; /* longer than all bounds */
        if (counts[i] > 0 && (double)(before + counts[i]) >= rank)
            return low +
                   (uint32_t)((rank - (double)before) / (double)counts[i] * (double)(bound - low) +
                              0.5);
        before += counts[i];
        low = bound;
    }
    return low;
}

static void subtract(const uint64_t a[METRICS_SUMS_BUCKETS], const uint64_t b[METRICS_SUMS_BUCKETS],
                     uint64_t into[METRICS_SUMS_BUCKETS])
{
    for (size_t i = 0; i < METRICS_SUMS_BUCKETS; i++)
        into[i] = a[i] > b[i] ? a[i] - b[i] : 0;
}

static uint32_t quantile_between(enum metrics_sums_histogram of,
                                 const uint64_t now[METRICS_SUMS_BUCKETS],
                                 const uint64_t then[METRICS_SUMS_BUCKETS], double q)
{
    uint64_t counts[METRICS_SUMS_BUCKETS];
    subtract(now, then, counts);
    return history_quantile(of, counts, q);
}

static uint32_t capped(uint64_t now, uint64_t then)
{
    uint64_t n = now > then ? now - then : 0;
    return n < ANSWERED_CAP ? (uint32_t)n : ANSWERED_CAP;
}

static int64_t reference_of(const struct metrics_sums *s)
{
    return add_saturated(s->nano_usd, s->saved_nano);
}

int64_t history_period_begin(enum history_period period, int64_t wall_ms)
{
    int64_t day = wall_ms - ((wall_ms % DAY_MS) + DAY_MS) % DAY_MS;
    time_t at = (time_t)(day / 1000);
    struct tm utc;
    if (period == HISTORY_DAY || !gmtime_r(&at, &utc))
        return day;
    return day - (utc.tm_mday - 1) * DAY_MS;
}

/* Experts */

/* A slot that is free, or of one that is not there any more; there is one, because there are as many slots as names. */
static uint32_t slot_for(struct history *h)
{
    uint32_t gone = HISTORY_EXPERTS_MAX;
    for (uint32_t i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        if (!h->experts[i].taken)
            return i;
        if (!h->experts[i].present)
            gone = i;
    }
    CHECK(gone < HISTORY_EXPERTS_MAX);
    return gone;
}

/* The map refers to the slots' names, so it is made anew when one is taken over. */
static bool index_names(struct history *h)
{
    struct map *names = map_create(HISTORY_EXPERTS_MAX);
    bool whole = names;
    for (uint32_t i = 0; whole && i < HISTORY_EXPERTS_MAX; i++)
        if (h->experts[i].taken)
            whole = map_put(names, str_from(h->experts[i].name), i) == OK;
    if (!whole) {
        map_free(names);
        return false;
    }
    map_free(h->names);
    h->names = names;
    return true;
}

static void seat(struct history *h, struct str name)
{
    struct expert *e = &h->experts[slot_for(h)];
    memset(e, 0, sizeof(*e));
    memcpy(e->name, name.ptr, name.len);
    e->taken = e->present = e->fresh = true;
}

/* Under the lock. Without memory for the map those who are new wait for the next second. */
static void seat_all(struct history *h, const struct str *names, size_t count)
{
    uint32_t at;
    bool changed = false;
    for (uint32_t i = 0; i < HISTORY_EXPERTS_MAX; i++)
        h->experts[i].present = false;
    for (size_t i = 0; i < count; i++)
        if (map_get(h->names, names[i], &at))
            h->experts[at].present = true;
    for (size_t i = 0; i < count; i++)
        if (names[i].len <= NAME_BYTES_MAX && !map_get(h->names, names[i], &at)) {
            seat(h, names[i]);
            changed = true;
        }
    if (changed && !index_names(h))
        for (uint32_t i = 0; i < HISTORY_EXPERTS_MAX; i++)
            if (!map_get(h->names, str_from(h->experts[i].name), &at) || at != i)
                h->experts[i].taken = false;
}

/* Steps, all under the lock */

static void close_experts(struct history *h, size_t which)
{
    struct ring *r = &h->rings[which];
    for (size_t i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        struct expert *e = &h->experts[i];
        if (!e->taken)
            continue;
        uint32_t *row = which ? e->long_answered : e->short_answered;
        row[r->at] = capped(e->now.answered, e->base[which].answered);
        e->base[which] = e->now;
    }
}

static void close_step(struct history *h, size_t which)
{
    struct ring *r = &h->rings[which];
    const struct metrics_sums *now = &h->sums, *then = &r->base;
    r->steps[r->at] = (struct history_step){
        .requests = capped(now->requests, then->requests),
        .failed = capped(now->failed, then->failed),
        .p50_ms = quantile_between(METRICS_SUMS_TOTAL, now->total, then->total, 0.5),
        .p95_ms = quantile_between(METRICS_SUMS_TOTAL, now->total, then->total, 0.95),
        .first_token_p50_ms =
            quantile_between(METRICS_SUMS_FIRST_TOKEN, now->first_token, then->first_token, 0.5),
        .nano_usd = now->nano_usd - then->nano_usd,
        .reference_nano_usd = reference_of(now) - reference_of(then),
    };
    close_experts(h, which);
    r->base = *now;
    r->at = (r->at + 1) % r->size;
    if (r->count < r->size)
        r->count++;
    r->open_since_ms += r->seconds * UINT64_C(1000);
}

/* After a standstill all that was counted stands in the first of the steps that have passed, and those behind it are
 * empty. A standstill longer than the ring leaves nothing of before. */
static void close_steps(struct history *h, size_t which)
{
    struct ring *r = &h->rings[which];
    uint64_t step_ms = r->seconds * UINT64_C(1000);
    uint64_t passed = (h->now_ms - r->open_since_ms) / step_ms;
    if (passed > r->size)
        r->open_since_ms += (passed - r->size) * step_ms;
    while (h->now_ms - r->open_since_ms >= step_ms)
        close_step(h, which);
    if (passed)
        r->closed_wall_ms = h->wall_ms - (int64_t)(h->now_ms - r->open_since_ms);
}

static void keep_latencies(struct history *h)
{
    memcpy(h->total[h->latency_at], h->sums.total, sizeof(h->sums.total));
    memcpy(h->first_token[h->latency_at], h->sums.first_token, sizeof(h->sums.first_token));
    h->latency_at = (h->latency_at + 1) % LATENCY_STEPS;
    if (h->latency_count < LATENCY_STEPS)
        h->latency_count++;
    if (h->call_count && h->now_ms - h->call_since_ms < CALL_STEP_S * 1000)
        return;
    h->call_since_ms = h->now_ms;
    for (size_t i = 0; i < HISTORY_EXPERTS_MAX; i++)
        if (h->experts[i].taken)
            memcpy(h->experts[i].call[h->call_at], h->experts[i].now.call,
                   sizeof(h->experts[i].now.call));
    h->call_at = (h->call_at + 1) % CALL_STEPS;
    if (h->call_count < CALL_STEPS)
        h->call_count++;
}

static void keep_rates(struct history *h)
{
    h->rate[h->rate_at] = h->sums;
    h->rate_ms[h->rate_at] = h->now_ms;
    for (size_t i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        struct expert *e = &h->experts[i];
        if (!e->taken)
            continue;
        e->calls[h->rate_at] = e->now.calls;
        e->failed[h->rate_at] = e->now.failed;
    }
    h->rate_at = (h->rate_at + 1) % RATE_SAMPLES;
    if (h->rate_count < RATE_SAMPLES)
        h->rate_count++;
}

/* A clock that is set back begins no day anew. */
static void keep_periods(struct history *h)
{
    for (size_t i = 0; i < HISTORY_PERIODS; i++) {
        struct period *p = &h->periods[i];
        int64_t begin_ms = history_period_begin((enum history_period)i, h->wall_ms);
        if (p->begin_ms && begin_ms <= p->begin_ms)
            continue;
        bool first = !p->begin_ms;
        *p = (struct period){.begin_ms = begin_ms};
        if (!first) {
            p->base = h->sums;
            p->has_ledger = true; /* nothing of it was before this process */
        }
    }
}

/* Whoever has just got a slot begins at what is counted of it already. */
static void begin_fresh(struct expert *e)
{
    e->fresh = false;
    e->base[0] = e->base[1] = e->now;
    for (size_t i = 0; i < RATE_SAMPLES; i++) {
        e->calls[i] = e->now.calls;
        e->failed[i] = e->now.failed;
    }
    for (size_t i = 0; i < CALL_STEPS; i++)
        memcpy(e->call[i], e->now.call, sizeof(e->now.call));
}

static void begin_rings(struct history *h)
{
    for (size_t i = 0; i < 2; i++) {
        h->rings[i].open_since_ms = h->now_ms;
        h->rings[i].base = h->sums;
    }
}

/* One piece: the parts of a sample, in the order in which they read each other. */
void history_take(struct history *h, const struct metrics *const *all, size_t count,
                  const struct str *names, size_t name_count, uint64_t now_ms, int64_t wall_ms)
{
    bool first = h->wall_ms == 0;
    CHECK(name_count <= HISTORY_EXPERTS_MAX);
    if (pthread_mutex_trylock(&h->lock) != 0)
        return;
    seat_all(h, names, name_count);
    metrics_sum(all, count, h->names, &h->sums, h->experts_now, HISTORY_EXPERTS_MAX);
    h->now_ms = now_ms;
    h->wall_ms = wall_ms;
    for (size_t i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        struct expert *e = &h->experts[i];
        if (e->taken)
            e->now = h->experts_now[i];
        if (e->fresh)
            begin_fresh(e);
    }
    if (first)
        begin_rings(h);
    size_t shown = h->rings[0].at;
    keep_periods(h);
    keep_rates(h);
    close_steps(h, 0);
    close_steps(h, 1);
    if (first || shown != h->rings[0].at)
        keep_latencies(h);
    pthread_mutex_unlock(&h->lock);
}

void history_add_ledger(struct history *h, enum history_period period, int64_t begin_ms,
                        const struct history_sum *sum)
{
    pthread_mutex_lock(&h->lock);
    struct period *p = &h->periods[period];
    if (p->begin_ms == begin_ms && !p->has_ledger) {
        p->ledger = *sum;
        p->has_ledger = true;
    }
    pthread_mutex_unlock(&h->lock);
}

/* Reading */

static size_t oldest(size_t at, size_t count, size_t size)
{
    return (at + size - count) % size;
}

static size_t newest(size_t at, size_t size)
{
    return (at + size - 1) % size;
}

static double per_second(uint64_t now, uint64_t then, double seconds)
{
    return seconds > 0 && now > then ? (double)(now - then) / seconds : 0;
}

static void read_rates(const struct history *h, double seconds, struct history_now *ret)
{
    const struct metrics_sums *now = &h->rate[newest(h->rate_at, RATE_SAMPLES)],
                              *then = &h->rate[oldest(h->rate_at, h->rate_count, RATE_SAMPLES)];
    ret->requests_per_s = per_second(now->requests, then->requests, seconds);
    ret->failed_per_s = per_second(now->failed, then->failed, seconds);
    ret->rejected_per_s = per_second(now->rejected, then->rejected, seconds);
    ret->retries_per_s = per_second(now->retries, then->retries, seconds);
    ret->tokens_per_s = per_second(now->tokens, then->tokens, seconds);
    ret->usd_per_hour =
        seconds > 0 ? money_usd(now->nano_usd - then->nano_usd) / seconds * 3600 : 0;
}

static struct history_latency latency_of(enum metrics_sums_histogram of,
                                         const uint64_t now[METRICS_SUMS_BUCKETS],
                                         const uint64_t then[METRICS_SUMS_BUCKETS])
{
    uint64_t counts[METRICS_SUMS_BUCKETS];
    subtract(now, then, counts);
    return (struct history_latency){history_quantile(of, counts, 0.5),
                                    history_quantile(of, counts, 0.95),
                                    history_quantile(of, counts, 0.99)};
}

static struct history_sum period_of(const struct history *h, const struct period *p)
{
    const struct metrics_sums *now = &h->sums;
    return (struct history_sum){
        .requests = p->ledger.requests + now->requests - p->base.requests,
        .failed = p->ledger.failed + now->failed - p->base.failed,
        .nano_usd = add_saturated(p->ledger.nano_usd, now->nano_usd - p->base.nano_usd),
        .reference_nano_usd =
            add_saturated(p->ledger.reference_nano_usd, reference_of(now) - reference_of(&p->base)),
    };
}

static void read_expert(const struct history *h, const struct expert *e, double seconds,
                        struct history_expert *ret)
{
    size_t now = newest(h->rate_at, RATE_SAMPLES),
           then = oldest(h->rate_at, h->rate_count, RATE_SAMPLES),
           call = oldest(h->call_at, h->call_count, CALL_STEPS);
    ret->calls_per_s = per_second(e->calls[now], e->calls[then], seconds);
    ret->failed_per_s = per_second(e->failed[now], e->failed[then], seconds);
    ret->p50_ms = quantile_between(METRICS_SUMS_CALL, e->now.call, e->call[call], 0.5);
    ret->answered = e->now.answered - e->base[1].answered;
    for (size_t i = 0; i < h->rings[1].count; i++)
        ret->answered += e->long_answered[i];
}

/* One piece: what is read under one lock, so that the figures are of one moment. */
void history_read(struct history *h, const struct str *names, size_t count, struct history_now *ret,
                  struct history_expert *experts)
{
    uint32_t at;
    *ret = (struct history_now){0};
    for (size_t i = 0; i < count; i++)
        experts[i] = (struct history_expert){.p50_ms = HISTORY_MS_UNKNOWN};
    pthread_mutex_lock(&h->lock);
    if (h->wall_ms) {
        size_t then = oldest(h->rate_at, h->rate_count, RATE_SAMPLES),
               latency = oldest(h->latency_at, h->latency_count, LATENCY_STEPS);
        double seconds = (double)(h->now_ms - h->rate_ms[then]) / 1000;
        ret->at_ms = h->wall_ms;
        read_rates(h, seconds, ret);
        ret->total = latency_of(METRICS_SUMS_TOTAL, h->sums.total, h->total[latency]);
        ret->first_token =
            latency_of(METRICS_SUMS_FIRST_TOKEN, h->sums.first_token, h->first_token[latency]);
        for (size_t i = 0; i < HISTORY_PERIODS; i++) {
            ret->period[i] = period_of(h, &h->periods[i]);
            ret->has_ledger[i] = h->periods[i].has_ledger;
        }
        for (size_t i = 0; i < count; i++)
            if (map_get(h->names, names[i], &at))
                read_expert(h, &h->experts[at], seconds, &experts[i]);
    }
    pthread_mutex_unlock(&h->lock);
}

/* Copies of steps */

/* True: it is in, or has answered nothing in that time. False: no memory. */
static bool copy_expert(const struct expert *e, const uint32_t *row, size_t first, size_t size,
                        struct arena *a, struct history_rows *into)
{
    bool any = false;
    for (size_t i = 0; i < into->count && !any; i++)
        any = row[(first + i) % size] > 0;
    if (!any)
        return true;
    uint32_t *copy = ARENA_ARRAY(a, into->count, uint32_t);
    const char *name = arena_printf(a, "%s", e->name);
    if (!copy || !name)
        return false;
    for (size_t i = 0; i < into->count; i++)
        copy[i] = row[(first + i) % size];
    into->names[into->expert_count] = name;
    into->answered[into->expert_count++] = copy;
    return true;
}

/* Under the lock: copies, and computes nothing. */
static bool copy_rows(const struct history *h, size_t which, size_t points, struct arena *a,
                      struct history_rows *into)
{
    const struct ring *r = &h->rings[which];
    size_t n = points < r->count ? points : r->count, first = oldest(r->at, n, r->size);
    bool whole = true;
    *into = (struct history_rows){.count = n,
                                  .step_s = r->seconds,
                                  .from_ms = r->closed_wall_ms - (int64_t)(n * r->seconds) * 1000,
                                  .steps = ARENA_ARRAY(a, n + 1, struct history_step),
                                  .names = ARENA_ARRAY(a, HISTORY_EXPERTS_MAX, const char *),
                                  .answered = ARENA_ARRAY(a, HISTORY_EXPERTS_MAX, uint32_t *)};
    if (!into->steps || !into->names || !into->answered)
        return false;
    for (size_t i = 0; i < n; i++)
        into->steps[i] = r->steps[(first + i) % r->size];
    for (size_t k = 0; k < HISTORY_EXPERTS_MAX && whole; k++) {
        const struct expert *e = &h->experts[k];
        if (e->taken)
            whole = copy_expert(e, which ? e->long_answered : e->short_answered, first, r->size, a,
                                into);
    }
    return whole;
}

enum status history_copy(struct history *h, unsigned step_s, size_t points, struct arena *a,
                         struct history_rows *ret, struct error *err)
{
    struct history_rows rows;
    CHECK(step_s == HISTORY_SHORT_S || step_s == HISTORY_LONG_S);
    pthread_mutex_lock(&h->lock);
    bool whole = copy_rows(h, step_s == HISTORY_LONG_S, points, a, &rows);
    pthread_mutex_unlock(&h->lock);
    if (!whole)
        return error_set(err, ERR_MEMORY, "out of memory for the history");
    *ret = rows;
    return OK;
}

/* Life */

struct history *history_create(void)
{
    struct history *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    pthread_mutex_init(&h->lock, NULL);
    h->rings[0] = (struct ring){.seconds = HISTORY_SHORT_S, .size = HISTORY_SHORT_STEPS};
    h->rings[1] = (struct ring){.seconds = HISTORY_LONG_S, .size = HISTORY_LONG_STEPS};
    for (size_t i = 0; i < 2; i++)
        h->rings[i].steps = calloc(h->rings[i].size, sizeof(struct history_step));
    h->experts = calloc(HISTORY_EXPERTS_MAX, sizeof(*h->experts));
    h->names = map_create(HISTORY_EXPERTS_MAX);
    if (!h->rings[0].steps || !h->rings[1].steps || !h->experts || !h->names) {
        history_free(h);
        return NULL;
    }
    return h;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    pthread_mutex_destroy(&h->lock);
    free(h->rings[0].steps);
    free(h->rings[1].steps);
    free(h->experts);
    map_free(h->names);
    free(h);
}
