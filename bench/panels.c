/* What sequential panels are worth (bench/panels.md): five-fold cross-validation by text on MMLU-Pro, rescored.
 *
 *     bench_panels [--only POOL] [--today] [--shuffle] [--folds N] [DATA]
 *
 * On four folds the program of single experts is trained; its held-out estimates of their questions and the recorded
 * answers teach the panel. On the fifth, which neither has seen, the panel is run at every lambda of a sweep on
 * recorded answers and costs; the curve is read at shares of GPT-4o's cost. --today measures the plans that training
 * finds, on the same folds. --shuffle gives every expert's answer the text and the letter of one to another question:
 * nothing is left to learn from answers, so a second call must not be made. DATA: LEEROO_DATA or ../shared/data. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "eval/bootstrap.h"
#include "eval/folds.h"
#include "eval/report.h"
#include "judge/answer_table.h"
#include "judge/rescore.h"
#include "stage/panel_learn.h"
#include "train/train.h"

#define ARENA_CAP  ((size_t)8 << 30)
#define FOLDS      5
#define INNER      4 /* folds of what the panel learns from */
#define LAMBDAS    48
#define DRAWS      200
#define EXPERTS_IN 12
#define DATASET    "mmlu_pro"
#define REFERENCE  "gpt-4o-2024-05-13"
#define FLASH      "gemini-1.5-flash-002"
#define PRO        "gemini-1.5-pro-002"
#define LLAMA      "llama-3.1-70b-instruct"
#define DEEPSEEK   "deepseek-v2-chat,deepseek-coder-v2"

static const double shares[] = {0.05, 0.1, 0.2, 0.35, 0.5, 0.75};
#define SHARES (sizeof(shares) / sizeof(shares[0]))

/* The reference is the last. Of the ten of bench_paper, the eight that cost least for what they know. */
static const struct pool {
    const char *name, *experts;
} pools[] = {
    {"three", FLASH "," LLAMA "," REFERENCE},
    {"four", FLASH "," PRO "," LLAMA "," REFERENCE},
    {"five", FLASH "," LLAMA "," DEEPSEEK "," REFERENCE},
    {"six", FLASH "," PRO "," LLAMA "," DEEPSEEK "," REFERENCE},
    {"open", "llama-3.1-8b-instruct," DEEPSEEK "," LLAMA
             ",qwen1.5-72b-chat,qwen1.5-110b,jamba-1.5-large," REFERENCE},
};
#define POOLS (sizeof(pools) / sizeof(pools[0]))

/* One pool under measurement. Sums over lambdas are by query, so that errors can be drawn. */
struct bench {
    struct dataset *d; /* the pool's experts alone, in its order */
    struct answer_table answers;
    struct arena *arena;
    size_t members, measured;
    uint32_t folds;
    bool shuffle;
    double lambdas[LAMBDAS];
    float *score, *cost_usd, *calls;  /* [queries × LAMBDAS] of those measured */
    float *reference, *reference_usd; /* [queries] */
    double learn_seconds, verdict_seconds;
    size_t verdicts, learnt;
};

static void die(const struct error *err)
{
    fprintf(stderr, "panels: %s\n", err->text);
    exit(1);
}

static void *take(struct bench *b, size_t count, size_t size)
{
    void *p = arena_array(b->arena, count + 1, size);
    struct error err;
    if (!p) {
        error_set(&err, ERR_MEMORY, "out of memory");
        die(&err);
    }
    return p;
}

/* Data */

static struct dataset *load(const char *data, const char *experts, struct arena *a)
{
    struct error err;
    struct dataset *all, *part;
    struct judge_figures figures[EXPERTS_IN];
    size_t chosen[DATASET_EXPERTS_MAX], count;
    char *path = arena_printf(a, "%s/" DATASET, data);
    if (!path || dataset_load(path, DATASET_ALL, &all, &err) != OK ||
        dataset_expert_list(all, experts, chosen, &count, &err) != OK ||
        dataset_subset_experts(all, chosen, count, &part, &err) != OK ||
        judge_rescore(part, NULL, 0, JUDGE_AUTO, NULL, NULL, figures, &err) != OK)
        die(&err);
    return part; /* shares the texts of the whole, which stays */
}

static void read_answers(struct bench *b)
{
    struct error err;
    size_t every[EXPERTS_IN], found;
    for (size_t e = 0; e < b->members; e++)
        every[e] = e;
    if (answer_table_classify(b->d, every, b->members, NULL, NULL, &found, &err) != OK ||
        answer_table_read(&b->d, 1, b->d, every, b->members, b->arena, &b->answers, &err) != OK)
        die(&err);
}

static const struct answer_cell *answer_of(const struct bench *b, size_t query, size_t e)
{
    return &b->answers.cells[query * b->members + e];
}

/* Score, cost and text of everybody. */
static bool is_usable(const struct bench *b, size_t query)
{
    for (size_t e = 0; e < b->members; e++) {
        const struct outcome *o = dataset_outcome(b->d, query, e);
        if (!o->known || !o->cost_known || !answer_of(b, query, e)->present)
            return false;
    }
    return true;
}

/* Estimates */

static void estimate_learnt(const struct trained *t, struct estimate *estimates)
{
    for (size_t row = 0; row < t->parts.sample; row++)
        for (size_t e = 0; e < t->experts; e++) {
            struct estimate *to = &estimates[row * t->experts + e];
            if (!model_sample_tokens(&t->parts, &t->parts.predictor, e, row, to))
                to->output_tokens = 0;
            to->quality = t->parts.sample_quality[row * t->arms + e];
            to->cost_nano_usd = (int64_t)((double)t->parts.sample_cost_usd[row * t->arms + e] *
                                          (double)NANO_PER_USD);
        }
}

/* Rows of one part, for the panel. */
struct part {
    uint32_t *queries; /* [count] of the bench's data set */
    size_t count;
    struct estimate *estimates; /* [count × members] held out */
    struct panel_rows rows;
};

/* Trains the single experts on one part; both get estimates that are held out. */
static void train_part(const struct bench *b, uint32_t fold, struct part *learn, struct part *test)
{
    struct error err;
    struct dataset *d;
    struct trained *t;
    struct features f;
    struct train_options o;
    train_options_default(&o);
    o.seed = fold;
    if (dataset_subset(b->d, learn->queries, learn->count, &d, &err) != OK ||
        train_run(d, &o, &t, &err) != OK || features_init(&f, &err) != OK)
        die(&err);
    if (t->parts.sample != learn->count) {
        error_set(&err, ERR_INPUT, "the sample of a model is too small for %zu queries",
                  learn->count);
        die(&err);
    }
    estimate_learnt(t, learn->estimates);
    for (size_t i = 0; i < test->count; i++)
        if (trained_estimate_text(t, b->d->queries[test->queries[i]].prompt, &f,
                                  test->estimates + i * b->members, &err) != OK)
            die(&err);
    features_done(&f);
    trained_free(t);
    dataset_free(d);
}

/* The query whose answer expert `e` is taken to have given. */
static size_t said_at(const struct bench *b, size_t query, size_t e)
{
    return b->shuffle ? (query + 977 * (e + 1)) % b->d->query_count : query;
}

/* One cell after the other: estimates by text, outcomes and answers by query. */
static void fill_rows(struct bench *b, struct part *p)
{
    struct panel_cell *cells = take(b, p->count * b->members, sizeof(*cells));
    float *characters = take(b, p->count, sizeof(float));
    uint32_t *choices = take(b, p->count, sizeof(uint32_t));
    uint8_t *folds = take(b, p->count, 1);
    for (size_t i = 0; i < p->count; i++) {
        const struct query *q = &b->d->queries[p->queries[i]];
        characters[i] = (float)q->prompt.len;
        choices[i] = q->choice_count;
        folds[i] = (uint8_t)split_fold(q->text_hash, 77, INNER);
        for (size_t e = 0; e < b->members; e++) {
            const struct outcome *o = dataset_outcome(b->d, p->queries[i], e);
            const struct estimate *x = &p->estimates[i * b->members + e];
            size_t said = said_at(b, p->queries[i], e);
            cells[i * b->members + e] =
                (struct panel_cell){.quality = x->quality,
                                    .output_tokens = x->output_tokens,
                                    .expected_usd = (float)money_usd(x->cost_nano_usd),
                                    .cost_usd = (float)money_usd(o->cost_nano_usd),
                                    .score = o->score,
                                    .confidence = outcome_confidence(o),
                                    .answer_class = dataset_outcome(b->d, said, e)->answer_class,
                                    .stats = answer_of(b, said, e)->stats};
        }
    }
    p->rows = (struct panel_rows){p->count, b->members, cells, characters, choices, folds, INNER};
}

/* The panel on one query, at every lambda; what is said in a state is computed once. */

struct seen {
    bool have;
    struct panel_verdict verdict;
    float gains[PANEL_OUTPUTS_MAX];
};

static void look(struct bench *b, const struct panel *p, const struct panel_state *s,
                 struct seen *ret)
{
    float features[PANEL_FEATURES_MAX], logits[PANEL_MEMBERS_MAX];
    double started = clock_cpu_seconds();
    panel_start(&p->votes, s, logits);
    if (s->asked) {
        panel_features(s, features);
        forest_predict(&p->posterior, features, logits);
    }
    panel_posterior(s, logits, &ret->verdict);
    if (s->asked != (1u << s->members) - 1)
        panel_gains(p, s, &ret->verdict, ret->gains);
    b->verdict_seconds += clock_cpu_seconds() - started;
    b->verdicts++;
    ret->have = true;
}

/* The loop of a caller, once for each lambda; scores and costs go to the query's row of sums. */
static void run_query(struct bench *b, const struct panel *p, const struct part *test, size_t i)
{
    static struct seen seen[1 << PANEL_MEMBERS_MAX];
    const struct panel_cell *cells = test->rows.cells + i * b->members;
    for (size_t k = 0; k < (size_t)1 << b->members; k++)
        seen[k].have = false;
    for (size_t k = 0; k < LAMBDAS; k++) {
        size_t at = b->measured * LAMBDAS + k;
        uint8_t asked = 0;
        for (;;) {
            struct panel_state s;
            panel_row_state(&test->rows, i, asked, &s);
            if (!seen[asked].have)
                look(b, p, &s, &seen[asked]);
            struct panel_verdict v = seen[asked].verdict;
            if (asked == (1u << b->members) - 1)
                break;
            panel_choose(p, &s, seen[asked].gains, b->lambdas[k], &v);
            if (!v.ask)
                break;
            asked |= v.ask;
            b->cost_usd[at] += cells[__builtin_ctz(v.ask)].cost_usd;
            b->calls[at]++;
        }
        b->score[at] = cells[seen[asked].verdict.winner].score;
    }
    b->reference[b->measured] = cells[b->members - 1].score;
    b->reference_usd[b->measured++] = cells[b->members - 1].cost_usd;
}

/* The same lambdas in every fold, or the curves of folds could not be added. */
static void choose_lambdas(struct bench *b, const struct panel *p)
{
    double low = (double)p->lambdas[0] / 3, high = (double)p->lambdas[p->lambda_count - 1];
    for (size_t k = 0; k < LAMBDAS; k++)
        b->lambdas[k] = low * pow(high / low, (double)k / (LAMBDAS - 1));
}

/* Both parts of a fold in turn: train, teach, run. What it takes from the arena goes with the pool. */
static void run_fold(struct bench *b, uint32_t fold)
{
    struct panel panel;
    struct panel_figures figures;
    struct panel_learn_options options;
    struct rng rng;
    struct error err;
    struct part learn = {.queries = take(b, b->d->query_count, sizeof(uint32_t))},
                test = {.queries = take(b, b->d->query_count, sizeof(uint32_t))};
    for (size_t q = 0; q < b->d->query_count; q++) {
        struct part *p = split_fold(b->d->queries[q].text_hash, 0, FOLDS) == fold ? &test : &learn;
        if (is_usable(b, q))
            p->queries[p->count++] = (uint32_t)q;
    }
    learn.estimates = take(b, learn.count * b->members, sizeof(struct estimate));
    test.estimates = take(b, test.count * b->members, sizeof(struct estimate));
    train_part(b, fold, &learn, &test);
    fill_rows(b, &learn);
    fill_rows(b, &test);
    panel_learn_options_default(&options);
    rng_seed(&rng, fold + 1);
    double started = clock_cpu_seconds();
    if (panel_learn(&learn.rows, &options, &rng, &panel, &figures, NULL, &err) != OK)
        die(&err);
    b->learn_seconds += clock_cpu_seconds() - started;
    if (b->learnt++ == 0)
        choose_lambdas(b, &panel);
    for (size_t i = 0; i < test.count; i++)
        run_query(b, &panel, &test, i);
    panel_done(&panel);
}

/* Figures */

/* Mean score at a share of the reference's mean cost less the reference's, queries counted weights[] times (NULL:
 * once). Between two lambdas their mix; beyond the dearest, that one; NaN where even the cheapest costs more. */
static double difference_at(const struct bench *b, double share, const uint32_t *weights)
{
    double cost[LAMBDAS] = {0}, score[LAMBDAS] = {0}, wanted = 0, base = 0;
    for (size_t q = 0; q < b->measured; q++) {
        double w = weights ? weights[q] : 1;
        wanted += w * share * (double)b->reference_usd[q];
        base += w * (double)b->reference[q];
        for (size_t k = 0; w > 0 && k < LAMBDAS; k++) {
            cost[k] += w * (double)b->cost_usd[q * LAMBDAS + k];
            score[k] += w * (double)b->score[q * LAMBDAS + k];
        }
    }
    if (cost[0] <= wanted)
        return (score[0] - base) / (double)b->measured;
    for (size_t k = 0; k + 1 < LAMBDAS; k++)
        if (cost[k] > wanted && cost[k + 1] <= wanted) {
            double part = (wanted - cost[k + 1]) / (cost[k] - cost[k + 1]);
            return (score[k + 1] + part * (score[k] - score[k + 1]) - base) / (double)b->measured;
        }
    return NAN;
}

static void print_panel(struct bench *b, const char *name)
{
    struct spread spreads[SHARES] = {{0}};
    uint32_t *weights = take(b, b->measured, sizeof(*weights));
    struct rng r;
    rng_seed(&r, 9);
    for (int draw = 0; draw < DRAWS; draw++) {
        bootstrap_draw(&r, weights, b->measured);
        for (size_t i = 0; i < SHARES; i++)
            spread_add(&spreads[i], difference_at(b, shares[i], weights));
    }
    printf("%-6s panel ", name);
    for (size_t i = 0; i < SHARES; i++)
        printf(" %+6.2f ± %.2f", 100 * difference_at(b, shares[i], NULL),
               100 * spread_error(&spreads[i]));
    double most = 0, least = 0;
    for (size_t q = 0; q < b->measured; q++) {
        most += (double)b->calls[q * LAMBDAS] / (double)b->measured;
        least += (double)b->calls[q * LAMBDAS + LAMBDAS - 1] / (double)b->measured;
    }
    printf("\n       %zu questions; learnt in %.1f s of CPU, a state in %.1f µs; %.2f to %.2f "
           "calls a question\n",
           b->measured, b->learn_seconds / (double)b->learnt,
           1e6 * b->verdict_seconds / (double)b->verdicts, least, most);
    fflush(stdout);
}

static void print_today(struct bench *b, const char *name)
{
    struct error err;
    struct eval_set set;
    struct report *r = take(b, 1, sizeof(*r));
    const struct folds_options options = {.folds = FOLDS, .reference = REFERENCE};
    const struct report_options how = {
        .draws = DRAWS, .fractions = shares, .fraction_count = SHARES};
    if (eval_folds_build(b->d, &options, b->arena, &set, &err) != OK ||
        report_make(&set.table, &how, b->arena, r, &err) != OK)
        die(&err);
    printf("%-6s plans ", name);
    for (size_t i = 0; i < SHARES; i++)
        printf(" %+6.2f ± %.2f", 100 * r->at[i].difference.value, 100 * r->at[i].difference.error);
    printf("\n");
    fflush(stdout);
}

static void measure(const char *data, const struct pool *pool, const struct bench *how, bool today)
{
    struct bench b = *how;
    struct error err;
    b.arena = arena_create(ARENA_CAP);
    if (!b.arena) {
        error_set(&err, ERR_MEMORY, "out of memory");
        die(&err);
    }
    b.d = load(data, pool->experts, b.arena);
    b.members = b.d->expert_count;
    read_answers(&b);
    b.score = take(&b, b.d->query_count * LAMBDAS, sizeof(float));
    b.cost_usd = take(&b, b.d->query_count * LAMBDAS, sizeof(float));
    b.calls = take(&b, b.d->query_count * LAMBDAS, sizeof(float));
    b.reference = take(&b, b.d->query_count, sizeof(float));
    b.reference_usd = take(&b, b.d->query_count, sizeof(float));
    for (uint32_t fold = 0; fold < b.folds; fold++)
        run_fold(&b, fold);
    print_panel(&b, pool->name);
    if (today)
        print_today(&b, pool->name);
    arena_free(b.arena);
}

/* Options, then pool after pool, so that what is measured first can be read first. */
int main(int argc, char **argv)
{
    static const struct option options[] = {{"only", required_argument, NULL, 'o'},
                                            {"today", no_argument, NULL, 't'},
                                            {"shuffle", no_argument, NULL, 's'},
                                            {"folds", required_argument, NULL, 'f'},
                                            {0}};
    struct bench how = {.folds = FOLDS};
    const char *only = NULL, *data = getenv("LEEROO_DATA");
    bool today = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'o')
            only = optarg;
        else if (option == 't')
            today = true;
        else if (option == 's')
            how.shuffle = true;
        else if (option == 'f')
            how.folds = (uint32_t)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    if (how.folds < 1 || how.folds > FOLDS || argc - optind > 1) {
        fprintf(stderr, "panels: --folds is 1 to %d, and there is at most one DATA\n", FOLDS);
        return 2;
    }
    data = optind < argc ? argv[optind] : data && *data ? data : "../shared/data";
    if (access(data, R_OK) != 0) {
        printf("skipped: no data in %s\n", data);
        return 0;
    }
    printf("points against " REFERENCE " at shares of its cost\n             ");
    for (size_t i = 0; i < SHARES; i++)
        printf(" %12.0f %%", 100 * shares[i]);
    printf("\n");
    for (size_t i = 0; i < POOLS; i++)
        if (!only || !strcmp(only, pools[i].name))
            measure(data, &pools[i], &how, today);
    return 0;
}
