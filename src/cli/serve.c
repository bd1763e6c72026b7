/* leeroo serve: the gateway. */
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/file_limit.h"
#include "plan/allow.h"
#include "serve/gateway.h"

static const char text[] =
    "Runs the gateway that the configuration describes: an OpenAI-compatible endpoint which picks "
    "the\n"
    "expert that is worth its price for each request.\n"
    "\n"
    "  POST /v1/chat/completions   model \"leeroo\" routes by the default policy, \"leeroo/NAME\" "
    "by a\n"
    "                              named one; an expert's own name goes straight to it\n"
    "  POST /v1/route              the decision with all estimates, no call made\n"
    "  GET  /v1/models             what \"model\" may be\n"
    "  GET  /healthz, /readyz      alive; ready to take requests\n"
    "\n"
    "SIGTERM or SIGINT stops accepting and lets answers in flight finish (drain.timeout); a second "
    "one\n"
    "stops at once. Logs go to standard error, one line per request, without prompts and keys.\n"
    "\n"
    "  leeroo serve -c leeroo.yaml\n";

struct options {
    const char *config;
    const char *log;
    bool check;
};

static void warn_of_budgets(const struct config *config)
{
    for (size_t i = 0; i < config->policy_count && !config->state_dir; i++)
        if (config->policies[i].policy.budget_usd_per_1k > 0) {
            log_event(LOG_WARN, "budgets begin anew at every start",
                      "mend=\"give a state_dir in the configuration\"");
            return;
        }
}

/* A policy that asks for plans of which none can run answers with single experts, and its owner should know. */
static void warn_of_plans(const struct config *config, const struct model *model)
{
    for (size_t i = 0; i < config->policy_count; i++) {
        const struct config_policy *p = &config->policies[i];
        bool use[MODEL_ARMS_MAX] = {false}, any = false;
        for (size_t e = 0; e < config->expert_count; e++) {
            size_t at = model_expert_index(model, config->experts[e].name);
            if (at != SIZE_MAX && (!p->use || p->use[e]))
                use[at] = true;
        }
        struct error err;
        if (!p->plans.len || str_equal(p->plans, STR("none")) ||
            plan_allow(model, p->plans, use, &err) != OK)
            continue;
        for (size_t k = model_expert_count(model); k < model_arm_count(model); k++)
            any |= use[k];
        if (!any)
            log_event(LOG_WARN, "no plan of the policy can run",
                      "policy=%.*s plans=\"%.*s\" mend=\"configure all members of a plan, and a "
                      "model that has learnt it\"",
                      STR_FMT(p->name), STR_FMT(p->plans));
    }
}

static enum status run_gateway(const struct config *config, const struct model *model, bool check,
                               struct error *err)
{
    struct gateway *gateway = NULL;
    enum status status = check ? OK : gateway_create(config, model, &gateway, err);
    if (status != OK || check)
        return status;
    log_event(LOG_INFO, "listening",
              "addr=%s experts=%zu policies=%zu default_policy=%.*s model=%016llx",
              gateway_address(gateway), config->expert_count, config->policy_count,
              STR_FMT(config->policies[config->default_policy].name),
              (unsigned long long)model_checksum(model));
    warn_of_budgets(config);
    warn_of_plans(config, model);
    status = gateway_run(gateway, true, err);
    gateway_free(gateway);
    log_event(LOG_INFO, "stopped", "status=%s", status_name(status));
    return status;
}

static enum status serve(const struct options *o, struct error *err)
{
    struct config *config = NULL;
    struct model *model = NULL;
    enum log_level level;
    enum status status = log_level_parse(str_from(o->log), &level);
    if (status != OK)
        return error_set(err, ERR_USAGE, "--log must be debug, info, warn, error or off");
    log_set_level(level);
    file_limit_raise();
    status = config_load(o->config, &config, err);
    if (status == OK) {
        status = model_load(config->model_path, &model, err);
        if (status != OK)
            error_prefix(err, "%s: model", o->config);
    }
    if (status == OK)
        status = config_bind(config, model, err);
    if (status == OK)
        status = run_gateway(config, model, o->check, err);
    if (status == OK && o->check)
        printf("%s: %zu experts, %zu policies, all well\n", o->config, config->expert_count,
               config->policy_count);
    model_free(model);
    config_free(config);
    return status;
}

static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml", .log = "info"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--check", 0, NULL, "check configuration and model, then exit", OPTION_FLAG, &o.check, 0,
         0, NULL},
        {"--log", 0, "LEVEL", "debug, info, warn, error or off (default info)", OPTION_STRING,
         &o.log, 0, 0, NULL},
    };
    const struct usage usage = {"serve [-c leeroo.yaml]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count > 0) {
        error_set(&err, ERR_USAGE, "unexpected argument '%s'; the configuration is given with -c",
                  argv[0]);
        return cli_fail("serve", &err);
    }
    return serve(&o, &err) == OK ? 0 : cli_fail("serve", &err);
}

const struct command serve_command = {"serve", "run the gateway", run};
