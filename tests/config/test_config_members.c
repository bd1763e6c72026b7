/* `drop` and `rename` of an expert. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static enum status parse(const char *more, struct config **ret, struct error *err)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml), "model: m\nexperts:\n  - {name: a, url: \"http://h\"%s}\n", more);
    return config_parse(str_from(yaml), "x.yaml", ret, err);
}

Test(config_members, are_kept_in_the_order_of_the_file)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(
        parse(", drop: [temperature, logprobs], rename: {max_tokens: max_new_tokens}", &c, &err),
        OK, "%s", err.text);
    const struct expert *e = &c->experts[0];
    cr_assert_eq(e->edit_count, 3);
    cr_expect(str_equal(e->edits[0].name, STR("temperature")) && !e->edits[0].as.ptr);
    cr_expect(str_equal(e->edits[1].name, STR("logprobs")));
    cr_expect(str_equal(e->edits[2].name, STR("max_tokens")));
    cr_expect(str_equal(e->edits[2].as, STR("max_new_tokens")));
    config_free(c);
}

Test(config_members, mistakes_are_named)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {", drop: temperature", "x.yaml:3:38: drop must be a list of parameters"},
        {", drop: []", "drop must be a list of parameters"},
        {", api_version: \"a b\"", "api_version must be letters, digits and . _ -"},
        {", drop: [messages]", "drop: no request goes without messages"},
        {", drop: [stream]", "drop: no request goes without stream"},
        {", drop: [max_tokens]", "drop: max_cost is held by max_tokens; give its other name in "
                                 "limit_name or rename"},
        {", drop: [\"a b\"]", "drop: a parameter's name is up to 64 plain characters"},
        {", drop: [[a]]", "drop: a parameter's name is up to 64 plain characters"},
        {", drop: [n, n]", "drop: 'n' is dropped or renamed already; keep one"},
        {", drop: [n], rename: {n: m}", "rename: 'n' is dropped or renamed already; keep one"},
        {", rename: [n]", "rename must be a section such as"},
        {", rename: {n: model}", "rename: no request goes without model"},
        {", rename: {n: m, k: m}", "rename: two parameters would be called 'm'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config *c = NULL;
        struct error err = {0};
        cr_expect_eq(parse(rows[i].text, &c, &err), ERR_INPUT, "%s", rows[i].text);
        cr_expect(strstr(err.text, rows[i].says), "%s", err.text);
    }
}
