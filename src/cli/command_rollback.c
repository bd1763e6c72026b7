/* leeroo rollback: the model that was in force before the last publishing is in force again.
 *
 * The renaming is play/publish_file.h; here is whose model it is, and what is said. One thread, no gateway is told: it
 * looks at its files by itself (serve/reload.h). It must not leave a gateway without the model that its configuration
 * names, so such a one is refused the way back to the prior. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/commands.h"
#include "config/config.h"
#include "play/publish_file.h"
#include "predict/model.h"
#include "setup/setup_encoders.h"

#define OUTPUT_BYTES_MAX 65536

static const char text[] =
    "Puts the model in force that was before the last one was published, and keeps that one, so "
    "that\n"
    "a second rollback undoes the first. A gateway that runs takes the change up by itself.\n"
    "\n"
    "The model is FILE, else the one of the configuration; the one before is FILE.previous. Where\n"
    "nothing but the prior was in force before, FILE goes out of the way (to FILE.previous), and "
    "the\n"
    "prior is in force again. A file that cannot be loaded is never put in force.\n"
    "\n"
    "  leeroo rollback                             the model of leeroo.yaml\n"
    "  leeroo rollback models/mine.safetensors --json\n";

struct options {
    const char *config, *model;
    bool json;
};

static bool has_previous(const char *path)
{
    char previous[PATH_MAX];
    snprintf(previous, sizeof(previous), "%s.previous", path);
    return access(previous, F_OK) == 0;
}

/* A file that `model:` names must be there, or the gateway does not start: then there is no way back to the prior. */
static enum status check_config(const struct options *o, const struct config *c, struct error *err)
{
    if (!c->model_given || has_previous(c->model_path))
        return OK;
    return error_set(err, ERR_INPUT,
                     "there is no %s.previous, and without the file that `model:` names a gateway "
                     "does not start; take `model:` out of %s to go back to the prior",
                     c->model_path, o->config);
}

/* The path, copied, as the configuration goes. */
static enum status find_model(const struct options *o, char **ret, struct error *err)
{
    struct config *c = NULL;
    enum status status = o->model ? OK : config_load_without_secrets(o->config, &c, err);
    if (status == OK && c)
        status = check_config(o, c, err);
    if (status == OK && c)
        status = setup_encoders(c, false, err);
    const char *path = c ? c->model_path : o->model;
    CHECK(status != OK || path);
    if (status == OK && !(*ret = strdup(path)))
        status = error_set(err, ERR_MEMORY, "out of memory");
    config_free(c);
    return status;
}

static const char *in_force(enum rollback_change change)
{
    static const char *const names[] = {[ROLLBACK_TO_PREVIOUS] = "previous",
                                        [ROLLBACK_TO_PRIOR] = "prior",
                                        [ROLLBACK_FROM_PRIOR] = "published"};
    return names[change];
}

static void write_text(struct buf *out, const char *path, enum rollback_change change,
                       uint64_t checksum)
{
    if (change == ROLLBACK_TO_PRIOR)
        buf_addf(out, "the prior is in force again; the model is %s.previous now\n", path);
    else
        buf_addf(out, "%s: the model %s is in force again (%016" PRIx64 ")\n", path,
                 change == ROLLBACK_TO_PREVIOUS ? "from before" : "that was published", checksum);
    buf_addf(out, "`leeroo rollback` once more undoes this\n");
}

static void write_json(struct buf *out, const char *path, enum rollback_change change,
                       uint64_t checksum)
{
    buf_addf(out, "{\"model\":");
    json_write_string(out, str_from(path));
    buf_addf(out, ",\"in_force\":\"%s\",\"checksum\":", in_force(change));
    if (change == ROLLBACK_TO_PRIOR)
        buf_addf(out, "null}\n");
    else
        buf_addf(out, "\"%016" PRIx64 "\"}\n", checksum);
}

static enum status say(const struct options *o, const char *path, enum rollback_change change,
                       struct error *err)
{
    struct model *m = NULL;
    struct buf out;
    enum status status = change == ROLLBACK_TO_PRIOR ? OK : model_load(path, &m, err);
    if (status != OK)
        return status;
    buf_init(&out, OUTPUT_BYTES_MAX);
    (o->json ? write_json : write_text)(&out, path, change, m ? model_checksum(m) : 0);
    model_free(m);
    return file_print(stdout, &out, err);
}

static int rollback(const struct options *o)
{
    struct error err;
    enum rollback_change change;
    char *path = NULL;
    enum status status = find_model(o, &path, &err);
    if (status == OK)
        status = publish_rollback(path, &change, &err);
    if (status == OK)
        status = say(o, path, change, &err);
    free(path);
    return status == OK ? 0 : cli_fail("rollback", &err);
}

static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "whose model (default leeroo.yaml)", OPTION_STRING, &o.config, 0,
         0, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"rollback [FILE] [-c leeroo.yaml]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err;
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count > 1) {
        error_set(&err, ERR_USAGE, "'%.60s': expected one model file at most", argv[1]);
        return cli_fail("rollback", &err);
    }
    o.model = count ? argv[0] : NULL;
    return rollback(&o);
}

const struct command rollback_command = {
    "rollback", "put the model from before the last publishing in force", run};
