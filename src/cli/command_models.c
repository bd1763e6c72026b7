/* leeroo models: who a model knows, and what it knows of them.
 *
 * Finds the model: the one that is named, else the configuration's, with newcomers placed as `serve` would place them;
 * src/print/models_output.c says what is in it. One thread, and nobody is asked. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "print/models_output.h"
#include "setup/model_change.h"
#include "setup/setup_encoders.h"
#include "setup/setup_model.h"

static const char text[] =
    "Shows who is known: from how many outcomes, how good and at what, at which price, since when; "
    "and\n"
    "which experts are only placed by a prior. With a configuration also what differs from it: its "
    "prices\n"
    "are shown, and the trained ones behind them.\n"
    "\n"
    "Without MODEL it is that of the configuration, as `leeroo serve` would run it. `since` is the "
    "day on\n"
    "which an expert was enrolled; of those that training knew, \"by\" the day of the file, for "
    "training\n"
    "notes none: the same data give the same file.\n"
    "\n"
    "  leeroo models                      the configuration's, leeroo.yaml\n"
    "  leeroo models my.leeroo --all      also experts that were taken out\n"
    "  leeroo models my.leeroo -c leeroo.yaml --json\n";

struct models_command {
    const char *path, *config_path;
    bool config_given, all, json;
    struct config *config;
    struct model *m;
    char day[MODEL_DAY_BYTES];
};

static enum status no_configuration(const struct models_command *c, struct error *err)
{
    return error_set(err, ERR_NOT_FOUND,
                     "there is no %s here: name a model, `leeroo models FILE`, or a configuration "
                     "with -c; `leeroo init` writes one, `leeroo train` makes a model",
                     c->config_path);
}

static enum status load(struct models_command *c, struct error *err)
{
    enum status status = OK;
    if (!c->path && !c->config_given && access(c->config_path, F_OK) != 0)
        return no_configuration(c, err);
    if (!c->path || c->config_given)
        status = config_load_without_secrets(c->config_path, &c->config, err);
    if (status == OK && c->config)
        status = setup_encoders(c->config, false, err);
    if (status == OK && c->path)
        status = model_load(c->path, &c->m, err);
    else if (status == OK)
        status = setup_model(c->config, &c->m, err);
    if (status == OK && c->config)
        status = config_price(c->config, c->m, err);
    return status;
}

/* What the file notes, else when it was written. */
static struct str trained_by(struct models_command *c, const char *path)
{
    struct str noted = model_parts(c->m)->trained_by;
    struct stat s;
    if (noted.len || !path || stat(path, &s) != 0)
        return noted;
    return model_day(s.st_mtim.tv_sec, c->day);
}

static enum status models(struct models_command *c, struct error *err)
{
    enum status status = load(c, err);
    if (status != OK)
        return status;
    const char *path = c->path                        ? c->path
                       : config_all_placed(c->config) ? NULL
                                                      : c->config->model_path;
    const struct models_told told = {path, c->m, c->config, trained_by(c, path), c->all};
    return models_print(&told, c->json, stdout, err);
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct models_command c = {.config_path = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml where no MODEL is named)",
         OPTION_STRING, &c.config_path, 0, 0, &c.config_given},
        {"--all", 0, NULL, "also experts that were taken out", OPTION_FLAG, &c.all, 0, 0, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"models [MODEL] [-c leeroo.yaml]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    c.path = count ? argv[0] : NULL;
    if (count > 1)
        status = error_set(&err, ERR_USAGE, "'%.60s': expected one model file at most", argv[1]);
    else
        status = models(&c, &err);
    model_free(c.m);
    config_free(c.config);
    return status == OK ? 0 : cli_fail("models", &err);
}

const struct command models_command = {"models", "who a model knows, and how well", run};
