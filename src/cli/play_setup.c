/* Settings, configuration and loop of `leeroo play` and `leeroo collect`: see play_setup.h.
 *
 * Reads options or, of a run that is there, its run.json; loads the configuration; hands both to src/play and prints
 * what comes back. What is wrong with the settings is said before anybody is asked. One thread. A run that is killed
 * goes on with the same command. */
#include "cli/play_setup.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/screen.h"
#include "print/play_output.h"
#include "print/probe_output.h"
#include "serve/gateway.h"
#include "setup/play_pool.h"
#include "setup/setup_encoders.h"
#include "setup/setup_gguf.h"

#define PLAY_SETUP_BYTES (UINT64_C(8) << 30)
#define RUN_PATH_BYTES   (PATH_MAX + 16)
#define CALL_INPUT       200 /* tokens of a usual call */
#define CALL_OUTPUT      300

/* Settings */

/* So that the run goes on from wherever it is told to. */
static enum status absolute(struct play_setup *c, const char *path, const char **ret,
                            struct error *err)
{
    char full[PATH_MAX];
    if (!realpath(path, full))
        return error_set_errno(err, ERR_NOT_FOUND, errno, "cannot find %s", path);
    *ret = arena_printf(c->arena, "%s", full);
    return *ret ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status take_config(struct play_setup *c, const char *path, struct error *err)
{
    if (access(path, F_OK) != 0)
        return config_not_found(path, err);
    return absolute(c, path, &c->settings.config, err);
}

static enum status take_paths(struct play_setup *c, const struct option_list *list,
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

/* A run that has found a set goes on as any other. */
static void take_members(const struct play_setup *c, struct play_settings *s)
{
    if (c->members == 0 && s->members > 0) {
        s->members = 0;
        s->cost_max_nano_usd = 0;
        s->everything = false;
        s->rounds = PLAY_ROUNDS;
    }
    if (c->members > 0 && (c->has_members || s->members == 0))
        s->members = c->members;
    if (c->cost_max_nano_usd > 0)
        s->cost_max_nano_usd = c->cost_max_nano_usd;
}

static void take_numbers(const struct play_setup *c, struct play_settings *s)
{
    take_members(c, s);
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
    s->allow_commands = s->allow_commands || c->allow_commands;
    s->sandbox = s->sandbox || c->sandbox;
    s->from_ledger = s->from_ledger || c->from;
    s->everything = s->everything || c->everything;
}

/* What was given on the command line, over what the run had or what is usual. */
static enum status take_options(struct play_setup *c, struct error *err)
{
    struct play_settings *s = &c->settings;
    take_numbers(c, s);
    take_names(&c->generators, &s->generators);
    take_names(&c->domains, &s->domains);
    take_names(&c->judges, &s->judges);
    if (c->teacher)
        s->teacher = c->teacher;
    if (c->experts)
        s->experts = c->experts;
    enum status status = take_paths(c, &c->questions, &s->questions, err);
    if (status == OK)
        status = take_paths(c, &c->protect, &s->protect, err);
    if (status == OK && (c->config || !s->config))
        status = take_config(c, c->config ? c->config : "leeroo.yaml", err);
    return status;
}

/* Whether the folder is a run's already; its settings are there then. */
static bool find_run(const char *folder, char path[RUN_PATH_BYTES])
{
    snprintf(path, RUN_PATH_BYTES, "%s/run.json", folder);
    return access(path, F_OK) == 0;
}

static enum status settle(struct play_setup *c, struct error *err)
{
    char path[RUN_PATH_BYTES];
    enum status status = OK;
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm local;
    if (!c->folder) {
        strftime(c->name, sizeof(c->name),
                 c->members > 0 ? "probe-%Y%m%d-%H%M%S" : "play-%Y%m%d-%H%M%S",
                 localtime_r(&now, &local));
        c->folder = c->name;
    }
    play_settings_default(&c->settings);
    if (find_run(c->folder, path))
        status = play_settings_read(path, c->arena, &c->settings, err);
    return status == OK ? take_options(c, err) : status;
}

/* What must be so before anybody is asked */

/* Without a price no cap could hold. */
static enum status check_prices(const struct play_setup *c, struct error *err)
{
    const struct config *config = c->configuration;
    bool all_free = true;
    struct model *m = NULL;
    (void)!model_load(config->model_path, &m, NULL); /* without one the catalogue has prices */
    enum status status = config_price(c->configuration, m, err);
    model_free(m);
    for (size_t e = 0; e < config->expert_count; e++)
        all_free = all_free &&
                   price_worst_nano_usd(&config->experts[e].price, 1000000, 1000000, true) == 0;
    if (status == OK && c->settings.spend_nano_usd == INT64_MAX && !all_free &&
        (!c->everything || c->members > 0))
        status = error_set(err, ERR_USAGE, "say what it may cost: --spend USD");
    return status;
}

static enum status check_sources(const struct play_setup *c, struct error *err)
{
    if (c->from && strcmp(c->from, "ledger") != 0)
        return error_set(err, ERR_USAGE, "--from '%.60s': expected ledger", c->from);
    if (c->settings.workers == 0 && !c->redis)
        return error_set(err, ERR_USAGE, "--workers 0: nobody would ask; it goes with --redis");
    return OK;
}

/* The one whose questions are likeliest to be good; the first of several. */
static const struct expert *dearest(const struct config *config)
{
    const struct expert *best = &config->experts[0];
    for (size_t e = 1; e < config->expert_count; e++)
        if (config->experts[e].price.output_nano_usd_per_m > best->price.output_nano_usd_per_m)
            best = &config->experts[e];
    return best;
}

/* Whoever names no source wants what there is: the gateway's own traffic, and questions made up. */
static enum status choose_sources(struct play_setup *c, struct error *err)
{
    struct play_settings *s = &c->settings;
    const char *kept = c->configuration->keep.file;
    if (c->everything || s->questions.count + s->generators.count > 0 || s->sandbox ||
        s->from_ledger)
        return OK;
    const struct expert *e = dearest(c->configuration);
    s->generators.items[0] = arena_printf(c->arena, "%.*s", STR_FMT(e->name));
    if (!s->generators.items[0])
        return error_set(err, ERR_MEMORY, "out of memory");
    s->generators.count = 1;
    s->from_ledger = kept && access(kept, R_OK) == 0;
    fprintf(stderr, "no questions were named: %s makes them up%s\n", s->generators.items[0],
            s->from_ledger ? ", and those that the gateway has kept are asked" : "");
    return OK;
}

static enum status check_expert(const struct play_setup *c, const char *option, const char *name,
                                struct error *err)
{
    const struct config *config = c->configuration;
    if (!name || expert_index(config->experts, config->expert_count, str_from(name)) < SIZE_MAX)
        return OK;
    return error_set(err, ERR_USAGE, "%s %s: %s has no such expert", option, name, config->place);
}

static enum status check_experts(const struct play_setup *c, struct error *err)
{
    const struct play_settings *s = &c->settings;
    enum status status = check_expert(c, "--teacher", s->teacher, err);
    for (size_t i = 0; i < s->generators.count && status == OK; i++)
        status = check_expert(c, "--generate", s->generators.items[i], err);
    for (size_t i = 0; i < s->judges.count && status == OK; i++)
        status = check_expert(c, "--judge", s->judges.items[i], err);
    return status;
}

static enum status load(struct play_setup *c, struct error *err)
{
    enum status status = settle(c, err);
    if (status == OK)
        status = check_sources(c, err);
    if (status == OK)
        status = c->dry_run
                     ? config_load_without_secrets(c->settings.config, &c->configuration, err)
                     : setup_config(c->settings.config, &c->configuration, err);
    if (status == OK)
        status = setup_encoders(c->configuration, true, err);
    if (status == OK)
        status = check_prices(c, err);
    if (status == OK)
        status = choose_sources(c, err);
    return status == OK ? check_experts(c, err) : status;
}

/* Running */

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* The first Ctrl-C ends the run in good order, so that nothing that is paid for is lost; the second the process. */
const volatile sig_atomic_t *play_setup_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    return &stop;
}

static void on_said(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

struct calls_share play_setup_share(const char *url, const char *run)
{
    return (struct calls_share){
        .url = url, .run = run, .password = getenv(PLAY_REDIS_PASSWORD), .on_said = on_said};
}

static void on_round(void *arg, const struct play_round *r)
{
    const struct play_setup *c = arg;
    struct screen screen;
    if (c->quiet || c->json)
        return;
    (c->everything ? play_print_collected : play_print_round)(r, screen_begin(&screen, stdout));
    screen_end(&screen);
}

static void on_probed(void *arg, const struct play_probed *p)
{
    const struct play_setup *c = arg;
    if (c->json)
        probe_print_json(p, stdout);
    else
        probe_print(p, c->folder, stdout);
}

/* Bytes of the run's calls; 0: none was made. */
static off_t journal_bytes(const char *folder)
{
    char path[RUN_PATH_BYTES];
    struct stat file;
    snprintf(path, sizeof(path), "%s/calls.jsonl", folder);
    return stat(path, &file) == 0 ? file.st_size : 0;
}

/* A run that was refused before it called anybody is as it was: the same command would be refused again. */
static bool goes_on(enum status status, off_t before, off_t after)
{
    return after > before || (status == ERR_CANCELLED && after > 0);
}

static void say_goes_on(const struct play_setup *c)
{
    if (c->members > 0)
        fprintf(stderr, "what was answered is kept; `leeroo select --probe --out %s` goes on\n",
                c->folder);
    else
        fprintf(stderr,
                "what was answered is kept; the same command, or `leeroo play %s`, goes on\n",
                c->folder);
}

static enum status run_loop(struct play_setup *c, const struct play_options *o, struct error *err)
{
    struct play_end end;
    struct screen screen = {0};
    if (c->folder == c->name)
        fprintf(stderr, "the run is %s\n", c->folder);
    (void)play_setup_signals();
    const off_t before = journal_bytes(c->folder);
    enum status status = play_run(c->folder, o, &end, err);
    if (status == OK)
        play_print_end(&end, o->settings, c->folder,
                       screen_begin(&screen, c->json ? stderr : stdout));
    else if (goes_on(status, before, journal_bytes(c->folder)))
        say_goes_on(c);
    screen_end(&screen);
    return status;
}

static enum status forecast(struct play_setup *c, const struct play_options *o, struct error *err)
{
    struct play_forecast f;
    struct screen screen = {0};
    enum status status = play_forecast(o, c->folder, c->arena, &f, err);
    if (status == OK)
        play_print_forecast(&f, o, screen_begin(&screen, stdout));
    screen_end(&screen);
    return status;
}

/* What a model must be good for. Without policies nobody has said how quality is traded for money, so that it is to be
 * good at any trade: a call of the dearest expert may be worth from next to nothing to half of a right answer. */
static enum status list_policies(const struct play_setup *c, struct policy **ret, size_t *ret_count,
                                 struct error *err)
{
    static const double worth[] = {0, 0.03, 0.1, 0.25, 0.5};
    const struct config *config = c->configuration;
    const size_t trades = sizeof(worth) / sizeof(worth[0]);
    struct policy *policies = ARENA_ARRAY(c->arena, config->policy_count + trades, struct policy);
    int64_t call_nano_usd = price_cost_nano_usd(&dearest(config)->price, CALL_INPUT, CALL_OUTPUT);
    if (!policies)
        return error_set(err, ERR_MEMORY, "out of memory");
    *ret = policies;
    if (config->policies_given || call_nano_usd == 0) {
        for (size_t i = 0; i < config->policy_count; i++)
            policies[i] = config->policies[i].policy;
        *ret_count = config->policy_count;
        return OK;
    }
    for (size_t i = 0; i < trades; i++)
        policies[i].lambda = worth[i] * (double)NANO_PER_USD / (double)call_nano_usd;
    *ret_count = trades;
    return OK;
}

/* A dry run opens nothing. An orchestrator has to be told of experts, and a round learns other ones each time. */
static enum status open_encoders(struct play_setup *c, struct setup_late *ret, struct error *err)
{
    const struct setup_training t = {
        .config_path = c->settings.config, .keeps_purse = true, .notes = stderr};
    return c->dry_run ? OK : setup_late_sources(&t, c->arena, ret, err);
}

/* One piece: what the options are to the loop, one a line. */
static enum status play(struct play_setup *c, struct error *err)
{
    const struct config *config = c->configuration;
    struct policy *policies = NULL;
    size_t policy_count = 0;
    struct play_pool pool;
    enum status status = play_pool_choose(config, &c->settings, c->arena, &pool, err);
    struct setup_late late = {.count = 0};
    if (status == OK)
        status = list_policies(c, &policies, &policy_count, err);
    if (status == OK)
        status = open_encoders(c, &late, err);
    if (status != OK)
        return status;
    const struct play_options o = {.settings = &c->settings,
                                   .experts = pool.experts,
                                   .expert_count = pool.count,
                                   .likes = pool.likes,
                                   .asked = pool.asked,
                                   .network = gateway_network(config),
                                   .policies = policies,
                                   .policy_count = policy_count,
                                   .default_policy =
                                       config->policies_given ? config->default_policy : 0,
                                   .late = late.sources,
                                   .late_count = late.count,
                                   .kept = config->keep.file,
                                   .ledger = config->ledger.store,
                                   .model_path = config->model_path,
                                   .stop = &stop,
                                   .share = play_setup_share(c->redis, NULL),
                                   .on_round = on_round,
                                   .on_probed = on_probed,
                                   .arg = c};
    return c->dry_run ? forecast(c, &o, err) : run_loop(c, &o, err);
}

int play_setup_run(struct play_setup *c)
{
    struct error err = {0};
    log_set_level(LOG_ERROR);
    c->arena = arena_create(PLAY_SETUP_BYTES);
    enum status status = c->arena ? load(c, &err) : error_set(&err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = play(c, &err);
    config_free(c->configuration);
    arena_free(c->arena);
    return status == OK ? 0 : cli_fail(c->command, &err);
}
