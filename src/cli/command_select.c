/* leeroo select: which experts to have at all, chosen from many candidates by recorded outcomes.
 *
 * Reads options and data, has src/universe choose, and hands the figures to select_output.c. What is refused is refused
 * before the work. One thread, no network; the same data, options and seed choose the same set. */
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/select_probe.h"
#include "data/input_file.h"
#include "print/select_output.h"
#include "setup/dataset_open.h"
#include "universe/universe_page.h"

#define SELECT_ARENA_BYTES (UINT64_C(8) << 30)
#define SELECT_COUNT       5
#define SELECT_SHARE       0.5 /* of the best single's cost: the budget at which sets are routed */
#define SELECT_SHARE_MIN   0.001
#define SELECT_SHARE_MAX   1000
#define SELECT_WORK        (UINT64_C(4) << 30) /* scores looked at: two seconds or so */
#define SELECT_PAGE_BYTES  (16u << 20)
#define PROGRESS_STEP      (1 << 20)
/* Looks at each candidate for each member: two searches of one round and three of swaps. */
#define SELECT_SEARCHES 8

struct select {
    const char *dataset, *experts, *keep, *max_cost, *html;
    size_t count;
    int64_t max_cost_nano_usd; /* of a set, or with --routed of what routing may spend */
    bool count_given, at_given, per_domain, routed, plans, json, quiet;
    double at;
    uint64_t seed;
    struct progress progress;
    size_t looks;                    /* of the search for routed sets */
    uint64_t work_before, work_seen; /* of searches that have ended, and of that which runs */
    size_t kept[CANDIDATES_MAX];
    struct candidates c;
    struct universe_options options;
    struct routed *r;
    struct routed_choice choice;
    struct universe_routed by;
    struct selection routed_set;
};

/* Options */

static enum status read_rules(struct select *o, struct error *err)
{
    o->max_cost_nano_usd = INT64_MAX;
    if (o->max_cost && (money_parse_usd(str_from(o->max_cost), &o->max_cost_nano_usd) != OK ||
                        o->max_cost_nano_usd == 0))
        return error_set(err, ERR_USAGE,
                         "--max-cost %s: expected USD per 1,000 questions above 0, \"2.50\"",
                         o->max_cost);
    if (!o->routed && (o->plans || o->at_given))
        return error_set(err, ERR_USAGE, "%s",
                         o->plans ? "--plans are routed: give --routed as well"
                                  : "--at is a budget of routing: give --routed as well");
    if (o->at_given && o->max_cost)
        return error_set(err, ERR_USAGE,
                         "--at and --max-cost both say what routing may spend; give one of them");
    if (o->routed && o->per_domain)
        return error_set(err, ERR_USAGE,
                         "--per-domain chooses by coverage; leave out --routed, or choose for one "
                         "domain by the data set");
    if (o->html && dataset_holds(o->dataset, o->html))
        return error_set(err, ERR_USAGE, "%s is read here and would be written over", o->html);
    o->options.cost_max_nano_usd = o->routed ? INT64_MAX : o->max_cost_nano_usd;
    return o->html ? file_out_check(o->html, err) : OK;
}

static enum status read_keep(struct select *o, struct error *err)
{
    size_t kept[CANDIDATES_MAX], count = 0;
    if (!o->keep)
        return OK;
    enum status status = dataset_expert_list(o->c.d, o->keep, kept, &count, err);
    if (status != OK)
        return error_prefix(err, "--keep");
    for (size_t i = 0; i < count; i++) {
        struct str name = o->c.d->experts[kept[i]].name;
        o->kept[i] = candidate_index(&o->c, name);
        if (o->kept[i] == SIZE_MAX)
            return error_set(err, ERR_USAGE, "--keep: '%.*s' is not among --experts",
                             STR_FMT(name));
    }
    o->options.keep = o->kept;
    o->options.keep_count = count;
    return OK;
}

/* A number that is not given is five, or as many as there are, and with a limit of cost none. */
static enum status read_count(struct select *o, struct error *err)
{
    size_t kept = o->options.keep_count;
    if (o->count_given && o->count > o->c.count)
        return error_set(err, ERR_USAGE, "-k %zu: there %s %zu candidate%s", o->count,
                         o->c.count == 1 ? "is" : "are", o->c.count, o->c.count == 1 ? "" : "s");
    if (!o->count_given && o->max_cost && !o->routed)
        o->count = o->c.count;
    else if (!o->count_given)
        o->count = kept > SELECT_COUNT ? kept : SELECT_COUNT;
    o->options.count_max = o->count < o->c.count ? o->count : o->c.count;
    return OK;
}

/* Work */

/* Each search counts from nothing. */
static void show_work(uint64_t work, void *arg)
{
    struct select *o = arg;
    if (work < o->work_seen)
        o->work_before += o->work_seen;
    o->work_seen = work;
    progress_update(&o->progress, (size_t)((o->work_before + work) / PROGRESS_STEP));
}

/* What all searches may do together. Most end long before. */
static size_t work_steps(const struct select *o)
{
    size_t smaller = (o->options.frontier ? FRONTIER_NUMBERS + FRONTIER_COSTS : 0) +
                     (o->per_domain ? o->c.domains : 0);
    return (size_t)((SELECT_WORK + smaller * (SELECT_WORK / FRONTIER_WORK)) / PROGRESS_STEP);
}

/* First all candidates are trained together, and after the search each proposal by itself. */
static void show_folds(size_t done, size_t total, void *arg)
{
    struct select *o = arg;
    if (o->progress.total != total)
        progress_begin(&o->progress, o->r ? "training sets" : "training all", total);
    progress_update(&o->progress, done);
}

static void show_search(size_t evaluations, void *arg)
{
    struct select *o = arg;
    (void)evaluations; /* of one search of several */
    progress_update(&o->progress, ++o->looks);
}

/* The set that is best when it is routed, as a selection without a bound. */
static enum status choose_routed(struct select *o, struct dataset *d, struct selection *ret,
                                 struct error *err)
{
    const struct routed_options routed = {.share = o->max_cost ? 0 : o->at,
                                          .usd_per_1k =
                                              (double)o->max_cost_nano_usd / (double)NANO_PER_USD,
                                          .plans = o->plans,
                                          .seed = o->seed,
                                          .progress = show_folds,
                                          .arg = o};
    struct set_rules rules = universe_rules(&o->c, &o->options);
    rules.progress = show_search;
    rules.arg = o;
    progress_begin(&o->progress, "training all", 0);
    enum status status = routed_create(d, o->c.expert, o->c.count, &routed, &o->r, err);
    progress_begin(&o->progress, "looking at sets",
                   SELECT_SEARCHES * rules.count_max * rules.candidates);
    if (status == OK)
        status = routed_choose(o->r, &rules, &o->choice, err);
    if (status == OK) {
        o->by = (struct universe_routed){&o->choice, routed_figures(o->r), o->plans, {0}, {0}};
        status = universe_routed_fill(o->r, &o->by, err);
    }
    progress_end(&o->progress);
    if (status == OK)
        *ret = (struct selection){
            .set = o->choice.set, .unit = 1, .bound = NAN, .promise = SELECTION_NO_BOUND};
    return status;
}

static enum status choose(struct select *o, struct dataset *d, struct arena *a,
                          struct universe *ret, struct error *err)
{
    enum status status = OK;
    if (o->routed) {
        status = choose_routed(o, d, &o->routed_set, err);
        o->options.chosen = &o->routed_set;
        o->options.chosen_by = o->plans ? "routed accuracy with plans" : "routed accuracy";
    }
    if (status != OK)
        return status;
    progress_begin(&o->progress, "sets", work_steps(o));
    status = universe_make(&o->c, &o->options, a, ret, err);
    progress_end(&o->progress);
    return status;
}

static enum status write_page(const struct select *o, const struct universe *u, struct error *err)
{
    const struct universe_page page = {o->dataset, u, &o->options, o->r ? &o->by : NULL};
    struct buf out;
    if (!o->html)
        return OK;
    buf_init(&out, SELECT_PAGE_BYTES);
    universe_write_html(&page, &out);
    enum status status = file_write(o->html, &out, err);
    buf_done(&out);
    return status;
}

static enum status print(const struct select *o, const struct universe *u, struct error *err)
{
    const struct select_outputs outputs = {o->dataset, u, &o->options, o->r ? &o->by : NULL};
    if (o->json)
        return select_print_json(&outputs, stdout, err);
    return o->quiet ? OK : select_print(&outputs, stdout, err);
}

static enum status select_all(struct select *o, struct dataset *d, struct arena *a,
                              struct error *err)
{
    struct universe u;
    o->options.per_domain = o->per_domain;
    o->options.frontier = o->html || o->json;
    o->options.exact = (struct exact_options){SELECT_WORK, show_work, o};
    enum status status = candidates_build(d, o->experts, a, &o->c, err);
    if (status == OK)
        status = read_keep(o, err);
    if (status == OK)
        status = read_count(o, err);
    if (status == OK)
        status = universe_check(&o->c, &o->options, err);
    if (status == OK)
        status = choose(o, d, a, &u, err);
    if (status == OK)
        status = write_page(o, &u, err);
    return status == OK ? print(o, &u, err) : status;
}

static int select_run_all(struct select *o)
{
    struct dataset *d = NULL;
    struct error err;
    struct arena *a = arena_create(SELECT_ARENA_BYTES);
    enum status status = a ? read_rules(o, &err) : error_set(&err, ERR_MEMORY, "no memory");
    if (status == OK)
        status = dataset_open("select", o->dataset, stderr, &d, &err);
    if (status == OK)
        status = select_all(o, d, a, &err);
    int rc = status == OK ? 0 : cli_fail("select", &err);
    routed_free(o->r);
    dataset_free(d);
    arena_free(a);
    return rc;
}

static const char usage_text[] =
    "Chooses the universe: the few experts that are worth having, from many candidates, by "
    "recorded\n"
    "outcomes. DATASET may be the folder of a run of self-play. Effort levels of one model are\n"
    "candidates like others.\n\n"
    "  coverage    what a set achieves if routing always knew whom to ask: the mean over "
    "questions\n"
    "              of the best score that a member has. It counts lucky guesses, too.\n"
    "  cost        of a set: what asking every member everything costs, per 1,000 questions; a "
    "set\n"
    "              that is routed costs less\n"
    "  optimal     proved by branch and bound; where that gives up, what no set can exceed is "
    "said\n"
    "  --routed    counts what a learnt router achieves with the set on held-out questions "
    "instead,\n"
    "              at half of the best single's cost (--at, or --max-cost in USD); no bound is "
    "known\n"
    "  dominated   another candidate costs no more and is better by over two standard errors\n\n"
    "Questions take part when the score of every candidate is known; --experts leaves out who was\n"
    "asked too little.\n\n"
    "  leeroo select data/mmlu_pro -k 4\n"
    "  leeroo select data/mmlu_pro --max-cost 0.60 --per-domain --html universe.html\n"
    "  leeroo select data/mmlu_pro -k 4 --routed --keep gpt-4o-2024-05-13\n"
    "  leeroo select data/mmlu_pro -k 6 --routed --at 0.1 --plans\n\n"
    "Without outcomes, --probe asks the experts of leeroo.yaml; `leeroo select --probe -h` "
    "explains:"
    "\n\n"
    "  leeroo select --probe questions.jsonl -c leeroo.yaml --spend 5\n";

/* One piece: the rows of the options point into its variables. */
static int select_run(int argc, char **argv)
{
    static struct select o = {.at = SELECT_SHARE};
    const struct option_row rows[] = {
        {"--count", 'k', "K", "at most so many members (5; with --max-cost: no limit)",
         OPTION_COUNT, &o.count, 1, CANDIDATES_MAX, &o.count_given},
        {"--max-cost", 0, "USD", "at most so much per 1,000 questions", OPTION_STRING, &o.max_cost,
         0, 0, NULL},
        {"--experts", 0, "NAME,...", "the candidates (default: all of the data set)", OPTION_STRING,
         &o.experts, 0, 0, NULL},
        {"--keep", 0, "NAME,...", "members of the set in any case", OPTION_STRING, &o.keep, 0, 0,
         NULL},
        {"--per-domain", 0, NULL, "also a set for each domain, and all of them together",
         OPTION_FLAG, &o.per_domain, 0, 0, NULL},
        {"--routed", 0, NULL, "by what routing achieves with a set, instead of coverage",
         OPTION_FLAG, &o.routed, 0, 0, NULL},
        {"--at", 0, "SHARE", "with --routed: of the best single's cost, what may be spent (0.5)",
         OPTION_DOUBLE, &o.at, SELECT_SHARE_MIN, SELECT_SHARE_MAX, &o.at_given},
        {"--plans", 0, NULL, "with --routed: cascades and panels over members take part",
         OPTION_FLAG, &o.plans, 0, 0, NULL},
        {"--seed", 0, "N", "with --routed: of the folds and of training (default 0)", OPTION_SEED,
         &o.seed, 0, 0, NULL},
        {"--html", 0, "FILE", "write one HTML page for a browser: the frontier, the members",
         OPTION_STRING, &o.html, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of tables", OPTION_FLAG, &o.json, 0, 0, NULL},
        {"--quiet", 'q', NULL, "no tables", OPTION_FLAG, &o.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"select DATASET|RUN [options] | select --probe QUERIES --spend USD",
                                usage_text, rows, sizeof(rows) / sizeof(rows[0])};
    int count;
    if (select_probe_wanted(argc, argv))
        return select_probe(argc, argv);
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1) {
        fprintf(stderr,
                "leeroo select: expected one DATASET or RUN; `leeroo select -h` explains\n");
        return 2;
    }
    o.dataset = argv[0];
    return select_run_all(&o);
}

const struct command select_command = {"select", "choose the experts worth having", select_run};
