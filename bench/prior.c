/* What placing experts without outcomes is worth (docs/prior.md), leaving the experts out:
 *
 *     bench_prior [DATA [SEEDS [FEW]]]     DATA: LEEROO_DATA or ../shared/data; SEEDS: draws of the few outcomes (5);
 *                                          FEW: outcomes of each expert (30); POOL=N picks one pool
 *
 * Five folds by text. The base model is made from four of them, of all data sets, and from other experts than the
 * pool's (but where these are placed by name); what is measured are the texts of the fifth. The few outcomes are of one
 * draw of questions for all experts, out of an eighth of the four that the base model does not see. Accuracies at
 * shares of the reference's cost, as the curve has them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "judge/rescore.h"
#include "prior/base_learn.h"
#include "prior/prior_int.h"
#include "train/train.h"

#define FOLDS     5
#define EXPERTS   8
#define SHARES    5
#define ARENA_CAP ((size_t)4 << 30)
#define SETS      4
#define SEEDS_MAX 16
#define KEPT_BACK 8 /* one of so many questions is not for the base model, but for few outcomes */
#define FOLD_SEED 1

static const double shares[SHARES] = {0.10, 0.20, 0.35, 0.50, 0.75};
static const char *const set_names[SETS] = {"mmlu_pro", "mmlu", "bfcl", "livecodebench"};

struct pool {
    const char *title;
    size_t set; /* of set_names */
    size_t count, reference;
    const char *experts[EXPERTS], *like[EXPERTS];
};

static const struct pool pools[] = {
    {.title = "Gemini Flash, Llama-3.1-70B, GPT-4o (MMLU-Pro, judged)",
     .set = 0,
     .count = 3,
     .reference = 2,
     .experts = {"gemini-1.5-flash-002", "llama-3.1-70b-instruct", "gpt-4o-2024-05-13"},
     .like = {"deepseek-v2-chat", "llama-3-70b", "claude-3-opus"}},
    {.title = "Mixtral 8x7B and 8x22B, Llama-3-70B, GPT-4-0613 (MMLU)",
     .set = 1,
     .count = 4,
     .reference = 3,
     .experts = {"mixtral-8x7b-instruct", "mixtral-8x22b", "llama-3-70b", "gpt-4-0613"},
     .like = {"mixtral-8x7b", "qwen1.5-110b", "llama-3.1-70b", "claude-3-opus"}},
};
#define POOLS (sizeof(pools) / sizeof(pools[0]))

enum way { BY_PRICE, BY_LIKE, BY_NAME, PRICE_AND_FEW, LIKE_AND_FEW, TRAINED, WAYS };
static const char *const way_names[WAYS] = {
    "by price", "by like", "by name", "by price, and few outcomes", "by like, and few outcomes",
    "trained"};

struct bench {
    const struct pool *pool;
    struct dataset *sets[SETS], *d;
    size_t expert[EXPERTS], seeds, few;
    uint32_t *known, *rows; /* [known_count] queries that all experts answered */
    size_t known_count;
    struct estimate *estimates[WAYS][SEEDS_MAX]; /* [queries × experts] */
    unsigned fold;
};

static void die(const struct error *err)
{
    fprintf(stderr, "prior: %s\n", err->text);
    exit(1);
}

static bool is_inside(const struct query *q, unsigned fold)
{
    return split_fold(q->text_hash, FOLD_SEED, FOLDS) == fold;
}

/* Few outcomes are of texts that the base model never saw, as a user's are. */
static bool is_kept_back(const struct query *q)
{
    return split_fold(q->text_hash, FOLD_SEED + 1, KEPT_BACK) == 0;
}

static bool uses(const struct query *q, void *arg)
{
    return !is_inside(q, *(const unsigned *)arg) && !is_kept_back(q);
}

static void learn(struct bench *b, bool with_pool, struct arena *a, struct base *ret)
{
    struct error err;
    struct str without[EXPERTS];
    for (size_t e = 0; e < b->pool->count; e++)
        without[e] = str_from(b->pool->experts[e]);
    const struct base_learning l = {.sets = b->sets,
                                    .set_count = SETS,
                                    .without = without,
                                    .without_count = with_pool ? 0 : b->pool->count,
                                    .uses = uses,
                                    .arg = &b->fold,
                                    .seed = 1};
    if (base_learn(&l, a, ret, &err) != OK)
        die(&err);
}

/* Everything of the fold's texts. */
static void estimate(struct bench *b, const struct model *m, struct estimate *into)
{
    struct error err;
    struct features f;
    if (features_init(&f, &err) != OK)
        die(&err);
    for (size_t i = 0; i < b->known_count; i++) {
        const struct query *q = &b->d->queries[b->known[i]];
        if (is_inside(q, b->fold) &&
            model_estimate_text(m, q->prompt, &f, into + i * b->pool->count, &err) != OK)
            die(&err);
    }
    features_done(&f);
}

static void place(struct bench *b, const struct base *base, enum way way,
                  const struct prior_outcome *const *outcomes, struct estimate *into)
{
    struct error err;
    struct prior_expert experts[EXPERTS] = {0};
    struct prior_place places[EXPERTS];
    struct model *m;
    for (size_t e = 0; e < b->pool->count; e++) {
        const struct dataset_expert *x = &b->d->experts[b->expert[e]];
        bool like = way == BY_LIKE || way == LIKE_AND_FEW;
        experts[e] = (struct prior_expert){
            .name = way == BY_NAME ? x->name : str_from(&"xyzw"[e]), /* a name that nobody has */
            .like = str_from(like ? b->pool->like[e] : ""),
            .price = x->price,
            .outcomes = outcomes ? outcomes[e] : NULL,
            .outcome_count = outcomes ? b->few : 0};
    }
    if (prior_model_of(base, experts, b->pool->count, &m, places, &err) != OK)
        die(&err);
    if (getenv("VERBOSE"))
        for (size_t e = 0; e < b->pool->count; e++)
            fprintf(stderr, "%s, %s: %.3f ± %.3f, %s\n", way_names[way], b->pool->experts[e],
                    places[e].accuracy, places[e].accuracy_sd, places[e].words);
    estimate(b, m, into);
    model_free(m);
}

/* One draw of questions outside the fold, for all experts. */
static void place_few(struct bench *b, const struct base *base, size_t seed)
{
    struct rng rng;
    struct prior_outcome *outcomes[EXPERTS];
    size_t n = 0;
    for (size_t i = 0; i < b->known_count; i++)
        if (!is_inside(&b->d->queries[b->known[i]], b->fold) &&
            is_kept_back(&b->d->queries[b->known[i]]))
            b->rows[n++] = b->known[i];
    rng_seed(&rng, 1000 * (seed + 1) + b->fold);
    rng_shuffle_u32(&rng, b->rows, n);
    for (size_t e = 0; e < b->pool->count; e++) {
        outcomes[e] = calloc(b->few + 1, sizeof(*outcomes[e]));
        for (size_t i = 0; i < b->few; i++) {
            const struct outcome *o = dataset_outcome(b->d, b->rows[i], b->expert[e]);
            outcomes[e][i] =
                (struct prior_outcome){.text = b->d->queries[b->rows[i]].prompt,
                                       .score = o->score,
                                       .output_tokens = o->tokens_known ? o->output_tokens : 0,
                                       .confidence = outcome_confidence(o)};
        }
    }
    const struct prior_outcome *const *given = (const struct prior_outcome *const *)outcomes;
    place(b, base, PRICE_AND_FEW, given, b->estimates[PRICE_AND_FEW][seed]);
    place(b, base, LIKE_AND_FEW, given, b->estimates[LIKE_AND_FEW][seed]);
    for (size_t e = 0; e < b->pool->count; e++)
        free(outcomes[e]);
}

/* A fold of plain training, in one piece: rows, model, estimates. */
static void train_fold(struct bench *b)
{
    struct error err;
    struct dataset *part;
    struct trained *t;
    struct train_options options;
    struct features f;
    struct estimate estimates[EXPERTS];
    uint32_t *rows = calloc(b->d->query_count, sizeof(*rows));
    size_t n = 0;
    for (size_t i = 0; i < b->d->query_count; i++)
        if (!is_inside(&b->d->queries[i], b->fold))
            rows[n++] = (uint32_t)i;
    train_options_default(&options);
    options.experts = b->expert;
    options.expert_count = b->pool->count;
    if (dataset_subset(b->d, rows, n, &part, &err) != OK ||
        train_run(part, &options, &t, &err) != OK || features_init(&f, &err) != OK)
        die(&err);
    for (size_t i = 0; i < b->known_count; i++) {
        const struct query *q = &b->d->queries[b->known[i]];
        if (!is_inside(q, b->fold))
            continue;
        if (trained_estimate_text(t, q->prompt, &f, estimates, &err) != OK)
            die(&err);
        memcpy(b->estimates[TRAINED][0] + i * b->pool->count, estimates,
               b->pool->count * sizeof(*estimates));
    }
    features_done(&f);
    trained_free(t);
    dataset_free(part);
    free(rows);
}

static void run_fold(struct bench *b)
{
    struct base base;
    struct arena *a = arena_create(ARENA_CAP);
    learn(b, false, a, &base);
    place(b, &base, BY_PRICE, NULL, b->estimates[BY_PRICE][0]);
    place(b, &base, BY_LIKE, NULL, b->estimates[BY_LIKE][0]);
    for (size_t s = 0; s < b->seeds; s++)
        place_few(b, &base, s);
    learn(b, true, a, &base);
    place(b, &base, BY_NAME, NULL, b->estimates[BY_NAME][0]);
    arena_free(a);
    train_fold(b);
    fprintf(stderr, "fold %u of %d\n", b->fold + 1, FOLDS);
}

/* accuracy[SHARES] in percent */
static void measure(const struct bench *b, const struct outcome *outcomes,
                    const struct estimate *estimates, double *accuracy)
{
    struct error err;
    struct curve curve;
    struct arena *a = arena_create(ARENA_CAP);
    struct str names[EXPERTS];
    double cost = 0, n = (double)b->known_count;
    for (size_t e = 0; e < b->pool->count; e++)
        names[e] = str_from(b->pool->experts[e]);
    const struct eval_table table = {.queries = b->known_count,
                                     .experts = b->pool->count,
                                     .names = names,
                                     .estimates = estimates,
                                     .outcomes = outcomes,
                                     .reference = b->pool->reference};
    if (curve_make(&table, a, &curve, &err) != OK)
        die(&err);
    struct curve_point *points = ARENA_ARRAY(a, curve.step_count + 1, struct curve_point);
    curve_trace(&curve, NULL, points);
    for (size_t q = 0; q < b->known_count; q++)
        cost += (double)eval_outcome(&table, q, b->pool->reference)->cost_nano_usd;
    for (size_t k = 0; k < SHARES; k++)
        accuracy[k] = 100 * curve_score_at(points, curve.step_count + 1, cost * shares[k]) / n;
    arena_free(a);
}

/* The best mix of two experts in hindsight. */
static void best_mix(const struct bench *b, const struct outcome *outcomes, double *accuracy)
{
    double score[EXPERTS] = {0}, cost[EXPERTS] = {0}, n = (double)b->known_count;
    size_t count = b->pool->count;
    for (size_t i = 0; i < b->known_count * count; i++) {
        score[i % count] += 100 * (double)outcomes[i].score / n;
        cost[i % count] += (double)outcomes[i].cost_nano_usd / n;
    }
    for (size_t k = 0; k < SHARES; k++) {
        double paid = shares[k] * cost[b->pool->reference];
        accuracy[k] = 0;
        for (size_t x = 0; x < count; x++)
            for (size_t y = 0; y < count; y++) {
                double part = x == y ? 0 : (paid - cost[x]) / (cost[y] - cost[x]);
                if (cost[x] <= paid && part >= 0 && part <= 1)
                    accuracy[k] = fmax(accuracy[k], score[x] + part * (score[y] - score[x]));
            }
    }
}

static void print_row(const char *name, const double *accuracy)
{
    printf("| %s |", name);
    for (size_t k = 0; k < SHARES; k++)
        printf(" %.1f |", accuracy[k]);
    printf("\n");
}

static bool is_few(enum way way)
{
    return way == PRICE_AND_FEW || way == LIKE_AND_FEW;
}

static void report(const struct bench *b)
{
    struct outcome *outcomes = calloc(b->known_count * b->pool->count + 1, sizeof(*outcomes));
    double accuracy[SHARES];
    for (size_t i = 0; i < b->known_count; i++)
        for (size_t e = 0; e < b->pool->count; e++)
            outcomes[i * b->pool->count + e] = *dataset_outcome(b->d, b->known[i], b->expert[e]);
    printf("\n%s, %zu questions\n\n| placed | 10 %% | 20 %% | 35 %% | 50 %% | 75 %% |\n"
           "|---|---|---|---|---|---|\n",
           b->pool->title, b->known_count);
    best_mix(b, outcomes, accuracy);
    print_row("best mix in hindsight", accuracy);
    for (size_t w = 0; w < WAYS; w++) {
        size_t seeds = is_few((enum way)w) ? b->seeds : 1;
        double sum[SHARES] = {0};
        for (size_t s = 0; s < seeds; s++) {
            measure(b, outcomes, b->estimates[w][s], accuracy);
            for (size_t k = 0; k < SHARES; k++)
                sum[k] += accuracy[k] / (double)seeds;
        }
        print_row(way_names[w], sum);
    }
    free(outcomes);
}

static void run_pool(struct bench *b)
{
    b->d = b->sets[b->pool->set];
    for (size_t e = 0; e < b->pool->count; e++) {
        b->expert[e] = dataset_expert_index(b->d, str_from(b->pool->experts[e]));
        if (b->expert[e] == SIZE_MAX)
            exit(1);
    }
    b->known = calloc(b->d->query_count, sizeof(*b->known));
    b->rows = calloc(b->d->query_count, sizeof(*b->rows));
    b->known_count = eval_known_queries(b->d, b->expert, b->pool->count, b->known);
    for (size_t w = 0; w < WAYS; w++)
        for (size_t s = 0; s < (is_few((enum way)w) ? b->seeds : 1); s++)
            b->estimates[w][s] =
                calloc(b->known_count * b->pool->count + 1, sizeof(struct estimate));
    for (b->fold = 0; b->fold < FOLDS; b->fold++)
        run_fold(b);
    report(b);
    for (size_t w = 0; w < WAYS; w++)
        for (size_t s = 0; s < (is_few((enum way)w) ? b->seeds : 1); s++)
            free(b->estimates[w][s]);
    free(b->known);
    free(b->rows);
}

static void load(const char *data, struct dataset **sets)
{
    struct error err;
    char path[1024];
    struct judge_figures figures[DATASET_EXPERTS_MAX];
    for (size_t s = 0; s < SETS; s++) {
        snprintf(path, sizeof(path), "%s/%s", data, set_names[s]);
        if (dataset_load(path, DATASET_ALL, &sets[s], &err) != OK)
            die(&err);
    }
    if (judge_rescore(sets[0], NULL, 0, JUDGE_AUTO, NULL, NULL, figures, &err) != OK)
        die(&err);
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    const char *only = getenv("POOL");
    struct bench b = {.seeds = argc > 2 ? (size_t)atoi(argv[2]) : 5,
                      .few = argc > 3 ? (size_t)atoi(argv[3]) : 30};
    data = data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("no data in %s: nothing measured\n", data);
        return 0;
    }
    b.seeds = b.seeds < 1 ? 1 : b.seeds > SEEDS_MAX ? SEEDS_MAX : b.seeds;
    load(data, b.sets);
    for (size_t p = 0; p < POOLS; p++)
        if (!only || (size_t)atoi(only) == p) {
            b.pool = &pools[p];
            run_pool(&b);
        }
    for (size_t s = 0; s < SETS; s++)
        dataset_free(b.sets[s]);
    return 0;
}
