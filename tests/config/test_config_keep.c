/* The section `keep`: off unless said, where the file is, and what is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "config/config.h"

#define REST "model: m\nexperts:\n  - {name: a, url: \"http://h/v1\"}\n"

static void expect(const char *text, double share, uint32_t days, const char *file)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_assert_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), OK, "%s", err.text);
    cr_expect_eq(c->keep.share, share);
    cr_expect_eq(c->keep.on, share > 0);
    cr_expect_eq(c->keep.days, days);
    if (file)
        cr_expect_str_eq(c->keep.file, file);
    else
        cr_expect_null(c->keep.file);
    config_free(c);
}

static void refuse(const char *text, const char *why)
{
    struct config *c = NULL;
    struct error err = {0};
    cr_expect_eq(config_parse(str_from(text), "dir/leeroo.yaml", &c, &err), ERR_INPUT);
    cr_expect(strstr(err.text, why), "%s", err.text);
}

Test(config_keep, is_off_unless_said)
{
    expect(REST, 0, 30, NULL);
    expect(REST "state_dir: s\n", 0, 30, "dir/s/kept.sqlite");
    expect(REST "keep: {file: k.db}\n", 0, 30, "dir/k.db");
    expect(REST "state_dir: s\nkeep: {share: 0.05, days: 7}\n", 0.05, 7, "dir/s/kept.sqlite");
    expect(REST "state_dir: s\nkeep: {share: 1, file: /k.db}\n", 1, 30, "/k.db");
}

Test(config_keep, mistakes_are_named)
{
    refuse(REST "keep: {share: 0.05}\n", "state_dir, or keep.file");
    refuse(REST "keep: {share: -1, file: k}\n", "share");
    refuse(REST "keep: {share: 1.5, file: k}\n", "share");
    refuse(REST "keep: {days: 0, file: k}\n", "days");
    refuse(REST "keep: {day: 3, file: k}\n", "'days'");
}
