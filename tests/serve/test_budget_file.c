/* Budgets on disk, over a change of the configuration. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/temp.h"
#include "serve/budget_file.h"
#include "serve_test.h"

static struct gates *gates;

static struct snapshot *snapshot_of(struct model *m, const char *policies)
{
    char yaml[1024];
    struct snapshot *s = NULL;
    struct error err = {0};
    snprintf(yaml, sizeof(yaml), SERVE_TEST_EXPERTS "policies: %s\n", policies);
    if (!gates)
        cr_assert_eq(gates_create(&gates, &err), OK);
    struct config *c = serve_test_config(m, yaml);
    cr_assert_eq(snapshot_create(c, m, gates, false, &s, &err), OK, "%s", err.text);
    return s;
}

static void release(struct snapshot *s)
{
    struct config *c = (struct config *)s->config;
    snapshot_release(s);
    config_free(c);
}

static struct budget_file *start(struct snapshot *s, const char *folder)
{
    struct budget_file *k = NULL;
    struct error err = {0};
    cr_assert_eq(budget_file_start(s, folder, &k, &err), OK, "%s", err.text);
    return k;
}

static void expect_in(const char *path, const char *text)
{
    struct buf b;
    struct error err = {0};
    buf_init(&b, 65536);
    cr_assert_eq(file_read(path, 65536, &b, &err), OK, "%s", err.text);
    cr_expect_neq(str_find(buf_str(&b), str_from(text), 0), SIZE_MAX, "%s in %.*s", text,
                  STR_FMT(buf_str(&b)));
    buf_done(&b);
}

Test(budget_file, it_follows_a_new_configuration)
{
    struct temp t;
    temp_begin(&t, "budgets.json");
    struct model *m = serve_test_model();
    struct error err = {0};
    struct snapshot *first = snapshot_of(m, "{a: {budget: 0.5}}");
    struct snapshot *second = snapshot_of(m, "{b: {budget: 0.7}, a: {budget: 0.5}}");
    struct budget_file *k = start(first, t.folder);
    pool_observe(first->pool, 0, 1000000, 0.001);
    pool_budgets_share(second->pool, first->pool);
    cr_expect_eq(budget_file_follow(k, second, &err), OK);
    cr_expect_eq(budget_file_follow(k, second, &err), OK,
                 "the first may not have been taken up yet");
    pool_observe(second->pool, 0, 2000000, 0.001);
    budget_file_stop(k);
    expect_in(t.path, "\"a\": {\"queries\": 1,");
    expect_in(t.path, "\"b\": {\"queries\": 1,");

    struct snapshot *third = snapshot_of(m, "{a: {budget: 0.5}}");
    k = start(third, t.folder);
    struct budget_named resumed;
    cr_assert_eq(pool_budgets(third->pool, &resumed), 1);
    cr_expect_eq(resumed.state.queries, 1);
    budget_file_stop(k);
    release(first);
    release(second);
    release(third);
    gates_free(gates);
    model_free(m);
    temp_end(&t);
}

Test(budget_file, without_budgets_it_writes_nothing_until_there_are_some)
{
    struct temp t;
    struct stat unused;
    temp_begin(&t, "budgets.json");
    struct model *m = serve_test_model();
    struct error err = {0};
    struct snapshot *first = snapshot_of(m, "{a: {lambda: 1}}");
    struct snapshot *second = snapshot_of(m, "{a: {budget: 1}}");
    struct budget_file *k = start(first, t.folder);
    cr_expect_neq(stat(t.path, &unused), 0);
    cr_expect_eq(budget_file_follow(k, second, &err), OK);
    pool_observe(second->pool, 0, 2000000, 0.001);
    budget_file_stop(k);
    expect_in(t.path, "\"a\": {\"queries\": 1,");
    budget_file_stop(NULL);
    release(first);
    release(second);
    gates_free(gates);
    model_free(m);
    temp_end(&t);
}
