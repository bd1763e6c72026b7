/* Shared by the tests of pages: those of evaluations, and of runs of self-play. */
#pragma once

#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

/* Every tag that opens closes, in order: the page is XML behind its first line. */
static inline void expect_nested(const char *page)
{
    char stack[64][24];
    size_t depth = 0;
    for (const char *c = strchr(page, '\n'); (c = strchr(c, '<')); c++) {
        bool closes = c[1] == '/';
        char name[24] = "";
        size_t n = 0;
        const char *at = c + 1 + closes, *end = strchr(c, '>');
        cr_assert_not_null(end);
        while (isalnum((unsigned char)*at) && n + 1 < sizeof(name))
            name[n++] = *at++;
        cr_assert_gt(n, 0, "a bare < at %.40s", c);
        if (closes) {
            cr_assert_gt(depth, 0);
            cr_assert_str_eq(stack[--depth], name, "%.60s", c);
        } else if (end[-1] != '/') {
            cr_assert_lt(depth, 64);
            memcpy(stack[depth++], name, sizeof(name));
        }
    }
    cr_assert_eq(depth, 0);
}
