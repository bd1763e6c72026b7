/* problems.h: each mistake once, in the order of the file. */
#include "base/problems.h"

#include <stdio.h>

#include <criterion/criterion.h>

static struct error at(size_t line, size_t column, const char *text)
{
    struct error e = {.status = ERR_INPUT, .line = line, .column = column};
    snprintf(e.text, sizeof(e.text), "%s", text);
    return e;
}

static void add(struct problems *p, size_t line, size_t column, const char *text)
{
    struct error e = at(line, column, text);
    problems_add(p, &e);
}

Test(problems, stand_in_the_order_of_lines)
{
    static struct problems p;
    struct error err = {0};
    cr_assert_eq(problems_first(&p, &err), OK);
    add(&p, 0, 0, "no place");
    add(&p, 9, 3, "d");
    add(&p, 2, 7, "b");
    add(&p, 2, 1, "a");
    add(&p, 9, 3, "e");
    add(&p, 2, 7, "b");
    add(&p, 0, 0, "none either");
    problems_sort(&p);
    cr_assert_eq(p.count, 6);
    const char *const order[] = {"a", "b", "d", "e", "no place", "none either"};
    for (size_t i = 0; i < 6; i++)
        cr_assert_str_eq(p.list[i].text, order[i]);
    cr_assert_eq(problems_first(&p, &err), ERR_INPUT);
    cr_assert_str_eq(err.text, "a");
}

Test(problems, decide_whether_to_read_on)
{
    static struct problems p;
    const struct error wrong = at(1, 1, "wrong");
    cr_assert(problems_go_on(NULL, OK, NULL));
    cr_assert(problems_go_on(&p, OK, NULL));
    cr_assert(!problems_go_on(NULL, ERR_INPUT, &wrong));
    cr_assert_eq(p.count, 0);
    cr_assert(problems_go_on(&p, ERR_INPUT, &wrong));
    cr_assert(!problems_go_on(&p, ERR_MEMORY, &wrong));
    cr_assert_eq(p.count, 1);
    cr_assert_eq(problems_first(NULL, NULL), OK);
}

Test(problems, count_what_has_no_room)
{
    static struct problems p;
    char text[16];
    for (size_t i = 0; i < PROBLEMS_MAX + 5; i++) {
        snprintf(text, sizeof(text), "p%zu", i);
        add(&p, i + 1, 1, text);
    }
    cr_assert_eq(p.count, PROBLEMS_MAX);
    cr_assert_eq(p.more, 5);
}
