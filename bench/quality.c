/* What routing is worth: five-fold cross-validation (folds by text) on recorded outcomes, from one command:
 *
 *     bench_quality [DATA [REPEATS]]        DATA: LEEROO_DATA or ../shared/data; REPEATS: other folds each time
 *
 * For each pool the router is trained on four folds and measured on the fifth. Pairs: APGR and CPT, means over the
 * folds. Pools: accuracy at shares of the reference's cost, over all held-out queries together. Experts: calibration,
 * and the error of the predicted costs. For ablations the environment overrides what training does (the names stand in
 * set_options) and ONLY=N picks one task. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/auc_ece.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "eval/pair.h"
#include "train/train.h"

#define FOLDS     5
#define ARENA_CAP ((size_t)8 << 30)

struct task {
    const char *title, *dataset, *experts,
        *reference;                       /* the first expert of a pair is the weak one */
    double apgr, cpt50, cpt80, at50, ece; /* bars; 0: none */
    const char *without;                  /* a domain that is left out of training and measuring */
    size_t labels;                        /* train on this many queries; 0: all */
    bool by_domain;                       /* folds are whole domains */
    const char
        *beside; /* a second data set to train on, with other experts on the same questions */
};

#define PAIR "mixtral-8x7b-instruct,gpt-4-1106-preview"

static const struct task tasks[] = {
    {.title = "Mixtral-8x7B against GPT-4-1106",
     .dataset = "mmlu_routellm",
     .experts = PAIR,
     .reference = "gpt-4-1106-preview",
     .apgr = 0.70,
     .cpt50 = 0.27,
     .cpt80 = 0.55,
     .ece = 0.02},
    {.title = "Mixtral-8x7B against GPT-4-0613",
     .dataset = "mmlu",
     .experts = "mixtral-8x7b-instruct,gpt-4-0613",
     .reference = "gpt-4-0613",
     .ece = 0.02},
    {.title = "open models and GPT-4-0613",
     .dataset = "mmlu",
     .experts = "mixtral-8x7b-instruct,mixtral-8x22b,llama-3-70b,gpt-4-0613",
     .reference = "gpt-4-0613",
     .at50 = 0.983,
     .ece = 0.02},
    {.title = "seven 7-8B models",
     .dataset = "mmlu",
     .experts = "chinese-mistral-7b-v0.1,dolphin-2.6-mistral-7b,dolphin-2.9-llama3-8b,llama-3-8b,"
                "metamath-mistral-7b,mistral-7b-v0.1,zephyr-7b-beta",
     .reference = "llama-3-8b",
     .ece = 0.02},
    {.title = "Gemini Flash, Llama-3.1-70B, GPT-4o",
     .dataset = "mmlu_pro",
     .experts = "gemini-1.5-flash-002,llama-3.1-70b-instruct,gpt-4o-2024-05-13",
     .reference = "gpt-4o-2024-05-13",
     .ece = 0.02},
    {.title = "the first pair without high-school mathematics",
     .dataset = "mmlu_routellm",
     .experts = PAIR,
     .reference = "gpt-4-1106-preview",
     .without = "high_school_mathematics"},
    {.title = "the first pair from 1,500 labels",
     .dataset = "mmlu_routellm",
     .experts = PAIR,
     .reference = "gpt-4-1106-preview",
     .apgr = 0.66,
     .labels = 1500},
    {.title = "the first pair, whole subjects held out",
     .dataset = "mmlu_routellm",
     .experts = PAIR,
     .reference = "gpt-4-1106-preview",
     .apgr = 0.65,
     .by_domain = true},
    {.title = "the first pair, trained beside the 15 experts of mmlu",
     .dataset = "mmlu_routellm",
     .experts = PAIR,
     .reference = "gpt-4-1106-preview",
     .apgr = 0.69,
     .beside = "mmlu"},
};
#define TASK_COUNT (sizeof(tasks) / sizeof(tasks[0]))

static void die(const struct error *err)
{
    fprintf(stderr, "quality: %s\n", err->text);
    exit(1);
}

static double tuned(const char *name, double otherwise)
{
    const char *text = getenv(name);
    return text ? atof(text) : otherwise;
}

static double train_seconds;
static size_t trainings;

/* What is trained and measured: the experts that are measured come first. */
struct pool {
    const struct task *task;
    struct dataset *d, *parts[2];
    size_t experts[EXPERTS_MAX], measured, trained, reference;
    struct str names[EXPERTS_MAX];
};

static void set_options(struct train_options *o)
{
    o->forest.trees = (size_t)tuned("TREES", (double)o->forest.trees);
    o->forest.leaves = (size_t)tuned("LEAVES", (double)o->forest.leaves);
    o->forest.learning_rate = (float)tuned("ETA", (double)o->forest.learning_rate);
    o->forest.feature_share = (float)tuned("FS", (double)o->forest.feature_share);
    o->forest.row_share = (float)tuned("RS", (double)o->forest.row_share);
    o->forest.l2 = (float)tuned("L2", (double)o->forest.l2);
    o->linear.learning_rate = (float)tuned("LR", (double)o->linear.learning_rate);
    o->linear.group_learning_rate = (float)tuned("GLR", (double)o->linear.group_learning_rate);
    o->linear.epochs = (unsigned)tuned("EPOCHS", (double)o->linear.epochs);
}

static void print_slopes(const struct trained *t)
{
    const float *s = t->parts.predictor.base + t->experts, *c = t->parts.predictor.calibration;
    fprintf(stderr, "base slopes %.2f %.2f %.2f %.2f  final %.2f %.2f %.2f %.2f  spread",
            (double)s[0], (double)s[1], (double)s[2], (double)s[3], (double)c[0], (double)c[1],
            (double)c[2], (double)c[3]);
    for (int k = 0; k < SPREAD_TERMS; k++)
        fprintf(stderr, " %.3f", (double)t->parts.predictor.spread[k]);
    fprintf(stderr, "\n");
}

/* Trains on all but a fold and estimates the fold's queries into `all` [queries × measured]. */
static void run_fold(const struct pool *p, const uint32_t *train_rows, size_t train_count,
                     const uint32_t *test_rows, size_t test_count, uint64_t seed,
                     struct estimate *all)
{
    struct error err;
    struct dataset *part;
    struct trained *trained;
    struct train_options options;
    struct features features;
    struct estimate *estimates = calloc(EXPERTS_MAX, sizeof(*estimates));
    train_options_default(&options);
    set_options(&options);
    options.experts = p->experts;
    options.expert_count = p->trained;
    options.seed = seed;
    double started = clock_cpu_seconds();
    if (dataset_subset(p->d, train_rows, train_count, &part, &err) != OK ||
        train_run(part, &options, &trained, &err) != OK || features_init(&features, &err) != OK)
        die(&err);
    train_seconds += clock_cpu_seconds() - started;
    trainings++;
    if (getenv("VERBOSE"))
        print_slopes(trained);
    for (size_t i = 0; i < test_count; i++) {
        const struct query *q = &p->d->queries[test_rows[i]];
        if (trained_estimate_text(trained, q->prompt, &features, estimates, &err) != OK)
            die(&err);
        memcpy(all + (size_t)test_rows[i] * p->measured, estimates,
               p->measured * sizeof(*estimates));
    }
    free(estimates);
    features_done(&features);
    trained_free(trained);
    dataset_free(part);
}

/* The rows of `known` for which every estimate is held out, as a table; and each fold's part of it. */
struct held_out {
    struct eval_table table;
    struct estimate *estimates;
    struct outcome *outcomes;
};

static void gather(const struct pool *p, const struct estimate *all, const uint32_t *rows,
                   size_t count, struct held_out *h)
{
    size_t experts = p->measured;
    h->estimates = calloc(count * experts + 1, sizeof(*h->estimates));
    h->outcomes = calloc(count * experts + 1, sizeof(*h->outcomes));
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < experts; e++) {
            h->estimates[i * experts + e] = all[(size_t)rows[i] * experts + e];
            h->outcomes[i * experts + e] = *dataset_outcome(p->d, rows[i], p->experts[e]);
        }
    h->table = (struct eval_table){.queries = count,
                                   .experts = experts,
                                   .names = p->names,
                                   .estimates = h->estimates,
                                   .outcomes = h->outcomes,
                                   .reference = p->reference};
}

static void drop(struct held_out *h)
{
    free(h->estimates);
    free(h->outcomes);
}

#define SPREAD_BINS 5

struct sums {
    double apgr, cpt50, cpt80, at50, at67, at75, at100, matched, best, top, reference;
    double ece_mean, ece_max, cost_mean, cost_max; /* over the experts */
    double deviation[SPREAD_BINS], told[SPREAD_BINS];
    size_t pairs, curves, matches;
};

static void measure_pair(const struct held_out *h, struct sums *s)
{
    struct error err;
    struct arena *a = arena_create(ARENA_CAP);
    struct pair pair;
    if (pair_make(&h->table, 0, 1, a, &pair, &err) != OK)
        die(&err);
    struct pair_figures f = pair_measure(&pair, NULL);
    s->apgr += f.apgr;
    s->cpt50 += f.cpt50;
    s->cpt80 += f.cpt80;
    s->pairs++;
    arena_free(a);
}

/* One piece: the sums over the held-out queries, then the curve read off at shares of the reference's cost. */
static void measure_curve(const struct held_out *h, struct sums *s)
{
    struct error err;
    struct arena *a = arena_create(ARENA_CAP);
    struct curve curve;
    if (curve_make(&h->table, a, &curve, &err) != OK)
        die(&err);
    size_t points = curve.step_count + 1;
    struct curve_point *p = ARENA_ARRAY(a, points, struct curve_point);
    curve_trace(&curve, NULL, p);
    double score = 0, cost = 0, best = 0;
    for (size_t e = 0; e < h->table.experts; e++) {
        double sum = 0;
        for (size_t q = 0; q < h->table.queries; q++)
            sum += (double)eval_outcome(&h->table, q, e)->score;
        best = sum > best ? sum : best;
    }
    for (size_t q = 0; q < h->table.queries; q++) {
        score += (double)eval_outcome(&h->table, q, h->table.reference)->score;
        cost += (double)eval_outcome(&h->table, q, h->table.reference)->cost_nano_usd;
    }
    double n = (double)h->table.queries, reached = curve_cost_reaching(p, points, score);
    s->at50 += curve_score_at(p, points, cost * 0.5) / n;
    s->at67 += curve_score_at(p, points, cost * 2 / 3) / n;
    s->at75 += curve_score_at(p, points, cost * 0.75) / n;
    s->at100 += curve_score_at(p, points, cost) / n;
    s->top += p[points - 1].score / n;
    s->best += best / n;
    s->reference += score / n;
    if (!isnan(reached)) {
        s->matched += reached / cost;
        s->matches++;
    }
    s->curves++;
    arena_free(a);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Queries in five equal parts by their mean quality_sd: what it tells, beside the deviation that pairs of experts show
 * (the root of the mean product of their residuals: chance alone is independent, see predict/spread.h). */
static void measure_spread(const struct held_out *h, struct sums *s)
{
    size_t n = h->table.queries, experts = h->table.experts;
    float *told = calloc(n + 1, sizeof(*told)), *sorted = calloc(n + 1, sizeof(*sorted));
    double products[SPREAD_BINS] = {0}, squares[SPREAD_BINS] = {0}, counts[SPREAD_BINS] = {0};
    for (size_t q = 0; q < n; q++) {
        for (size_t e = 0; e < experts; e++)
            told[q] += h->estimates[q * experts + e].quality_sd / (float)experts;
        sorted[q] = told[q];
    }
    qsort(sorted, n, sizeof(*sorted), compare_floats);
    for (size_t q = 0; q < n; q++) {
        double sum = 0, own = 0;
        size_t bin = 0;
        while (bin + 1 < SPREAD_BINS && told[q] >= sorted[(bin + 1) * n / SPREAD_BINS])
            bin++;
        for (size_t e = 0; e < experts; e++) {
            double r = (double)h->outcomes[q * experts + e].score -
                       (double)h->estimates[q * experts + e].quality;
            sum += r;
            own += r * r;
        }
        products[bin] += (sum * sum - own) / (double)(experts * (experts - 1));
        squares[bin] += (double)told[q] * (double)told[q];
        counts[bin]++;
    }
    for (size_t b = 0; b < SPREAD_BINS; b++) {
        s->deviation[b] += sqrt(fmax(products[b] / counts[b], 0));
        s->told[b] += sqrt(squares[b] / counts[b]);
    }
    free(told);
    free(sorted);
}

/* Calibration, and the mean absolute error of the logarithm of the cost, per expert. */
static void measure_experts(const struct held_out *h, struct sums *s)
{
    size_t n = h->table.queries, experts = h->table.experts;
    float *quality = calloc(n + 1, sizeof(*quality)), *score = calloc(n + 1, sizeof(*score));
    double ece_max = 0, cost_max = 0;
    for (size_t e = 0; e < experts; e++) {
        double error = 0, priced = 0;
        for (size_t q = 0; q < n; q++) {
            const struct estimate *x = &h->estimates[q * experts + e];
            const struct outcome *o = &h->outcomes[q * experts + e];
            quality[q] = x->quality;
            score[q] = o->score;
            if (!o->cost_known || o->cost_nano_usd <= 0 || x->cost_nano_usd <= 0)
                continue;
            error += fabs(log((double)x->cost_nano_usd / (double)o->cost_nano_usd));
            priced++;
        }
        double ece = metrics_ece(quality, score, n), cost = priced > 0 ? error / priced : 0;
        s->ece_mean += ece / (double)experts;
        s->cost_mean += cost / (double)experts;
        ece_max = fmax(ece, ece_max);
        cost_max = fmax(cost, cost_max);
    }
    s->ece_max += ece_max;
    s->cost_max += cost_max;
    free(quality);
    free(score);
}

static bool left_out(const struct pool *p, uint32_t row)
{
    return p->task->without && str_equal(p->d->queries[row].domain, str_from(p->task->without));
}

static size_t rows_of_fold(const struct pool *p, const uint32_t *known, size_t count, uint32_t fold,
                           uint64_t seed, bool inside, uint32_t *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct query *q = &p->d->queries[known[i]];
        uint64_t hash = p->task->by_domain ? hash64(q->domain, 0) : q->text_hash;
        if (!left_out(p, known[i]) && (split_fold(hash, seed, FOLDS) == fold) == inside)
            rows[n++] = known[i];
    }
    return n;
}

/* A random part of the rows, so that there are `labels`. */
static size_t thin_out(uint32_t *rows, size_t count, size_t labels, uint64_t seed)
{
    struct rng rng;
    if (!labels || labels >= count)
        return count;
    rng_seed(&rng, seed);
    rng_shuffle_u32(&rng, rows, count);
    return labels;
}

/* One piece: the folds fill one table of estimates, which is measured as a whole afterwards. */
static void run_repeat(const struct pool *p, uint64_t seed, struct sums *s)
{
    size_t n = p->d->query_count, every_count = 0;
    uint32_t *every = calloc(n, 4), *known = calloc(n, 4), *train = calloc(n, 4),
             *test = calloc(n, 4);
    struct estimate *all = calloc(n * p->measured, sizeof(*all));
    for (uint32_t i = 0; i < n; i++)
        if (!left_out(p, i))
            every[every_count++] = i;
    size_t known_count = eval_known_queries(p->d, p->experts, p->measured, known);
    for (uint32_t fold = 0; fold < FOLDS; fold++) {
        size_t train_count = rows_of_fold(p, every, every_count, fold, seed, false, train);
        train_count = thin_out(train, train_count, p->task->labels, seed + fold);
        size_t test_count = rows_of_fold(p, known, known_count, fold, seed, true, test);
        run_fold(p, train, train_count, test, test_count, seed + fold, all);
        struct held_out h;
        gather(p, all, test, test_count, &h);
        if (p->measured == 2)
            measure_pair(&h, s);
        drop(&h);
    }
    size_t kept = 0;
    for (size_t i = 0; i < known_count; i++)
        if (!left_out(p, known[i]))
            known[kept++] = known[i];
    struct held_out h;
    gather(p, all, known, kept, &h);
    measure_curve(&h, s);
    measure_experts(&h, s);
    measure_spread(&h, s);
    drop(&h);
    free(every);
    free(known);
    free(train);
    free(test);
    free(all);
}

/* One figure beside its bar (0: none); higher is better unless `low`. Returns whether the bar is met. */
static bool print_figure(const char *name, double value, const char *unit, double bar, bool low)
{
    double scale = *unit == '%' ? 100 : 1;
    bool met = bar == 0 || (low ? value <= bar : value >= bar);
    printf("  %-24s %.*f %s", name, scale == 1 ? 4 : 2, value * scale, unit);
    if (bar != 0)
        printf("   bar %s %g %s%s", low ? "<=" : ">=", bar * scale, unit, met ? "" : "   MISSED");
    printf("\n");
    return met;
}

static bool print_pair(const struct task *task, const struct sums *s)
{
    double n = (double)s->pairs;
    if (!s->pairs)
        return true;
    bool good = print_figure("APGR", s->apgr / n, "", task->apgr, false);
    good = print_figure("CPT(50 %)", s->cpt50 / n, "%", task->cpt50, true) && good;
    return print_figure("CPT(80 %)", s->cpt80 / n, "%", task->cpt80, true) && good;
}

static bool print_curve(const struct task *task, const struct sums *s)
{
    double n = (double)s->curves, reference = s->reference;
    print_figure("accuracy of reference", reference / n, "%", 0, false);
    print_figure("accuracy of best single", s->best / n, "%", 0, false);
    print_figure("accuracy at lambda 0", s->top / n, "%", 0, false);
    if (isnan(s->at50)) {
        printf("  (every expert costs the same: no shares of a cost)\n");
        return true;
    }
    bool good = print_figure("of it at 50 % of cost", s->at50 / reference, "%", task->at50, false);
    print_figure("of it at 66.7 % of cost", s->at67 / reference, "%", 0, false);
    print_figure("of it at 75 % of cost", s->at75 / reference, "%", 0, false);
    print_figure("of it at its cost", s->at100 / reference, "%", 0, false);
    if (s->matches == s->curves)
        print_figure("matched at, of its cost", s->matched / n, "%", 0, true);
    else
        printf("  %-24s in %zu of %zu repeats\n", "matched", s->matches, s->curves);
    return good;
}

static bool print_experts(const struct task *task, const struct sums *s)
{
    double n = (double)s->curves;
    bool good = print_figure("calibration error, mean", s->ece_mean / n, "", 0, true);
    good = print_figure("calibration error, worst", s->ece_max / n, "", task->ece, true) && good;
    print_figure("|log cost|, mean", s->cost_mean / n, "", 0, true);
    print_figure("|log cost|, worst", s->cost_max / n, "", 0, true);
    printf("  deviation told : shown  ");
    for (size_t b = 0; b < SPREAD_BINS; b++)
        printf(" %.2f:%.2f", s->told[b] / n, s->deviation[b] / n);
    printf("\n");
    return good;
}

static void pool_load_part(struct pool *p, size_t at, const char *data, const char *name)
{
    struct error err;
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", data, name);
    if (dataset_load(path, DATASET_ALL, &p->parts[at], &err) != OK)
        die(&err);
}

static bool is_measured(const struct pool *p, size_t expert)
{
    for (size_t e = 0; e < p->measured; e++)
        if (p->experts[e] == expert)
            return true;
    return false;
}

static void pool_load(struct pool *p, const struct task *task, const char *data)
{
    struct error err;
    *p = (struct pool){.task = task};
    pool_load_part(p, 0, data, task->dataset);
    p->d = p->parts[0];
    if (task->beside) {
        pool_load_part(p, 1, data, task->beside);
        if (dataset_concat(p->parts, 2, &p->d, &err) != OK)
            die(&err);
    }
    if (dataset_expert_list(p->d, task->experts, p->experts, &p->measured, &err) != OK)
        die(&err);
    p->trained = p->measured;
    for (size_t e = 0; e < p->d->expert_count && task->beside; e++)
        if (!is_measured(p, e))
            p->experts[p->trained++] = e;
    for (size_t e = 0; e < p->measured; e++) {
        p->names[e] = p->d->experts[p->experts[e]].name;
        if (str_equal(p->names[e], str_from(task->reference)))
            p->reference = e;
    }
}

static void pool_free(struct pool *p)
{
    if (p->d != p->parts[0])
        dataset_free(p->d);
    dataset_free(p->parts[0]);
    dataset_free(p->parts[1]);
}

static bool run_task(const struct task *task, const char *data, size_t repeats)
{
    struct pool pool;
    struct sums s = {0};
    pool_load(&pool, task, data);
    train_seconds = 0;
    trainings = 0;
    for (size_t r = 0; r < repeats; r++)
        run_repeat(&pool, 1000 + r, &s);
    printf("%s (%s)\n", task->title, task->dataset);
    bool good = print_pair(task, &s);
    good = print_curve(task, &s) && good;
    good = print_experts(task, &s) && good;
    printf("  training                 %.2f s of CPU time\n\n", train_seconds / (double)trainings);
    fflush(stdout);
    pool_free(&pool);
    return good;
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    const char *only = getenv("ONLY");
    bool good = true;
    data = data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("skipped: no data in %s\n", data);
        return 0;
    }
    for (size_t i = 0; i < TASK_COUNT; i++)
        if (!only || strtoul(only, NULL, 10) == i)
            good &= run_task(&tasks[i], data, repeats ? repeats : 1);
    return good ? 0 : 1;
}
