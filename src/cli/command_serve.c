/* leeroo serve: the gateway.
 *
 * Configuration and model are loaded on main's thread before anything else starts, and later by the gateway's reload
 * thread, through the same function. The log's writer outlives the gateway, so that its last line is written, too; what
 * is said after that must not wait for standard error. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/log_writer.h"
#include "cli/commands.h"
#include "cli/commit.h"
#include "cli/process_setup.h"
#include "config/env_file.h"
#include "serve/gateway.h"
#include "setup/file_limit.h"
#include "setup/page_reach.h"
#include "setup/setup.h"

static const char text[] =
    "Runs the gateway that the configuration describes: one endpoint for OpenAI's and Anthropic's\n"
    "clients, which picks the expert that is worth its price for each request.\n"
    "\n"
    "  POST /v1/chat/completions   model \"leeroo\" routes by the default policy, \"leeroo/NAME\" "
    "by a\n"
    "                              named one; an expert's own name goes straight to it\n"
    "  POST /v1/completions, /v1/responses, /v1/embeddings\n"
    "                              OpenAI's other APIs; an embedding's \"model\" is one of "
    "`embeddings`\n"
    "  POST /v1/messages           Anthropic's Messages, and /v1/messages/count_tokens\n"
    "  POST /v1/route              the decision with all estimates, no call made\n"
    "  GET  /v1/models             what \"model\" may be; /v1/models/NAME\n"
    "  GET  /v1/experts            who can be asked now, and why others cannot\n"
    "  GET  /v1/requests/ID        what the ledger knows of a request, and why it was decided so\n"
    "  POST /v1/feedback           a score for it: {\"request_id\", \"score\", \"comment\"}\n"
    "  GET  /metrics               counters for Prometheus\n"
    "  GET  /, /v1/admin/...       the page of whoever runs it, and the API behind it\n"
    "  GET  /healthz, /readyz      alive; ready to take requests\n"
    "\n"
    "SIGTERM or SIGINT stops accepting and lets answers in flight finish (drain.timeout); a second "
    "one\n"
    "stops at once. SIGHUP, or a change of the configuration or of the model file, reloads both: "
    "requests\n"
    "that run keep what they began with, and a file that will not do is refused with a line in the "
    "log.\n"
    "Logs go to standard error, one line per request, without prompts and keys; --log-format json\n"
    "(or `log: json`) makes each line a JSON object.\n"
    "\n"
    "  leeroo serve -c leeroo.yaml\n";

struct options {
    const char *config, *env_file;
    const char *log, *log_format; /* the second NULL: as the configuration says */
    enum log_format format;       /* in force */
    bool check;
    bool env_readable;        /* by others */
    struct problems problems; /* with configuration and model */
};

static void log_warning(void *arg, const struct setup_warning *w)
{
    (void)arg;
    if (w->policy.len)
        log_event(LOG_WARN, w->what, "policy=%.*s plans=\"%.*s\" mend=\"%s\"", STR_FMT(w->policy),
                  STR_FMT(w->plans), w->mend);
    else
        log_event(LOG_WARN, w->what, "mend=\"%s\"", w->mend);
}

/* What the command line says stands above what the configuration does. */
static void take_format(struct options *o, const struct config *config)
{
    if (!o->log_format)
        o->format = config->log_format;
    log_set_format(o->format);
}

/* gateway_load */
static enum status reload(void *arg, struct config **ret_config, struct model **ret_model,
                          struct error *err)
{
    struct options *o = arg;
    enum status status = setup_load((void *)(uintptr_t)o->config, ret_config, ret_model, err);
    if (status != OK)
        return status;
    take_format(o, *ret_config);
    setup_warnings(*ret_config, *ret_model, log_warning, NULL);
    return OK;
}

static void log_start(const struct gateway *gateway, const struct config *config,
                      const struct model *model)
{
    log_event(LOG_INFO, "listening",
              "addr=%s experts=%zu policies=%zu default_policy=%.*s model=%016llx",
              gateway_address(gateway), config->expert_count, config->policy_count,
              STR_FMT(config->policies[config->default_policy].name),
              (unsigned long long)model_checksum(model));
    const struct page_reach page = page_reach_of(config, str_from(gateway_address(gateway)));
    if (page.on)
        log_event(LOG_INFO, "page", "url=%s opens=\"%s\"", page.url, page_reach_text(&page));
    if (geteuid() == 0)
        log_event(LOG_WARN, "running as root", "mend=\"run it as a user of its own\"");
    setup_warnings(config, model, log_warning, NULL);
}

/* Takes configuration and model, whatever happens. */
static enum status run_gateway(struct options *o, struct config *config, struct model *model,
                               struct error *err)
{
    const struct admin_build build = {LEEROO_VERSION, build_commit};
    struct gateway *gateway = NULL;
    bool given = false;
    enum status status = log_writer_start(err);
    if (status == OK)
        status = gateway_create(config, model, &gateway, err);
    if (status == OK && config->page != PAGE_OFF)
        status = admin_serve(gateway, &build, err);
    if (status == OK) {
        log_start(gateway, config, model);
        if (o->env_readable)
            log_warning(NULL, &env_file_readable);
        status = gateway_reload_by(gateway, reload, o, err);
        given = status == OK;
    }
    if (status == OK)
        status = gateway_run(gateway, true, err);
    gateway_free(gateway);
    if (given)
        log_event(LOG_INFO, "stopped", "status=%s", status_name(status));
    log_writer_stop(LOG_STOP_MS);
    if (!given) {
        model_free(model);
        config_free(config);
    }
    return status;
}

static enum status parse_log(struct options *o, struct error *err)
{
    enum log_level level;
    if (log_level_parse(str_from(o->log), &level) != OK)
        return error_set(err, ERR_USAGE, "--log must be debug, info, warn, error or off");
    if (o->log_format && log_format_parse(str_from(o->log_format), &o->format) != OK)
        return error_set(err, ERR_USAGE, "--log-format must be text or json, not '%.40s'",
                         o->log_format);
    log_set_level(level);
    return OK;
}

/* Before there are threads, since the environment has no lock. */
static enum status take_env_file(struct options *o, struct error *err)
{
    struct env_file_taken taken;
    if (!o->env_file)
        return OK;
    enum status status = env_file_load(o->env_file, &o->problems, &taken, err);
    o->env_readable = status == OK && taken.others_read_it;
    return status;
}

/* One piece: what must be done before the first thread, in its order. */
static enum status serve(struct options *o, struct error *err)
{
    struct config *config = NULL;
    struct model *model = NULL;
    enum status status = parse_log(o, err);
    if (status != OK)
        return status;
    file_limit_raise();
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGHUP, &ignore, NULL); /* until the gateway watches it */
    process_end_on_alarm("leeroo serve: a file or the database does not answer; stopped without "
                         "waiting for it\n");
    status = take_env_file(o, err);
    if (status != OK)
        return status;
    status = setup_gather(o->config, &o->problems, &config, &model, err);
    if (status != OK)
        return status;
    take_format(o, config);
    if (!o->check)
        return run_gateway(o, config, model, err);
    printf("%s: %zu expert%s, %zu polic%s, all well\n", o->config, config->expert_count,
           config->expert_count == 1 ? "" : "s", config->policy_count,
           config->policy_count == 1 ? "y" : "ies");
    model_free(model);
    config_free(config);
    return OK;
}

/* Where every line of standard error is to be JSON, the last one is, too. */
static int say_failed(const struct options *o, const struct error *err)
{
    char quoted[2 * sizeof(err->text)];
    if (o->format != LOG_JSON || err->status == ERR_USAGE)
        return cli_fail("serve", err);
    log_set_format(LOG_JSON);
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_ERROR, "cannot serve", "err=%s", quoted);
    return 1;
}

/* All that is wrong with the configuration, a line each; else what went wrong later. */
static int fail(const struct options *o, const struct error *err)
{
    for (size_t i = 0; i < o->problems.count; i++)
        (void)say_failed(o, &o->problems.list[i]);
    return o->problems.count > 0 ? 1 : say_failed(o, err);
}

static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml", .log = "info"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--env-file", 0, "FILE", "variables for env:NAME, as lines NAME=VALUE", OPTION_STRING,
         &o.env_file, 0, 0, NULL},
        {"--check", 0, NULL, "check configuration and model, then exit", OPTION_FLAG, &o.check, 0,
         0, NULL},
        {"--log", 0, "LEVEL", "debug, info, warn, error or off (default info)", OPTION_STRING,
         &o.log, 0, 0, NULL},
        {"--log-format", 0, "FORMAT",
         "text or json (default: `log` of the configuration, else text)", OPTION_STRING,
         &o.log_format, 0, 0, NULL},
    };
    const struct usage usage = {"serve [-c leeroo.yaml]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    enum status status =
        options_parse_alone(&usage, "the configuration is given with -c", argc, argv);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    return serve(&o, &err) == OK ? 0 : fail(&o, &err);
}

const struct command serve_command = {"serve", "run the gateway", run};
