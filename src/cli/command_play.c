/* leeroo play: questions, answers, scores, a model, within a sum of money.
 *
 * Reads options or, of a run that is there, its run.json; loads the configuration; hands both to src/play and prints
 * what comes back. What is wrong with the settings is said before anybody is asked. One thread. A run that is killed
 * goes on with the same command. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/play_output.h"
#include "config/config.h"
#include "play/questions.h"

#define PLAY_COMMAND_BYTES (UINT64_C(8) << 30)
#define SPEND_MAX          1e9
#define ROUNDS_MAX         1000

struct play_command {
    const char *config, *output, *teacher, *ledger;
    struct option_list questions, protect, generators, judges;
    double spend_usd;
    size_t rounds, workers, round_questions, output_tokens;
    uint64_t seed;
    bool sandbox, dry_run, quiet;
    bool has_spend, has_rounds, has_workers, has_questions, has_tokens, has_seed;
    struct arena *arena;
    struct play_settings settings;
    struct config *configuration;
    const char *folder;
};

/* Settings */

/* So that the run goes on from wherever it is told to. */
static enum status absolute(struct play_command *c, const char *path, const char **ret,
                            struct error *err)
{
    char full[PATH_MAX];
    if (!realpath(path, full))
        return error_set_errno(err, ERR_NOT_FOUND, errno, "cannot find %s", path);
    *ret = arena_printf(c->arena, "%s", full);
    return *ret ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status take_paths(struct play_command *c, const struct option_list *list,
                              struct play_list *into, struct error *err)
{
    _Static_assert(OPTION_LIST_MAX == PLAY_LIST_MAX, "what can be given can be kept");
    if (list->count == 0)
        return OK;
    into->count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        enum status status = absolute(c, list->items[i], &into->items[i], err);
        if (status != OK)
            return status;
    }
    return OK;
}

static void take_names(const struct option_list *list, struct play_list *into)
{
    if (list->count == 0)
        return;
    into->count = list->count;
    memcpy(into->items, list->items, sizeof(into->items));
}

static void take_numbers(const struct play_command *c, struct play_settings *s)
{
    if (c->has_spend)
        s->spend_nano_usd = (int64_t)llround(c->spend_usd * (double)NANO_PER_USD);
    if (c->has_rounds)
        s->rounds = c->rounds;
    if (c->has_workers)
        s->workers = c->workers;
    if (c->has_questions)
        s->round_questions = c->round_questions;
    if (c->has_tokens)
        s->output_tokens = (int64_t)c->output_tokens;
    if (c->has_seed)
        s->seed = c->seed;
    s->sandbox = s->sandbox || c->sandbox;
}

/* What was given on the command line, over what the run had or what is usual. */
static enum status take_options(struct play_command *c, struct error *err)
{
    struct play_settings *s = &c->settings;
    take_numbers(c, s);
    take_names(&c->generators, &s->generators);
    take_names(&c->judges, &s->judges);
    if (c->teacher)
        s->teacher = c->teacher;
    enum status status = take_paths(c, &c->questions, &s->questions, err);
    if (status == OK)
        status = take_paths(c, &c->protect, &s->protect, err);
    if (status == OK && c->ledger)
        status = absolute(c, c->ledger, &s->ledger, err);
    if (status == OK && (c->config || !s->config))
        status = absolute(c, c->config ? c->config : "leeroo.yaml", &s->config, err);
    return status;
}

static enum status name_folder(struct play_command *c, struct error *err)
{
    char name[64];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm local;
    if (c->folder)
        return OK;
    strftime(name, sizeof(name), "play-%Y%m%d-%H%M%S", localtime_r(&now, &local));
    c->folder = arena_printf(c->arena, "%s", name);
    return c->folder ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status settle(struct play_command *c, struct error *err)
{
    char path[PATH_MAX + 16];
    enum status status = name_folder(c, err);
    if (status != OK)
        return status;
    play_settings_default(&c->settings);
    snprintf(path, sizeof(path), "%s/run.json", c->folder);
    if (access(path, F_OK) == 0)
        status = play_settings_read(path, c->arena, &c->settings, err);
    return status == OK ? take_options(c, err) : status;
}

/* What must be so before anybody is asked */

static bool is_free(const struct expert *e)
{
    return price_worst_nano_usd(&e->price, 1000000, 1000000, true) == 0;
}

/* Without a price no cap could hold. */
static enum status check_prices(const struct play_command *c, struct error *err)
{
    const struct config *config = c->configuration;
    bool all_free = true;
    enum status status = config_price(c->configuration, NULL, err);
    for (size_t e = 0; e < config->expert_count; e++)
        all_free = all_free && is_free(&config->experts[e]);
    if (status == OK && c->settings.spend_nano_usd == INT64_MAX && !all_free)
        status = error_set(err, ERR_USAGE, "say what it may cost: --spend USD");
    return status;
}

static enum status check_sources(const struct play_command *c, struct error *err)
{
    const struct play_settings *s = &c->settings;
    if (s->questions.count + s->generators.count == 0 && !s->sandbox && !s->ledger)
        return error_set(err, ERR_USAGE,
                         "say where questions come from: --questions FILE, --generate EXPERT or "
                         "--sandbox");
    return OK;
}

static enum status check_expert(const struct play_command *c, const char *option, const char *name,
                                struct error *err)
{
    const struct config *config = c->configuration;
    if (!name || expert_index(config->experts, config->expert_count, str_from(name)) < SIZE_MAX)
        return OK;
    return error_set(err, ERR_USAGE, "%s %s: %s has no such expert", option, name, config->place);
}

static enum status check_experts(const struct play_command *c, struct error *err)
{
    const struct play_settings *s = &c->settings;
    enum status status = check_expert(c, "--teacher", s->teacher, err);
    for (size_t i = 0; i < s->generators.count && status == OK; i++)
        status = check_expert(c, "--generate", s->generators.items[i], err);
    for (size_t i = 0; i < s->judges.count && status == OK; i++)
        status = check_expert(c, "--judge", s->judges.items[i], err);
    return status;
}

static enum status load(struct play_command *c, struct error *err)
{
    enum status status = settle(c, err);
    if (status == OK)
        status = check_sources(c, err);
    if (status == OK)
        status = c->dry_run
                     ? config_load_without_secrets(c->settings.config, &c->configuration, err)
                     : config_load(c->settings.config, &c->configuration, err);
    if (status == OK)
        status = check_prices(c, err);
    return status == OK ? check_experts(c, err) : status;
}

/* Running */

static void on_round(void *arg, const struct play_round *r)
{
    const struct play_command *c = arg;
    if (!c->quiet)
        play_print_round(r, stdout);
}

static enum status run_loop(struct play_command *c, const struct play_options *o, struct error *err)
{
    struct play_end end;
    fprintf(stderr, "the run is %s\n", c->folder);
    enum status status = play_run(c->folder, o, &end, err);
    if (status == OK)
        play_print_end(&end, o->settings, c->folder, stdout);
    else
        fprintf(stderr, "what was answered is kept; `leeroo play %s` goes on\n", c->folder);
    return status;
}

static enum status forecast(struct play_command *c, const struct play_options *o, struct error *err)
{
    struct play_forecast f;
    enum status status = play_forecast(o, c->arena, &f, err);
    if (status == OK)
        play_print_forecast(&f, o, stdout);
    return status;
}

static enum status play(struct play_command *c, struct error *err)
{
    const struct config *config = c->configuration;
    struct policy *policies = ARENA_ARRAY(c->arena, config->policy_count + 1, struct policy);
    if (!policies)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < config->policy_count; i++)
        policies[i] = config->policies[i].policy;
    const struct play_options o = {
        .settings = &c->settings,
        .experts = config->experts,
        .expert_count = config->expert_count,
        .network = {.use_proxy = config->upstream.proxy,
                    .deny_private = config->upstream.deny_private,
                    .ca_file = config->upstream.ca_file.len ? config->upstream.ca_file.ptr : NULL},
        .policies = policies,
        .policy_count = config->policy_count,
        .model_path = config->model_path,
        .on_round = on_round,
        .arg = c};
    return c->dry_run ? forecast(c, &o, err) : run_loop(c, &o, err);
}

static const char usage_text[] =
    "Makes an orchestrator's training data by itself: asks the experts of leeroo.yaml questions, "
    "scores\n"
    "what they answer, learns, and asks on where that is worth its price. Each round prints a "
    "line:\n\n"
    "  area       mean quality at a tenth to all of the best expert's cost, on questions never "
    "learnt from\n"
    "  over mix   what of it is gained over the best random mix of experts, in points\n"
    "  over last  and over the round before\n"
    "  doubt      how far the estimates may lie off, on average\n\n"
    "--spend is a cap to the cent: a call is made only when the most that it may cost still fits, "
    "with\n"
    "everything in flight counted. Each round may spend twice what the one before may.\n\n"
    "RUN_DIR (play-DATE-TIME by default) is a data set at any moment. Killed, a run goes on with\n"
    "`leeroo play RUN_DIR`: with the same settings, and what was answered is not paid again.\n\n"
    "  leeroo play --questions questions.jsonl --spend 2.00\n"
    "  leeroo play --generate gpt-4o-mini --protect data/exam --spend 5\n"
    "  leeroo play --questions data/mmlu --spend 5 --dry-run\n"
    "  leeroo play play-20260101-120000 --spend 4.00\n";

/* One piece: the rows of the options point into its variables. */
static int run_play(int argc, char **argv)
{
    struct play_command c = {0};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the experts (leeroo.yaml)", OPTION_STRING, &c.config, 0, 0,
         NULL},
        {"--spend", 0, "USD", "the most that the whole run may cost (needed)", OPTION_DOUBLE,
         &c.spend_usd, 0, SPEND_MAX, &c.has_spend},
        {"--rounds", 0, "N", "rounds of asking and learning (5)", OPTION_COUNT, &c.rounds, 1,
         ROUNDS_MAX, &c.has_rounds},
        {"--questions", 0, "FILE", "questions: JSON lines or a data set; may be repeated",
         OPTION_LIST, &c.questions, 0, 0, NULL},
        {"--generate", 0, "EXPERT", "an expert that makes questions up; may be repeated",
         OPTION_LIST, &c.generators, 0, 0, NULL},
        {"--sandbox", 0, NULL, "built-in questions with known answers", OPTION_FLAG, &c.sandbox, 0,
         0, NULL},
        {"--new", 0, "N", "questions made up for each round (100)", OPTION_COUNT,
         &c.round_questions, 0, QUESTIONS_ROUND_MAX, &c.has_questions},
        {"--protect", 0, "DATASET", "ask nothing that is in it; may be repeated", OPTION_LIST,
         &c.protect, 0, 0, NULL},
        {"--workers", 0, "N", "calls at a time (16)", OPTION_COUNT, &c.workers, 1,
         CALLS_CONCURRENCY_MAX, &c.has_workers},
        {"--max-output", 0, "N", "tokens of an answer at most (2048)", OPTION_COUNT,
         &c.output_tokens, 1, 1e6, &c.has_tokens},
        {"--seed", 0, "N", "of everything random (1)", OPTION_SEED, &c.seed, 0, 0, &c.has_seed},
        {"--dry-run", 0, NULL, "say what it would cost, and ask nobody", OPTION_FLAG, &c.dry_run, 0,
         0, NULL},
        {"--quiet", 'q', NULL, "no line for each round", OPTION_FLAG, &c.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"play [RUN_DIR] --spend USD [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    log_set_level(LOG_ERROR);
    c.arena = arena_create(PLAY_COMMAND_BYTES);
    if (count > 1)
        status = error_set(&err, ERR_USAGE, "expected one RUN_DIR; `leeroo play -h` explains");
    else if (!c.arena)
        status = error_set(&err, ERR_MEMORY, "out of memory");
    c.folder = count == 1 ? argv[0] : NULL;
    if (status == OK)
        status = load(&c, &err);
    if (status == OK)
        status = play(&c, &err);
    config_free(c.configuration);
    arena_free(c.arena);
    return status == OK ? 0 : cli_fail("play", &err);
}

const struct command play_command = {"play", "ask, score and learn within a sum of money",
                                     run_play};
