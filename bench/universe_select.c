/* What choosing a set takes, on planted candidates: 256 of them on 10,000 questions (bench/universe.md).
 *
 *     bench_universe_select [CANDIDATES [QUESTIONS]]
 *
 * Then recorded outcomes, where they are in $LEEROO_DATA (../shared/data): by number and by cost, each proved.
 *
 * A question is hard to some degree and of one of twenty topics; a candidate has a strength and topics that it knows,
 * and costs more the stronger it is. Scores are right or wrong, or any. Exits 1 where lazy greedy chooses other members
 * than plain greedy, a set takes ten seconds of CPU, or one of recorded outcomes is not proved. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "universe/selection.h"

#define TOPICS    20
#define ARENA_CAP ((size_t)4 << 30)
#define BAR_S     10.0
#define WORK      (UINT64_C(4) << 30)

struct planted {
    struct candidates c;
    struct arena *a;
};

static double normal(struct rng *r)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += rng_uniform(r);
    return sum - 6;
}

static void draw_candidate(struct rng *r, struct planted *p, size_t i, bool any, const double *hard)
{
    double strength = normal(r), topics[TOPICS];
    for (size_t t = 0; t < TOPICS; t++)
        topics[t] = normal(r);
    p->c.cost_nano_usd[i] = (int64_t)(1e8 * exp(0.9 * strength + 0.5 * normal(r)));
    for (size_t row = 0; row < p->c.rows; row++) {
        double good = 1 / (1 + exp(hard[row] - strength - topics[row % TOPICS]));
        double score = any ? fmin(fmax(good + 0.2 * normal(r), 0), 1) : rng_uniform(r) < good;
        p->c.scores[row * p->c.count + i] = (uint16_t)lround(score * SCORE_ONE);
    }
}

static bool plant(struct planted *p, size_t candidates, size_t questions, bool any)
{
    struct rng r;
    rng_seed(&r, 12);
    *p = (struct planted){.a = arena_create(ARENA_CAP)};
    p->c.count = candidates;
    p->c.rows = questions;
    double *hard = p->a ? ARENA_ARRAY(p->a, questions, double) : NULL;
    p->c.scores = p->a ? ARENA_ARRAY(p->a, candidates * questions, uint16_t) : NULL;
    if (!hard || !p->c.scores)
        return false;
    for (size_t row = 0; row < questions; row++)
        hard[row] = 2 + 2 * normal(&r);
    for (size_t i = 0; i < candidates; i++)
        draw_candidate(&r, p, i, any, hard);
    return true;
}

/* Of this thread, since others may use the machine. */
static double seconds_since(double start)
{
    return clock_cpu_seconds() - start;
}

/* Plain greedy beside lazy greedy: true when they choose the same. */
static bool greedy_row(const struct coverage *v, const struct set_rules *rules,
                       enum greedy_measure measure)
{
    struct objective o = coverage_objective(v);
    struct chosen_set plain, lazy;
    double start = clock_cpu_seconds();
    if (greedy_choose(&o, rules, measure, false, &plain, NULL) != OK)
        return false;
    double plain_s = seconds_since(start);
    start = clock_cpu_seconds();
    if (greedy_choose(&o, rules, measure, true, &lazy, NULL) != OK)
        return false;
    bool same = plain.count == lazy.count &&
                memcmp(plain.members, lazy.members, plain.count * sizeof(plain.members[0])) == 0;
    printf("  greedy   plain %6zu sets asked, %5.2f s; lazy %5zu, %5.2f s; they choose %s\n",
           plain.evaluations, plain_s, lazy.evaluations, seconds_since(start),
           same ? "the same" : "DIFFERENTLY");
    return same;
}

/* `proved`: it has to be. */
static bool case_run(const struct coverage *v, const char *name, size_t count, double usd,
                     bool proved)
{
    const struct exact_options options = {.work_max = WORK};
    struct set_rules rules = {.candidates = v->c->count,
                              .cost_nano_usd = v->c->cost_nano_usd,
                              .count_max = count,
                              .cost_max_nano_usd = usd > 0 ? (int64_t)(usd * 1e9) : INT64_MAX};
    struct selection s;
    printf("%s\n", name);
    bool ok = greedy_row(v, &rules, usd > 0 ? GREEDY_GAIN_PER_COST : GREEDY_GAIN);
    double start = clock_cpu_seconds();
    if (selection_by_coverage(v, &rules, &options, &s, NULL) != OK)
        return false;
    double took = seconds_since(start);
    printf("  the set  %zu members cover %.3f %%, at most %.3f %% (%s, %zu nodes), %5.2f s%s\n",
           s.set.count, 100 * selection_mean(&s), 100 * s.bound * s.unit,
           s.promise == SELECTION_PROVED ? "proved" : "not proved", s.nodes, took,
           took < BAR_S ? "" : " MISSED");
    return ok && took < BAR_S && (!proved || s.promise == SELECTION_PROVED);
}

static bool kind_run(size_t candidates, size_t questions, bool any)
{
    struct planted p;
    struct coverage v;
    bool ok = plant(&p, candidates, questions, any) && coverage_all(&p.c, p.a, &v, NULL) == OK;
    if (ok) {
        printf("\n%zu candidates, %zu questions, %s\n", candidates, questions,
               any ? "any scores" : "right or wrong");
        ok = case_run(&v, "five members", 5, 0, false);
        ok = case_run(&v, "twenty members", 20, 0, false) && ok;
        ok = case_run(&v, "for 0.30 USD", candidates, 0.3, false) && ok;
        ok = case_run(&v, "for 1 USD", candidates, 1, false) && ok;
    }
    arena_free(p.a);
    return ok;
}

/* Recorded outcomes */

static bool recorded_sets(const struct coverage *v, const double *usd, size_t count)
{
    bool ok = true;
    char name[64];
    for (size_t k = 1; k <= 5; k++) {
        snprintf(name, sizeof(name), "%zu members", k);
        ok = case_run(v, name, k, 0, true) && ok;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "for %g USD", usd[i]);
        ok = case_run(v, name, v->c->count, usd[i], true) && ok;
    }
    return ok;
}

/* True also where there are no data. */
static bool recorded_run(const char *folder, const char *name, const double *usd, size_t count)
{
    char path[512];
    struct dataset *d;
    struct candidates c;
    struct coverage v;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (dataset_load(path, DATASET_ALL, &d, NULL) != OK) {
        printf("\n%s: no data\n", path);
        return true;
    }
    struct arena *a = arena_create(ARENA_CAP);
    bool ok =
        a && candidates_build(d, NULL, a, &c, NULL) == OK && coverage_all(&c, a, &v, NULL) == OK;
    if (ok) {
        printf("\n%s: %zu candidates, %zu questions\n", name, c.count, c.rows);
        ok = recorded_sets(&v, usd, count);
    }
    arena_free(a);
    dataset_free(d);
    return ok;
}

int main(int argc, char **argv)
{
    size_t candidates = argc > 1 ? strtoul(argv[1], NULL, 10) : CANDIDATES_MAX;
    size_t questions = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
    if (candidates < 1 || candidates > CANDIDATES_MAX || questions < 1 || questions > 1000000) {
        fprintf(stderr, "bench_universe_select: 1 to %d candidates, 1 to 1,000,000 questions\n",
                CANDIDATES_MAX);
        return 2;
    }
    static const double pro[] = {0.3, 0.6, 1, 2, 4}, code[] = {2, 5, 20, 60, 150};
    const char *data = getenv("LEEROO_DATA") ? getenv("LEEROO_DATA") : "../shared/data";
    bool ok = kind_run(candidates, questions, false);
    ok = kind_run(candidates, questions, true) && ok;
    ok = recorded_run(data, "mmlu_pro", pro, 5) && ok;
    return recorded_run(data, "livecodebench", code, 5) && ok ? 0 : 1;
}
