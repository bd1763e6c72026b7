/* `breaker`, `queue` and the limits of an expert; `hedge_after` of a policy. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/str.h"
#include "config/config.h"
#include "gate/gate.h"

static enum status parse(const char *more, const char *policy, struct config **ret,
                         struct error *err)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml),
             "model: m\nexperts:\n  - {name: a, url: \"http://h\"%s}\npolicies: {default: {%s}}\n",
             more, policy);
    return config_parse(str_from(yaml), "x.yaml", ret, err);
}

static struct config *good(const char *more, const char *policy)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse(more, policy, &c, &err), OK, "%s", err.text);
    return c;
}

Test(config_failing, defaults)
{
    struct config *c = good("", "");
    const struct expert *e = &c->experts[0];
    cr_expect_eq(e->breaker.failures, 5);
    cr_expect_eq(e->breaker.minimum, 20);
    cr_expect_eq(e->breaker.window_ms, 60000);
    cr_expect_eq(e->breaker.pause_ms, 10000);
    cr_expect_eq(e->breaker.pause_max_ms, 300000);
    cr_expect_eq(e->limits.concurrency, 0, "unset means unlimited");
    cr_expect_eq(e->limits.requests_per_minute, 0);
    cr_expect_eq(e->limits.tokens_per_minute, 0);
    cr_expect_eq(e->limits.queue_length, GATE_QUEUE_DEFAULT);
    cr_expect_eq(e->limits.queue_timeout_ms, GATE_TIMEOUT_DEFAULT);
    cr_expect_eq(c->policies[0].hedge_after_ms, 0);
    config_free(c);
}

Test(config_failing, everything_given)
{
    struct config *c =
        good(", concurrency: 8, requests_per_minute: 60, tokens_per_minute: 1000, queue: {length: "
             "7, timeout: 3s}, breaker: {failures: 2, share: 0.25, minimum: 9, window: 5s, pause: "
             "2s, pause_max: 1s}",
             "hedge_after: 800ms");
    const struct expert *e = &c->experts[0];
    cr_expect_eq(e->breaker.failures, 2);
    cr_expect_float_eq(e->breaker.share, 0.25, 1e-12);
    cr_expect_eq(e->breaker.minimum, 9);
    cr_expect_eq(e->breaker.window_ms, 5000);
    cr_expect_eq(e->breaker.pause_ms, 2000);
    cr_expect_eq(e->breaker.pause_max_ms, 2000, "never below the first");
    cr_expect_eq(e->limits.concurrency, 8);
    cr_expect_eq(e->limits.requests_per_minute, 60);
    cr_expect_eq(e->limits.tokens_per_minute, 1000);
    cr_expect_eq(e->limits.queue_length, 7);
    cr_expect_eq(e->limits.queue_timeout_ms, 3000);
    cr_expect_eq(c->policies[0].hedge_after_ms, 800);
    config_free(c);
}

Test(config_failing, a_breaker_that_is_off)
{
    static const char *const words[] = {"off", "false", "no"};
    char more[40];
    for (size_t i = 0; i < 3; i++) {
        snprintf(more, sizeof(more), ", breaker: %s", words[i]);
        struct config *c = good(more, "");
        cr_expect_eq(c->experts[0].breaker.failures, 0, "%s", words[i]);
        config_free(c);
    }
}

Test(config_failing, refuses_what_makes_no_sense)
{
    static const char *const rows[][2] = {
        {", breaker: sometimes", "breaker must be off, or a section"},
        {", breaker: {failures: 0}", "failures must be between 1"},
        {", breaker: {share: 2}", "share must be between 0.01 and 1"},
        {", queue: {length: 100001}", "length must be between 0"},
        {", concurrency: 0", "concurrency must be between 1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config *c = NULL;
        struct error err = {0};
        cr_expect_eq(parse(rows[i][0], "", &c, &err), ERR_INPUT);
        cr_expect(str_find(str_from(err.text), str_from(rows[i][1]), 0) != SIZE_MAX, "%s",
                  err.text);
    }
}
