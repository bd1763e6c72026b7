/* The section `traces`: where spans go. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static enum status parse(const char *traces, struct config **ret, struct error *err)
{
    char yaml[1024];
    snprintf(yaml, sizeof(yaml),
             "model: m\nexperts:\n  - {name: cheap, url: \"http://127.0.0.1:1\"}\ntraces: %s\n",
             traces);
    return config_parse(str_from(yaml), "t.yaml", ret, err);
}

Test(config_traces, an_endpoint_has_no_slash_at_its_end)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(
        parse("{endpoint: \"http://127.0.0.1:4318/v1/traces/\", service_name: \"a \\\"b\"}", &c,
              &err),
        OK, "%s", err.text);
    cr_expect(str_equal(c->traces.endpoint, STR("http://127.0.0.1:4318/v1/traces")));
    cr_expect(str_equal(c->traces.service_name, STR("a \"b")));
    config_free(c);
}

static void is_refused(const char *traces, const char *says)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_expect_neq(parse(traces, &c, &err), OK, "%s", traces);
    cr_expect(strstr(err.text, says), "%s", err.text);
}

Test(config_traces, mistakes_are_named)
{
    is_refused("{}", "traces lacks the key 'endpoint'");
    is_refused("{endpoint: localhost}", "url: it must start with http:// or https://");
    is_refused("{endpoint: \"http://h\", sample: 2}", "sample must be between 0 and 1");
    is_refused("{endpoint: \"http://h\", headers: {a b: env:X}}", "'a b' cannot be the name");
    is_refused("{endpoint: \"http://h\", headers: {x-key: abc}}", "x-key must be env:NAME");
    is_refused("{endpoint: \"http://h\", headers: [x]}", "headers must be a section");
}
