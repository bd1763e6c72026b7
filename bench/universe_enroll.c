/* What an enrolment is worth (docs/universe.md): newcomers join a pool of nine others by few outcomes, beside models
 * that learnt from all outcomes of all ten.
 *
 *     bench_universe_enroll [DATA [POOLS [DRAWS]]]    DATA: LEEROO_DATA or ../shared/data; POOLS: draws of the nine,
 *                                                     each with a split of its own (3); DRAWS: of the outcomes (3),
 *                                                     thrice that of 200 at random and suggested
 *
 * A quarter of the questions, by text, is measured and never learnt from; outcomes are of the others, which the model
 * of nine was trained on. Accuracies are those of routing by the exact curve at shares of the cost of the best of the
 * ten, without plans. A pool is drawn again until its cheapest costs at most .3 of that. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "enroll/suggest.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "prior/prior.h"
#include "train/train.h"

#define ARENA_CAP    ((size_t)8 << 30)
#define SHARES       3
#define SETS         3
#define POOL         9
#define ALL          (POOL + 1)
#define TEST_PART    0.25
#define CHEAPEST_MAX 0.3
#define REDRAW       1000 /* seeds between draws of one pool */
#define FEW          50
#define MORE         200
#define PAIRED       3    /* times the draws of 200 at random and suggested, which are compared */
#define UNANSWERED   1500 /* questions at most that are told without an answer */

static const double shares[SHARES] = {0.35, 0.50, 0.75};
static const char *const set_names[SETS] = {"mmlu_pro", "mmlu", "livecodebench"};

struct newcomer {
    size_t set;
    const char *name;
};

static const struct newcomer reported[] = {
    {0, "gemini-1.5-pro-002"},    {0, "llama-3.1-70b-instruct"},
    {0, "deepseek-v2-chat"},      {0, "phi-3-mini-4k-instruct"},
    {0, "mathstral-7b"},          {1, "gpt-4o-2024-05-13"},
    {1, "mixtral-8x7b-instruct"}, {1, "llama-3-8b"},
    {2, "deepseek-v3"},           {2, "o3-mini-2025-01-31-med"},
    {2, "gpt-4o-2024-08-06"},
};

/* Others, on which the settings were chosen: TUNE=1. */
static const struct newcomer tuned[] = {
    {0, "gemini-1.5-flash-002"},
    {0, "llama-3-70b"},
    {0, "qwen1.5-72b-chat"},
    {0, "deepseek-coder-v2"},
    {0, "llama-3.1-8b-instruct"},
    {0, "jamba-1.5-large"},
    {0, "gpt-4o-2024-05-13"},
    {1, "gemini-1.5-pro-preview-0409"},
    {1, "mixtral-8x22b"},
    {1, "zephyr-7b-beta"},
    {1, "gemini-1.5-flash-preview-0514"},
    {2, "gpt-4o-mini-2024-07-18"},
    {2, "gemini-2.5-flash-preview"},
    {2, "qwq-32b-preview"},
    {2, "claude-3.5-sonnet-20241022"},
};

enum way { WITHOUT, NONE, BY_FEW, BY_MORE, SUGGESTED, BY_ALL, WAYS };
static const char *const way_names[WAYS] = {"without", "0", "50", "200", "200 suggested", "all"};

struct bench {
    struct dataset *d;
    size_t experts[ALL]; /* the newcomer last */
    uint32_t *train, *test, *order;
    size_t train_count, test_count, reference;
    struct model *nine, *ten;
    struct arena *arena;
};

static _Noreturn void die(const struct error *err)
{
    fprintf(stderr, "enroll: %s\n", err->text);
    exit(1);
}

static struct model *learn(const struct bench *b, size_t count)
{
    struct error err;
    struct dataset *part;
    struct trained *t;
    struct model *m;
    struct train_options options;
    train_options_default(&options);
    options.experts = b->experts;
    options.expert_count = count;
    if (dataset_subset(b->d, b->train, b->train_count, &part, &err) != OK ||
        train_run(part, &options, &t, &err) != OK || model_parts_load(&t->parts, &m, &err) != OK)
        die(&err);
    trained_free(t);
    dataset_free(part);
    return m;
}

/* Measuring */

/* estimates [test × ALL] of the first `count` experts; outcomes the same of all. Returns the reference's cost. */
static double fill(const struct bench *b, const struct model *m, size_t count,
                   struct estimate *estimates, struct outcome *outcomes)
{
    struct error err;
    struct features f = {0};
    struct estimate all[MODEL_ARMS_MAX];
    double cost = 0;
    for (size_t i = 0; i < b->test_count; i++) {
        if (model_estimate_text(m, b->d->queries[b->test[i]].prompt, &f, all, &err) != OK)
            die(&err);
        memcpy(estimates + i * ALL, all, count * sizeof(*all));
        for (size_t e = 0; e < ALL; e++)
            outcomes[i * ALL + e] = *dataset_outcome(b->d, b->test[i], b->experts[e]);
        cost += (double)outcomes[i * ALL + b->reference].cost_nano_usd;
    }
    features_done(&f);
    return cost;
}

/* accuracy[SHARES] of routing by `m`, whose experts are the first of b->experts, in percent */
static void measure(const struct bench *b, const struct model *m, size_t count, double *accuracy)
{
    struct error err;
    struct curve curve;
    struct arena *a = arena_create(ARENA_CAP);
    size_t n = b->test_count;
    struct str names[ALL];
    bool pool[ALL];
    struct outcome *outcomes = ARENA_ARRAY(a, n * ALL, struct outcome);
    struct estimate *estimates = ARENA_ARRAY(a, n * ALL, struct estimate);
    for (size_t e = 0; e < ALL; e++) {
        names[e] = b->d->experts[b->experts[e]].name;
        pool[e] = e < count;
    }
    double cost = fill(b, m, count, estimates, outcomes);
    const struct eval_table t = {.queries = n,
                                 .experts = ALL,
                                 .names = names,
                                 .estimates = estimates,
                                 .outcomes = outcomes,
                                 .pool = pool,
                                 .reference = b->reference};
    if (curve_make(&t, a, &curve, &err) != OK)
        die(&err);
    struct curve_point *points = ARENA_ARRAY(a, curve.step_count + 1, struct curve_point);
    curve_trace(&curve, NULL, points);
    for (size_t k = 0; k < SHARES; k++)
        accuracy[k] =
            100 * curve_score_at(points, curve.step_count + 1, cost * shares[k]) / (double)n;
    arena_free(a);
}

/* Choosing pool and split */

static void draw_pool(struct bench *b, size_t newcomer, uint64_t seed)
{
    struct rng rng;
    uint32_t order[DATASET_EXPERTS_MAX];
    size_t n = 0;
    for (size_t e = 0; e < b->d->expert_count; e++)
        if (e != newcomer && eval_has_outcomes(b->d, e))
            order[n++] = (uint32_t)e;
    rng_seed(&rng, 77 * seed + newcomer);
    rng_shuffle_u32(&rng, order, n);
    for (size_t i = 0; i < POOL; i++)
        b->experts[i] = order[i];
    b->experts[POOL] = newcomer;
}

static void split(struct bench *b, uint64_t seed)
{
    uint32_t *known = calloc(b->d->query_count, sizeof(*known));
    size_t count = eval_known_queries(b->d, b->experts, ALL, known);
    b->train_count = b->test_count = 0;
    for (size_t i = 0; i < count; i++)
        if (split_in_share(b->d->queries[known[i]].text_hash, seed, TEST_PART))
            b->test[b->test_count++] = known[i];
        else
            b->train[b->train_count++] = known[i];
    free(known);
}

/* The reference; whether the cheapest of the nine costs little enough beside it. */
static bool find_reference(struct bench *b)
{
    double cost[ALL] = {0}, least = INFINITY;
    b->reference = 0;
    for (size_t e = 0; e < ALL; e++) {
        if (eval_mean_score(b->d, b->experts[e]) > eval_mean_score(b->d, b->experts[b->reference]))
            b->reference = e;
        for (size_t i = 0; i < b->test_count; i++)
            cost[e] += (double)dataset_outcome(b->d, b->test[i], b->experts[e])->cost_nano_usd;
        least = e < POOL ? fmin(least, cost[e]) : least;
    }
    return least <= CHEAPEST_MAX * cost[b->reference];
}

static void choose(struct bench *b, size_t newcomer, uint64_t seed)
{
    do {
        draw_pool(b, newcomer, seed);
        split(b, seed);
        seed += REDRAW;
    } while (!find_reference(b));
}

/* Enrolling */

/* All training questions in the order of b->order, of which the newcomer has answered the first `count`. */
static struct enroll_row *rows_of(const struct bench *b, size_t count)
{
    struct enroll_row *rows = ARENA_ARRAY(b->arena, b->train_count + 1, struct enroll_row);
    float *others = ARENA_ARRAY(b->arena, b->train_count * POOL + 1, float);
    for (size_t i = 0; i < b->train_count; i++) {
        const struct query *q = &b->d->queries[b->order[i]];
        const struct outcome *o = dataset_outcome(b->d, b->order[i], b->experts[POOL]);
        for (size_t e = 0; e < POOL; e++)
            others[i * POOL + e] = dataset_outcome(b->d, b->order[i], b->experts[e])->score;
        rows[i] = (struct enroll_row){.text = q->prompt,
                                      .text_hash = q->text_hash,
                                      .score = i < count ? o->score : -1,
                                      .others = others + i * POOL};
        if (i < count && o->tokens_known) {
            rows[i].input_tokens = o->input_tokens;
            rows[i].output_tokens = o->output_tokens;
        }
        rows[i].cost_usd = i < count ? (double)o->cost_nano_usd / (double)NANO_PER_USD : 0;
    }
    return rows;
}

static struct enroll_newcomer introduce(const struct bench *b)
{
    struct error err;
    struct prior_place place;
    const struct dataset_expert *is = &b->d->experts[b->experts[POOL]];
    const struct prior_expert as = {.name = is->name, .price = is->price};
    struct enroll_newcomer n = {.name = is->name, .price = is->price};
    if (prior_believe(b->nine, &as, 1, &n.belief, &place, &err) != OK)
        die(&err);
    return n;
}

static struct model *enroll(const struct bench *b, size_t count)
{
    struct error err;
    struct enroll_figures figures;
    struct expert_parameters p;
    struct buf bytes;
    struct model *m;
    struct enroll_newcomer n = introduce(b);
    const struct model_edit edit = {.add = &p, .add_count = 1};
    n.rows = rows_of(b, count);
    n.row_count = count + UNANSWERED < b->train_count ? count + UNANSWERED : b->train_count;
    if (enroll_fit(b->nine, &n, b->arena, &p, &figures, &err) != OK)
        die(&err);
    buf_init(&bytes, MODEL_BYTES_MAX);
    if (model_rewrite_bytes(b->nine, &edit, &bytes, &err) != OK ||
        model_load_bytes(bytes.ptr, bytes.len, &m, &err) != OK)
        die(&err);
    buf_done(&bytes);
    if (getenv("VERBOSE"))
        fprintf(stderr, "%zu outcomes: %.3f ± %.3f\n", figures.outcomes, figures.accuracy,
                figures.accuracy_sd);
    return m;
}

/* Puts those first that are suggested, of half of the questions, as b->order has them: a draw, too. */
static void suggest(struct bench *b, size_t want)
{
    struct error err;
    const struct enroll_newcomer n = introduce(b);
    const struct enroll_row *rows = rows_of(b, 0);
    uint32_t *picks = ARENA_ARRAY(b->arena, want, uint32_t);
    size_t count = 0;
    if (enroll_suggest(b->nine, &n.belief, rows, b->train_count / 2, NULL, want, b->arena, picks,
                       &count, &err) != OK)
        die(&err);
    uint32_t *was = ARENA_ARRAY(b->arena, b->train_count, uint32_t);
    bool *taken = ARENA_ARRAY(b->arena, b->train_count, bool);
    memcpy(was, b->order, b->train_count * sizeof(*was));
    for (size_t i = 0; i < count; i++) {
        b->order[i] = was[picks[i]];
        taken[picks[i]] = true;
    }
    for (size_t i = 0, at = count; i < b->train_count; i++)
        if (!taken[i])
            b->order[at++] = was[i];
}

/* What was found of one newcomer: differences to all outcomes of all, means over pools and draws. */
struct found {
    double difference[WAYS][SHARES], worst[WAYS], accuracy[SHARES];
    double gain, gain_squares; /* of suggested against random: means over pools of a pool's mean */
};

static void add(struct found *f, enum way way, const double *accuracy, const double *base,
                double share)
{
    for (size_t k = 0; k < SHARES; k++) {
        f->difference[way][k] += share * (accuracy[k] - base[k]);
        f->worst[way] = fmin(f->worst[way], accuracy[k] - base[k]);
    }
}

/* Returns the mean difference over shares and draws. */
static double try_way(struct bench *b, enum way way, size_t draws, const double *base, double share,
                      struct found *f)
{
    double mean = 0;
    const size_t counts[WAYS] = {0, 0, FEW, MORE, MORE, b->train_count};
    size_t times = way == NONE || way == BY_ALL ? 1 : way == BY_FEW ? draws : PAIRED * draws;
    for (size_t d = 0; d < times; d++) {
        struct rng rng;
        double accuracy[SHARES];
        size_t n = counts[way] < b->train_count ? counts[way] : b->train_count;
        memcpy(b->order, b->train, b->train_count * sizeof(*b->order));
        rng_seed(&rng, 1000 + d);
        rng_shuffle_u32(&rng, b->order, b->train_count);
        if (way == SUGGESTED)
            suggest(b, n);
        struct model *m = enroll(b, n);
        measure(b, m, ALL, accuracy);
        add(f, way, accuracy, base, share / (double)times);
        for (size_t k = 0; k < SHARES; k++)
            mean += (accuracy[k] - base[k]) / (double)(SHARES * times);
        model_free(m);
        arena_reset(b->arena);
    }
    return mean;
}

static void run_pool(struct bench *b, size_t newcomer, uint64_t seed, size_t draws, double share,
                     struct found *f)
{
    double base[SHARES], nine[SHARES], means[WAYS];
    choose(b, newcomer, seed);
    b->nine = learn(b, POOL);
    b->ten = learn(b, ALL);
    measure(b, b->ten, ALL, base);
    measure(b, b->nine, POOL, nine);
    for (size_t k = 0; k < SHARES; k++)
        f->accuracy[k] += share * base[k];
    add(f, WITHOUT, nine, base, share);
    for (size_t w = NONE; w < WAYS; w++)
        means[w] = try_way(b, (enum way)w, draws, base, share, f);
    double gain = means[SUGGESTED] - means[BY_MORE];
    f->gain += share * gain;
    f->gain_squares += share * gain * gain;
    model_free(b->nine);
    model_free(b->ten);
}

/* Printing */

static void print_row(const char *name, const struct found *f)
{
    printf("| %s | %.1f / %.1f / %.1f |", name, f->accuracy[0], f->accuracy[1], f->accuracy[2]);
    for (size_t w = 0; w < WAYS; w++)
        printf(" %+.1f / %+.1f / %+.1f |", f->difference[w][0], f->difference[w][1],
               f->difference[w][2]);
    printf("\n");
    fflush(stdout);
}

static void average(const struct found *all, const size_t *sets, size_t count, size_t set,
                    struct found *ret)
{
    double n = 0;
    for (size_t i = 0; i < count; i++)
        n += sets[i] == set;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < SHARES && sets[i] == set; k++) {
            ret->accuracy[k] += all[i].accuracy[k] / n;
            for (size_t w = 0; w < WAYS; w++) {
                ret->difference[w][k] += all[i].difference[w][k] / n;
                ret->worst[w] = fmin(ret->worst[w], all[i].worst[w]);
            }
        }
}

/* The error is of these newcomers, over pools, splits and draws. */
static void print_gain(const struct found *all, size_t count, size_t pools)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++) {
        mean += all[i].gain / (double)count;
        variance += (all[i].gain_squares - all[i].gain * all[i].gain) / (double)(pools - 1);
    }
    printf("\n200 suggested less 200 at random, over newcomers and shares: %+.3f", mean);
    if (pools > 1)
        printf(" ± %.3f", sqrt(variance) / (double)count);
    printf("\n");
}

static void print_head(void)
{
    printf("| newcomer | trained on all |");
    for (size_t w = 0; w < WAYS; w++)
        printf(" %s |", way_names[w]);
    printf("\n|---|---|");
    for (size_t w = 0; w < WAYS; w++)
        printf("---|");
    printf("\n");
}

/* One piece: a newcomer after the other, then the means. */
static void run(struct dataset *const *sets, const struct newcomer *list, size_t count,
                size_t pools, size_t draws)
{
    struct found *all = calloc(count, sizeof(*all));
    size_t *of = calloc(count, sizeof(*of));
    print_head();
    for (size_t i = 0; i < count; i++) {
        struct bench b = {.d = sets[list[i].set], .arena = arena_create(ARENA_CAP)};
        b.train = calloc(b.d->query_count, sizeof(*b.train));
        b.test = calloc(b.d->query_count, sizeof(*b.test));
        b.order = calloc(b.d->query_count, sizeof(*b.order));
        of[i] = list[i].set;
        for (size_t p = 1; p <= pools; p++)
            run_pool(&b, dataset_expert_index(b.d, str_from(list[i].name)), p, draws,
                     1 / (double)pools, &all[i]);
        print_row(list[i].name, &all[i]);
        free(b.train);
        free(b.test);
        free(b.order);
        arena_free(b.arena);
    }
    for (size_t s = 0; s < SETS; s++) {
        struct found mean = {0};
        average(all, of, count, s, &mean);
        print_row(set_names[s], &mean);
    }
    print_gain(all, count, pools);
    free(all);
    free(of);
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    size_t pools = argc > 2 ? (size_t)atoi(argv[2]) : 3,
           draws = argc > 3 ? (size_t)atoi(argv[3]) : 3;
    bool tune = getenv("TUNE");
    struct dataset *sets[SETS];
    struct error err;
    char path[1024];
    data = data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("no data in %s: nothing measured\n", data);
        return 0;
    }
    for (size_t k = 0; k < SETS; k++) {
        snprintf(path, sizeof(path), "%s/%s", data, set_names[k]);
        if (dataset_load(path, DATASET_ALL, &sets[k], &err) != OK)
            die(&err);
    }
    run(sets, tune ? tuned : reported,
        tune ? sizeof(tuned) / sizeof(*tuned) : sizeof(reported) / sizeof(*reported), pools, draws);
    for (size_t k = 0; k < SETS; k++)
        dataset_free(sets[k]);
    return 0;
}
