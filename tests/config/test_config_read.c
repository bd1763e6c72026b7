/* Typed values, and the nearest key for a mistyped one. */
#include "base/nearest.h"
#include "config/config_read.h"

#include <criterion/criterion.h>
#include <string.h>

Test(config_read, nearest_key)
{
    static const char *const names[] = {"listen", "limits", "experts", "model"};
    cr_assert_str_eq(str_nearest(STR("lisen"), names, 4), "listen");
    cr_assert_str_eq(str_nearest(STR("limit"), names, 4), "limits");
    cr_assert_str_eq(str_nearest(STR("expert"), names, 4), "experts");
    cr_assert_str_eq(str_nearest(STR("model"), names, 4), "model");
    cr_assert_null(str_nearest(STR("zebra"), names, 4));
    cr_assert_null(str_nearest(STR(""), names, 4));
    cr_assert_null(
        str_nearest(STR("a word so long that nobody can have meant it as a key"), names, 4));
}

static enum status read_one(conf_read_fn *fn, const char *text, void *into)
{
    const struct conf_row row = {"key", fn, 0, false, 0, UINT32_MAX};
    const struct yaml_tree value = {
        .kind = TREE_SCALAR, .line = 1, .column = 1, .scalar = str_from(text)};
    struct conf_reader r = {.place = "f"};
    return fn(&r, &row, &value, into, NULL);
}

Test(config_read, durations)
{
    uint32_t ms = 7;
    cr_assert(read_one(conf_read_ms, "30s", &ms) == OK && ms == 30000);
    cr_assert(read_one(conf_read_ms, "1.5 s", &ms) == OK && ms == 1500);
    cr_assert(read_one(conf_read_ms, "250MS", &ms) == OK && ms == 250);
    cr_assert(read_one(conf_read_ms, "40", &ms) == OK && ms == 40);
    cr_assert(read_one(conf_read_ms, "-1s", &ms) == ERR_INPUT && ms == 40);
    cr_assert(read_one(conf_read_ms, "s", &ms) == ERR_INPUT && ms == 40);
    cr_assert(read_one(conf_read_ms, "1..2s", &ms) == ERR_INPUT && ms == 40);
}

Test(config_read, sizes)
{
    size_t bytes = 7;
    cr_assert(read_one(conf_read_bytes, "64KiB", &bytes) == OK && bytes == 65536);
    cr_assert(read_one(conf_read_bytes, "1 MB", &bytes) == OK && bytes == 1000000);
    cr_assert(read_one(conf_read_bytes, "12", &bytes) == OK && bytes == 12);
    cr_assert(read_one(conf_read_bytes, "1e3", &bytes) == ERR_INPUT && bytes == 12);
}

Test(config_read, amounts_are_exact)
{
    int64_t nano = 7;
    cr_assert(read_one(conf_read_usd, "0.075", &nano) == OK && nano == 75000000);
    cr_assert(read_one(conf_read_usd, "0.000000001", &nano) == OK && nano == 1);
    cr_assert(read_one(conf_read_usd, "1,5", &nano) == ERR_INPUT && nano == 1);
}

Test(config_read, truth)
{
    bool on = false;
    cr_assert(read_one(conf_read_bool, "yes", &on) == OK && on);
    cr_assert(read_one(conf_read_bool, "False", &on) == OK && !on);
    cr_assert(read_one(conf_read_bool, "1", &on) == ERR_INPUT);
}

Test(config_read, one_of_two_words)
{
    const struct conf_row row = {"key", NULL, 0, false, 0, 0};
    struct yaml_tree value = {.kind = TREE_SCALAR, .line = 1, .column = 1, .scalar = STR("deny")};
    const struct conf_reader r = {.place = "f"};
    struct error err = {0};
    bool deny = false;
    cr_expect_eq(conf_read_either(&r, &row, &value, "allow", "deny", &deny, &err), OK);
    cr_expect(deny);
    value.scalar = STR("no");
    cr_expect_eq(conf_read_either(&r, &row, &value, "allow", "deny", &deny, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "key must be allow or deny"), "%s", err.text);
    cr_expect(deny, "untouched");
}
