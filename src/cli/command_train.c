/* leeroo train: recorded outcomes to a model file.
 *
 * Reads options and data sets, has src/train learn, writes the model and prints figures by cross-validation. What
 * cannot be written is found before the work, not after. Progress goes to standard error. One thread; the same data
 * and seed give the same file, byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/progress.h"
#include "base/screen.h"
#include "cli/commands.h"
#include "data/dataset.h"
#include "data/input_file.h"
#include "judge/answer_table.h"
#include "print/lambda_advice.h"
#include "print/train_output.h"
#include "setup/dataset_open.h"
#include "setup/setup_encoders.h"
#include "train/train.h"

#define DATASETS_MAX       64
#define ANSWER_ARENA_BYTES ((size_t)4 << 30)

struct train_command {
    const char *output, *experts, *plans, *config;
    struct option_list encoders;
    uint64_t seed;
    bool quiet, json;
    struct dataset *parts[DATASETS_MAX], *all;
    size_t part_count;
    struct progress progress;
    struct arena *arena;         /* of the answers */
    struct answer_table answers; /* cells NULL: no plans */
};

static void show_progress(size_t done, size_t total, void *arg)
{
    struct train_command *c = arg;
    c->progress.total = total;
    progress_update(&c->progress, done);
}

static bool wants_plans(const struct train_command *c)
{
    return !c->plans || strcmp(c->plans, "none") != 0;
}

/* The experts to learn that this data set has. */
static size_t part_experts(const struct train_command *c, const struct dataset *d, size_t *ret)
{
    size_t n = 0;
    for (size_t e = 0; e < d->expert_count; e++) {
        struct str rest = str_from(c->experts);
        bool named = !c->experts;
        while (!named && rest.len > 0)
            named = str_equal(str_trim(str_split(&rest, ',')), d->experts[e].name);
        if (named)
            ret[n++] = e;
    }
    return n;
}

/* What the experts answered, without which there is nothing to learn plans from. Before the parts are united. */
static enum status classify(struct train_command *c, size_t *texts, struct error *err)
{
    enum status status = OK;
    for (size_t p = 0; p < c->part_count && status == OK; p++) {
        size_t experts[DATASET_EXPERTS_MAX], found = 0;
        size_t count = part_experts(c, c->parts[p], experts);
        progress_begin(&c->progress, "reading answers", count);
        status = answer_table_classify(c->parts[p], experts, count, show_progress, c, &found, err);
        progress_end(&c->progress);
        *texts += found;
    }
    return status;
}

/* In this order, because answers are looked for in each data set before they are united. */
static enum status load(struct train_command *c, char **paths, int count, struct error *err)
{
    size_t texts = 0;
    enum status status = OK;
    for (int i = 0; i < count && status == OK; i++) {
        status = dataset_open("train", paths[i], stderr, &c->parts[i], err);
        c->part_count += status == OK;
    }
    if (status == OK && wants_plans(c))
        status = classify(c, &texts, err);
    if (status == OK && count > 1)
        status = dataset_concat(c->parts, c->part_count, &c->all, err);
    if (status != OK)
        return status;
    if (c->plans && wants_plans(c) && !texts)
        return error_set(err, ERR_INPUT,
                         "--plans: %.*s has no responses/ of these experts to learn plans from",
                         STR_FMT(c->parts[0]->path));
    c->arena = arena_create(ANSWER_ARENA_BYTES);
    if (!c->arena)
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct dataset *d = c->all ? c->all : c->parts[0];
    size_t experts[DATASET_EXPERTS_MAX], expert_count = part_experts(c, d, experts);
    if (!texts)
        return OK;
    return answer_table_read(c->parts, c->part_count, d, experts, expert_count, c->arena,
                             &c->answers, err);
}

static void unload(struct train_command *c)
{
    arena_free(c->arena);
    dataset_free(c->all);
    for (size_t i = 0; i < c->part_count; i++)
        dataset_free(c->parts[i]);
}

/* Says so before the work when the model could not be written after it. */
static enum status check_output(const char *path, char *const *inputs, int count, struct error *err)
{
    enum status status = file_out_check(path, err);
    if (status != OK || !strcmp(path, "-"))
        return status;
    for (int i = 0; i < count; i++)
        if (dataset_holds(inputs[i], path))
            return error_set(err, ERR_USAGE, "%s is read here and would be written over", path);
    return OK;
}

static size_t known_outcomes(const struct dataset *d, size_t expert)
{
    size_t known = 0;
    for (size_t q = 0; q < d->query_count; q++)
        known += dataset_outcome(d, q, expert)->known;
    return known;
}

/* Leaves out, with a word, the experts of whom there is nothing to learn. *count goes down. */
static enum status keep_usable(const struct dataset *d, size_t *experts, size_t *count,
                               struct error *err)
{
    size_t kept = 0;
    const char *why = "";
    struct str who = STR("");
    for (size_t i = 0; i < *count; i++) {
        size_t e = experts[i];
        bool priced = dataset_price_basis(d, e) != PRICE_UNKNOWN;
        if (priced && known_outcomes(d, e) > 0) {
            experts[kept++] = e;
            continue;
        }
        who = d->experts[e].name;
        why = priced ? "no outcome of it is known" : "it has neither a price nor recorded costs";
        fprintf(stderr, "leeroo train: note: expert '%.*s' is left out: %s\n", STR_FMT(who), why);
    }
    if (!kept)
        return error_set(err, ERR_INPUT, "%.*s: no expert is left to learn of; '%.*s': %s",
                         STR_FMT(d->path), STR_FMT(who), why);
    *count = kept;
    return OK;
}

static enum status find_lambdas(const struct dataset *d, const struct trained *t,
                                struct lambda_points *ret, struct error *err)
{
    struct arena *a = arena_create(ANSWER_ARENA_BYTES);
    enum status status =
        a ? lambda_points_find(t, d, a, ret, err) : error_set(err, ERR_MEMORY, "out of memory");
    arena_free(a); /* with nothing of *ret in it */
    ret->has_plans = t->plans.set.count > 0;
    return status;
}

/* Options, work, outputs; what was trained is freed at one place. */
static enum status train(struct train_command *c, struct error *err)
{
    const struct dataset *d = c->all ? c->all : c->parts[0];
    struct train_options options;
    struct trained *trained;
    struct lambda_points lambdas = {.queries = 0};
    size_t chosen[DATASET_EXPERTS_MAX] = {0};
    train_options_default(&options);
    options.seed = c->seed;
    options.progress = show_progress;
    options.progress_arg = c;
    options.plans = c->plans;
    options.answers = c->answers.cells ? &c->answers : NULL;
    enum status status = OK;
    if (c->experts)
        status = dataset_expert_list(d, c->experts, chosen, &options.expert_count, err);
    else
        for (; options.expert_count < d->expert_count; options.expert_count++)
            chosen[options.expert_count] = options.expert_count;
    if (status == OK)
        status = keep_usable(d, chosen, &options.expert_count, err);
    struct setup_late late;
    const struct setup_training t = {.config_path = c->config,
                                     .specs = c->encoders.items,
                                     .spec_count = c->encoders.count,
                                     .dataset = d,
                                     .experts = chosen,
                                     .expert_count = options.expert_count};
    if (status == OK)
        status = setup_late_sources(&t, c->arena, &late, err);
    if (status != OK)
        return status;
    setup_print_reading_ahead(&t, &late, stderr);
    options.late = late.sources;
    options.late_count = late.count;
    options.encoding_cache = setup_encoding_folder(c->arena);
    options.experts = chosen;
    progress_begin(&c->progress, "training", 1);
    status = train_run(d, &options, &trained, err);
    progress_end(&c->progress);
    setup_print_reading(&late, stderr);
    if (status != OK)
        return status;
    status = model_write(trained, c->output, err);
    if (status == OK && !c->quiet)
        train_print_doubts(trained, stderr);
    if (status == OK && (c->json || !c->quiet))
        status = find_lambdas(d, trained, &lambdas, err);
    if (status == OK && c->json)
        status = train_print_json(trained, &lambdas, c->output, stdout, err);
    if (status == OK && !c->json && !c->quiet) {
        struct screen screen;
        FILE *out = screen_begin(&screen, stderr);
        fprintf(out, "%zu queries, figures by %d-fold cross-validation:\n\n", trained->queries,
                TRAIN_FOLDS);
        train_print_experts(trained, out);
        if (c->answers.cells)
            train_print_plans(trained, out);
        train_print_late(trained, out);
        lambda_advice_print(&lambdas, out);
        fprintf(out, "\nwrote %s\n", c->output);
        screen_end(&screen);
    }
    trained_free(trained);
    return status;
}

/* One piece: the rows of the options point into its variables. Most of it is the text of the help. */
static int run_train(int argc, char **argv)
{
    struct train_command c = {.seed = 1};
    const struct option_row rows[] = {
        {"--output", 'o', "MODEL", "the model file to write (needed)", OPTION_STRING, &c.output, 0,
         0, NULL},
        {"--experts", 0, "NAME,...", "learn only these experts of the data set", OPTION_STRING,
         &c.experts, 0, 0, NULL},
        {"--encoder", 0, "SPEC", "also read questions with it, \"gguf=PATH,pooling=mean\" (repeat)",
         OPTION_LIST, &c.encoders, 0, 0, NULL},
        {"--config", 'c', "FILE", "and with those that this configuration names", OPTION_STRING,
         &c.config, 0, 0, NULL},
        {"--plans", 0, "PLAN;...",
         "none, or these: \"panel(a,b->c);cascade(a->c)\"; default: found by search", OPTION_STRING,
         &c.plans, 0, 0, NULL},
        {"--seed", 0, "N", "seed of everything random (1)", OPTION_SEED, &c.seed, 0, 0, NULL},
        {"--quiet", 'q', NULL, "no table", OPTION_FLAG, &c.quiet, 0, 0, NULL},
        {"--json", 0, NULL, "the table as JSON on standard output", OPTION_FLAG, &c.json, 0, 0,
         NULL},
    };
    const struct usage usage = {
        "train DATASET... -o MODEL [options]",
        "Learns an orchestrator from recorded outcomes: for every expert, how likely it is to "
        "answer a\n"
        "query well and what that will cost, from the query's text alone.\n\n"
        "A DATASET is a directory with queries.jsonl, outcomes.csv and experts.csv (each may be "
        ".gz).\n"
        "Tables of results (CSV, JSON, RouterBench's, ZeroEval's) are taken as they are.\n"
        "What cannot be used is named and passed over; prices that are missing are found in the "
        "costs.\n"
        "Not every expert need have answered every query. Several data sets are learnt together. "
        "The\n"
        "same data and seed give the same file, byte for byte.\n\n"
        "Where the data have responses/, plans over several experts are sought too: cascade(a->b) "
        "asks b\n"
        "when a's answer suggests that it pays, panel(a,b->c) asks a and b, and c when it pays,\n"
        "sequential(a,b,c,d) one after the other until nobody is worth its price. Those verdicts "
        "are "
        "learnt.\n"
        "Two tables tell: the combinations taken (how often the first two agree and are right "
        "then, "
        "the\n"
        "points of accuracy gained at equal cost), then their arms, one a threshold, with what "
        "each "
        "asks\n"
        "and costs.\n"
        "--plans names them instead, or says none.\n\n"
        "  leeroo train data/mmlu -o mmlu.safetensors\n"
        "  leeroo train data/mmlu --experts mixtral-8x7b-instruct,gpt-4-0613 -o pair.safetensors\n",
        rows, sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (!count || !c.output || count > DATASETS_MAX) {
        error_set(&err, ERR_USAGE, "%s; `leeroo train -h` explains",
                  !c.output ? "say where to write the model: -o MODEL"
                            : "name at least one data set directory, and at most 64");
        return cli_fail("train", &err);
    }
    status = check_output(c.output, argv, count, &err);
    if (status == OK)
        status = load(&c, argv, count, &err);
    if (status == OK)
        status = train(&c, &err);
    unload(&c);
    return status == OK ? 0 : cli_fail("train", &err);
}

const struct command train_command = {"train", "learn an orchestrator from recorded outcomes",
                                      run_train};
