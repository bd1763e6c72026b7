/* What a router does on traffic that it was not trained for, from one command:
 *
 *     bench_foreign [DATA [DRAWS]]        DATA: LEEROO_DATA or ../shared/data; DRAWS: of labelled queries
 *
 * In every direction a router is trained on one kind of task and asked another, by the experts that stand in both. It
 * is compared at equal mean cost with the mix that training knows (the hull of single experts by their training
 * accuracy) and with the best mix in hindsight (by their accuracy on the new traffic), along the whole lambda curve;
 * then again with labelled queries of the new kind in training, which are not measured on. From the environment:
 * ONLY=N picks one direction, LABELS=N another number of labels than 100. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/subset.h"
#include "eval/bootstrap.h"
#include "eval/build.h"
#include "eval/curve.h"
#include "train/train.h"

#define ARENA_CAP ((size_t)8 << 30)
#define POOL_MAX  16
#define PLACES    48 /* costs at which is compared, in equal ratios */
#define RESAMPLES 200
#define BAR       0.005

enum set { MMLU, MMLU_PRO, CODE, TOOLS, SETS };
static const char *const set_names[SETS] = {"mmlu", "mmlu_pro", "livecodebench", "bfcl"};

/* The same model in several data sets. Nearly the same are the previews and releases of Gemini 1.5, function calling
 * (-FC) and prompting of one GPT-4o, Mixtral 8x22B before and after instruction, and releases of Mistral Large. */
static const char *const models[][SETS] = {
    {"gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13-FC"},
    {"gemini-1.5-flash-preview-0514", "gemini-1.5-flash-002", "gemini-flash-1.5-002",
     "gemini-1.5-flash-preview-0514"},
    {"gemini-1.5-pro-preview-0409", "gemini-1.5-pro-002", "gemini-pro-1.5-002",
     "gemini-1.5-pro-preview-0514"},
    {"mixtral-8x7b-instruct", "mixtral-8x7b-instruct", NULL, "open-mixtral-8x7b"},
    {"mixtral-8x22b", NULL, NULL, "open-mixtral-8x22b"},
    {"gpt-4-0613", NULL, NULL, "gpt-4-0613"},
    {"claude-3-opus-20240229", NULL, NULL, "claude-3-opus-20240229"},
    {NULL, NULL, "gpt-4o-2024-08-06", "gpt-4o-2024-08-06-FC"},
    {NULL, NULL, "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18"},
    {NULL, NULL, "gpt-4-turbo-2024-04-09", "gpt-4-turbo-2024-04-09"},
    {NULL, NULL, "claude-3-haiku", "claude-3-haiku-20240307"},
    {NULL, NULL, "claude-3.5-sonnet-20240620", "claude-3-5-sonnet-20240620"},
    {NULL, NULL, "mistral-large", "mistral-large-2407-FC-Any"},
};
#define MODELS (sizeof(models) / sizeof(models[0]))

struct direction {
    unsigned from; /* bits of sets */
    enum set to;
    /* Of one set: domains that are asked and not trained on, "a,b", and the pool. NULL: another set is asked, and the
     * pool is whoever stands in all of them. */
    const char *held, *experts;
};

#define OF(set) (1u << (set))
#define THREE   "gemini-1.5-flash-002,llama-3.1-70b-instruct,gpt-4o-2024-05-13"
#define TEN                                                                                        \
    "gpt-4o-2024-05-13,gemini-1.5-pro-002,gemini-1.5-flash-002,llama-3.1-70b-instruct,"            \
    "deepseek-v2-chat,phi-3-mini-4k-instruct,mixtral-8x7b-instruct,qwen1.5-72b-chat,"              \
    "llama-3.1-8b-instruct,command-r"
#define FOUR "mixtral-8x7b-instruct,mixtral-8x22b,llama-3-70b,gpt-4-0613"

static const struct direction directions[] = {
    {OF(MMLU), TOOLS, NULL, NULL},
    {OF(MMLU_PRO), TOOLS, NULL, NULL},
    {OF(MMLU) | OF(MMLU_PRO), TOOLS, NULL, NULL},
    {OF(CODE), TOOLS, NULL, NULL},
    {OF(MMLU), CODE, NULL, NULL},
    {OF(MMLU_PRO), CODE, NULL, NULL},
    {OF(MMLU) | OF(MMLU_PRO), CODE, NULL, NULL},
    {OF(TOOLS), CODE, NULL, NULL},
    {OF(TOOLS), MMLU, NULL, NULL},
    {OF(CODE), MMLU, NULL, NULL},
    {OF(TOOLS), MMLU_PRO, NULL, NULL},
    {OF(CODE), MMLU_PRO, NULL, NULL},
    {OF(MMLU_PRO), MMLU_PRO, "math", TEN},
    {OF(MMLU_PRO), MMLU_PRO, "computer science", TEN},
    {OF(MMLU_PRO), MMLU_PRO, "law", TEN},
    {OF(MMLU_PRO), MMLU_PRO, "math,physics,chemistry,engineering", TEN},
    {OF(MMLU_PRO), MMLU_PRO, "law", THREE},
    {OF(MMLU), MMLU, "professional_law,moral_scenarios,international_law", FOUR},
};
#define DIRECTIONS (sizeof(directions) / sizeof(directions[0]))

/* What decides instead of the router, to see where a shortfall comes from. */
enum variant { ROUTER, TRUE_COSTS, LEVELS, LEVELS_TRUE_COSTS, VARIANTS };
static const char *const variant_names[VARIANTS] = {"router", "with true costs", "training means",
                                                    "both"};

struct comparison {
    double difference[PLACES], error[PLACES]; /* of accuracy: the router less the mix */
    double cost[PLACES];                      /* shares of the mix's dearest */
};

struct result {
    struct comparison known[VARIANTS], best[VARIANTS];
    size_t queries, draws;
};

static void die(const struct error *err)
{
    fprintf(stderr, "foreign: %s\n", err->text);
    exit(1);
}

static size_t number(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 10) : otherwise;
}

/* Data sets */

static struct dataset *sets[SETS];

static void load(const char *data)
{
    struct error err;
    char path[1024];
    for (size_t s = 0; s < SETS; s++) {
        snprintf(path, sizeof(path), "%s/%s", data, set_names[s]);
        if (dataset_load(path, DATASET_ALL, &sets[s], &err) != OK)
            die(&err);
    }
}

/* The pool in a set, by the names of one and at the prices of the set that is asked. */
static struct dataset *pool_of(const struct direction *r, enum set s)
{
    struct error err;
    struct dataset *pool;
    size_t at[POOL_MAX], asked[POOL_MAX], count = 0;
    if (r->experts) {
        if (dataset_expert_list(sets[s], r->experts, at, &count, &err) != OK)
            die(&err);
        memcpy(asked, at, sizeof(at));
    }
    for (size_t m = 0; m < MODELS && !r->experts; m++) {
        bool in_all = true;
        for (size_t k = 0; k < SETS; k++)
            in_all &= models[m][k] || !(k == r->to || (r->from & OF(k)));
        if (!in_all)
            continue;
        at[count] = dataset_expert_index(sets[s], str_from(models[m][s]));
        asked[count++] = dataset_expert_index(sets[r->to], str_from(models[m][r->to]));
    }
    if (dataset_subset_experts(sets[s], at, count, &pool, &err) != OK)
        die(&err);
    pool->prices = NULL; /* as given */
    for (size_t e = 0; e < count; e++)
        pool->experts[e] = sets[r->to]->experts[asked[e]];
    return pool;
}

static bool is_held(const struct direction *r, const struct query *q)
{
    struct str rest = str_from(r->held ? r->held : "");
    while (rest.len) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
        if (str_equal(q->domain, (struct str){rest.ptr, len}))
            return true;
        rest = str_slice(rest, comma ? len + 1 : len, rest.len);
    }
    return false;
}

static struct dataset *subset(const struct dataset *d, const uint32_t *rows, size_t count)
{
    struct error err;
    struct dataset *ret;
    if (dataset_subset(d, rows, count, &ret, &err) != OK)
        die(&err);
    return ret;
}

static struct dataset *joined(struct dataset *const *parts, size_t count)
{
    struct error err;
    struct dataset *ret;
    if (dataset_concat(parts, count, &ret, &err) != OK)
        die(&err);
    return ret;
}

/* What is trained on, and asked[*]: rows of `to` where all is known. */
struct material {
    struct dataset *from, *to;
    uint32_t *asked;
    size_t count;
};

static void gather(const struct direction *r, struct material *m)
{
    struct dataset *parts[SETS];
    size_t part_count = 0, experts[POOL_MAX], kept = 0, old = 0;
    m->to = pool_of(r, r->to);
    for (size_t e = 0; e < m->to->expert_count; e++)
        experts[e] = e;
    m->asked = calloc(m->to->query_count + 1, sizeof(*m->asked));
    m->count = eval_known_queries(m->to, experts, m->to->expert_count, m->asked);
    for (size_t s = 0; s < SETS && !r->held; s++)
        if (r->from & OF(s))
            parts[part_count++] = pool_of(r, (enum set)s);
    if (r->held) {
        uint32_t *rows = calloc(m->to->query_count + 1, sizeof(*rows));
        for (uint32_t i = 0; i < m->to->query_count; i++)
            if (!is_held(r, &m->to->queries[i]))
                rows[old++] = i;
        parts[part_count++] = subset(m->to, rows, old);
        for (size_t i = 0; i < m->count; i++)
            if (is_held(r, &m->to->queries[m->asked[i]]))
                m->asked[kept++] = m->asked[i];
        m->count = kept;
        free(rows);
    }
    m->from = joined(parts, part_count); /* its parts stay until the program ends */
}

/* Mixes of single experts */

struct mix {
    double cost[POOL_MAX], by[POOL_MAX],
        score[POOL_MAX]; /* sums over the queries; by: the hull's */
    size_t vertex[POOL_MAX], vertices;
};

/* From the cheapest expert to the best, always the one that brings most for its price. */
static void mix_hull(struct mix *m, size_t experts)
{
    size_t at = 0;
    for (size_t e = 1; e < experts; e++)
        if (m->cost[e] < m->cost[at] || (m->cost[e] == m->cost[at] && m->by[e] > m->by[at]))
            at = e;
    m->vertices = 0;
    for (size_t next = at; next != SIZE_MAX; at = next) {
        double steepest = 0;
        m->vertex[m->vertices++] = at;
        next = SIZE_MAX;
        for (size_t e = 0; e < experts; e++) {
            double slope = (m->by[e] - m->by[at]) / (m->cost[e] - m->cost[at]);
            if (m->by[e] > m->by[at] && m->cost[e] > m->cost[at] && slope > steepest) {
                steepest = slope;
                next = e;
            }
        }
    }
}

static double mix_score(const struct mix *m, double cost)
{
    size_t v = 1;
    if (cost <= m->cost[m->vertex[0]])
        return m->score[m->vertex[0]];
    while (v < m->vertices && m->cost[m->vertex[v]] < cost)
        v++;
    if (v == m->vertices)
        return m->score[m->vertex[v - 1]];
    size_t a = m->vertex[v - 1], b = m->vertex[v];
    double share = (cost - m->cost[a]) / (m->cost[b] - m->cost[a]);
    return m->score[a] + share * (m->score[b] - m->score[a]);
}

static void mix_fill(const struct eval_table *t, const uint32_t *weights, struct mix *m)
{
    memset(m, 0, sizeof(*m));
    for (size_t q = 0; q < t->queries; q++)
        for (size_t e = 0; e < t->experts; e++) {
            double weight = weights ? (double)weights[q] : 1;
            m->cost[e] += weight * (double)eval_outcome(t, q, e)->cost_nano_usd;
            m->score[e] += weight * (double)eval_outcome(t, q, e)->score;
        }
}

/* Measuring */

/* accuracy [experts]: of training; NULL: in hindsight, which is looked at once, on all queries. */
static void mix_make(const struct eval_table *t, const uint32_t *weights, const double *accuracy,
                     const double *hindsight, struct mix *m)
{
    mix_fill(t, weights, m);
    memcpy(m->by, accuracy ? accuracy : hindsight, t->experts * sizeof(*m->by));
    mix_hull(m, t->experts);
}

/* The curve less the mix at the costs of PLACES, equal ratios from the dearer of both cheapest to the mix's dearest. */
static void differ(const struct curve_point *points, size_t count, const struct mix *m,
                   double queries, double *ret, double *ret_costs)
{
    double low = fmax((double)points[0].cost_nano_usd, m->cost[m->vertex[0]]);
    double high = fmax(low, m->cost[m->vertex[m->vertices - 1]]);
    for (size_t k = 0; k < PLACES; k++) {
        double cost = low * pow(high / low, (double)k / (PLACES - 1));
        double score = curve_score_at(points, count, fmax(cost, (double)points[0].cost_nano_usd));
        ret[k] = (score - mix_score(m, cost)) / queries;
        ret_costs[k] = cost / high;
    }
}

/* One piece: curve and mix are traced once for the figure, then for each resample by the same arrays. */
static void compare(const struct eval_table *t, const double *accuracy, struct comparison *add)
{
    struct error err;
    struct curve curve;
    struct mix mix, whole;
    struct rng rng;
    struct spread spread[PLACES] = {{0}};
    struct arena *a = arena_create(ARENA_CAP);
    double differences[PLACES], costs[PLACES], drawn_costs[PLACES], queries = (double)t->queries;
    if (!a || curve_make(t, a, &curve, &err) != OK)
        die(&err);
    struct curve_point *points = ARENA_ARRAY(a, curve.step_count + 1, struct curve_point);
    uint32_t *weights = ARENA_ARRAY(a, t->queries, uint32_t);
    mix_fill(t, NULL, &whole);
    curve_trace(&curve, NULL, points);
    mix_make(t, NULL, accuracy, whole.score, &mix);
    differ(points, curve.step_count + 1, &mix, queries, differences, costs);
    rng_seed(&rng, 7);
    for (size_t i = 0; i < RESAMPLES; i++) {
        double drawn[PLACES];
        bootstrap_draw(&rng, weights, t->queries);
        curve_trace(&curve, weights, points);
        mix_make(t, weights, accuracy, whole.score, &mix);
        differ(points, curve.step_count + 1, &mix, queries, drawn, drawn_costs);
        for (size_t k = 0; k < PLACES; k++)
            spread_add(&spread[k], drawn[k]);
    }
    for (size_t k = 0; k < PLACES; k++) {
        add->difference[k] += differences[k];
        add->error[k] += spread_error(&spread[k]);
        add->cost[k] += costs[k];
    }
    arena_free(a);
}

/* What a variant would decide by, in place of what the model says. */
static void vary(enum variant v, struct eval_table *t, const struct estimate *said,
                 const double *accuracy, struct estimate *into)
{
    for (size_t i = 0; i < t->queries * t->experts; i++) {
        into[i] = said[i];
        if (v == LEVELS || v == LEVELS_TRUE_COSTS)
            into[i].quality = (float)accuracy[i % t->experts];
        if (v == TRUE_COSTS || v == LEVELS_TRUE_COSTS) {
            into[i].cost_nano_usd = into[i].cost_max_nano_usd = t->outcomes[i].cost_nano_usd;
            into[i].unweighed_nano_usd = 0;
        }
    }
    t->estimates = into;
}

static struct trained *trained_on(const struct dataset *d, uint64_t seed)
{
    struct error err;
    struct train_options options;
    struct trained *ret;
    train_options_default(&options);
    options.seed = seed;
    if (train_run(d, &options, &ret, &err) != OK)
        die(&err);
    return ret;
}

/* Trains on `d`, asks rows[count] of `to`, and adds what comes of it. */
static void measure(const struct dataset *d, const struct dataset *to, const uint32_t *rows,
                    size_t count, uint64_t seed, struct result *add)
{
    struct error err;
    struct features features;
    size_t experts = to->expert_count;
    struct trained *t = trained_on(d, seed);
    struct estimate *said = calloc(count * experts + experts, sizeof(*said)),
                    *varied = calloc(count * experts, sizeof(*varied));
    struct outcome *outcomes = calloc(count * experts, sizeof(*outcomes));
    double accuracy[POOL_MAX];
    struct str names[POOL_MAX];
    if (features_init(&features, &err) != OK)
        die(&err);
    for (size_t e = 0; e < experts; e++) {
        accuracy[e] = t->figures[e].accuracy;
        names[e] = to->experts[e].name;
    }
    for (size_t i = 0; i < count; i++) {
        if (trained_estimate_text(t, to->queries[rows[i]].prompt, &features, said + i * experts,
                                  &err) != OK)
            die(&err);
        for (size_t e = 0; e < experts; e++)
            outcomes[i * experts + e] = *dataset_outcome(to, rows[i], e);
    }
    struct eval_table table = {
        .queries = count, .experts = experts, .names = names, .outcomes = outcomes};
    for (enum variant v = 0; v < VARIANTS; v++) {
        vary(v, &table, said, accuracy, varied);
        compare(&table, accuracy, &add->known[v]);
        compare(&table, NULL, &add->best[v]);
    }
    add->queries = count;
    add->draws++;
    features_done(&features);
    free(said);
    free(varied);
    free(outcomes);
    trained_free(t);
}

/* Labelled queries are drawn anew each time, and the rest is asked. */
static void measure_labelled(const struct material *m, size_t labels, size_t draws,
                             struct result *add)
{
    struct rng rng;
    rng_seed(&rng, 100);
    for (size_t i = 0; i < draws; i++) {
        rng_shuffle_u32(&rng, m->asked, m->count);
        struct dataset *some = subset(m->to, m->asked, labels);
        struct dataset *all = joined((struct dataset *[]){m->from, some}, 2);
        measure(all, m->to, m->asked + labels, m->count - labels, 1 + i, add);
        dataset_free(all);
        dataset_free(some);
    }
}

/* Telling */

/* The mean difference along the curve, the worst with its error, in points, and at which share of the cost. */
static double print_comparison(const struct comparison *c, size_t draws)
{
    double mean = 0, n = (double)draws;
    size_t worst = 0;
    for (size_t k = 0; k < PLACES; k++) {
        mean += c->difference[k] / PLACES / n;
        worst = c->difference[k] < c->difference[worst] ? k : worst;
    }
    printf("  %+6.2f %+6.2f ± %.2f at %3.0f %%", 100 * mean, 100 * c->difference[worst] / n,
           100 * c->error[worst] / n, 100 * c->cost[worst] / n);
    return c->difference[worst] / n;
}

static void print_direction(size_t index, const struct direction *r, const struct material *m)
{
    printf("%2zu ", index);
    for (size_t s = 0; s < SETS; s++)
        if (r->from & OF(s))
            printf(" %s", set_names[s]);
    if (r->held)
        printf(" without %s, which is asked", r->held);
    else
        printf(" -> %s", set_names[r->to]);
    printf(": %zu experts, %zu trained on, %zu asked\n", m->to->expert_count, m->from->query_count,
           m->count);
}

static bool print_result(const char *title, const struct result *r, bool is_held_to_best)
{
    double worst = 0;
    for (enum variant v = 0; v < VARIANTS; v++) {
        printf("    %-12s %-16s", v ? "" : title, variant_names[v]);
        double known = print_comparison(&r->known[v], r->draws);
        printf("   ");
        double best = print_comparison(&r->best[v], r->draws);
        if (v == ROUTER)
            worst = is_held_to_best ? best : known;
        printf("%s\n", v == ROUTER && worst < -BAR ? "   MISSED" : "");
    }
    return worst >= -BAR;
}

static bool run(size_t index, size_t labels, size_t draws)
{
    const struct direction *r = &directions[index];
    struct material m;
    struct result none = {0}, some = {0};
    gather(r, &m);
    print_direction(index, r, &m);
    measure(m.from, m.to, m.asked, m.count, 1, &none);
    bool good = print_result("no labels", &none, false);
    if (draws && labels < m.count) {
        char title[32];
        snprintf(title, sizeof(title), "%zu labels", labels);
        measure_labelled(&m, labels, draws, &some);
        good &= print_result(title, &some, true);
    }
    fflush(stdout);
    free(m.asked);
    dataset_free(m.from);
    return good;
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : getenv("LEEROO_DATA");
    size_t draws = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    bool good = true;
    data = data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("skipped: no data in %s\n", data);
        return 0;
    }
    load(data);
    printf(
        "points against                  the mix that training knows    the best mix in hindsight\n"
        "                                   mean  worst                    mean  worst\n");
    for (size_t i = 0; i < DIRECTIONS; i++)
        if (i == number("ONLY", i))
            good &= run(i, number("LABELS", 100), draws);
    return good ? 0 : 1;
}
