/* `fallbacks` of an expert: by name, in any order of the file, and what is wrong with them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static enum status parse(const char *of_a, struct config **ret, struct error *err)
{
    char yaml[512];
    snprintf(yaml, sizeof(yaml),
             "model: m\nexperts:\n  - {name: a, url: \"http://h\"%s}\n"
             "  - {name: berta, url: \"http://h\"}\n  - {name: c, url: \"http://h\"}\n",
             of_a);
    return config_parse(str_from(yaml), "x.yaml", ret, err);
}

Test(config_fallbacks, name_experts_that_come_later)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse(", fallbacks: [c, berta]", &c, &err), OK, "%s", err.text);
    cr_assert_eq(c->experts[0].fallback_count, 2);
    cr_expect_eq(c->experts[0].fallbacks[0], 2);
    cr_expect_eq(c->experts[0].fallbacks[1], 1);
    cr_expect_eq(c->experts[1].fallback_count, 0);
    config_free(c);
}

Test(config_fallbacks, mistakes_are_named)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {", fallbacks: [bertha]", "x.yaml:3:44: fallbacks: no expert 'bertha' is listed under "
                                  "experts; did you mean 'berta'?"},
        {", fallbacks: [c, a]", "fallbacks: 'a' cannot step in for itself"},
        {", fallbacks: [c, berta, c]", "fallbacks: 'c' is listed twice"},
        {", fallbacks: []", "fallbacks must be a list of experts, the first one first, not an "
                            "empty one"},
        {", fallbacks: c", "fallbacks must be a list of experts"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config *c = NULL;
        struct error err = {0};
        cr_expect_eq(parse(rows[i].text, &c, &err), ERR_INPUT);
        cr_expect(strstr(err.text, rows[i].says), "%s", err.text);
    }
}

Test(config_fallbacks, embeddings_have_none)
{
    struct config *c = NULL;
    struct error err = {0};
    enum status status = config_parse(
        STR("model: m\nexperts: [{name: a, url: \"http://h\"}]\nembeddings:\n  - {name: e, url: "
            "\"http://h\", price: {input: 1, output: 1}, fallbacks: [a]}\n"),
        "x.yaml", &c, &err);
    cr_expect_eq(status, ERR_INPUT);
    cr_expect(strstr(err.text, "vectors of another model"), "%s", err.text);
}
