/* The list of dropped wishes: what may stand in it, and its limits. */
#include "dialect/dropped.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void expect(const struct dropped *d, const char *text)
{
    cr_expect(str_equal(dropped_text(d), str_from(text)), "%.*s", STR_FMT(dropped_text(d)));
}

Test(dropped, names_stand_once_in_their_order)
{
    struct dropped d = {0};
    expect(&d, "");
    dropped_add(&d, NULL, STR("thinking"));
    dropped_add(&d, "tools", STR("web_search"));
    dropped_add(&d, NULL, STR("thinking"));
    dropped_add(&d, NULL, STR("tools.web_search"));
    dropped_add(&d, NULL, STR("think"));
    dropped_add(&d, NULL, STR(""));
    expect(&d, "thinking,tools.web_search,think");
}

Test(dropped, bytes_that_no_header_may_hold_are_replaced)
{
    struct dropped d = {0};
    dropped_add(&d, "tools", STR("a\r\nx-evil: 1,b\0\"\xff"));
    expect(&d, "tools.a__x-evil:_1_b___");
    cr_expect_not(memchr(d.text, '\n', d.len));
}

Test(dropped, a_long_name_is_cut_and_a_long_list_says_that_there_is_more)
{
    struct dropped d = {0};
    char name[100], text[DROPPED_BYTES_MAX + 1];
    memset(name, 'x', sizeof(name));
    dropped_add(&d, NULL, (struct str){name, sizeof(name)});
    cr_expect_eq(d.len, DROPPED_NAME_MAX);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "wish%d", i);
        dropped_add(&d, NULL, str_from(name));
        cr_assert_leq(d.len, DROPPED_BYTES_MAX);
    }
    snprintf(text, sizeof(text), "%.*s", STR_FMT(dropped_text(&d)));
    cr_expect_str_eq(text + d.len - 5, ",more");
    cr_expect_not_null(strstr(text, ",wish10,"));
}

Test(dropped, lists_are_joined)
{
    struct dropped d = {0}, more = {0};
    dropped_add(&d, NULL, STR("a"));
    dropped_add(&more, NULL, STR("a"));
    dropped_add(&more, NULL, STR("b"));
    dropped_join(&d, &more);
    expect(&d, "a,b");
}
