/* leeroo check: whether `serve` would run, and on what. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "keys/client_keys.h"
#include "setup/check_print.h"
#include "setup/setup.h"

static const char text[] =
    "Reads the configuration and the model as `leeroo serve` would, without listening or calling "
    "anybody,\n"
    "and says what it would run on and what may surprise its owner. API keys are never shown.\n"
    "Commands that check answers run once, shut in, with a sample. With --connect each expert's\n"
    "endpoint is also asked for its list of models, which costs nothing, and services that check\n"
    "answers judge that sample.\n"
    "\n"
    "Exits with 0 when all is well (warnings included), with 1 when serve would refuse, or an\n"
    "expert, an encoder or a check cannot be asked.\n"
    "\n"
    "  leeroo check -c leeroo.yaml --connect\n";

struct options {
    const char *config;
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

/* Returns whether all is well; *err says what is not, if it keeps `serve` from starting. */
static enum status look(const struct options *o, struct check_found *f, struct error *err)
{
    struct config *config = NULL;
    struct model *model = NULL;
    enum status status = setup_load((void *)(uintptr_t)o->config, &config, &model, err);
    if (status != OK)
        return status;
    status = keys_check(config, err);
    f->config = config;
    f->model = model;
    f->fine = f->asked = true;
    if (status == OK)
        setup_warnings(config, model, take_warning, f);
    if (status == OK)
        status = setup_never_asked(config, model, take_warning, f, err);
    if (status == OK)
        f->encoder_count = check_encoders(config, model, o->connect, f->encoders);
    for (size_t i = 0; i < f->encoder_count; i++)
        f->fine &= f->encoders[i].status == OK;
    f->memory_bytes = check_memory(config);
    if (status == OK)
        status = check_verify(config, o->connect, f->verify, &f->verify_count, err);
    for (size_t i = 0; i < f->verify_count; i++)
        f->fine &= f->verify[i].fine;
    if (status == OK && o->connect)
        status = connect_all(f, err);
    return status;
}

/* Prints what was found whatever went wrong, then frees it all: one way out. */
static int check(const struct options *o)
{
    struct error err = {0};
    struct check_found *f = calloc(1, sizeof(*f));
    if (!f) {
        error_set(&err, ERR_MEMORY, "out of memory");
        return cli_fail("check", &err);
    }
    f->path = o->config;
    enum status status = look(o, f, &err);
    const struct config *config = f->config;
    if (status != OK) {
        f->config = NULL;
        f->failure = &err;
        f->fine = false;
    }
    if (o->json)
        check_print_json(f, stdout);
    else
        check_print_text(f, stdout);
    int code = status != OK ? cli_fail("check", &err) : f->fine ? 0 : 1;
    free((void *)(uintptr_t)f->replies);
    model_free((struct model *)(uintptr_t)f->model);
    config_free((struct config *)(uintptr_t)config);
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
