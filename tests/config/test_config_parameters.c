/* `parameters` of an expert: YAML → the JSON that is sent. */
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

static void expect(const char *value, const char *json)
{
    struct config *c = NULL;
    struct error err = {0};
    char more[256];
    snprintf(more, sizeof(more), ", parameters: %s", value);
    cr_assert_eq(parse(more, &c, &err), OK, "%s: %s", value, err.text);
    cr_expect(str_equal(c->experts[0].parameters, str_from(json)), "%.*s",
              STR_FMT(c->experts[0].parameters));
    config_free(c);
}

Test(config_parameters, values_are_kept_as_they_are_spelled)
{
    expect("{reasoning_effort: low}", "{\"reasoning_effort\":\"low\"}");
    expect("{a: 1.50, b: -0, c: 1e3, d: 0.2}", "{\"a\":1.50,\"b\":-0,\"c\":1e3,\"d\":0.2}");
    expect("{a: true, b: false, c: null, d: ~, e: \"true\", f: '5'}",
           "{\"a\":true,\"b\":false,\"c\":null,\"d\":null,\"e\":\"true\",\"f\":\"5\"}");
    expect("{thinking: {type: enabled, budget_tokens: 2000}, l: [1, x, {}, []]}",
           "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000},\"l\":[1,\"x\",{},[]]}");
    expect("{a: 2024-10-21, b: \"\\\"\\n\\u00e9\"}",
           "{\"a\":\"2024-10-21\",\"b\":\"\\\"\\n\xc3\xa9\"}");
}

Test(config_parameters, without_them_there_are_none)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse("", &c, &err), OK, "%s", err.text);
    cr_expect_eq(c->experts[0].parameters.len, 0);
    config_free(c);
}

Test(config_parameters, mistakes_are_named)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {", parameters: low", "x.yaml:3:44: parameters must be a section such as"},
        {", parameters: {}", "parameters must be a section such as {reasoning_effort: low}"},
        {", parameters: [a]", "parameters must be a section such as"},
        {", parameters: {model: x}", "x.yaml:3:45: parameters: 'model' is for each request to say"},
        {", parameters: {stream: true}", "'stream' is for each request to say"},
        {", parameters: {max_tokens: 5}", "'max_tokens' is for each request to say"},
        {", parameters: {n: 2}", "'n' is for each request to say"},
        {", parameters: {\"a b\": 2}", "parameters: a name is up to 64 plain characters"},
        {", parameters: {a: {\"\\\"\": 2}}", "parameters: a name is up to 64 plain characters"},
        {", parameters: {a: yes}", "'yes' may be a text or not: write \"yes\", or true, false"},
        {", parameters: {a: True}", "'True' may be a text or not"},
        {", parameters: {a: .5}", "'.5' may be a text or not"},
        {", parameters: {a: 0x10}", "'0x10' may be a text or not"},
        {", parameters: {a: 1_000}", "'1_000' may be a text or not"},
        {", parameters: {a: -.Inf}", "'-.Inf' may be a text or not"},
        {", parameters: {a: .nan}", "'.nan' may be a text or not"},
        {", drop: [k], parameters: {k: 1}", "'k' is dropped or renamed as well"},
        {", parameters: {k: 1}, rename: {k: m}", "'k' is dropped or renamed as well"},
        {", parameters: {m: 1}, rename: {k: m}", "'m' is what 'k' is renamed to"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config *c = NULL;
        struct error err = {0};
        cr_expect_eq(parse(rows[i].text, &c, &err), ERR_INPUT, "%s", rows[i].text);
        cr_expect(strstr(err.text, rows[i].says), "%s: %s", rows[i].text, err.text);
    }
}
