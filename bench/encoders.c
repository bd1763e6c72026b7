/* What a language model that reads the question adds to n-grams, on recorded outcomes:
 *
 *     bench_encoders DATA NAME=FOLDER...
 *
 * FOLDER/DATASET.npy holds what the encoder NAME says of the data set's prompts, in the order of its queries: float32
 * [queries × numbers], as numpy writes it; a row that begins with NaN leaves its query out. For each data set that has
 * such a file, five folds by text, and five folds of whole domains in SPLITS (3) splits: trained on four, measured on
 * the fifth, once with what the encoders say and once with all of them silent, which is the n-gram model. Each encoder
 * alone, and then all together. ONLY=N picks one task. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "eval/pair.h"
#include "train/train.h"

#define FOLDS     5
#define ARENA_CAP ((size_t)8 << 30)
#define NPY_HEAD  10 /* bytes before the description */

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

/* Vectors as an encoder */

struct vectors {
    struct encoder encoder; /* its state is this */
    char fingerprint[64];
    const char *folder;
    size_t rows;
    float *x;        /* [rows × dense_count] */
    struct map *map; /* text → row */
};

static bool silent;

static void *work_create(const struct encoder *e)
{
    (void)e;
    return malloc(1);
}

static enum status encode(const struct encoder *e, void *work, struct str text,
                          struct encoding *ret, struct error *err)
{
    const struct vectors *v = e->state;
    uint32_t row;
    (void)work;
    if (silent)
        *ret = (struct encoding){.silent = true};
    else if (map_get(v->map, text, &row))
        *ret = (struct encoding){.dense = v->x + row * e->dense_count};
    else
        return error_set(err, ERR_NOT_FOUND, "no vector of a text");
    return OK;
}

/* ERR_NOT_FOUND: there is no such file. */
static enum status read_npy(const char *path, float **ret, size_t *rows, size_t *columns,
                            struct error *err)
{
    struct buf b;
    buf_init(&b, (size_t)1 << 30);
    enum status status = file_read(path, (size_t)1 << 30, &b, err);
    if (status != OK)
        return status;
    size_t head = b.len > NPY_HEAD
                      ? NPY_HEAD + (unsigned char)b.ptr[8] + ((size_t)(unsigned char)b.ptr[9] << 8)
                      : SIZE_MAX;
    struct str text = str_slice(buf_str(&b), 0, head);
    size_t at = str_find(text, STR("'shape': ("), 0);
    if (head > b.len || !str_starts(text, STR("\x93NUMPY\x01")) ||
        str_find(text, STR("'<f4'"), 0) == SIZE_MAX || at == SIZE_MAX ||
        sscanf(text.ptr + at, "'shape': (%zu, %zu)", rows, columns) != 2 ||
        (b.len - head) / sizeof(float) != *rows * *columns)
        return error_set(err, ERR_INPUT, "%s: no table of float32 as numpy writes it", path);
    *ret = malloc(b.len);
    memcpy(*ret, b.ptr + head, b.len - head);
    buf_done(&b);
    return OK;
}

/* False: the folder has no vectors of this data set. */
static bool vectors_load(struct vectors *v, const char *dataset, const struct dataset *d)
{
    char path[1024];
    struct error err;
    snprintf(path, sizeof(path), "%s/%s.npy", v->folder, dataset);
    enum status status = read_npy(path, &v->x, &v->rows, &v->encoder.dense_count, &err);
    if (status == ERR_IO)
        return false;
    if (status == OK && v->rows != d->query_count)
        status = error_set(&err, ERR_INPUT, "%s: not as many rows as queries", path);
    if (status != OK || !(v->map = map_create(v->rows)))
        die(&err);
    for (uint32_t i = 0; i < v->rows; i++)
        if (!isnan(v->x[i * v->encoder.dense_count]) &&
            map_put(v->map, d->queries[i].prompt, i) != OK)
            die(&err);
    v->encoder.fingerprint = v->fingerprint;
    v->encoder.state = v;
    v->encoder.work_create = work_create;
    v->encoder.work_free = free;
    v->encoder.encode = encode;
    return true;
}

static void vectors_free(struct vectors *v)
{
    free(v->x);
    map_free(v->map);
    v->x = NULL;
    v->map = NULL;
}

/* Measuring */

struct pool {
    const struct task *task;
    struct dataset *all,
        *d; /* d: the queries of which everything is known, and every encoder has a vector */
    size_t experts[EXPERTS_MAX], count, reference;
    struct str names[EXPERTS_MAX];
    struct train_source late[TRAIN_LATE_MAX];
    size_t late_count;
};

/* Figures of one way to hold out, with the encoders and without: means over folds and splits. */
#define FIGURES 4
static const char *const figure_names[FIGURES] = {"APGR", "at half the cost", "at its cost",
                                                  "lambda 0"};
struct sums {
    double of[2][FIGURES], change[FIGURES], squares[FIGURES];
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

/* One piece: one training, measured with and without what the encoders say. */
static void run_fold(const struct pool *p, const uint32_t *train_rows, size_t train_count,
                     const uint32_t *test_rows, size_t test_count, uint64_t seed, struct sums *s)
{
    struct error err;
    struct dataset *part;
    struct trained *t;
    struct train_options o;
    struct estimate *estimates = calloc(test_count * p->count, sizeof(*estimates));
    double figures[2][FIGURES], started = clock_cpu_seconds();
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
    for (int with = 0; with < 2; with++) {
        silent = !with;
        estimate(p, t, test_rows, test_count, estimates);
        silent = false;
        measure(p, estimates, test_rows, test_count, figures[with]);
        for (size_t k = 0; k < FIGURES; k++)
            s->of[with][k] += figures[with][k];
    }
    for (size_t k = 0; k < FIGURES; k++) {
        double change = figures[1][k] - figures[0][k];
        s->change[k] += change;
        s->squares[k] += change * change;
    }
    s->folds++;
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

static void run_split(const struct pool *p, bool by_domain, uint64_t seed, struct sums *s)
{
    size_t n = p->d->query_count;
    uint32_t *train = calloc(n, sizeof(*train)), *test = calloc(n, sizeof(*test));
    for (uint32_t fold = 0; fold < FOLDS; fold++) {
        size_t train_count = 0, test_count = 0;
        for (uint32_t i = 0; i < n; i++) {
            const struct query *q = &p->d->queries[i];
            uint64_t hash = by_domain ? hash64(q->domain, 0) : q->text_hash;
            if (split_fold(hash, seed, FOLDS) == fold)
                test[test_count++] = i;
            else
                train[train_count++] = i;
        }
        if (test_count && train_count)
            run_fold(p, train, train_count, test, test_count, seed + fold, s);
    }
    free(train);
    free(test);
}

static void print(const char *how, const struct sums *s, const struct pool *p)
{
    double n = (double)s->folds;
    for (size_t k = 0; k < FIGURES; k++) {
        double mean = s->change[k] / n, spread = s->squares[k] / n - mean * mean;
        if (isnan(mean))
            continue;
        printf("| %s | %s | %.4f | %.4f | %+.4f ± %.4f |", how, figure_names[k], s->of[0][k] / n,
               s->of[1][k] / n, mean, sqrt(fmax(spread, 0) / (n - 1)));
        for (size_t i = 0; i < p->late_count; i++)
            printf(" %s kept %.0f of %.0f", p->late[i].name, s->kept[i], n);
        printf(" | %.1f s |\n", s->seconds / n);
    }
    fflush(stdout);
}

static void run_with(struct pool *p)
{
    const char *wanted = getenv("SPLITS"), *how = getenv("HOW");
    size_t splits = wanted ? strtoul(wanted, NULL, 10) : 3;
    for (int by_domain = 0; by_domain < 2; by_domain++) {
        struct sums s = {0};
        if (how && (*how == 'd') != by_domain)
            continue;
        for (size_t split = 0; split < (by_domain ? splits : 1); split++)
            run_split(p, by_domain, 1 + split, &s);
        print(by_domain ? "domains" : "texts", &s, p);
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
    free(known);
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
    for (size_t k = 0; k < count; k++)
        if (vectors_load(&v[k], task->dataset, p.all))
            here[n++] = k;
    choose_experts(&p);
    choose_queries(&p, v, count);
    printf("\n%s (%s), %zu queries, %zu experts\n\n| held out | figure | n-grams | with | change | "
           "kept "
           "| training |\n|---|---|---|---|---|---|---|\n",
           task->title, task->dataset, p.d->query_count, p.count);
    for (size_t k = 0; k < n + (n > 1); k++) { /* each alone, then all */
        p.late_count = 0;
        for (size_t i = k == n ? 0 : k; i < (k == n ? n : k + 1); i++)
            p.late[p.late_count++] = (struct train_source){
                .name = v[here[i]].encoder.name, .kind = "dense", .instance = &v[here[i]].encoder};
        run_with(&p);
    }
    for (size_t k = 0; k < n; k++)
        vectors_free(&v[here[k]]);
    dataset_free(p.d);
    dataset_free(p.all);
}

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
        v[count].encoder.name = argv[i];
        snprintf(v[count].fingerprint, sizeof(v[count].fingerprint), "%s/bench", argv[i]);
        count++;
    }
    if (!count) {
        fprintf(stderr, "usage: bench_encoders DATA NAME=FOLDER...\n");
        return 2;
    }
    for (size_t i = 0; i < TASK_COUNT; i++)
        if (!only || strtoul(only, NULL, 10) == i)
            run_task(&tasks[i], argv[1], v, count);
    return 0;
}
