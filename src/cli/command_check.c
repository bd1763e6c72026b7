/* leeroo check: whether `serve` would run, and on what.
 *
 * Everything is looked at that can be judged although something before it was wrong, and told at once. What it finds is
 * found by setup/check_*.h, for people and for programs; nothing is written, nobody is listened for, and clients' money
 * is not spent. One thread. */
#include <stdio.h>
#include <stdlib.h>

#include "base/screen.h"
#include "cli/commands.h"
#include "config/env_file.h"
#include "keys/client_keys.h"
#include "setup/check_print.h"
#include "setup/setup.h"

static const char text[] =
    "Reads the configuration and the model as `leeroo serve` would, without listening, and says "
    "what\n"
    "it would run on and what may surprise its owner: whether the port is free, or who has it, "
    "when\n"
    "the certificate ends, whether state_dir can be written and the ledger opened (its database "
    "is\n"
    "asked, and nothing changed). All that is wrong is told at once. API keys are never shown.\n"
    "Commands that check answers run once, shut in, with a sample. With --connect each expert's\n"
    "endpoint is also asked for its list of models, which costs nothing, and services that check\n"
    "answers judge that sample.\n"
    "\n"
    "Exits with 0 when all is well (warnings included), with 1 when serve would refuse or "
    "something\n"
    "must be mended: a ledger that is away, a certificate that has ended, an expert, an encoder or "
    "a\n"
    "check that cannot be asked; with 2 when the command line is wrong.\n"
    "\n"
    "  leeroo check -c leeroo.yaml --connect\n";

struct options {
    const char *config, *env_file;
    bool connect, json;
};

static void take_warning(void *arg, const struct setup_warning *w)
{
    struct check_found *f = arg;
    if (f->warning_count < CHECK_WARNINGS_MAX)
        f->warnings[f->warning_count++] = *w;
}

static enum status connect_all(struct check_found *f, struct error *err)
{
    struct check_reply *replies = calloc(f->config->expert_count, sizeof(*replies));
    if (!replies)
        return error_set(err, ERR_MEMORY, "out of memory for replies");
    enum status status = check_connect(f->config, replies, err);
    if (status != OK) {
        free(replies);
        return status;
    }
    for (size_t i = 0; i < f->config->expert_count; i++)
        f->asked &= check_reach_fine(replies[i].reach);
    f->fine &= f->asked;
    f->replies = replies;
    return OK;
}

/* What is looked at only where configuration and model are right. */
static enum status look_further(const struct options *o, struct check_found *f, struct error *err)
{
    const struct config *config = f->config;
    setup_warnings(config, f->model, take_warning, f);
    enum status status = setup_never_asked(config, f->model, take_warning, f, err);
    if (status != OK)
        return status;
    f->encoder_count = check_encoders(config, f->model, o->connect, f->encoders);
    for (size_t i = 0; i < f->encoder_count; i++)
        f->fine &= f->encoders[i].status == OK;
    f->page = page_reach_of(config, config->listen);
    f->memory_bytes = check_memory(config);
    status = check_verify(config, o->connect, f->verify, &f->verify_count, err);
    for (size_t i = 0; i < f->verify_count; i++)
        f->fine &= f->verify[i].fine;
    if (status == OK && o->connect)
        status = connect_all(f, err);
    return status;
}

/* False: what is wrong with it is noted. */
static bool take_env_file(const char *path, struct check_found *f)
{
    struct env_file_taken taken;
    struct error err;
    if (env_file_load(path, &f->problems, &taken, &err) != OK)
        return false;
    if (taken.others_read_it)
        take_warning(f, &env_file_readable);
    return true;
}

/* All that keeps `serve` from starting is in f->problems then. In one piece: what can still be judged when something
 * before it was wrong. */
static void look(const struct options *o, struct check_found *f, struct config **ret_config,
                 struct model **ret_model)
{
    struct error err = {0};
    struct problems *all = &f->problems;
    f->fine = f->asked = true;
    if (o->env_file && !take_env_file(o->env_file, f))
        return;
    if (config_gather(o->config, all, ret_config, &err) != OK)
        return;
    (void)problems_go_on(all, setup_complete(*ret_config, ret_model, &err), &err);
    (void)problems_go_on(all, keys_check(*ret_config, &err), &err);
    (*ret_config)->problems = NULL;
    bool whole = all->count == 0;
    check_start(*ret_config, &f->start, all, take_warning, f);
    if (whole) {
        f->config = *ret_config;
        f->model = *ret_model;
        (void)problems_go_on(all, look_further(o, f, &err), &err);
    }
    problems_sort(all);
}

static int fail(const struct problems *all)
{
    for (size_t i = 0; i < all->count; i++)
        (void)cli_fail("check", &all->list[i]);
    if (all->more)
        fprintf(stderr, "leeroo check: and %zu more\n", all->more);
    return 1;
}

/* Prints what was found whatever went wrong, then frees it all: one way out. */
static int check(const struct options *o)
{
    struct error err = {0};
    struct config *config = NULL;
    struct model *model = NULL;
    struct screen screen = {0};
    struct check_found *f = calloc(1, sizeof(*f));
    if (!f) {
        error_set(&err, ERR_MEMORY, "out of memory");
        return cli_fail("check", &err);
    }
    f->path = o->config;
    look(o, f, &config, &model);
    f->fine &= f->problems.count == 0;
    if (o->json)
        check_print_json(f, stdout);
    else
        check_print_text(f, screen_begin(&screen, stdout));
    screen_end(&screen);
    int code = f->problems.count > 0 ? fail(&f->problems) : f->fine ? 0 : 1;
    free((void *)(uintptr_t)f->replies);
    model_free(model);
    config_free(config);
    free(f);
    return code;
}

static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--connect", 0, NULL, "also ask each expert for its list of models", OPTION_FLAG,
         &o.connect, 0, 0, NULL},
        {"--env-file", 0, "FILE", "variables for env:NAME, as lines NAME=VALUE", OPTION_STRING,
         &o.env_file, 0, 0, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"check [-c leeroo.yaml] [--connect]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    enum status status =
        options_parse_alone(&usage, "the configuration is given with -c", argc, argv);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    return check(&o);
}

const struct command check_command = {"check", "is the configuration right, are the experts there",
                                      run};
