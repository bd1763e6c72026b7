/* Do budgets hold? Five-fold cross-validation on recorded outcomes; each fold's model routes the queries that it has
 * not seen as a stream under budget control:
 *
 *     bench_budget [DATA]        DATA: LEEROO_DATA or ../shared/data
 *
 * Streams: each fold alone (about 2,000 queries) and all folds together (about 10,000, calibrated on the five models'
 * samples), shuffled and sorted by subject, in file order and in random orders of the subjects. Targets are shares of
 * the dear expert's recorded cost. The budget hears of recorded costs (as in the gateway) or of predicted ones (as in
 * `leeroo route`). What is lost is accuracy against the fixed lambda that costs the same in hindsight (eval/curve.h).
 * Then the same models' `min_quality`. Exit status 1 when a bar is missed. */
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
#include "plan/budget.h"
#include "plan/quality_floor.h"
#include "train/train.h"

#define FOLDS      5
#define SEED       1000
#define ARMS_MAX   8
#define EARLY      1000 /* queries after which the first deviation is taken */
#define NEAR_SHARE 0.03
#define NEAR_STEPS 6
#define ARENA_CAP  ((size_t)4 << 30)
#define PER_FOLD   12 /* streams of one fold and kind */
#define PER_WHOLE  16 /* streams of all folds and kind */
#define STREAM_MAX (FOLDS * PER_FOLD)

struct task {
    const char *title, *dataset, *experts; /* the last one is the dear one */
};

static const struct task tasks[] = {
    {"MMLU-Pro: Gemini Flash, Llama-3.1-70B, GPT-4o", "mmlu_pro",
     "gemini-1.5-flash-002,llama-3.1-70b-instruct,gpt-4o-2024-05-13"},
    {"MMLU: Mixtral-8x7B, Mixtral-8x22B, Llama-3-70B, GPT-4-0613", "mmlu",
     "mixtral-8x7b-instruct,mixtral-8x22b,llama-3-70b,gpt-4-0613"},
};
static const double target_shares[] = {0.2, 0.35, 0.5, 0.75};
#define TARGETS (sizeof(target_shares) / sizeof(target_shares[0]))

/* Every query whose outcomes are known, in file order, as estimated by the model that has not seen it. */
struct world {
    size_t queries, arms;
    struct str names[ARMS_MAX];
    struct estimate *estimates; /* [queries × arms] */
    struct outcome *outcomes;   /* [queries × arms] */
    uint32_t *fold, *subject;   /* [queries] */
    uint32_t subjects;
    struct model *models[FOLDS];
    struct model_sample samples[FOLDS + 1]; /* the last: all of them */
    float *joined_quality, *joined_cost;
    double dear_usd;
};

/* A set of queries and the curve of fixed lambdas over it. */
struct ground {
    uint32_t *rows; /* in file order */
    size_t count;
    const struct model_sample *sample;
    struct arena *arena;
    struct curve_point *points;
    size_t point_count;
};

struct streamed {
    double early, end; /* mean of the observed cost / target - 1 */
    double recorded;   /* the same of the recorded cost */
    double lost;       /* points of accuracy */
};

static void die(const struct error *err)
{
    fprintf(stderr, "budget: %s\n", err->text);
    exit(1);
}

static void *make(size_t count, size_t size)
{
    void *p = calloc(count + 1, size);
    if (!p)
        abort();
    return p;
}

/* Models */

/* One piece: a model goes through a file that must be gone whatever happens. */
static struct model *train_fold(const struct dataset *d, const size_t *experts, size_t count,
                                uint32_t fold)
{
    struct error err;
    struct dataset *part = NULL;
    struct trained *trained = NULL;
    struct model *model = NULL;
    struct train_options options;
    char path[] = "/tmp/bench_budget.XXXXXX";
    uint32_t *rows = make(d->query_count, sizeof(*rows));
    size_t n = 0;
    for (size_t i = 0; i < d->query_count; i++)
        if (split_fold(d->queries[i].text_hash, SEED, FOLDS) != fold)
            rows[n++] = (uint32_t)i;
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = count;
    options.seed = SEED + fold;
    int fd = mkstemp(path);
    if (fd < 0)
        abort();
    close(fd);
    if (dataset_subset(d, rows, n, &part, &err) != OK ||
        train_run(part, &options, &trained, &err) != OK || model_write(trained, path, &err) != OK ||
        model_load(path, &model, &err) != OK)
        die(&err);
    unlink(path);
    trained_free(trained);
    dataset_free(part);
    free(rows);
    return model;
}

static uint32_t subject_of(const struct dataset *d, uint32_t query, struct str *known,
                           uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++)
        if (str_equal(known[i], d->queries[query].domain))
            return i;
    known[*count] = d->queries[query].domain;
    return (*count)++;
}

static void join_samples(struct world *w)
{
    size_t rows = 0, at = 0;
    for (size_t f = 0; f < FOLDS; f++) {
        w->samples[f] = model_sample(w->models[f]);
        rows += w->samples[f].rows;
    }
    w->joined_quality = make(rows * w->arms, sizeof(float));
    w->joined_cost = make(rows * w->arms, sizeof(float));
    for (size_t f = 0; f < FOLDS; f++) {
        size_t cells = w->samples[f].rows * w->arms;
        memcpy(w->joined_quality + at, w->samples[f].quality, cells * sizeof(float));
        memcpy(w->joined_cost + at, w->samples[f].cost_usd, cells * sizeof(float));
        at += cells;
    }
    w->samples[FOLDS] = (struct model_sample){rows, w->arms, w->joined_quality, w->joined_cost};
}

static void fill(struct world *w, const struct dataset *d, const size_t *experts,
                 const uint32_t *known)
{
    struct error err;
    struct features features;
    struct str *subjects = make(w->queries, sizeof(*subjects));
    if (features_init(&features, &err) != OK)
        die(&err);
    for (size_t i = 0; i < w->queries; i++) {
        const struct query *q = &d->queries[known[i]];
        w->fold[i] = split_fold(q->text_hash, SEED, FOLDS);
        w->subject[i] = subject_of(d, known[i], subjects, &w->subjects);
        const struct model *m = w->models[w->fold[i]];
        if (model_estimate_text(m, q->prompt, &features, w->estimates + i * w->arms, &err) != OK)
            die(&err);
        for (size_t e = 0; e < w->arms; e++)
            w->outcomes[i * w->arms + e] = *dataset_outcome(d, known[i], experts[e]);
        w->dear_usd += (double)w->outcomes[(i + 1) * w->arms - 1].cost_nano_usd / NANO_PER_USD;
    }
    w->dear_usd /= (double)w->queries;
    features_done(&features);
    free(subjects);
}

static void world_make(struct world *w, const struct dataset *d, const char *names)
{
    struct error err;
    size_t experts[ARMS_MAX];
    if (dataset_expert_list(d, names, experts, &w->arms, &err) != OK)
        die(&err);
    for (size_t e = 0; e < w->arms; e++)
        w->names[e] = d->experts[experts[e]].name;
    for (uint32_t f = 0; f < FOLDS; f++)
        w->models[f] = train_fold(d, experts, w->arms, f);
    uint32_t *known = make(d->query_count, sizeof(*known));
    w->queries = eval_known_queries(d, experts, w->arms, known);
    w->estimates = make(w->queries * w->arms, sizeof(*w->estimates));
    w->outcomes = make(w->queries * w->arms, sizeof(*w->outcomes));
    w->fold = make(w->queries, sizeof(*w->fold));
    w->subject = make(w->queries, sizeof(*w->subject));
    join_samples(w);
    fill(w, d, experts, known);
    free(known);
}

static void world_drop(struct world *w)
{
    for (size_t f = 0; f < FOLDS; f++)
        model_free(w->models[f]);
    free(w->joined_quality);
    free(w->joined_cost);
    free(w->estimates);
    free(w->outcomes);
    free(w->fold);
    free(w->subject);
}

/* Streams */

/* fold FOLDS: all. */
static void ground_make(const struct world *w, uint32_t fold, struct ground *g)
{
    struct error err;
    struct curve curve;
    g->arena = arena_create(ARENA_CAP);
    g->rows = make(w->queries, sizeof(*g->rows));
    g->sample = &w->samples[fold];
    for (uint32_t i = 0; i < w->queries; i++)
        if (fold == FOLDS || w->fold[i] == fold)
            g->rows[g->count++] = i;
    struct estimate *estimates = make(g->count * w->arms, sizeof(*estimates));
    struct outcome *outcomes = make(g->count * w->arms, sizeof(*outcomes));
    for (size_t i = 0; i < g->count; i++) {
        memcpy(estimates + i * w->arms, w->estimates + g->rows[i] * w->arms,
               w->arms * sizeof(*estimates));
        memcpy(outcomes + i * w->arms, w->outcomes + g->rows[i] * w->arms,
               w->arms * sizeof(*outcomes));
    }
    const struct eval_table table = {.queries = g->count,
                                     .experts = w->arms,
                                     .names = w->names,
                                     .estimates = estimates,
                                     .outcomes = outcomes,
                                     .reference = w->arms - 1};
    if (curve_make(&table, g->arena, &curve, &err) != OK)
        die(&err);
    g->point_count = curve.step_count + 1;
    g->points = ARENA_ARRAY(g->arena, g->point_count, struct curve_point);
    if (!g->points)
        abort();
    curve_trace(&curve, NULL, g->points);
    free(estimates);
    free(outcomes);
}

static void ground_drop(struct ground *g)
{
    arena_free(g->arena);
    free(g->rows);
}

static void shuffle(uint32_t *items, size_t count, struct rng *rng)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

/* Subject by subject; `number` 0: the subjects in file order, else in a random one. */
static void sort_by_subject(const struct world *w, const struct ground *g, size_t number,
                            struct rng *rng, uint32_t *order)
{
    uint32_t *subjects = make(w->subjects, sizeof(*subjects));
    size_t n = 0;
    for (uint32_t s = 0; s < w->subjects; s++)
        subjects[s] = s;
    if (number > 0)
        shuffle(subjects, w->subjects, rng);
    for (uint32_t s = 0; s < w->subjects; s++)
        for (size_t i = 0; i < g->count; i++)
            if (w->subject[g->rows[i]] == subjects[s])
                order[n++] = g->rows[i];
    free(subjects);
}

/* What a fixed lambda scores at that cost in all: the mean of the curve over costs within 3 %, because the curve of
 * 2,000 queries has bumps of a quarter of a point that would count for or against every stream alike. */
static double fixed_score(const struct ground *g, double usd)
{
    double sum = 0;
    for (int i = -NEAR_STEPS; i <= NEAR_STEPS; i++) {
        double near = usd * (1 + NEAR_SHARE * i / NEAR_STEPS);
        sum += curve_score_at(g->points, g->point_count, near * (double)NANO_PER_USD);
    }
    return sum / (2 * NEAR_STEPS + 1);
}

/* One piece: one pass over the stream, in which a decision depends on all before it. */
static struct streamed stream(const struct world *w, const struct ground *g, const uint32_t *order,
                              double target_usd, bool recorded)
{
    struct budget b;
    struct policy policy = {.budget_usd_per_1k = 1000 * target_usd};
    struct streamed s = {0};
    double observed = 0, spent = 0, score = 0, n = (double)g->count;
    budget_init_sample(&b, g->sample, NULL, policy.budget_usd_per_1k);
    for (size_t i = 0; i < g->count; i++) {
        struct decision d;
        double usual_usd;
        const struct estimate *estimates = w->estimates + order[i] * w->arms;
        if (budget_decide(&b, &policy, estimates, NULL, w->arms, &d, &usual_usd, NULL) != OK)
            abort();
        const struct outcome *o = &w->outcomes[order[i] * w->arms + d.arm];
        double found = (double)o->cost_nano_usd / NANO_PER_USD;
        double cost = recorded ? found : (double)d.cost_nano_usd / NANO_PER_USD;
        budget_observe(&b, cost, usual_usd);
        observed += cost;
        spent += found;
        score += (double)o->score;
        if (i + 1 == EARLY)
            s.early = observed / EARLY / target_usd - 1;
    }
    double best = fixed_score(g, spent);
    s.end = observed / n / target_usd - 1;
    s.recorded = spent / n / target_usd - 1;
    s.lost = 100 * (best - score) / n;
    return s;
}

struct kind {
    const char *name;
    bool whole, sorted;
    double early_max, end_max, lost_max; /* bars; 0: none */
};

static const struct kind kinds[] = {
    {"shuffled, one fold", false, false, 0.02, 0, 0.1},
    {"shuffled, all", true, false, 0.02, 0.005, 0.1},
    {"by subject, one fold", false, true, 0, 0, 0.5},
    {"by subject, all", true, true, 0, 0.03, 0.5},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t run_kind(const struct world *w, const struct ground *grounds, const struct kind *kind,
                       double target_usd, bool recorded, struct streamed *ret)
{
    size_t n = 0, first = kind->whole ? FOLDS : 0, last = kind->whole ? FOLDS : FOLDS - 1;
    struct rng rng;
    uint32_t *order = make(w->queries, sizeof(*order));
    rng_seed(&rng, SEED);
    for (size_t f = first; f <= last; f++)
        for (size_t i = 0; i < (kind->whole ? PER_WHOLE : PER_FOLD); i++) {
            const struct ground *g = &grounds[f];
            memcpy(order, g->rows, g->count * sizeof(*order));
            if (kind->sorted)
                sort_by_subject(w, g, i, &rng, order);
            else
                shuffle(order, g->count, &rng);
            ret[n++] = stream(w, g, order, target_usd, recorded);
        }
    free(order);
    return n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of nine streams in ten the absolute deviation is at or below ret[0]; ret[1] is the largest. */
static void spread(const struct streamed *s, size_t count, size_t field, double ret[2])
{
    double values[STREAM_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = fabs(field == 0 ? s[i].early : s[i].end);
    qsort(values, count, sizeof(*values), by_value);
    ret[0] = values[(count * 9 + 9) / 10 - 1];
    ret[1] = values[count - 1];
}

static bool over(double value, double bar)
{
    return bar > 0 && value > bar;
}

static bool print_kind(const struct kind *kind, double share, const struct streamed *s,
                       size_t count)
{
    double early[2], end[2], lost = 0, recorded = 0;
    spread(s, count, 0, early);
    spread(s, count, 1, end);
    for (size_t i = 0; i < count; i++) {
        lost += s[i].lost / (double)count;
        recorded += s[i].recorded / (double)count;
    }
    bool missed = over(early[0], kind->early_max) || over(end[0], kind->end_max) ||
                  over(lost, kind->lost_max);
    printf("  %-21s %3.0f %%  %6.2f %6.2f   %6.2f %6.2f   %6.2f   %6.2f%s\n", kind->name,
           100 * share, 100 * early[0], 100 * early[1], 100 * end[0], 100 * end[1], 100 * recorded,
           lost, missed ? "   MISSED" : "");
    return !missed;
}

static bool run_streams(const struct world *w, const struct ground *grounds)
{
    bool good = true;
    struct streamed s[STREAM_MAX];
    for (int recorded = 1; recorded >= 0; recorded--) {
        printf("  the budget hears of %s costs; deviations in %%, lost in points of accuracy\n",
               recorded ? "recorded" : "predicted");
        printf("  %-21s %-6s %-15s %-15s %-8s %s\n", "stream", "target", " at 1,000: 90%  max",
               " at the end: 90%  max", " recorded", " lost");
        for (size_t k = 0; k < KINDS; k++)
            for (size_t t = 0; t < TARGETS; t++) {
                double target_usd = target_shares[t] * w->dear_usd;
                size_t count = run_kind(w, grounds, &kinds[k], target_usd, recorded, s);
                good &= print_kind(&kinds[k], target_shares[t], s, count);
            }
    }
    return good;
}

/* Min_quality */

/* Mean score of what the rule takes, over all queries; `calibrated`: with the floor, else as it is given. */
static double score_at(const struct world *w, double quality, bool calibrated)
{
    double sum = 0, floors[FOLDS];
    for (size_t f = 0; f < FOLDS; f++)
        floors[f] = calibrated ? quality_floor_find(&w->samples[f], NULL, quality) : quality;
    for (size_t i = 0; i < w->queries; i++) {
        struct decision d;
        struct policy policy = {.min_quality = floors[w->fold[i]]};
        if (decide(&policy, 0, w->estimates + i * w->arms, NULL, w->arms, &d, NULL) != OK)
            abort();
        sum += (double)w->outcomes[i * w->arms + d.arm].score;
    }
    return sum / (double)w->queries;
}

static bool run_floors(const struct world *w)
{
    double best = 0, worst = INFINITY;
    for (size_t e = 0; e < w->arms; e++) {
        double sum = 0;
        for (size_t i = 0; i < w->queries; i++)
            sum += (double)w->outcomes[i * w->arms + e].score;
        best = fmax(best, sum / (double)w->queries);
    }
    printf("  min_quality, in %%; the best expert has %.1f\n", 100 * best);
    printf("  %8s %12s %16s\n", "wanted", "without floor", "with floor");
    for (double wanted = 0.5; wanted <= best; wanted += 0.02) {
        double found = score_at(w, wanted, true);
        worst = fmin(worst, found - wanted);
        printf("  %8.1f %12.1f %16.1f\n", 100 * wanted, 100 * score_at(w, wanted, false),
               100 * found);
    }
    double found = score_at(w, best, true);
    worst = fmin(worst, found - best);
    printf("  %8.1f %12.1f %16.1f\n", 100 * best, 100 * score_at(w, best, false), 100 * found);
    printf("  furthest below: %.2f points   bar 1%s\n", -100 * worst,
           worst < -0.01 ? "   MISSED" : "");
    return worst >= -0.01;
}

static bool run_task(const struct task *task, const char *data)
{
    struct error err;
    struct dataset *d;
    struct world w = {0};
    struct ground grounds[FOLDS + 1] = {0};
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", data, task->dataset);
    if (dataset_load(path, DATASET_ALL, &d, &err) != OK)
        die(&err);
    world_make(&w, d, task->experts);
    for (uint32_t f = 0; f <= FOLDS; f++)
        ground_make(&w, f, &grounds[f]);
    printf("%s\n  %zu queries in %u subjects; the dear expert costs $%.3f per 1,000\n", task->title,
           w.queries, w.subjects, 1000 * w.dear_usd);
    bool good = run_streams(&w, grounds);
    good = run_floors(&w) && good;
    printf("\n");
    fflush(stdout);
    for (size_t f = 0; f <= FOLDS; f++)
        ground_drop(&grounds[f]);
    world_drop(&w);
    dataset_free(d);
    return good;
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    bool good = true;
    data = data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("skipped: no data in %s\n", data);
        return 0;
    }
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        good &= run_task(&tasks[i], data);
    return good ? 0 : 1;
}
