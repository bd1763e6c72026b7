/* Loading, and what to warn of. A warning is about what is valid and may still surprise: it never keeps anything from
 * starting, names what would mend it, and is told in one call, which prints or logs it. Who is never worth asking is
 * apart, because it takes milliseconds to reckon and the gateway says it in a line of its own (route/pool_news.h).
 * Nothing stays in memory here but words, in the configuration's. */
#include "setup/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan_filter.h"
#include "route/pool_asked.h"
#include "serve/secure.h"
#include "setup/setup_gguf.h"

#include "setup/setup_model.h"

#define WHY_BYTES_MAX 4096

const struct setup_warning env_file_readable = {
    .what = "the file of --env-file can be read by other users of this machine",
    .mend = "`chmod 600` it"};

/* The steps of setup_complete; what one of them says is noted where problems are gathered. */
static bool goes_on(struct config *config, enum status status, enum status *first,
                    struct error *cause, struct error *err)
{
    if (status != OK && *first == OK) {
        *first = status;
        *err = *cause;
    }
    return problems_go_on(config->problems, status, cause);
}

/* In one piece: which step can still be judged when one before it was wrong. */
enum status setup_complete(struct config *config, struct model **ret_model, struct error *err)
{
    struct model *model = NULL;
    struct error cause = {0}, own = {0};
    enum status first = OK;
    err = err ? err : &own;
    bool on = goes_on(config, setup_open_models(config, &cause), &first, &cause, err);
    if (on)
        on = goes_on(config, setup_model(config, &model, &cause), &first, &cause, err);
    if (on && model)
        on = goes_on(config, config_bind(config, model, &cause), &first, &cause, err);
    if (on)
        (void)goes_on(config, secure_check(config, &cause), &first, &cause, err);
    if (first != OK) {
        model_free(model);
        return first;
    }
    *ret_model = model;
    return OK;
}

/* One of many mistakes is all that a caller can be told who takes one. */
static void tell_more(const struct problems *all, struct error *err)
{
    size_t more = all->count + all->more - 1, used = strlen(err->text);
    snprintf(err->text + used, sizeof(err->text) - used,
             " (and %zu more; `leeroo check` tells all)", more);
}

enum status setup_load(void *arg, struct config **ret_config, struct model **ret_model,
                       struct error *err)
{
    struct problems *all = calloc(1, sizeof(*all));
    struct error own = {0};
    err = err ? err : &own;
    if (!all)
        return error_set(err, ERR_MEMORY, "out of memory for a configuration");
    enum status status = setup_gather(arg, all, ret_config, ret_model, err);
    if (status != OK && all->count + all->more > 1)
        tell_more(all, err);
    free(all);
    return status;
}

enum status setup_gather(const char *path, struct problems *all, struct config **ret_config,
                         struct model **ret_model, struct error *err)
{
    struct config *config = NULL;
    enum status status = config_gather(path, all, &config, err);
    if (status == OK)
        status = setup_complete(config, ret_model, err);
    if (status != OK) {
        config_free(config);
        problems_sort(all);
        enum status told = problems_first(all, err);
        return told == OK ? status : told;
    }
    config->problems = NULL;
    *ret_config = config;
    return OK;
}

static bool is_configured(const struct config *config, const struct model *m, const struct plan *p)
{
    bool all = true;
    for (size_t k = 0; k < p->member_count; k++)
        all &= expert_index(config->experts, config->expert_count,
                            model_expert_at(m, p->members[k])->name) != SIZE_MAX;
    return all;
}

size_t setup_idle_plans(const struct config *config, const struct model *model)
{
    size_t n = 0;
    for (size_t i = model_expert_count(model); i < model_arm_count(model); i++)
        n += !is_configured(config, model, model_arm_at(model, i));
    return n;
}

static bool has_budget(const struct config *config)
{
    for (size_t i = 0; i < config->policy_count; i++)
        if (config->policies[i].policy.budget_usd_per_1k > 0)
            return true;
    return false;
}

/* A policy that asks for plans of which none can run answers with single experts. */
static bool lacks_plans(const struct config *config, const struct model *model,
                        const struct route_policy *p)
{
    bool use[MODEL_ARMS_MAX] = {false};
    struct error err;
    if (!p->plans.len || str_equal(p->plans, STR("none")))
        return false;
    for (size_t e = 0; e < config->expert_count; e++) {
        size_t at = model_expert_index(model, config->experts[e].name);
        if (at != SIZE_MAX && (!p->use || p->use[e]))
            use[at] = true;
    }
    if (plan_filter_apply(model, p->plans, use, &err) != OK)
        return false;
    for (size_t k = model_expert_count(model); k < model_arm_count(model); k++)
        if (use[k])
            return false;
    return true;
}

static size_t count_placed(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; config->placed && i < config->expert_count; i++)
        n += config->placed[i] != NULL;
    return n;
}

/* What is not known from outcomes is known beforehand only. */
static void warn_placed(const struct config *config,
                        void (*warn)(void *arg, const struct setup_warning *w), void *arg)
{
    const struct setup_warning all = {.what = "no model yet: every expert is placed by a prior",
                                      .mend = "`leeroo play` learns what they are worth"},
                               some = {.what = "experts that the model does not know are placed by "
                                               "a prior",
                                       .mend = "`leeroo enroll` takes in their outcomes, `leeroo "
                                               "play` buys some"};
    if (count_placed(config) > 0)
        warn(arg, config_all_placed(config) ? &all : &some);
}

static bool hears(const struct model *model, const char *name)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(model, &encoders);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(encoders[i]->name, name))
            return true;
    return false;
}

/* An encoder is one of a model, not of a gateway. */
static void warn_unheard(const struct config *config, const struct model *model,
                         void (*warn)(void *arg, const struct setup_warning *w), void *arg)
{
    for (size_t i = 0; i < config->encoder_count; i++) {
        const char *name = config->encoders[i].name;
        const char *what =
            hears(model, name)
                ? NULL
                : arena_printf(config->arena, "%s%s%s is not asked: the model knows nothing of it",
                               config->encoders[i].orchestrates ? "" : "encoder '", name,
                               config->encoders[i].orchestrates ? "" : "'");
        if (what)
            warn(arg, &(struct setup_warning){
                          .what = what,
                          .mend = "`leeroo train -c` learns with it; if it was left out because "
                                  "it did not help, leave it out here, too"});
    }
}

void setup_warnings(const struct config *config, const struct model *model,
                    void (*warn)(void *arg, const struct setup_warning *w), void *arg)
{
    if (!config->state_dir && has_budget(config))
        warn(arg, &(struct setup_warning){.what = "budgets begin anew at every start",
                                          .mend = "give a state_dir in the configuration"});
    if (config->limits.bodies_bytes < config->limits.body_bytes)
        warn(arg, &(struct setup_warning){.what = "limits.bodies is less than limits.body, so that "
                                                  "the largest bodies are always answered with 503",
                                          .mend = "raise limits.bodies, or lower limits.body"});
    warn_placed(config, warn, arg);
    warn_unheard(config, model, warn, arg);
    for (size_t i = 0; i < config->policy_count; i++) {
        const struct route_policy *p = &config->policies[i];
        if (lacks_plans(config, model, p))
            warn(arg,
                 &(struct setup_warning){.what = "no plan of the policy can run",
                                         .policy = p->name,
                                         .plans = p->plans,
                                         .mend = "configure all members of a plan, and a model "
                                                 "that has learnt it"});
    }
}

static enum status warn_asked(const struct config *config, const struct pool *p,
                              const struct pool_asked *asked,
                              void (*warn)(void *arg, const struct setup_warning *w), void *arg,
                              struct error *err)
{
    struct buf why;
    enum status status = OK;
    buf_init(&why, WHY_BYTES_MAX);
    for (size_t i = 0; i < config->expert_count && status == OK; i++) {
        if (!pool_never_asks(&asked[i]))
            continue;
        buf_clear(&why);
        pool_asked_explain(p, &asked[i], i, &why);
        const char *what =
            arena_printf(config->arena, "%.*s is never worth asking by any policy (%.*s)",
                         STR_FMT(config->experts[i].name), STR_FMT(buf_str(&why)));
        if (what)
            warn(arg, &(struct setup_warning){
                          .what = what,
                          .expert = config->experts[i].name,
                          .mend = "leave it out, or give a policy that would ask it"});
        else
            status = error_set(err, ERR_MEMORY, "out of memory for a warning");
    }
    buf_done(&why);
    return status;
}

enum status setup_never_asked(const struct config *config, const struct model *model,
                              void (*warn)(void *arg, const struct setup_warning *w), void *arg,
                              struct error *err)
{
    const struct pool_settings settings = config_pool_settings(config);
    struct pool_asked *asked = ARENA_ARRAY(config->arena, config->expert_count, struct pool_asked);
    struct pool *p = NULL;
    uint64_t decisions = 0;
    if (!asked)
        return error_set(err, ERR_MEMORY, "out of memory for a warning");
    enum status status = pool_create(&settings, model, &p, err);
    if (status == OK)
        status = pool_asked(p, asked, &decisions, err);
    if (status == OK && decisions)
        status = warn_asked(config, p, asked, warn, arg, err);
    pool_free(p);
    return status;
}
