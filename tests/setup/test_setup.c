/* From a leeroo.yaml without a model to what serve runs on, and what is said of it. */
#include "setup/setup.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLD_MAX 8

struct told {
    char what[TOLD_MAX][200], policy[TOLD_MAX][40];
    size_t count;
};

static void take(void *arg, const struct setup_warning *w)
{
    struct told *t = arg;
    cr_assert_lt(t->count, TOLD_MAX);
    snprintf(t->what[t->count], sizeof(t->what[0]), "%s", w->what);
    snprintf(t->policy[t->count++], sizeof(t->policy[0]), "%.*s", STR_FMT(w->policy));
    cr_assert_not_null(w->mend);
}

static bool is_told(const struct told *t, const char *words)
{
    for (size_t i = 0; i < t->count; i++)
        if (strstr(t->what[i], words))
            return true;
    return false;
}

/* A file in a folder of its own, so that no model lies beside it. */
static void load(const char *yaml, struct config **config, struct model **model, struct told *told)
{
    char folder[] = "/tmp/leeroo-setup-XXXXXX", path[64];
    struct error err = {0};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/leeroo.yaml", folder);
    FILE *f = fopen(path, "we");
    cr_assert(f && fputs(yaml, f) >= 0 && fclose(f) == 0);
    cr_assert_eq(setup_load(path, config, model, &err), OK, "%s", err.text);
    unlink(path);
    rmdir(folder);
    setup_warnings(*config, *model, take, told);
}

static const char experts[] =
    "listen: 127.0.0.1:0\n"
    "experts:\n"
    "  - {name: gpt-4o-mini, url: 'http://127.0.0.1:1/v1', price: {input: 0.15, output: 0.6}}\n"
    "  - {name: gpt-4o, url: 'http://127.0.0.1:1/v1', price: {input: 2.5, output: 10}}\n";

Test(setup, without_a_model_a_prior_serves_and_it_is_said)
{
    struct config *config = NULL;
    struct model *model = NULL;
    struct told told = {.count = 0};
    load(experts, &config, &model, &told);
    cr_expect_eq(model_expert_count(model), 2);
    cr_expect(config->placed && config->placed[0] && config->placed[1]);
    cr_expect(is_told(&told, "no model yet"));
    cr_expect(!is_told(&told, "budgets"));
    model_free(model);
    config_free(config);
}

Test(setup, what_may_surprise_is_said_of_its_policy)
{
    char yaml[1000];
    struct config *config = NULL;
    struct model *model = NULL;
    struct told told = {.count = 0};
    snprintf(yaml, sizeof(yaml), "%spolicies:\n  thrifty: {budget: 0.1, plans: cascade}\n",
             experts);
    load(yaml, &config, &model, &told);
    cr_expect(is_told(&told, "budgets begin anew"));
    cr_expect(is_told(&told, "no plan of the policy can run"));
    for (size_t i = 0; i < told.count; i++)
        cr_expect_eq(!strcmp(told.policy[i], "thrifty"), strstr(told.what[i], "no plan") != NULL);
    model_free(model);
    config_free(config);
}

Test(setup, an_encoder_that_the_model_does_not_know_is_named)
{
    char yaml[1000];
    struct config *config = NULL;
    struct model *model = NULL;
    struct told told = {.count = 0};
    snprintf(yaml, sizeof(yaml),
             "%sencoders:\n  - {name: far, url: 'http://127.0.0.1:1/v1/embeddings', model: m}\n"
             "orchestrator: {expert: gpt-4o}\n",
             experts);
    load(yaml, &config, &model, &told);
    cr_expect(is_told(&told, "encoder 'far' is not asked"));
    cr_expect(is_told(&told, "orchestrator is not asked"));
    model_free(model);
    config_free(config);
}

Test(setup, who_is_never_worth_asking_is_named)
{
    static const char yaml[] =
        "listen: 127.0.0.1:0\n"
        "experts:\n"
        "  - {name: gpt-4o-mini, url: 'http://127.0.0.1:1/v1', price: {input: 99, output: 99}}\n"
        "  - {name: gpt-4o, url: 'http://127.0.0.1:1/v1', price: {input: 2.5, output: 10}}\n"
        "policies:\n"
        "  thrifty: {lambda: 100}\n";
    struct config *config = NULL;
    struct model *model = NULL;
    struct told told = {.count = 0};
    struct error err = {0};
    load(yaml, &config, &model, &told);
    told.count = 0;
    cr_assert_eq(setup_never_asked(config, model, take, &told, &err), OK, "%s", err.text);
    cr_assert_eq(told.count, 1);
    cr_expect(is_told(&told, "gpt-4o-mini is never worth asking by any policy (gpt-4o is no dearer "
                             "and better, as far as a prior can tell"),
              "%s", told.what[0]);
    cr_expect_eq(setup_idle_plans(config, model), 0);
    model_free(model);
    config_free(config);
}
