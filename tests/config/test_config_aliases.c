/* The section `aliases`. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

static enum status parse(const char *aliases, struct config **ret, struct error *err)
{
    char yaml[1024];
    snprintf(yaml, sizeof(yaml),
             "model: m\nexperts: [{name: a, url: \"http://h\"}, {name: b, url: \"http://h\"}]\n"
             "policies: {default: {}, thrift: {}}\ndefault_policy: thrift\naliases:%s\n",
             aliases);
    return config_parse(str_from(yaml), "x.yaml", ret, err);
}

Test(config_aliases, lead_to_policies_and_experts)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse("\n  \"claude-*\": leeroo\n  gpt-5: leeroo/default\n  opus: b", &c, &err),
                 OK, "%s", err.text);
    cr_assert_eq(c->alias_count, 3);
    cr_expect(str_equal(c->aliases[0].pattern, STR("claude-*")));
    cr_expect(c->aliases[0].policy == 1 && c->aliases[0].expert == SIZE_MAX);
    cr_expect(c->aliases[1].policy == 0 && c->aliases[1].expert == SIZE_MAX);
    cr_expect(c->aliases[2].policy == SIZE_MAX && c->aliases[2].expert == 1);
    config_free(c);
}

Test(config_aliases, mistakes_are_named_with_their_mend)
{
    static const struct {
        const char *aliases, *words;
    } rows[] = {
        {" x", "aliases must be a section"},
        {"\n  x: [a]", "an alias must lead to leeroo, leeroo/POLICY or an expert"},
        {"\n  x: c", "not to 'c'"},
        {"\n  x: leeroo/none", "not to 'leeroo/none'"},
        {"\n  a: b", "alias 'a' is an expert's name, which always wins"},
        {"\n  leeroo: a", "is what clients ask the router by"},
        {"\n  leeroo/x: a", "is what clients ask the router by"},
        {"\n  \"x y\": a", "letters, digits and signs"},
        {"\n  x: a\n  x: b", "x"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config *c = NULL;
        struct error err = {0};
        cr_expect_eq(parse(rows[i].aliases, &c, &err), ERR_INPUT, "%s", rows[i].aliases);
        cr_expect(strstr(err.text, rows[i].words), "%s: %s", rows[i].aliases, err.text);
        cr_expect(err.line >= 5, "%s: line %zu", rows[i].aliases, err.line);
    }
}
