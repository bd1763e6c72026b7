/* What self-play learns from what it pays for: rules of buying cells, compared at equal spend on recorded outcomes:
 *
 *     bench_play [options] [DATA]          DATA: LEEROO_DATA or ../shared/data
 *
 * From nothing, with training by the program's own train_run on what is bought (single experts only), measured on a
 * fifth of the questions that no rule may buy. The figure is the share of what the whole matrix gains over the best
 * mixes of single experts: area under the curve at 5, 10, 15, 20, 30 … 100 % of the reference's cost. Every seed has
 * its own fifth, order and training. bench/play.md has the figures. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "play_rules.h"

#define SEEDS_MAX  64
#define SPENDS_MAX 16

static const char usual_experts[] =
    "gemini-1.5-flash-002,gemini-1.5-pro-002,gpt-4o-2024-05-13,llama-3.1-8b-instruct,"
    "llama-3.1-70b-instruct,mixtral-8x7b-instruct,mathstral-7b,phi-3-mini-4k-instruct,"
    "qwen1.5-72b-chat,deepseek-v2-chat";

static const char usage[] =
    "usage: bench_play [options] [DATA]\n\n"
    "Compares rules of buying cells on recorded outcomes in DATA ($LEEROO_DATA, or "
    "../shared/data).\n\n"
    "  --dataset NAME     folder of DATA (mmlu_pro)\n"
    "  --experts A,B,...  the pool (ten of MMLU-Pro; of another data set all)\n"
    "  --reference NAME   whose cost the curve goes up to (whoever cost most)\n"
    "  --recorded         scores as recorded, not judged anew from the texts\n"
    "  --consensus        no references: what is bought is scored by what its experts agree on\n"
    "  --rules A,B,...    rows, cells, hand, root, value (all)\n"
    "  --spend P,Q,...    percent of what the whole matrix costs (5,10,20,40)\n"
    "  --seeds N          how many (5)\n"
    "  --first-seed N     the first of them (0)\n"
    "  --rounds A,B,...   of the value rule: parts of the spend\n"
    "  --each             a line for each run, too\n"
    "  -h, --help         this text\n";

struct command {
    struct play_pool_options pool;
    const char *rules;
    double spends[SPENDS_MAX];
    size_t spend_count, seeds, first_seed;
    bool each, help, consensus;
    double shares[PLAY_RULES][SPENDS_MAX][SEEDS_MAX];
    double cells[PLAY_RULES][SPENDS_MAX];
};

/* "5,10" → numbers; false: not numbers, or too many. */
static bool numbers_parse(const char *text, double *ret, size_t max, size_t *ret_count)
{
    size_t count = 0;
    for (char *end; *text; text = *end ? end + 1 : end) {
        double value = strtod(text, &end);
        if (end == text || (*end && *end != ',') || count == max || !(value > 0))
            return false;
        ret[count++] = value;
    }
    *ret_count = count;
    return count > 0;
}

/* One piece: the options, one after the other. */
static bool option_take(struct command *c, int option)
{
    size_t ignored;
    double number;
    switch (option) {
    case 'd':
        c->pool.dataset = optarg;
        return true;
    case 'x':
        c->pool.experts = optarg;
        return true;
    case 'f':
        c->pool.reference = optarg;
        return true;
    case 'o':
        c->pool.recorded = true;
        return true;
    case 'r':
        c->rules = optarg;
        return true;
    case 's':
        return numbers_parse(optarg, c->spends, SPENDS_MAX, &c->spend_count);
    case 'n':
        if (!numbers_parse(optarg, &number, 1, &ignored) || number > SEEDS_MAX)
            return false;
        c->seeds = (size_t)number;
        return true;
    case 'b':
        c->first_seed = strtoul(optarg, NULL, 10);
        return true;
    case 'u':
        return numbers_parse(optarg, play_rounds, PLAY_ROUNDS_MAX, &play_round_count);
    case 'c':
        return c->consensus = true;
    case 'e':
        return c->each = true;
    case 'h':
        return c->help = true;
    default:
        return false;
    }
}

/* One piece: a table of the options, and what follows from them. */
static bool command_parse(struct command *c, int argc, char **argv)
{
    static const struct option options[] = {{"dataset", required_argument, NULL, 'd'},
                                            {"experts", required_argument, NULL, 'x'},
                                            {"reference", required_argument, NULL, 'f'},
                                            {"recorded", no_argument, NULL, 'o'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"spend", required_argument, NULL, 's'},
                                            {"seeds", required_argument, NULL, 'n'},
                                            {"first-seed", required_argument, NULL, 'b'},
                                            {"rounds", required_argument, NULL, 'u'},
                                            {"consensus", no_argument, NULL, 'c'},
                                            {"each", no_argument, NULL, 'e'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *data = getenv("LEEROO_DATA");
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if (!option_take(c, option))
            return false;
    c->pool.data = optind < argc ? argv[optind] : data && *data ? data : "../shared/data";
    if (!c->pool.dataset) {
        c->pool.dataset = "mmlu_pro";
        c->pool.experts = c->pool.experts ? c->pool.experts : usual_experts;
    }
    return argc - optind <= 1;
}

static bool rule_wanted(const struct command *c, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = c->rules; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || !at[len]))
            return true;
    }
    return !c->rules;
}

static void each_print(const struct command *c, const struct purchase *p, const char *rule,
                       double spend, double share, double seconds)
{
    const struct dataset *d = p->fold->train;
    if (!c->each)
        return;
    printf("  %s %g %% seed %zu: %.3f  $%.2f left, %.1f s; questions by expert:", rule, spend,
           (size_t)p->fold->seed, share, (double)p->left_nano_usd / (double)NANO_PER_USD, seconds);
    for (size_t e = 0; e < d->expert_count; e++) {
        size_t count = 0;
        for (size_t q = 0; q < d->query_count; q++)
            count += p->bought[q * d->expert_count + e];
        printf(" %zu", count);
    }
    printf("\n");
    fflush(stdout);
}

/* One piece: what is bought must go whatever happens. */
static enum status run_one(struct command *c, const struct play_fold *f, size_t rule, size_t spend,
                           struct error *err)
{
    size_t cells = f->train->query_count * f->train->expert_count;
    struct purchase p = {.fold = f,
                         .bought = calloc(cells + 1, sizeof(bool)),
                         .labels = c->consensus ? calloc(cells + 1, sizeof(float)) : NULL,
                         .left_nano_usd =
                             (int64_t)(c->spends[spend] / 100 * (double)f->whole_nano_usd)};
    struct model *m = NULL;
    struct rng rng;
    double area = 0;
    uint64_t begin = clock_now_ns();
    rng_seed(&rng, f->seed * 1000 + 17);
    enum status status = p.bought && (p.labels || !c->consensus)
                             ? play_rules[rule].buy(&p, &rng, err)
                             : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = purchase_train(&p, &m, err);
    if (status == OK)
        status = play_fold_measure(f, m, &area, err);
    if (status == OK) {
        double share = (area - f->hull) / (f->full - f->hull);
        c->shares[rule][spend][f->seed - c->first_seed] = share;
        c->cells[rule][spend] += (double)p.count / (double)cells / (double)c->seeds;
        each_print(c, &p, play_rules[rule].name, c->spends[spend], share,
                   (double)(clock_now_ns() - begin) / 1e9);
    }
    model_free(m);
    free(p.labels);
    free(p.bought);
    return status;
}

static enum status run_seed(struct command *c, const struct play_pool *pool, uint64_t seed,
                            struct error *err)
{
    struct play_fold f;
    enum status status = play_fold_make(pool, seed, &f, err);
    if (status != OK)
        return status;
    printf("seed %zu: hull %.4f, all cells %.4f ($%.2f); %zu questions to learn from, %zu to "
           "measure\n",
           (size_t)seed, f.hull, f.full, (double)f.whole_nano_usd / (double)NANO_PER_USD,
           f.train->query_count, f.test->query_count);
    fflush(stdout);
    for (size_t r = 0; r < PLAY_RULES && status == OK; r++)
        for (size_t s = 0; s < c->spend_count && status == OK && rule_wanted(c, play_rules[r].name);
             s++)
            status = run_one(c, &f, r, s, err);
    play_fold_free(&f);
    return status;
}

static void row_print(const struct command *c, size_t rule, size_t spend)
{
    const double *x = c->shares[rule][spend];
    double sum = 0, squares = 0, least = INFINITY, n = (double)c->seeds;
    for (size_t i = 0; i < c->seeds; i++) {
        sum += x[i];
        squares += x[i] * x[i];
        least = fmin(least, x[i]);
    }
    double mean = sum / n, sd = n > 1 ? sqrt(fmax(0, squares - n * mean * mean) / (n - 1)) : 0;
    printf("| %s | %g %% | %.1f %% | %.2f | %.2f | %.2f |\n", play_rules[rule].what,
           c->spends[spend], 100 * c->cells[rule][spend], mean, least, sd);
}

static void table_print(const struct command *c)
{
    printf("\n| rule | spend | of the cells | share of the gain, mean | least | sd |\n"
           "|---|---|---|---|---|---|\n");
    for (size_t s = 0; s < c->spend_count; s++)
        for (size_t r = 0; r < PLAY_RULES; r++)
            if (rule_wanted(c, play_rules[r].name))
                row_print(c, r, s);
}

static enum status run(struct command *c, struct error *err)
{
    struct play_pool pool;
    enum status status = play_pool_load(&c->pool, &pool, err);
    if (status != OK)
        return status;
    for (size_t i = 0; i < c->seeds && status == OK; i++)
        status = run_seed(c, &pool, c->first_seed + i, err);
    play_pool_free(&pool);
    if (status == OK)
        table_print(c);
    return status;
}

int main(int argc, char **argv)
{
    static struct command c = {.spends = {5, 10, 20, 40}, .spend_count = 4, .seeds = 5};
    struct error err;
    if (!command_parse(&c, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (c.help) {
        fputs(usage, stdout);
        return 0;
    }
    if (access(c.pool.data, R_OK) != 0) {
        printf("skipped: no data in %s\n", c.pool.data);
        return 0;
    }
    if (run(&c, &err) == OK)
        return 0;
    fprintf(stderr, "play: %s\n", err.text);
    return 1;
}
