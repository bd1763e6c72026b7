/* What routing is worth: five-fold cross-validation (folds by text) on recorded outcomes, from one command:
 *
 *     bench_quality [DATA [REPEATS]]        DATA: LEEROO_DATA or ../shared/data; REPEATS: other folds each time
 *
 * For each pool the router is trained on four folds and measured on the fifth. Pairs: APGR and CPT, means over the
 * folds. Pools: accuracy at shares of the reference's cost, over all held-out queries together. For ablations the
 * environment overrides what training does (the names stand in run_fold) and ONLY=N picks one pool. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "eval/metrics.h"
#include "eval/pair.h"
#include "predict/train.h"

#define FOLDS     5
#define ARENA_CAP ((size_t)8 << 30)

struct task {
    const char *title, *dataset, *experts,
        *reference;                  /* the first expert of a pair is the weak one */
    double apgr, cpt50, cpt80, at50; /* bars; 0: none */
};

static const struct task tasks[] = {
    {"Mixtral-8x7B against GPT-4-1106", "mmlu_routellm", "mixtral-8x7b-instruct,gpt-4-1106-preview",
     "gpt-4-1106-preview", 0.69, 0.27, 0.57, 0},
    {"Mixtral-8x7B against GPT-4-0613", "mmlu", "mixtral-8x7b-instruct,gpt-4-0613", "gpt-4-0613", 0,
     0, 0, 0},
    {"open models and GPT-4-0613", "mmlu",
     "mixtral-8x7b-instruct,mixtral-8x22b,llama-3-70b,gpt-4-0613", "gpt-4-0613", 0, 0, 0, 0.983},
    {"seven 7-8B models", "mmlu",
     "chinese-mistral-7b-v0.1,dolphin-2.6-mistral-7b,dolphin-2.9-llama3-8b,llama-3-8b,"
     "metamath-mistral-7b,mistral-7b-v0.1,zephyr-7b-beta",
     "llama-3-8b", 0, 0, 0, 0},
    {"Gemini Flash, Llama-3.1-70B, GPT-4o", "mmlu_pro",
     "gemini-1.5-flash-002,llama-3.1-70b-instruct,gpt-4o-2024-05-13", "gpt-4o-2024-05-13", 0, 0, 0,
     0},
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

static void estimate(const struct predictor *p, const struct trained *t, const struct features *f,
                     struct estimate *out)
{
    float quality[EXPERTS_MAX], in[EXPERTS_MAX], tokens[EXPERTS_MAX];
    float doubt;
    predictor_run(p, f, quality, in, tokens, &doubt);
    for (size_t e = 0; e < t->experts; e++) {
        const struct price *price = &t->expert[e].price;
        out[e] = (struct estimate){
            .quality = quality[e], .input_tokens = in[e], .output_tokens = tokens[e]};
        out[e].cost_nano_usd = model_cost_nano_usd(price, &out[e]);
    }
}

/* Trains on all but a fold and estimates the fold's queries into `all`. */
static void run_fold(const struct dataset *d, const size_t *experts, size_t expert_count,
                     const uint32_t *train_rows, size_t train_count, const uint32_t *test_rows,
                     size_t test_count, uint64_t seed, struct estimate *all)
{
    struct error err;
    struct dataset *part;
    struct trained *trained;
    struct train_options options;
    struct features features;
    static const struct encoder encoder = {ENCODER_NGRAM};
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = expert_count;
    options.seed = seed;
    options.forest.trees = (size_t)tuned("TREES", (double)options.forest.trees);
    options.forest.leaves = (size_t)tuned("LEAVES", (double)options.forest.leaves);
    options.forest.learning_rate = (float)tuned("ETA", (double)options.forest.learning_rate);
    options.forest.feature_share = (float)tuned("FS", (double)options.forest.feature_share);
    options.forest.row_share = (float)tuned("RS", (double)options.forest.row_share);
    options.forest.l2 = (float)tuned("L2", (double)options.forest.l2);
    options.linear.learning_rate = (float)tuned("LR", (double)options.linear.learning_rate);
    options.linear.group_learning_rate =
        (float)tuned("GLR", (double)options.linear.group_learning_rate);
    options.linear.epochs = (unsigned)tuned("EPOCHS", (double)options.linear.epochs);
    double started = clock_cpu_seconds();
    if (dataset_subset(d, train_rows, train_count, &part, &err) != OK ||
        train_run(part, &options, &trained, &err) != OK || features_init(&features, &err) != OK)
        die(&err);
    train_seconds += clock_cpu_seconds() - started;
    trainings++;
    if (getenv("VERBOSE")) {
        const float *s = trained->predictor.base + expert_count,
                    *c = trained->predictor.calibration;
        fprintf(stderr,
                "base slopes %.2f %.2f %.2f %.2f  final %.2f %.2f %.2f %.2f ece %.4f auc %.4f\n",
                (double)s[0], (double)s[1], (double)s[2], (double)s[3], (double)c[0], (double)c[1],
                (double)c[2], (double)c[3], trained->figures[0].calibration_error,
                trained->figures[0].auc);
    }
    for (size_t i = 0; i < test_count; i++) {
        if (encode_text(&encoder, d->queries[test_rows[i]].prompt, &features, &err) != OK)
            die(&err);
        estimate(&trained->predictor, trained, &features,
                 all + (size_t)test_rows[i] * expert_count);
    }
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

static void gather(const struct dataset *d, const struct estimate *all, const size_t *experts,
                   size_t expert_count, const uint32_t *rows, size_t count, const struct str *names,
                   size_t reference, struct held_out *h)
{
    h->estimates = calloc(count * expert_count + 1, sizeof(*h->estimates));
    h->outcomes = calloc(count * expert_count + 1, sizeof(*h->outcomes));
    for (size_t i = 0; i < count; i++)
        for (size_t e = 0; e < expert_count; e++) {
            h->estimates[i * expert_count + e] = all[(size_t)rows[i] * expert_count + e];
            h->outcomes[i * expert_count + e] = *dataset_outcome(d, rows[i], experts[e]);
        }
    h->table = (struct eval_table){.queries = count,
                                   .experts = expert_count,
                                   .names = names,
                                   .estimates = h->estimates,
                                   .outcomes = h->outcomes,
                                   .reference = reference};
}

static void drop(struct held_out *h)
{
    free(h->estimates);
    free(h->outcomes);
}

struct sums {
    double apgr, cpt50, cpt80, at50, at67, at75, at100, matched, best, top, reference;
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

static size_t rows_of_fold(const struct dataset *d, const uint32_t *known, size_t count,
                           uint32_t fold, uint64_t seed, bool inside, uint32_t *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if ((split_fold(d->queries[known[i]].text_hash, seed, FOLDS) == fold) == inside)
            rows[n++] = known[i];
    return n;
}

static void run_repeat(const struct dataset *d, const size_t *experts, size_t expert_count,
                       const struct str *names, size_t reference, uint64_t seed, struct sums *s)
{
    size_t n = d->query_count;
    uint32_t *every = calloc(n, 4), *known = calloc(n, 4), *train = calloc(n, 4),
             *test = calloc(n, 4);
    struct estimate *all = calloc(n * expert_count, sizeof(*all));
    for (size_t i = 0; i < n; i++)
        every[i] = (uint32_t)i;
    size_t known_count = eval_known_queries(d, experts, expert_count, known);
    for (uint32_t fold = 0; fold < FOLDS; fold++) {
        size_t train_count = rows_of_fold(d, every, n, fold, seed, false, train);
        size_t test_count = rows_of_fold(d, known, known_count, fold, seed, true, test);
        run_fold(d, experts, expert_count, train, train_count, test, test_count, seed + fold, all);
        struct held_out h;
        gather(d, all, experts, expert_count, test, test_count, names, reference, &h);
        if (expert_count == 2)
            measure_pair(&h, s);
        drop(&h);
    }
    struct held_out h;
    gather(d, all, experts, expert_count, known, known_count, names, reference, &h);
    measure_curve(&h, s);
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

static bool run_task(const struct task *task, const char *data, size_t repeats)
{
    struct error err;
    struct dataset *d;
    char path[1024];
    size_t experts[EXPERTS_MAX], expert_count = 0;
    struct str names[EXPERTS_MAX];
    snprintf(path, sizeof(path), "%s/%s", data, task->dataset);
    if (dataset_load(path, DATASET_ALL, &d, &err) != OK ||
        dataset_expert_list(d, task->experts, experts, &expert_count, &err) != OK)
        die(&err);
    size_t reference = 0;
    for (size_t e = 0; e < expert_count; e++) {
        names[e] = d->experts[experts[e]].name;
        if (str_equal(names[e], str_from(task->reference)))
            reference = e;
    }
    struct sums s = {0};
    train_seconds = 0;
    trainings = 0;
    for (size_t r = 0; r < repeats; r++)
        run_repeat(d, experts, expert_count, names, reference, 1000 + r, &s);
    printf("%s (%s)\n", task->title, task->dataset);
    bool good = print_pair(task, &s);
    good = print_curve(task, &s) && good;
    printf("  training                 %.2f s of CPU time\n\n", train_seconds / (double)trainings);
    fflush(stdout);
    dataset_free(d);
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
