/* config_parse_gathering: all that can be judged is told, each mistake once, in the order of the file, and nothing that
 * only follows from another mistake. */
#include <string.h>

#include <criterion/criterion.h>

#include "config/config.h"

static struct problems all;

static enum status gather(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    all = (struct problems){0};
    enum status status = config_parse_gathering(str_from(text), "l.yaml", &all, &c, &err);
    if (status == OK)
        cr_assert_eq(all.count, 0);
    else
        cr_assert_str_eq(err.text, all.list[0].text, "the first one is the error");
    config_free(c);
    return status;
}

/* `starts` of each, a line each. */
static void expect_all(const char *text, const char *starts)
{
    struct str rest = str_from(starts);
    size_t n = 0;
    cr_assert_eq(gather(text), ERR_INPUT);
    for (; rest.len > 0; n++) {
        struct str start = str_split(&rest, '\n');
        cr_assert_lt(n, all.count, "missing: %.*s", STR_FMT(start));
        cr_assert(str_starts(str_from(all.list[n].text), start), "%s\nis not\n%.*s",
                  all.list[n].text, STR_FMT(start));
    }
    cr_assert_eq(all.count, n, "and %s", n < all.count ? all.list[n].text : "");
}

#define EXPERT(name)                                                                               \
    "  - {name: " name ", url: 'http://127.0.0.1:1/v1', price: {input: 1, output: 2}}\n"

Test(config_gather, mistakes_of_all_sections)
{
    expect_all(
        "treads: 4\n"
        "threads: x\n"
        "listen: nowhere\n"
        "experts:\n" EXPERT("a") "  - {name: b, url: 'ftp://x', retries: 99, api_key: sk-1}\n"
                                 "policies:\n"
                                 "  one: {lambda: -1, budgt: 1}\n"
                                 "  two: {experts: [a, b, c]}\n"
                                 "encoders: [{gguf: m.gguf, layr: 1}]\n"
                                 "ledger: {stor: x}\n"
                                 "keep: {share: 2}\n",
        "l.yaml:1:1: unknown key 'treads'\n"
        "l.yaml:2:10: threads must be\n"
        "l.yaml:3:9: listen must be\n"
        "l.yaml:6:20: url: it must start\n"
        "l.yaml:6:40: retries must be\n"
        "l.yaml:6:53: api_key must be\n"
        "l.yaml:8:17: lambda must be\n"
        "l.yaml:8:21: unknown key 'budgt'\n"
        "l.yaml:9:25: no expert 'c'\n"
        "l.yaml:10:27: unknown key 'layr'\n"
        "l.yaml:11:10: unknown key 'stor'\n"
        "l.yaml:12:15: share must be");
}

Test(config_gather, nothing_that_follows_from_another_mistake)
{
    /* b is wrong, but there: policies, fallbacks, aliases and the reference may name it */
    expect_all("experts:\n" EXPERT("a") "  - {name: b, url: 'http://127.0.0.1:1/v1', retries: 99}\n"
                                        "policies: {one: {experts: [b]}}\n"
                                        "aliases: {x: b}\n"
                                        "reference: b\n"
                                        "default_policy: two\n",
               "l.yaml:3:54: retries must be");
    /* whose name is missing may be anybody */
    expect_all("experts:\n" EXPERT("a") "  - {url: 'http://127.0.0.1:1/v1'}\n"
                                        "policies: {one: {experts: [b]}}\n",
               "l.yaml:3:5: an expert lacks the key 'name'");
    expect_all("policies: {one: {experts: [b]}}\n",
               "l.yaml:1:1: the configuration lacks the key 'experts'");
    expect_all("experts: 3\npolicies: {one: {experts: [b]}}\n",
               "l.yaml:1:10: experts must be a list");
    expect_all("experts:\n" EXPERT("a") EXPERT("a") "threads: 0\n",
               "l.yaml:3:12: expert 'a' is listed twice\nl.yaml:4:10: threads must be");
}

Test(config_gather, a_whole_endpoint_is_no_base)
{
    expect_all(
        "experts:\n"
        "  - {name: a, url: 'http://h:1/v1/chat/completions'}\n"
        "  - {name: b, url: 'http://h:1/v1/messages/'}\n"
        "  - {name: c, url: 'http://h:1/v1/models'}\n",
        "l.yaml:2:20: url: it must be the base, without /chat/completions, which is added by "
        "itself: http://h:1/v1\n"
        "l.yaml:3:20: url: it must be the base, without /messages, which is added by itself: "
        "http://h:1/v1\n"
        "l.yaml:4:20: url: it must be the base, without /models");
}

Test(config_gather, what_is_no_configuration_has_one_mistake)
{
    expect_all("a: [\n", "l.yaml:2:1: ");
    expect_all("- a\n- b\n", "l.yaml:1:1: the configuration must be a section");
    expect_all("a: 1\na: 2\n", "l.yaml:2:1: ");
}

Test(config_gather, a_good_one_has_none_and_says_where_later_ones_go)
{
    struct config *c = NULL;
    struct error err = {0};
    all = (struct problems){0};
    cr_assert_eq(config_parse_gathering(STR("experts:\n"
                                            "  - {name: a, url: 'http://127.0.0.1:1/v1'}\n"
                                            "  - {name: b, url: 'http://127.0.0.1:1/v1'}\n"),
                                        "l.yaml", &all, &c, &err),
                 OK);
    cr_assert_eq(c->problems, &all);
    cr_assert_eq(config_price(c, NULL, &err), ERR_INPUT);
    cr_assert_eq(all.count, 2);
    cr_assert_eq(strncmp(all.list[0].text, "l.yaml:2:12: expert 'a': no price is known", 42), 0);
    cr_assert_eq(strncmp(all.list[1].text, "l.yaml:3:12: expert 'b': no price is known", 42), 0);
    config_free(c);
}

Test(config_gather, a_file_that_is_not_there)
{
    struct config *c = NULL;
    struct error err = {0};
    all = (struct problems){0};
    cr_assert_eq(config_gather("/nowhere/leeroo.yaml", &all, &c, &err), ERR_NOT_FOUND);
    cr_assert_eq(all.count, 1);
    cr_assert_not_null(strstr(all.list[0].text, "`leeroo init` writes one"));
}
