/* What a set costs and loses that is found by asking (`leeroo select --probe`), on data sets whose outcomes are all
 * known, beside the usual way: everybody on a sample, then the set that is best on that.
 *
 *     bench_universe_probe [DATA [SET...]]    DATA: LEEROO_DATA or ../shared/data; SET: mmlu_pro mmlu livecodebench
 *                                             bfcl; SEEDS=N (40) for the means beside the five of the bar
 *
 * Coverage is over all questions; an outcome that nobody recorded counts as not solved. The race's settings were chosen
 * on bfcl, livecodebench and mmlu; the bar is mmlu_pro's: five seeds, k of 3, 4 and 5, within a point of the exact
 * optimum for 5 % of what all outcomes cost. Answers are all told at once, so that calls in flight play no part. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/subset.h"
#include "probe/probe.h"
#include "universe/selection.h"

#define ARENA_CAP  ((size_t)8 << 30)
#define K_MIN      3
#define K_MAX      5
#define BAR_SEEDS  5
#define BAR_SHARE  0.05
#define BAR_LOSS   0.01
#define SEED_OTHER 11001 /* of the means; no setting was chosen by these */
#define EXACT_WORK (UINT64_C(16) << 30)

static const double shares[] = {0.02, 0.05, 0.1};

struct world {
    const char *name;
    struct dataset *d;
    struct arena *arena;
    int64_t all_nano_usd;
    int64_t *cost_nano_usd; /* [cells]: the mean of each expert, as they would be expected */
    double best[K_MAX + 1]; /* coverage of the best set of so many */
};

struct tally {
    double loss, worst, share, questions;
    size_t over, count;
};

static void die(const struct error *err)
{
    fprintf(stderr, "universe_probe: %s\n", err->text);
    exit(1);
}

/* Worlds */

static void take_costs(struct world *w)
{
    const size_t experts = w->d->expert_count, cells = w->d->query_count * experts;
    w->cost_nano_usd = ARENA_ARRAY(w->arena, cells, int64_t);
    for (size_t e = 0; w->cost_nano_usd && e < experts; e++) {
        int64_t sum = 0;
        for (size_t i = e; i < cells; i += experts)
            sum += w->d->outcomes[i].cost_nano_usd;
        w->all_nano_usd += sum;
        for (size_t i = e; i < cells; i += experts)
            w->cost_nano_usd[i] = sum / (int64_t)w->d->query_count;
    }
    for (size_t i = 0; i < cells; i++) /* what nobody recorded is wrong, and cost nothing */
        w->d->outcomes[i].known = w->d->outcomes[i].cost_known = true;
}

static double set_coverage(const struct dataset *d, const size_t *members, size_t count)
{
    double sum = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        float best = 0;
        for (size_t i = 0; i < count; i++)
            best = fmaxf(best, dataset_outcome(d, q, members[i])->score);
        sum += (double)best;
    }
    return sum / (double)d->query_count;
}

/* Members are experts of `d`, all of which are candidates. */
static struct selection best_set(const struct dataset *d, struct arena *a, size_t k,
                                 int64_t cost_max_nano_usd)
{
    struct error err;
    struct candidates c;
    struct coverage v;
    struct selection s;
    const struct exact_options exact = {.work_max = EXACT_WORK};
    if (candidates_build(d, NULL, a, &c, &err) != OK || coverage_all(&c, a, &v, &err) != OK)
        die(&err);
    const struct set_rules rules = {.candidates = c.count,
                                    .cost_nano_usd = c.cost_nano_usd,
                                    .count_max = k,
                                    .cost_max_nano_usd = cost_max_nano_usd};
    if (selection_by_coverage(&v, &rules, &exact, &s, &err) != OK)
        die(&err);
    return s;
}

static bool load(const char *folder, const char *name, struct world *w)
{
    char path[4096];
    struct error err;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    *w = (struct world){.name = name, .arena = arena_create(ARENA_CAP)};
    enum status status = dataset_load(path, DATASET_ALL, &w->d, &err);
    if (status == ERR_NOT_FOUND) {
        printf("%s: no data, passes\n", path);
        return false;
    }
    if (status != OK)
        die(&err);
    take_costs(w);
    for (size_t k = K_MIN; k <= K_MAX; k++) {
        const struct selection s = best_set(w->d, w->arena, k, INT64_MAX);
        w->best[k] = set_coverage(w->d, s.set.members, s.set.count);
        printf("%s: the best %zu cover %.2f %%%s\n", name, k, 100 * w->best[k],
               s.promise == SELECTION_PROVED ? "" : " (not proved)");
    }
    return true;
}

/* The race */

/* False: the next answer does not fit. */
static bool buy(const struct world *w, struct probe *p, const struct probe_cells *cells,
                int64_t money, int64_t *spent)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct probe_cell *c = &cells->cells[i];
        const struct outcome *o = dataset_outcome(w->d, c->question, c->candidate);
        if (*spent + o->cost_nano_usd > money)
            return false;
        *spent += o->cost_nano_usd;
        probe_tell(p, c->question, c->candidate, (double)o->score);
    }
    return true;
}

static struct probe_result race(const struct world *w, const struct probe_options *o, int64_t money,
                                int64_t *spent)
{
    struct probe *p;
    struct probe_cells cells;
    struct probe_result result;
    struct error err;
    *spent = 0;
    if (probe_create(o, &p, &err) != OK)
        die(&err);
    do
        if (probe_next(p, w->cost_nano_usd, money - *spent, &cells, &err) != OK)
            die(&err);
    while (cells.count > 0 && buy(w, p, &cells, money, spent));
    if (probe_result(p, &result, &err) != OK)
        die(&err);
    probe_free(p);
    return result;
}

static void add(struct tally *t, double loss, double share, double questions)
{
    t->loss += loss;
    t->worst = fmax(t->worst, loss);
    t->share += share;
    t->questions += questions;
    t->over += loss > BAR_LOSS;
    t->count++;
}

static void run_race(const struct world *w, size_t k, double share, uint64_t seed, struct tally *t,
                     bool tell)
{
    int64_t spent;
    size_t members[CANDIDATES_MAX];
    const struct probe_options o = {w->d->query_count, w->d->expert_count, k, 0, seed};
    const struct probe_result r = race(w, &o, (int64_t)(share * (double)w->all_nano_usd), &spent);
    for (size_t i = 0; i < r.count; i++)
        members[i] = r.steps[i].candidate;
    const double loss = w->best[k] - set_coverage(w->d, members, r.count);
    const double cost = (double)spent / (double)w->all_nano_usd;
    add(t, loss, cost, (double)r.questions);
    if (!tell)
        return;
    printf("| %zu | %lu | %.2f | %.2f | %zu |", k, (unsigned long)seed, 100 * loss, 100 * cost,
           r.questions);
    for (size_t i = 0; i < r.count; i++)
        printf(" %.*s", STR_FMT(w->d->experts[members[i]].name));
    printf(" |\n");
}

static double mean_score(const struct dataset *d, size_t expert)
{
    return set_coverage(d, &expert, 1);
}

/* On few questions fewer members than were asked for may answer all that anybody does: the most accurate join. */
static size_t fill_up(const struct dataset *sample, size_t k, size_t *members, size_t count)
{
    bool in[CANDIDATES_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        in[members[i]] = true;
    while (count < k) {
        size_t best = SIZE_MAX;
        for (size_t e = 0; e < sample->expert_count; e++)
            if (!in[e] && (best == SIZE_MAX || mean_score(sample, e) > mean_score(sample, best)))
                best = e;
        in[best] = true;
        members[count++] = best;
    }
    return count;
}

/* Everybody on as many questions as the money buys, drawn at random. */
static void run_sample(const struct world *w, size_t k, double share, uint64_t seed,
                       struct tally *t)
{
    const size_t count = (size_t)(share * (double)w->d->query_count);
    uint32_t *rows = malloc((w->d->query_count + 1) * sizeof(*rows));
    struct arena *a = arena_create(ARENA_CAP);
    struct dataset *sample;
    struct rng rng;
    struct error err;
    if (!rows || !a)
        exit(1);
    for (size_t q = 0; q < w->d->query_count; q++)
        rows[q] = (uint32_t)q;
    rng_seed(&rng, seed);
    rng_shuffle_u32(&rng, rows, w->d->query_count);
    if (dataset_subset(w->d, rows, count, &sample, &err) != OK)
        die(&err);
    struct selection s = best_set(sample, a, k, INT64_MAX);
    s.set.count = fill_up(sample, k, s.set.members, s.set.count);
    add(t, w->best[k] - set_coverage(w->d, s.set.members, s.set.count), share, (double)count);
    dataset_free(sample);
    arena_free(a);
    free(rows);
}

/* Tables */

static void print_tally(const struct world *w, size_t k, double share, const char *way,
                        const struct tally *t)
{
    const double n = (double)t->count;
    printf("| %s | %zu | %.0f | %s | %.2f | %.2f | %zu of %zu | %.2f | %.0f |\n", w->name, k,
           100 * share, way, 100 * t->loss / n, 100 * t->worst, t->over, t->count,
           100 * t->share / n, t->questions / n);
    fflush(stdout);
}

static void run_means(const struct world *w, size_t seeds)
{
    printf("\n| data | k | cap %% | way | mean loss | worst | over 1 | spent %% | questions |\n"
           "|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
        for (size_t k = K_MIN; k <= K_MAX; k++) {
            struct tally raced = {0}, sampled = {0};
            for (size_t s = 0; s < seeds; s++) {
                run_race(w, k, shares[i], SEED_OTHER + s, &raced, false);
                run_sample(w, k, shares[i], SEED_OTHER + s, &sampled);
            }
            print_tally(w, k, shares[i], "probe", &raced);
            print_tally(w, k, shares[i], "sample", &sampled);
        }
}

/* Members at any number, under a limit of what they cost together. */
static void run_limit(const struct world *w, int64_t cost_max_nano_usd, size_t seeds)
{
    const size_t experts = w->d->expert_count;
    const int64_t money = (int64_t)(BAR_SHARE * (double)w->all_nano_usd);
    const struct selection best = best_set(w->d, w->arena, experts, cost_max_nano_usd);
    const double all = set_coverage(w->d, best.set.members, best.set.count);
    struct tally t = {0};
    double dearest = 0;
    for (size_t i = 0; i < seeds; i++) {
        int64_t spent, cost = 0;
        size_t members[CANDIDATES_MAX];
        const struct probe_options o = {w->d->query_count, experts, experts, cost_max_nano_usd,
                                        SEED_OTHER + i};
        const struct probe_result r = race(w, &o, money, &spent);
        for (size_t m = 0; m < r.count; m++) {
            members[m] = r.steps[m].candidate;
            cost += 1000 * w->cost_nano_usd[members[m]];
        }
        dearest = fmax(dearest, (double)cost / (double)cost_max_nano_usd);
        add(&t, all - set_coverage(w->d, members, r.count), (double)spent / (double)w->all_nano_usd,
            (double)r.questions);
    }
    const double n = (double)t.count;
    printf("| %s | %.2f | %zu | %.2f | %.2f | %.2f | %zu of %zu | %.2f | %.0f | %.2f |\n", w->name,
           (double)cost_max_nano_usd / 1e9, best.set.count, 100 * all, 100 * t.loss / n,
           100 * t.worst, t.over, t.count, 100 * t.share / n, t.questions / n, dearest);
    fflush(stdout);
}

/* From what a fiftieth of all candidates together cost up to a third. */
static void run_limits(const struct world *w, size_t seeds)
{
    const double parts[] = {.02, .05, .1, .2, .33};
    const double all = 1000 * (double)w->all_nano_usd / (double)w->d->query_count;
    printf(
        "\n| data | limit, USD per 1,000 | best: members | covers %% | mean loss | worst | over 1 "
        "| spent %% | questions | cost, of the limit "
        "|\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        run_limit(w, (int64_t)(parts[i] * all), seeds);
}

/* Whether it is met. */
static bool run_bar(const struct world *w)
{
    struct tally t = {0};
    printf("\n| k | seed | loss | spent %% | questions | set |\n|---|---|---|---|---|---|\n");
    for (size_t k = K_MIN; k <= K_MAX; k++)
        for (uint64_t seed = 1; seed <= BAR_SEEDS; seed++)
            run_race(w, k, BAR_SHARE, seed, &t, true);
    printf("\n%s: worst loss %.2f points (bar 1)\n", w->name, 100 * t.worst);
    return t.worst <= BAR_LOSS || strcmp(w->name, "mmlu_pro") != 0;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    const char *const usual[] = {"mmlu_pro", "mmlu", "livecodebench", "bfcl"};
    const size_t count = argc > 2 ? (size_t)argc - 2 : 4;
    const char *seeds = getenv("SEEDS");
    bool met = true;
    for (size_t i = 0; i < count; i++) {
        struct world w;
        if (!load(folder ? folder : "../shared/data", argc > 2 ? argv[i + 2] : usual[i], &w))
            continue;
        met = run_bar(&w) && met;
        run_means(&w, seeds ? strtoul(seeds, NULL, 10) : 40);
        run_limits(&w, seeds ? strtoul(seeds, NULL, 10) : 40);
        dataset_free(w.d);
        arena_free(w.arena);
    }
    return met ? 0 : 1;
}
