/* What a language model that reads the question adds to n-grams, on recorded outcomes:
 *
 *     bench_encoders DATA NAME[:opinion]=FOLDER...
 *
 * FOLDER/DATASET.npy holds what the encoder NAME says of the data set's prompts, in the order of its queries: float32
 * [queries × numbers], as bench_encoders_read and numpy write it; a row that begins with NaN leaves its query out.
 * `:opinion` tells that it is an orchestrator's. For each data set that has such a file, five folds by text, and five
 * folds of whole domains in SPLITS (3) splits: trained on four, measured on the fifth, with what the encoders say and
 * with all of them silent, which is the n-gram model; both also without the guard. Each encoder alone, and then all
 * together. ONLY=N picks one task, ALL=1 only all together.
 *
 * FOLDS=FOLDER takes the folds of FOLDER/texts-folds.npy and subjects-folds.npy (float32 [queries × 1], NaN: none,
 * as bench/tune_folds.py writes them). DUMP=FOLDER writes what n-grams say of every row held out, as
 * bench/encoders_blend.py reads it: FOLDER/N-WAY-SPLIT.npy, a row for each, with the query's place, the fold, novelty,
 * entropy of the group, the guard's share, and then the experts' qualities without the guard and their costs in USD. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hash.h"
#include "data/split.h"
#include "data/subset.h"
#include "encoders_vectors.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "eval/pair.h"
#include "npy.h"
#include "train/train.h"

#define FOLDS     5
#define ARENA_CAP ((size_t)8 << 30)
#define DUMP_HEAD 5 /* numbers before the experts' */

struct task {
    const char *title, *dataset, *experts, *reference; /* experts NULL: all with outcomes */
};

static const struct task tasks[] = {
    {"Mixtral-8x7B against GPT-4-1106", "mmlu_routellm", "mixtral-8x7b-instruct,gpt-4-1106-preview",
     "gpt-4-1106-preview"},
    {"open models and GPT-4-0613", "mmlu",
     "mixtral-8x7b-instruct,mixtral-8x22b,llama-3-70b,gpt-4-0613", "gpt-4-0613"},
    {"seven 7-8B models", "mmlu",
     "chinese-mistral-7b-v0.1,dolphin-2.6-mistral-7b,dolphin-2.9-llama3-8b,llama-3-8b,"
     "metamath-mistral-7b,mistral-7b-v0.1,zephyr-7b-beta",
     "llama-3-8b"},
    {"Gemini Flash, Llama-3.1-70B, GPT-4o", "mmlu_pro",
     "gemini-1.5-flash-002,llama-3.1-70b-instruct,gpt-4o-2024-05-13", "gpt-4o-2024-05-13"},
    {"all experts of LiveCodeBench", "livecodebench", NULL, NULL},
    {"all experts of BFCL", "bfcl", NULL, NULL},
};
#define TASK_COUNT (sizeof(tasks) / sizeof(tasks[0]))

static void die(const struct error *err)
{
    fprintf(stderr, "encoders: %s\n", err->text);
    exit(1);
}

/* Measuring */

struct pool {
    const struct task *task;
    struct dataset *all,
        *d; /* d: the queries of which everything is known, and every encoder has a vector */
    uint32_t *places; /* [d's queries] in the whole data set */
    size_t experts[EXPERTS_MAX], count, reference;
    struct str names[EXPERTS_MAX];
    struct train_source late[TRAIN_LATE_MAX];
    size_t late_count;
};

/* Figures of one way to hold out: means over folds and splits. */
enum variant { NGRAMS, WITH, NGRAMS_UNGUARDED, WITH_UNGUARDED, VARIANTS };
#define FIGURES 4
static const char *const figure_names[FIGURES] = {"APGR", "at half the cost", "at its cost",
                                                  "lambda 0"};
struct sums {
    double of[VARIANTS][FIGURES];
    double change[2][FIGURES], squares[2][FIGURES]; /* by the encoders; without the guard */
    size_t folds;
    double kept[TRAIN_LATE_MAX], seconds;
};

/* One piece: figures of one set of estimates, all by one table. */
static void measure(const struct pool *p, const struct estimate *estimates, const uint32_t *rows,
                    size_t count, double *figures)
{
    struct error err;
    struct arena *a = arena_create(ARENA_CAP);
    struct outcome *outcomes = calloc(count * p->count + 1, sizeof(*outcomes));
    for (size_t i = 0; i < count * p->count; i++)
        outcomes[i] = *dataset_outcome(p->d, rows[i / p->count], p->experts[i % p->count]);
    const struct eval_table t = {.queries = count,
                                 .experts = p->count,
                                 .names = p->names,
                                 .estimates = estimates,
                                 .outcomes = outcomes,
                                 .reference = p->reference};
    struct curve curve;
    struct pair pair;
    figures[0] = (double)NAN;
    if (p->count == 2 && pair_make(&t, 1 - p->reference, p->reference, a, &pair, &err) == OK)
        figures[0] = pair_measure(&pair, NULL).apgr;
    if (curve_make(&t, a, &curve, &err) != OK)
        die(&err);
    struct curve_point *points = ARENA_ARRAY(a, curve.step_count + 1, struct curve_point);
    double cost = 0, n = (double)count;
    curve_trace(&curve, NULL, points);
    for (size_t i = 0; i < count; i++)
        cost += (double)outcomes[i * p->count + p->reference].cost_nano_usd;
    figures[1] = curve_score_at(points, curve.step_count + 1, cost / 2) / n;
    figures[2] = curve_score_at(points, curve.step_count + 1, cost) / n;
    figures[3] = points[curve.step_count].score / n;
    free(outcomes);
    arena_free(a);
}

static void estimate(const struct pool *p, const struct trained *t, const uint32_t *rows,
                     size_t count, struct estimate *to)
{
    struct error err;
    struct features f;
    struct estimate *row = calloc(t->arms, sizeof(*row));
    if (!row || features_init(&f, &err) != OK)
        die(&err);
    for (size_t i = 0; i < count; i++) {
        if (trained_estimate_text(t, p->d->queries[rows[i]].prompt, &f, row, &err) != OK)
            die(&err);
        memcpy(to + i * p->count, row, p->count * sizeof(*row));
    }
    features_done(&f);
    free(row);
}

/* Held-out rows, for whoever blends otherwise. */
struct dump {
    float *x;
    size_t rows, columns;
};

/* One piece: a row is gathered number by number, in the order of its columns. */
static void dump_fold(const struct pool *p, const struct trained *t, const uint32_t *rows,
                      size_t count, unsigned fold, const struct estimate *estimates, struct dump *d)
{
    struct error err;
    struct features f;
    const struct predictor *by = &t->parts.predictor;
    float quality[EXPERTS_MAX], tokens[2][EXPERTS_MAX], spread;
    struct guard_view seen;
    if (features_init(&f, &err) != OK)
        die(&err);
    for (size_t i = 0; i < count; i++) {
        float *x = d->x + d->rows++ * d->columns;
        if (features_encode(&f, by->encoders, by->encoder_count, p->d->queries[rows[i]].prompt,
                            &err) != OK)
            die(&err);
        x[0] = (float)p->places[rows[i]];
        x[1] = (float)fold;
        predictor_newness(by, &f, &x[2], &x[3]);
        predictor_run(by, &f, quality, tokens[0], tokens[1], &spread, &seen);
        x[4] = seen.share;
        for (size_t e = 0; e < p->count; e++) {
            x[DUMP_HEAD + e] = estimates[i * p->count + e].quality;
            x[DUMP_HEAD + p->count + e] =
                (float)((double)estimates[i * p->count + e].cost_nano_usd / (double)NANO_PER_USD);
        }
    }
    features_done(&f);
}

static void add_figures(double (*figures)[FIGURES], struct sums *s)
{
    for (size_t k = 0; k < FIGURES; k++) {
        for (size_t v = 0; v < VARIANTS; v++)
            s->of[v][k] += figures[v][k];
        for (size_t v = 0; v < 2; v++) {
            double change = figures[2 * v + 1][k] - figures[2 * v][k];
            s->change[v][k] += change;
            s->squares[v][k] += change * change;
        }
    }
    s->folds++;
}

/* One piece: one training, measured with and without what the encoders say. */
static void run_fold(const struct pool *p, const uint32_t *train_rows, size_t train_count,
                     const uint32_t *test_rows, size_t test_count, uint64_t seed, unsigned fold,
                     struct sums *s, struct dump *dump)
{
    struct error err;
    struct dataset *part;
    struct trained *t = NULL;
    struct train_options o;
    struct estimate *estimates = calloc(test_count * p->count, sizeof(*estimates));
    double figures[VARIANTS][FIGURES], started = clock_cpu_seconds();
    train_options_default(&o);
    o.experts = p->experts;
    o.expert_count = p->count;
    o.seed = seed;
    o.late = p->late;
    o.late_count = p->late_count;
    if (dataset_subset(p->d, train_rows, train_count, &part, &err) != OK ||
        train_run(part, &o, &t, &err) != OK)
        die(&err);
    s->seconds += clock_cpu_seconds() - started;
    size_t kinds = t->parts.predictor.guard.kinds;
    for (size_t v = 0; v < VARIANTS; v++) {
        vectors_silent = v == NGRAMS || v == NGRAMS_UNGUARDED;
        t->parts.predictor.guard.kinds = v < NGRAMS_UNGUARDED ? kinds : 0;
        estimate(p, t, test_rows, test_count, estimates);
        t->parts.predictor.guard.kinds = kinds;
        if (dump->x && v == NGRAMS_UNGUARDED)
            dump_fold(p, t, test_rows, test_count, fold, estimates, dump);
        vectors_silent = false;
        measure(p, estimates, test_rows, test_count, figures[v]);
    }
    add_figures(figures, s);
    for (size_t k = 0; k < t->late_count; k++) {
        const struct late_figures *x = &t->late[k];
        const float *w = x->weights;
        s->kept[k] += !x->left_out;
        if (getenv("VERBOSE"))
            fprintf(stderr,
                    "  %.*s %s penalty %g known %.1f ± %.1f fresh %.1f ± %.1f (1e-4) weights "
                    "%.2f %.2f %.2f %.2f APGR %+.4f\n",
                    STR_FMT(x->name), x->left_out ? "left out" : "kept", x->penalty,
                    x->known_gain * 1e4, x->known_error * 1e4, x->fresh_gain * 1e4,
                    x->fresh_error * 1e4, (double)w[0], (double)w[1], (double)w[2], (double)w[3],
                    figures[1][0] - figures[0][0]);
    }
    trained_free(t);
    dataset_free(part);
    free(estimates);
}

static const char *const ways[] = {"texts", "subjects"};

/* [queries] the fold of each, by FOLDS or by chance. */
static uint32_t *deal(const struct pool *p, bool by_domain, uint64_t seed)
{
    uint32_t *folds = calloc(p->d->query_count + 1, sizeof(*folds));
    const char *folder = getenv("FOLDS");
    float *given = NULL;
    struct error err;
    char path[1024];
    size_t rows, columns;
    snprintf(path, sizeof(path), "%s/%s-folds.npy", folder ? folder : "", ways[by_domain]);
    if (folder && npy_read(path, &given, &rows, &columns, &err) != OK)
        die(&err);
    for (uint32_t i = 0; i < p->d->query_count; i++) {
        const struct query *q = &p->d->queries[i];
        if (given)
            folds[i] = isnan(given[p->places[i]]) ? FOLDS : (uint32_t)given[p->places[i]];
        else
            folds[i] = split_fold(by_domain ? hash64(q->domain, 0) : q->text_hash, seed, FOLDS);
    }
    free(given);
    return folds;
}

static void write_dump(const struct pool *p, bool by_domain, uint64_t seed, const struct dump *d)
{
    struct error err;
    char path[1024];
    snprintf(path, sizeof(path), "%s/%td-%s-%llu.npy", getenv("DUMP"), p->task - tasks,
             ways[by_domain], (unsigned long long)seed);
    if (npy_write(path, d->x, d->rows, d->columns, &err) != OK)
        die(&err);
}

/* One piece: the rows of a fold, and what is dumped of all folds, live as long as it. */
static void run_split(const struct pool *p, bool by_domain, uint64_t seed, struct sums *s)
{
    size_t n = p->d->query_count;
    uint32_t *train = calloc(n, sizeof(*train)), *test = calloc(n, sizeof(*test)),
             *folds = deal(p, by_domain, seed);
    struct dump dump = {.columns = DUMP_HEAD + 2 * p->count};
    if (getenv("DUMP"))
        dump.x = calloc(n * dump.columns + 1, sizeof(*dump.x));
    for (uint32_t fold = 0; fold < FOLDS; fold++) {
        size_t train_count = 0, test_count = 0;
        for (uint32_t i = 0; i < n; i++)
            if (folds[i] == fold)
                test[test_count++] = i;
            else
                train[train_count++] = i;
        if (test_count && train_count)
            run_fold(p, train, train_count, test, test_count, seed + fold, fold, s, &dump);
    }
    if (dump.x)
        write_dump(p, by_domain, seed, &dump);
    free(dump.x);
    free(folds);
    free(train);
    free(test);
}

static void print(const char *how, const struct sums *s, const struct pool *p)
{
    double n = (double)s->folds;
    for (size_t k = 0; k < FIGURES; k++) {
        if (isnan(s->change[0][k]))
            continue;
        printf("| %s | %s | %.4f | %.4f |", how, figure_names[k], s->of[NGRAMS][k] / n,
               s->of[WITH][k] / n);
        for (size_t v = 0; v < 2; v++) {
            double mean = s->change[v][k] / n, spread = s->squares[v][k] / n - mean * mean;
            printf(" %+.4f ± %.4f |", mean, sqrt(fmax(spread, 0) / (n - 1)));
        }
        printf(" %+.4f |", (s->of[WITH][k] - s->of[WITH_UNGUARDED][k]) / n);
        for (size_t i = 0; i < p->late_count; i++)
            printf(" %s kept %.0f of %.0f", p->late[i].name, s->kept[i], n);
        printf(" | %.1f s |\n", s->seconds / n);
    }
    fflush(stdout);
}

static void run_with(struct pool *p)
{
    const char *wanted = getenv("SPLITS"), *how = getenv("HOW");
    size_t splits = getenv("FOLDS") ? 1 : wanted ? strtoul(wanted, NULL, 10) : 3;
    for (int by_domain = 0; by_domain < 2; by_domain++) {
        struct sums s = {0};
        if (how && (*how == 's') != by_domain)
            continue;
        for (size_t split = 0; split < (by_domain ? splits : 1); split++)
            run_split(p, by_domain, 1 + split, &s);
        print(ways[by_domain], &s, p);
    }
}

/* The queries of which everything is known that is compared, and that every encoder has a vector of. */
static void choose_queries(struct pool *p, const struct vectors *v, size_t count)
{
    struct error err;
    uint32_t *known = calloc(p->all->query_count, sizeof(*known));
    size_t found = eval_known_queries(p->all, p->experts, p->count, known), kept = 0;
    for (size_t i = 0; i < found; i++) {
        bool good = true;
        for (size_t k = 0; k < count; k++)
            good = good && (!v[k].x || !isnan(v[k].x[known[i] * v[k].encoder.dense_count]));
        if (good)
            known[kept++] = known[i];
    }
    if (dataset_subset(p->all, known, kept, &p->d, &err) != OK)
        die(&err);
    p->places = known;
}

static void choose_experts(struct pool *p)
{
    struct error err;
    double best = -1;
    if (p->task->experts &&
        dataset_expert_list(p->all, p->task->experts, p->experts, &p->count, &err) != OK)
        die(&err);
    for (size_t e = 0; e < p->all->expert_count && !p->task->experts; e++)
        if (eval_has_outcomes(p->all, e))
            p->experts[p->count++] = e;
    for (size_t e = 0; e < p->count; e++) {
        double score = eval_mean_score(p->all, p->experts[e]);
        p->names[e] = p->all->experts[p->experts[e]].name;
        bool named = p->task->reference && str_equal(p->names[e], str_from(p->task->reference));
        if (p->task->reference ? named : score > best) {
            p->reference = e;
            best = score;
        }
    }
}

static bool load(struct vectors *v, const char *dataset, const struct pool *p)
{
    struct error err;
    bool found;
    if (vectors_load(v, dataset, p->all, p->count, &found, &err) != OK)
        die(&err);
    return found;
}

/* One piece: what is loaded here is gone when it returns. */
static void run_task(const struct task *task, const char *data, struct vectors *v, size_t count)
{
    struct pool p = {.task = task};
    struct error err;
    char path[1024];
    size_t here[TRAIN_LATE_MAX], n = 0;
    snprintf(path, sizeof(path), "%s/%s", data, task->dataset);
    if (dataset_load(path, DATASET_ALL, &p.all, &err) != OK)
        die(&err);
    choose_experts(&p);
    for (size_t k = 0; k < count; k++)
        if (load(&v[k], task->dataset, &p))
            here[n++] = k;
    choose_queries(&p, v, count);
    printf("\n%s (%s), %zu queries, %zu experts\n\n| held out | figure | n-grams | with | change | "
           "change without the guard | by the guard | kept | training "
           "|\n|---|---|---|---|---|---|---|---|---|\n",
           task->title, task->dataset, p.d->query_count, p.count);
    /* Each alone, then all; without any the n-grams, for DUMP. */
    size_t runs = n > 1 ? n + 1 : 1;
    for (size_t k = getenv("ALL") ? runs - 1 : 0; k < runs; k++) {
        bool all = k == n;
        p.late_count = 0;
        for (size_t i = all ? 0 : k; i < (all ? n : k + 1); i++)
            p.late[p.late_count++] = (struct train_source){.name = v[here[i]].encoder.name,
                                                           .kind = v[here[i]].kind,
                                                           .instance = &v[here[i]].encoder};
        run_with(&p);
    }
    for (size_t k = 0; k < n; k++)
        vectors_free(&v[here[k]]);
    free(p.places);
    dataset_free(p.d);
    dataset_free(p.all);
}

/* One piece: names and folders point into the arguments. */
int main(int argc, char **argv)
{
    struct vectors v[TRAIN_LATE_MAX] = {0};
    size_t count = 0;
    const char *only = getenv("ONLY");
    for (int i = 2; i < argc && count < TRAIN_LATE_MAX; i++) {
        char *folder = strchr(argv[i], '=');
        if (!folder)
            break;
        *folder = 0;
        v[count].folder = folder + 1;
        char *kind = strchr(argv[i], ':');
        v[count].kind = kind ? kind + 1 : "dense";
        if (kind)
            *kind = 0;
        v[count].encoder.name = argv[i];
        snprintf(v[count].fingerprint, sizeof(v[count].fingerprint), "%s/bench", argv[i]);
        count++;
    }
    if (!count && !getenv("DUMP")) {
        fprintf(stderr, "usage: bench_encoders DATA NAME[:opinion]=FOLDER...\n");
        return 2;
    }
    for (size_t i = 0; i < TASK_COUNT; i++)
        if (!only || strtoul(only, NULL, 10) == i)
            run_task(&tasks[i], argv[1], v, count);
    return 0;
}
