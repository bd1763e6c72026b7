/* `hosts` and `cors`: what is read, and what is refused with its place and the mend. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"

#define REST "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\n"

static enum status parse(const char *text, struct config **c, struct error *err)
{
    char whole[1000];
    snprintf(whole, sizeof(whole), "%s\n" REST, text);
    return config_parse(str_from(whole), "leeroo.yaml", c, err);
}

static void refuse(const char *text, const char *words)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse(text, &c, &err), ERR_INPUT, "%s", text);
    cr_expect(strstr(err.text, words), "%s: %s", text, err.text);
    cr_expect(strstr(err.text, "leeroo.yaml:1:"), "%s", err.text);
}

Test(config_door, lists_of_names_and_pages)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(parse("", &c, &err), OK, "%s", err.text);
    cr_expect(c->hosts.count == 0 && c->cors.origins.count == 0);
    config_free(c);
    cr_assert_eq(parse("hosts: [leeroo.example, \"b.example:8080\"]\n"
                       "cors: {origins: [\"https://a.example\", \"http://localhost:1\", \"null\", "
                       "\"https://*.b.example\"], max_age: 1h}",
                       &c, &err),
                 OK, "%s", err.text);
    cr_expect_eq(c->hosts.count, 2);
    cr_expect(str_equal(c->hosts.list[1], STR("b.example:8080")));
    cr_expect_eq(c->cors.origins.count, 4);
    cr_expect_eq(c->cors.max_age_ms, 3600000);
    config_free(c);
    cr_assert_eq(parse("cors: {origins: \"*\"}", &c, &err), OK, "%s", err.text);
    cr_expect_eq(c->cors.origins.count, 1);
    cr_expect_eq(c->cors.max_age_ms, 600000);
    config_free(c);
}

Test(config_door, mistakes_are_named)
{
    refuse("cors: {origins: [\"https://a.example/\"]}", "without a slash at its end");
    refuse("cors: {origins: [a.example]}", "an origin like https://");
    refuse("cors: {origins: [\"https://\"]}", "an origin like https://");
    refuse("cors: {origins: [\"https://a.*.example\"]}", "an origin like https://");
    refuse("cors: {origins: {a: b}}", "must be a list");
    refuse("cors: {max_age: 5s}", "origins");
    refuse("cors: {origin: \"*\"}", "origins");
    refuse("hosts: [\"http://a.example\"]", "without a scheme");
    refuse("hosts: [[a]]", "must be");
}
