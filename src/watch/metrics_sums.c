/* Sums over the series of all workers, family by family. A sampler takes them once a second, so nothing is allocated,
 * and a series is passed over at once where nobody wants its family.
 *
 * Any thread: it follows the list that workers only grow, and reads their atomics (watch/metrics_int.h). The places of
 * labels in a series' key are those of the table of families; whoever changes that table changes them here. */
#include "watch/metrics_sums.h"

#include <string.h>

#include "base/check.h"
#include "base/saturate.h"
#include "watch/metrics_int.h"

struct summing {
    struct metrics_sums *sums;
    const struct map *names;
    struct metrics_expert_sums *experts;
    size_t expert_count;
};

static const enum metrics_family_name families[] = {[METRICS_SUMS_TOTAL] = FAMILY_DURATION,
                                                    [METRICS_SUMS_FIRST_TOKEN] = FAMILY_FIRST_TOKEN,
                                                    [METRICS_SUMS_CALL] = FAMILY_CALL_DURATION};

uint32_t metrics_sums_bound(enum metrics_sums_histogram of, size_t bucket)
{
    const struct metrics_family *f = &metrics_families[families[of]];
    return bucket < metrics_bucket_count(f) ? f->bounds_ms[bucket] : 0;
}

static struct str label_of(const struct metrics_series *s, size_t index)
{
    struct str rest = s->key, label = STR("");
    for (size_t i = 0; i <= index; i++)
        label = str_split(&rest, '\0');
    return label;
}

static uint64_t value_of(const struct metrics_series *s, size_t index)
{
    return atomic_load_explicit(&s->values[index], memory_order_relaxed);
}

/* NULL: nobody asked for it. */
static struct metrics_expert_sums *expert_of(const struct summing *s,
                                             const struct metrics_series *series, size_t label)
{
    uint32_t at;
    if (!map_get(s->names, label_of(series, label), &at) || at >= s->expert_count)
        return NULL;
    return &s->experts[at];
}

static void add_histogram(const struct metrics_series *series, uint64_t into[METRICS_SUMS_BUCKETS])
{
    size_t bounds = metrics_bucket_count(&metrics_families[series->family]);
    uint64_t within = 0;
    CHECK(bounds < METRICS_SUMS_BUCKETS);
    for (size_t i = 0; i < bounds; i++) {
        uint64_t n = value_of(series, i);
        into[i] += n;
        within += n;
    }
    uint64_t count = value_of(series, bounds);
    into[bounds] += count > within ? count - within : 0; /* the owner may be amid counting one */
}

static void add_request(struct summing *s, const struct metrics_series *series)
{
    uint64_t n = value_of(series, 0);
    struct str outcome = label_of(series, 4);
    if (label_of(series, 1).len == 0)
        return;
    s->sums->requests += n;
    if (str_equal(outcome, STR("failed")))
        s->sums->failed += n;
    struct metrics_expert_sums *e =
        str_equal(outcome, STR("answered")) ? expert_of(s, series, 1) : NULL;
    if (e)
        e->answered += n;
}

static void add_call(struct summing *s, const struct metrics_series *series)
{
    struct metrics_expert_sums *e = expert_of(s, series, 0);
    uint64_t n = value_of(series, 0);
    if (!e)
        return;
    e->calls += n;
    if (str_equal(label_of(series, 1), STR("failed")))
        e->failed += n;
}

static void add_tokens(struct summing *s, const struct metrics_series *series)
{
    struct str type = label_of(series, 1);
    if (str_equal(type, STR("input")) || str_equal(type, STR("output")))
        s->sums->tokens += value_of(series, 0);
}

/* One piece: a line for each family that counts. */
static void add_series(struct summing *s, const struct metrics_series *series)
{
    struct metrics_expert_sums *e;
    switch (series->family) {
    case FAMILY_REQUESTS:
        add_request(s, series);
        break;
    case FAMILY_REJECTED:
        s->sums->rejected += value_of(series, 0);
        break;
    case FAMILY_RETRIES:
    case FAMILY_FAILOVERS:
        s->sums->retries += value_of(series, 0);
        break;
    case FAMILY_TOKENS:
        add_tokens(s, series);
        break;
    case FAMILY_COST:
        s->sums->nano_usd = add_saturated(s->sums->nano_usd, (int64_t)value_of(series, 0));
        break;
    case FAMILY_SAVED:
        s->sums->saved_nano = add_saturated(s->sums->saved_nano, (int64_t)value_of(series, 0));
        break;
    case FAMILY_DURATION:
        add_histogram(series, s->sums->total);
        break;
    case FAMILY_FIRST_TOKEN:
        add_histogram(series, s->sums->first_token);
        break;
    case FAMILY_CALLS:
        add_call(s, series);
        break;
    case FAMILY_CALL_DURATION:
        e = expert_of(s, series, 0);
        if (e)
            add_histogram(series, e->call);
        break;
    default:
        break;
    }
}

void metrics_sum(const struct metrics *const *all, size_t count, const struct map *names,
                 struct metrics_sums *ret, struct metrics_expert_sums *experts, size_t expert_count)
{
    struct summing s = {ret, names, experts, expert_count};
    *ret = (struct metrics_sums){0};
    if (expert_count)
        memset(experts, 0, expert_count * sizeof(*experts));
    for (size_t i = 0; i < count; i++)
        for (const struct metrics_series *series = metrics_newest(all[i]); series;
             series = atomic_load_explicit(&series->older, memory_order_relaxed))
            add_series(&s, series);
}
