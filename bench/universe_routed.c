/* What the sets that `select --routed` chooses are worth once they are trained:
 *
 *     bench_universe_routed [DATA [SET...]]    DATA: LEEROO_DATA or ../shared/data; SET: mmlu_pro livecodebench mmlu;
 *                                              RANDOM_SETS=N of four members (200), SPLITS=N (5)
 *
 * First chosen by all queries and measured by folds of other seeds; then chosen by four fifths of the queries, trained
 * on these and measured on the rest. Each set is compared with the most accurate singles, with the cheapest of their
 * frontier, and with random sets, all on the queries that every candidate has outcomes for. Random sets of four are
 * trained as the others are; of other sizes they are taken from the held-out table. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "train/model_edit.h"
#include "train/train.h"
#include "universe/routed_finals.h"

#define SHARES      3
#define SIZE_MAX_K  6
#define ARENA_CAP   ((size_t)8 << 30)
#define FOLD_SEEDS  2
#define TEST_SHARE  0.2
#define PER_SPLIT   4 /* RANDOM_SETS / PER_SPLIT of them for each split */
#define SET_SEED    20260101
#define THREADS_MAX 16

static const double shares[SHARES] = {0.35, 0.5, 0.75};
static const uint64_t fold_seeds[FOLD_SEEDS] = {11, 12}; /* sets are chosen with 0 */

/* A data set, what is trained on and what is measured on; the same without a split. */
struct world {
    struct dataset *d, *train, *test;
    size_t experts[CANDIDATES_MAX], count;
    int64_t cost_nano_usd[CANDIDATES_MAX];
    double score[CANDIDATES_MAX];
    size_t reference;
};

/* A set, and its accuracy at the shares. */
struct job {
    const struct world *w;
    size_t members[SIZE_MAX_K], count;
    uint64_t seed;
    double at[SHARES];
};

static _Noreturn void die(const struct error *err)
{
    fprintf(stderr, "universe_routed: %s\n", err->text);
    exit(1);
}

/* Worlds */

static void world_figures(struct world *w)
{
    uint32_t *rows = calloc(w->d->query_count, sizeof(*rows));
    w->count = w->d->expert_count;
    for (size_t e = 0; e < w->count; e++)
        w->experts[e] = e;
    size_t n = eval_known_queries(w->train, w->experts, w->count, rows);
    for (size_t e = 0; e < w->count; e++) {
        double cost = 0, score = 0;
        for (size_t i = 0; i < n; i++) {
            cost += (double)dataset_outcome(w->train, rows[i], e)->cost_nano_usd;
            score += (double)dataset_outcome(w->train, rows[i], e)->score;
        }
        w->cost_nano_usd[e] = (int64_t)(1000 * cost / (double)n);
        w->score[e] = score / (double)n;
        if (w->score[e] > w->score[w->reference])
            w->reference = e;
    }
    free(rows);
}

static void world_split(struct world *w, uint64_t seed)
{
    struct error err;
    uint32_t *rows = calloc(w->d->query_count, sizeof(*rows));
    for (int test = 0; test < 2; test++) {
        size_t n = 0;
        for (uint32_t q = 0; q < w->d->query_count; q++)
            if (split_in_share(w->d->queries[q].text_hash, seed, TEST_SHARE) == test)
                rows[n++] = q;
        if (dataset_subset(w->d, rows, n, test ? &w->test : &w->train, &err) != OK)
            die(&err);
    }
    free(rows);
}

/* Measuring a set */

static void names_of(const struct job *j, char *names, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < j->count; i++)
        used += (size_t)snprintf(names + used, size - used, "%s%.*s", i ? "," : "",
                                 STR_FMT(j->w->d->experts[j->members[i]].name));
}

/* Accuracy at the shares of the reference's cost, over the queries that every candidate has outcomes for. */
static void read_curve(struct job *j, const struct eval_set *set, const struct dataset *measured,
                       struct arena *a)
{
    struct error err;
    struct curve c;
    const struct world *w = j->w;
    uint32_t *weights = ARENA_ARRAY(a, set->table.queries, uint32_t);
    double cost = 0, n = 0;
    for (size_t row = 0; row < set->table.queries; row++) {
        bool known = true;
        for (size_t e = 0; e < w->count; e++) {
            const struct outcome *o = dataset_outcome(measured, set->query_index[row], e);
            known &= o->known && o->cost_known;
        }
        weights[row] = known;
        if (!known)
            continue;
        cost +=
            (double)dataset_outcome(measured, set->query_index[row], w->reference)->cost_nano_usd;
        n++;
    }
    if (curve_make(&set->table, a, &c, &err) != OK)
        die(&err);
    struct curve_point *points = ARENA_ARRAY(a, c.step_count + 1, struct curve_point);
    curve_trace(&c, weights, points);
    for (size_t i = 0; i < SHARES; i++) {
        double score = curve_score_at(points, c.step_count + 1, shares[i] * cost);
        if (isnan(score)) /* as many as the money pays */
            score = points[0].score * shares[i] * cost / (double)points[0].cost_nano_usd;
        j->at[i] = 100 * score / n;
    }
}

static void measure_folds(struct job *j, const char *names, struct arena *a)
{
    struct error err;
    struct eval_set set;
    const struct folds_options folds = {
        .folds = ROUTED_FOLDS, .experts = names, .plans = "none", .seed = j->seed};
    if (eval_folds_build(j->w->d, &folds, a, &set, &err) != OK)
        die(&err);
    read_curve(j, &set, j->w->d, a);
}

static void measure_split(struct job *j, const char *names, struct arena *a)
{
    struct error err;
    struct eval_set set;
    struct trained *trained;
    struct model *m;
    struct train_options options;
    const struct eval_pool pool = {.experts = names, .plans = "none"};
    train_options_default(&options);
    options.experts = j->members;
    options.expert_count = j->count;
    if (train_run(j->w->train, &options, &trained, &err) != OK ||
        model_parts_load(&trained->parts, &m, &err) != OK ||
        eval_set_build(m, j->w->test, &pool, a, &set, &err) != OK)
        die(&err);
    read_curve(j, &set, j->w->test, a);
    model_free(m);
    trained_free(trained);
}

struct queue {
    struct job *jobs;
    size_t count;
    atomic_size_t next;
};

static void *work(void *arg)
{
    struct queue *queue = arg;
    size_t i;
    while ((i = atomic_fetch_add(&queue->next, 1)) < queue->count) {
        struct job *j = &queue->jobs[i];
        struct arena *a = arena_create(ARENA_CAP);
        char names[SIZE_MAX_K * 128];
        names_of(j, names, sizeof(names));
        (j->w->train == j->w->d ? measure_folds : measure_split)(j, names, a);
        arena_free(a);
    }
    return NULL;
}

static void run_jobs(struct job *jobs, size_t count)
{
    struct queue queue = {.jobs = jobs, .count = count};
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (size_t)cores;
    for (size_t i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, &queue) != 0)
            exit(1);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* Sets */

static bool is_beaten(const struct world *w, size_t e)
{
    for (size_t x = 0; x < w->count; x++)
        if (w->score[x] >= w->score[e] && w->cost_nano_usd[x] < w->cost_nano_usd[e])
            return true;
    return false;
}

/* The most accurate, or the cheapest of the frontier and then the most accurate of the others. */
static struct job plain_set(const struct world *w, size_t k, bool frontier)
{
    struct job j = {.w = w};
    while (j.count < k) {
        size_t best = SIZE_MAX;
        bool best_cheap = false;
        for (size_t e = 0; e < w->count; e++) {
            bool taken = false, cheap = frontier && !is_beaten(w, e);
            for (size_t i = 0; i < j.count; i++)
                taken |= j.members[i] == e;
            if (taken || (best_cheap && !cheap))
                continue;
            if (best == SIZE_MAX || (cheap && !best_cheap) ||
                (cheap ? w->cost_nano_usd[e] < w->cost_nano_usd[best]
                       : w->score[e] > w->score[best])) {
                best = e;
                best_cheap = cheap;
            }
        }
        j.members[j.count++] = best;
    }
    return j;
}

static struct job random_set(const struct world *w, size_t k, struct rng *rng)
{
    struct job j = {.w = w, .count = k};
    uint32_t all[CANDIDATES_MAX];
    for (uint32_t e = 0; e < w->count; e++)
        all[e] = e;
    rng_shuffle_u32(rng, all, w->count);
    for (size_t i = 0; i < k; i++)
        j.members[i] = all[i];
    return j;
}

static struct job chosen_set_of(const struct world *w, struct routed *r, size_t k)
{
    struct error err;
    struct job j = {.w = w};
    const struct set_rules rules = {.candidates = w->count,
                                    .cost_nano_usd = w->cost_nano_usd,
                                    .count_max = k,
                                    .cost_max_nano_usd = INT64_MAX};
    struct routed_choice *choice = malloc(sizeof(*choice));
    if (routed_choose(r, &rules, choice, &err) != OK)
        die(&err);
    j.count = choice->set.count;
    memcpy(j.members, choice->set.members, j.count * sizeof(j.members[0]));
    free(choice);
    return j;
}

static struct routed *routed_of(const struct world *w, double share)
{
    struct error err;
    struct routed *r;
    const struct routed_options options = {.share = share};
    if (routed_create(w->train, w->experts, w->count, &options, &r, &err) != OK)
        die(&err);
    return r;
}

/* Figures */

static size_t setting(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text ? (size_t)strtoul(text, NULL, 10) : otherwise;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of values[n], which are sorted: the share, in percent, that lies below. */
static double share_below(const double *values, size_t n, double value)
{
    size_t below = 0;
    while (below < n && values[below] < value)
        below++;
    return n ? 100.0 * (double)below / (double)n : NAN;
}

static void print_members(const struct job *j)
{
    for (size_t i = 0; i < j->count; i++)
        printf("%s%.*s", i ? ", " : "", STR_FMT(j->w->d->experts[j->members[i]].name));
}

enum { CHOSEN, ACCURATE, FRONTIER, SETS };

/* Random sets of four are trained; of other sizes, and at all shares, the held-out table says what they are worth. */
static void random_scores(struct routed *r, const struct world *w, const struct job *fours,
                          size_t n, size_t k, size_t share, double *values)
{
    struct error err;
    struct rng rng;
    rng_seed(&rng, SET_SEED + k);
    double budget = routed_figures(r)->budget_usd_per_1k;
    for (size_t i = 0; i < n; i++) {
        if (k == 4) {
            values[i] = fours[i].at[share];
            continue;
        }
        struct job j = random_set(w, k, &rng);
        if (routed_scores(r, j.members, k, &budget, 1, &values[i], &err) != OK)
            die(&err);
        values[i] *= 100;
    }
    qsort(values, n, sizeof(*values), compare_doubles);
}

/* What the bars look at: sets of four at half of the best single's cost. */
#define BAR_SET    "mmlu_pro"
#define BAR_SIZE   4
#define BAR_SHARE  1    /* of shares[] */
#define BAR_RANDOM 95.0 /* percent of random sets that are worse */
#define BAR_BEHIND 0.25 /* points behind plain sets that are still noise */

struct beside {
    double below; /* percent of random sets that are worse */
    double gain[SETS];
};

static bool bars_missed;

static void print_bars(const struct beside *x)
{
    bool met = x->below >= BAR_RANDOM && x->gain[ACCURATE] >= -BAR_BEHIND &&
               x->gain[FRONTIER] >= -BAR_BEHIND;
    bars_missed |= !met;
    printf(
        "\nfour at half of the cost: better than %.1f %% of random sets (bar %.0f), %+.2f points "
        "beside the most accurate, %+.2f beside the frontier (bar %+.2f): %s\n",
        x->below, BAR_RANDOM, x->gain[ACCURATE], x->gain[FRONTIER], -BAR_BEHIND,
        met ? "met" : "MISSED");
}

/* One row: a size at a share. */
static struct beside print_row(const struct job *jobs, size_t share, const double *random, size_t n)
{
    double mean[SETS] = {0};
    for (size_t s = 0; s < SETS; s++)
        for (size_t f = 0; f < FOLD_SEEDS; f++)
            mean[s] += jobs[s * FOLD_SEEDS + f].at[share] / FOLD_SEEDS;
    struct beside beside = {.below = share_below(random, n, mean[CHOSEN])};
    for (size_t s = 0; s < SETS; s++)
        beside.gain[s] = mean[CHOSEN] - mean[s];
    printf("| %zu | %.0f %% | %.2f | %.2f | %.2f | %.2f, %.2f | %.1f %% | ", jobs[0].count,
           100 * shares[share], mean[CHOSEN], mean[ACCURATE], mean[FRONTIER], random[n / 2],
           random[n * 95 / 100], beside.below);
    print_members(&jobs[0]);
    printf(" |\n");
    fflush(stdout);
    return beside;
}

/* The ranks of values[n], 0 the lowest. */
static void rank_all(const double *values, size_t n, double *ranks)
{
    for (size_t i = 0; i < n; i++) {
        ranks[i] = 0;
        for (size_t k = 0; k < n; k++)
            ranks[i] += values[k] < values[i] ? 1 : k != i && values[k] == values[i] ? 0.5 : 0;
    }
}

/* How the table of all candidates ranks sets, beside training each by itself. */
static void print_ranking(struct routed *r, const struct job *fours, size_t n, size_t share)
{
    struct error err;
    double budget = routed_figures(r)->budget_usd_per_1k, sum = 0, squares = 0, product = 0,
           norm = 0;
    double *trained = calloc(4 * n, sizeof(*trained));
    double *table = trained + n, *x = table + n, *y = x + n;
    for (size_t i = 0; i < n; i++) {
        trained[i] = fours[i].at[share];
        if (routed_scores(r, fours[i].members, fours[i].count, &budget, 1, &table[i], &err) != OK)
            die(&err);
        table[i] *= 100;
        sum += table[i] - trained[i];
        squares += (table[i] - trained[i]) * (table[i] - trained[i]);
    }
    rank_all(trained, n, x);
    rank_all(table, n, y);
    double middle = (double)(n - 1) / 2, mean = sum / (double)n, other = 0;
    for (size_t i = 0; i < n; i++) {
        product += (x[i] - middle) * (y[i] - middle);
        norm += (x[i] - middle) * (x[i] - middle);
        other += (y[i] - middle) * (y[i] - middle);
    }
    printf(
        "\n%zu random sets of four, by the table of all candidates and trained by themselves: rank "
        "correlation %.3f, the table %+.2f points above, standard deviation %.2f\n",
        n, product / sqrt(norm * other), mean, sqrt(squares / (double)n - mean * mean));
    free(trained);
}

/* A size at a share: its row of the table. */
static struct beside measure_row(const struct world *w, struct routed *r, const struct job *fours,
                                 size_t n, size_t k, size_t share)
{
    struct job jobs[SETS * FOLD_SEEDS];
    const struct job sets[SETS] = {chosen_set_of(w, r, k), plain_set(w, k, false),
                                   plain_set(w, k, true)};
    double *random = calloc(n, sizeof(*random));
    for (size_t i = 0; i < SETS * FOLD_SEEDS; i++) {
        jobs[i] = sets[i / FOLD_SEEDS];
        jobs[i].seed = fold_seeds[i % FOLD_SEEDS];
    }
    run_jobs(jobs, SETS * FOLD_SEEDS);
    random_scores(r, w, fours, n, k, share, random);
    const struct beside row = print_row(jobs, share, random, n);
    free(random);
    return row;
}

/* Chosen by all queries, measured by other folds: four at all shares, the other sizes at that of the bars. */
static struct beside by_folds(struct dataset *d)
{
    struct beside bar = {0};
    struct world w = {.d = d, .train = d, .test = d};
    struct rng rng;
    size_t n = setting("RANDOM_SETS", 200);
    struct job *fours = calloc(n, sizeof(*fours));
    world_figures(&w);
    rng_seed(&rng, SET_SEED);
    for (size_t i = 0; i < n; i++) {
        fours[i] = random_set(&w, 4, &rng);
        fours[i].seed = fold_seeds[0];
    }
    run_jobs(fours, n);
    printf(
        "\n| k | budget | chosen | most accurate | frontier | random: median, 95th | random below "
        "| chosen |\n|---|---|---|---|---|---|---|---|\n");
    for (size_t share = 0; share < SHARES; share++) {
        struct routed *r = routed_of(&w, shares[share]);
        for (size_t k = 2; k <= SIZE_MAX_K; k++) {
            if (k != BAR_SIZE && share != BAR_SHARE)
                continue;
            struct beside row = measure_row(&w, r, fours, n, k, share);
            if (k == BAR_SIZE && share == BAR_SHARE)
                bar = row;
        }
        if (share == SHARES - 1)
            print_ranking(r, fours, n, share);
        routed_free(r);
    }
    free(fours);
    return bar;
}

/* Mean and standard error of values[n]. */
static void print_mean(const double *values, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - sum / (double)n) * (values[i] - sum / (double)n);
    printf(" %+.2f ±%.2f", sum / (double)n, sqrt(squares / (double)(n - 1) / (double)n));
}

/* One piece: a split of its own chooses, trains and measures everything. Chosen by the training part. */
static void by_splits(struct dataset *d)
{
    size_t n = setting("RANDOM_SETS", 200) / PER_SPLIT, splits = setting("SPLITS", 5);
    struct job *jobs = calloc(SETS + n, sizeof(*jobs));
    double *random = calloc(n, sizeof(*random)), *gains = calloc(2 * splits, sizeof(*gains));
    printf("\n| split | chosen | most accurate | frontier | random: median, 95th | random below | "
           "chosen |\n|---|---|---|---|---|---|---|\n");
    for (size_t split = 0; split < splits; split++) {
        struct world w = {.d = d};
        struct rng rng;
        world_split(&w, split + 1);
        world_figures(&w);
        struct routed *r = routed_of(&w, shares[1]);
        rng_seed(&rng, SET_SEED + split);
        jobs[CHOSEN] = chosen_set_of(&w, r, 4);
        jobs[ACCURATE] = plain_set(&w, 4, false);
        jobs[FRONTIER] = plain_set(&w, 4, true);
        for (size_t i = 0; i < n; i++)
            jobs[SETS + i] = random_set(&w, 4, &rng);
        run_jobs(jobs, SETS + n);
        for (size_t i = 0; i < n; i++)
            random[i] = jobs[SETS + i].at[1];
        qsort(random, n, sizeof(*random), compare_doubles);
        printf("| %zu | %.2f | %.2f | %.2f | %.2f, %.2f | %.1f %% | ", split + 1,
               jobs[CHOSEN].at[1], jobs[ACCURATE].at[1], jobs[FRONTIER].at[1], random[n / 2],
               random[n * 95 / 100], share_below(random, n, jobs[CHOSEN].at[1]));
        print_members(&jobs[CHOSEN]);
        printf(" |\n");
        fflush(stdout);
        gains[split] = jobs[CHOSEN].at[1] - jobs[ACCURATE].at[1];
        gains[splits + split] = jobs[CHOSEN].at[1] - jobs[FRONTIER].at[1];
        routed_free(r);
        dataset_free(w.train);
        dataset_free(w.test);
    }
    printf("\nchosen above the most accurate, above the frontier, in points:");
    print_mean(gains, splits);
    printf(",");
    print_mean(gains + splits, splits);
    printf("\n");
    free(gains);
    free(random);
    free(jobs);
}

int main(int argc, char **argv)
{
    static char *const usual[] = {"mmlu_pro", "livecodebench", "mmlu"};
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    char *const *sets = argc > 2 ? argv + 2 : usual;
    size_t count = argc > 2 ? (size_t)argc - 2 : sizeof(usual) / sizeof(usual[0]);
    for (size_t i = 0; i < count; i++) {
        struct error err;
        struct dataset *d;
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", data ? data : "../shared/data", sets[i]);
        if (access(path, R_OK) != 0) {
            printf("skipped: no data in %s\n", path);
            continue;
        }
        if (dataset_load(path, DATASET_ALL, &d, &err) != OK)
            die(&err);
        printf("\n## %s: sets of %zu candidates, %% right\n", sets[i], d->expert_count);
        const struct beside bar = by_folds(d);
        if (strcmp(sets[i], BAR_SET) == 0)
            print_bars(&bar);
        by_splits(d);
        dataset_free(d);
    }
    return bars_missed;
}
