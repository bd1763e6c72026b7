/* Counting: the table of families, and a worker's series. The worker finds a series by a hash of its labels' values;
 * readers follow a list of all series that only grows.
 *
 * The worker's thread alone may call what counts. What reads (metrics_newest, metrics_lost_series) is for any thread,
 * at any time until metrics_free: a series is whole before the list shows it, and each value is an atomic. */
#include "watch/metrics_count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "watch/metrics_int.h"

#define TABLE_SIZE    4096 /* a power of two */
#define KEY_BYTES_MAX 1024

struct metrics {
    struct metrics_series *table[TABLE_SIZE];
    struct metrics_series *_Atomic newest;
    size_t count;
    _Atomic uint64_t lost;
};

/* Fits calls to language models: from an answer out of a cache to minutes of reasoning. */
static const uint32_t duration_ms[] = {50,    100,   250,   500,    1000,   2500,   5000, 10000,
                                       20000, 30000, 60000, 120000, 300000, 600000, 0};
static const uint32_t first_token_ms[] = {50,   100,  200,  300,   500,   750,   1000,  1500,
                                          2000, 3000, 5000, 10000, 20000, 30000, 60000, 0};

const struct metrics_family metrics_families[FAMILIES] = {
    [FAMILY_REQUESTS] = {"leeroo_requests_total",
                         "Requests that were decided or refused, by how they ended.",
                         METRICS_COUNT,
                         {"policy", "expert", "plan", "front", "outcome", "code"},
                         NULL},
    [FAMILY_DURATION] = {"leeroo_request_duration_seconds",
                         "From a request's arrival to the last byte of its answer.",
                         METRICS_SECONDS,
                         {"policy", "expert"},
                         duration_ms},
    [FAMILY_FIRST_TOKEN] = {"leeroo_time_to_first_token_seconds",
                            "From a request's arrival to the first content of its answer.",
                            METRICS_SECONDS,
                            {"expert"},
                            first_token_ms},
    [FAMILY_DECISIONS] =
        {"leeroo_decisions_total",
         "What was chosen before anybody was asked; expert is the first of the plan.",
         METRICS_COUNT,
         {"policy", "expert", "plan"},
         NULL},
    [FAMILY_CALLS] = {"leeroo_expert_calls_total",
                      "Experts asked, all tries of one request together, by what came of it.",
                      METRICS_COUNT,
                      {"expert", "outcome"},
                      NULL},
    [FAMILY_CALL_DURATION] = {"leeroo_expert_call_duration_seconds",
                              "From an expert's first try to the end of its last.",
                              METRICS_SECONDS,
                              {"expert"},
                              duration_ms},
    [FAMILY_CHECKS] = {"leeroo_checks_total",
                       "Answers held to a policy's check, by what it said of them.",
                       METRICS_COUNT,
                       {"policy", "check", "expert", "verdict"},
                       NULL},
    [FAMILY_CHECK_DURATION] = {"leeroo_check_duration_seconds",
                               "From the end of an answer to what the check said of it.",
                               METRICS_SECONDS,
                               {"check"},
                               duration_ms},
    [FAMILY_TOKENS] = {"leeroo_tokens_total",
                       "Tokens; cached and cache_write are parts of input, cache_write_1h of that, "
                       "reasoning of output.",
                       METRICS_COUNT,
                       {"expert", "type"},
                       NULL},
    [FAMILY_COST] = {"leeroo_cost_usd_total",
                     "What calls cost, exact to the nano-dollar; a plan's members each their own.",
                     METRICS_USD,
                     {"expert", "policy"},
                     NULL},
    [FAMILY_PREDICTED] = {"leeroo_predicted_cost_usd_total",
                          "What the same requests were predicted to cost when they were decided.",
                          METRICS_USD,
                          {"policy"},
                          NULL},
    [FAMILY_REFERENCE] = {"leeroo_reference_cost_usd_total",
                          "What answered requests are predicted to cost with the reference expert.",
                          METRICS_USD,
                          {"policy"},
                          NULL},
    [FAMILY_SAVED] =
        {"leeroo_saved_usd",
         "The reference expert's predicted cost less the real cost of the same requests.",
         METRICS_USD_GAUGE,
         {"policy"},
         NULL},
    [FAMILY_QUALITY] = {"leeroo_predicted_quality_total",
                        "Sum of the predicted quality of decisions, each between 0 and 1.",
                        METRICS_MICRO,
                        {"policy"},
                        NULL},
    [FAMILY_RETRIES] = {"leeroo_retries_total",
                        "Tries of an expert that failed and were followed by another of the same.",
                        METRICS_COUNT,
                        {"expert"},
                        NULL},
    [FAMILY_FAILOVERS] = {"leeroo_failovers_total",
                          "Experts that were given up and followed by another expert.",
                          METRICS_COUNT,
                          {"expert"},
                          NULL},
    [FAMILY_HEDGES] = {"leeroo_hedges_total",
                       "Experts asked because another was slow to begin.",
                       METRICS_COUNT,
                       {"expert"},
                       NULL},
    [FAMILY_REPORTS_REFUSED] = {"leeroo_usage_refused_total",
                                "Reports of usage that cannot be; the limits were booked instead.",
                                METRICS_COUNT,
                                {"expert"},
                                NULL},
    [FAMILY_CACHE_HITS] = {"leeroo_cache_hits_total",
                           "Requests answered out of the response cache.",
                           METRICS_COUNT,
                           {"policy"},
                           NULL},
    [FAMILY_REJECTED] = {"leeroo_rejected_requests_total",
                         "Requests answered with an error before anybody was chosen to serve them.",
                         METRICS_COUNT,
                         {"code"},
                         NULL},
};

size_t metrics_bucket_count(const struct metrics_family *f)
{
    size_t n = 0;
    while (f->bounds_ms && f->bounds_ms[n])
        n++;
    CHECK(n < METRICS_BUCKETS_MAX);
    return n;
}

size_t metrics_value_count(const struct metrics_family *f)
{
    return f->kind == METRICS_SECONDS ? metrics_bucket_count(f) + 2 : 1;
}

const struct metrics_series *metrics_newest(const struct metrics *m)
{
    return atomic_load_explicit(&m->newest, memory_order_acquire);
}

uint64_t metrics_lost_series(const struct metrics *m)
{
    return atomic_load_explicit(&m->lost, memory_order_relaxed);
}

/* No other thread writes `value`. */
static void add(_Atomic uint64_t *value, uint64_t n)
{
    uint64_t now = atomic_load_explicit(value, memory_order_relaxed);
    atomic_store_explicit(value, now + n, memory_order_relaxed);
}

static struct metrics_series *series_create(struct metrics *m, enum metrics_family_name family,
                                            struct str key, uint64_t hash)
{
    size_t values = metrics_value_count(&metrics_families[family]);
    struct metrics_series *s = m->count < METRICS_SERIES_MAX
                                   ? calloc(1, sizeof(*s) + values * sizeof(s->values[0]) + key.len)
                                   : NULL;
    if (!s) {
        add(&m->lost, 1);
        return NULL;
    }
    char *copy = (char *)&s->values[values];
    memcpy(copy, key.ptr, key.len);
    s->key = (struct str){copy, key.len};
    s->family = family;
    s->hash = hash;
    s->next = m->table[hash % TABLE_SIZE];
    m->table[hash % TABLE_SIZE] = s;
    m->count++;
    struct metrics_series *before = atomic_load_explicit(&m->newest, memory_order_relaxed);
    atomic_store_explicit(&s->older, before, memory_order_relaxed);
    atomic_store_explicit(&m->newest, s, memory_order_release); /* whole from here on */
    return s;
}

/* `labels` as many as the family has. NULL: no room. */
static struct metrics_series *find(struct metrics *m, enum metrics_family_name family,
                                   const struct str *labels)
{
    char key[KEY_BYTES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < METRICS_LABELS_MAX && metrics_families[family].labels[i]; i++) {
        if (len + labels[i].len + 1 > sizeof(key)) {
            add(&m->lost, 1);
            return NULL;
        }
        if (labels[i].len > 0)
            memcpy(key + len, labels[i].ptr, labels[i].len);
        len += labels[i].len;
        key[len++] = '\0';
    }
    struct str whole = {key, len};
    uint64_t hash = hash64(whole, (uint64_t)family);
    struct metrics_series *s = m->table[hash % TABLE_SIZE];
    while (s && (s->hash != hash || s->family != family || !str_equal(s->key, whole)))
        s = s->next;
    return s ? s : series_create(m, family, whole, hash);
}

static void count(struct metrics *m, enum metrics_family_name family, const struct str *labels,
                  int64_t n)
{
    struct metrics_series *s = n != 0 ? find(m, family, labels) : NULL;
    if (s)
        add(&s->values[0], (uint64_t)n);
}

static void observe(struct metrics *m, enum metrics_family_name family, const struct str *labels,
                    uint64_t ms)
{
    struct metrics_series *s = find(m, family, labels);
    const uint32_t *bounds = metrics_families[family].bounds_ms;
    size_t i = 0;
    if (!s)
        return;
    while (bounds[i] && ms > bounds[i])
        i++;
    size_t buckets = i;
    while (bounds[buckets])
        buckets++;
    if (i < buckets)
        add(&s->values[i], 1);
    add(&s->values[buckets], 1);
    add(&s->values[buckets + 1], ms);
}

struct metrics *metrics_create(void)
{
    return calloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *m)
{
    struct metrics_series *s = m ? atomic_load(&m->newest) : NULL;
    while (s) {
        struct metrics_series *older = atomic_load(&s->older);
        free(s);
        s = older;
    }
    free(m);
}

/* "panel(a,b->c)" is a panel. */
static struct str plan_kind(struct str plan)
{
    return str_slice(plan, 0, str_find(plan, STR("("), 0));
}

void metrics_decided(struct metrics *m, const struct record *r)
{
    count(m, FAMILY_DECISIONS, (struct str[]){r->policy, r->expert, r->plan}, 1);
    count(m, FAMILY_QUALITY, &r->policy, (int64_t)(r->quality * 1e6 + 0.5));
}

static void count_tokens(struct metrics *m, struct str expert, const struct cost *cost)
{
    const struct {
        struct str type;
        int64_t tokens;
    } all[] = {{STR("input"), cost->tokens.input},
               {STR("cached"), cost->tokens.cached},
               {STR("cache_write"), cost->tokens.cache_write},
               {STR("cache_write_1h"), cost->tokens.cache_write_1h},
               {STR("output"), cost->tokens.output},
               {STR("reasoning"), cost->tokens.reasoning}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        count(m, FAMILY_TOKENS, (struct str[]){expert, all[i].type}, all[i].tokens);
}

static void count_call(struct metrics *m, const struct record *r, const struct record_call *call)
{
    struct str outcome = str_from(call_outcome_name(call->outcome));
    count(m, FAMILY_COST, (struct str[]){call->expert, r->policy}, call->cost.nano_usd);
    count_tokens(m, call->expert, &call->cost);
    if (call->verdict) {
        count(m, FAMILY_CHECKS,
              (struct str[]){r->policy, call->expert, call->checked, str_from(call->verdict)}, 1);
        observe(m, FAMILY_CHECK_DURATION, &call->expert, call->latency_ms);
        return;
    }
    count(m, FAMILY_CALLS, (struct str[]){call->expert, outcome}, 1);
    count(m, FAMILY_HEDGES, &call->expert, call->hedge);
    count(m, FAMILY_REPORTS_REFUSED, &call->expert, call->cost.basis == COST_LIMITED);
    observe(m, FAMILY_CALL_DURATION, &call->expert, call->latency_ms);
}

static void count_request(struct metrics *m, const struct record *r)
{
    char code[16];
    snprintf(code, sizeof(code), "%d", r->http_status);
    count(m, FAMILY_REQUESTS,
          (struct str[]){r->policy, r->expert, plan_kind(r->plan), r->front,
                         str_from(request_outcome_name(r->outcome)), str_from(code)},
          1);
}

void metrics_ended(struct metrics *m, const struct record *r)
{
    count_request(m, r);
    if (r->expert.len == 0) {
        metrics_rejected(m, r->http_status);
        return;
    }
    observe(m, FAMILY_DURATION, (struct str[]){r->policy, r->expert}, r->total_ms);
    if (r->first_token_ms >= 0)
        observe(m, FAMILY_FIRST_TOKEN, &r->expert, (uint64_t)r->first_token_ms);
    for (size_t i = 0; i < r->call_count; i++)
        count_call(m, r, &r->calls[i]);
    count(m, FAMILY_CACHE_HITS, &r->policy, r->cached);
    count(m, FAMILY_PREDICTED, &r->policy, r->predicted_nano_usd);
    if (r->outcome == REQUEST_ANSWERED && r->reference_nano_usd > 0) {
        count(m, FAMILY_REFERENCE, &r->policy, r->reference_nano_usd);
        count(m, FAMILY_SAVED, &r->policy, r->reference_nano_usd - r->cost.nano_usd);
    }
}

void metrics_retried(struct metrics *m, struct str expert, bool same)
{
    count(m, same ? FAMILY_RETRIES : FAMILY_FAILOVERS, &expert, 1);
}

void metrics_rejected(struct metrics *m, int http_status)
{
    char code[16];
    snprintf(code, sizeof(code), "%d", http_status);
    count(m, FAMILY_REJECTED, (struct str[]){str_from(code)}, 1);
}
