/* count_if.h: a place is listed once it was hit, and counts every hit of every thread. */
#include "base/count_if.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PLACES_MAX 8

static struct count_reading found[PLACES_MAX];
static size_t found_count;

static void keep(const struct count_reading *place, void *arg)
{
    (void)arg;
    cr_assert_lt(found_count, PLACES_MAX);
    found[found_count++] = *place;
}

static void look(void)
{
    found_count = 0;
    count_places_each(keep, NULL);
}

static bool is_negative(int n)
{
    return COUNT_IF(n < 0);
}

Test(count_if, what_never_happened_is_not_listed)
{
    cr_expect_not(is_negative(1));
    look();
    cr_expect_eq(found_count, 0);
}

Test(count_if, the_condition_comes_back_and_is_evaluated_once)
{
    int n = 0;
    cr_expect(COUNT_IF(++n == 1));
    cr_expect_eq(n, 1);
    cr_expect_not(COUNT_IF(n-- == 2));
    cr_expect_eq(n, 0);
}

Test(count_if, places_are_counted_apart_and_named)
{
    for (int i = 0; i < 3; i++)
        cr_expect(is_negative(-1));
    int line = __LINE__ + 1;
    cr_expect(COUNT_IF(line > 0));
    look();
    cr_assert_eq(found_count, 2);
    cr_expect_eq(found[0].count, 1);
    cr_expect_eq(found[0].line, line);
    cr_expect_str_eq(found[0].condition, "line > 0");
    cr_expect_eq(found[1].count, 3);
    cr_expect_str_eq(found[1].condition, "n < 0");
    cr_expect_str_eq(found[1].file, "tests/base/test_count_if.c");
}

Test(count_if, a_source_is_named_from_src_on)
{
    static struct count_place places[] = {{.file = "../src/ask/attempt.c"},
                                          {.file = "/home/src/leeroo/src/ask/attempt.c"},
                                          {.file = "src/ask/attempt.c"},
                                          {.file = "ask/mysrc/attempt.c"}};
    static const char *const names[] = {"ask/attempt.c", "ask/attempt.c", "ask/attempt.c",
                                        "ask/mysrc/attempt.c"};
    for (size_t i = 0; i < 4; i++)
        count_place_hit(&places[i]);
    look();
    cr_assert_eq(found_count, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect_str_eq(found[3 - i].file, names[i]);
}

#define HITS 10000

static void *hit_often(void *arg)
{
    for (int i = 0; i < HITS; i++)
        if (COUNT_IF(i >= 0))
            (void)is_negative(-i);
    return arg;
}

Test(count_if, threads_lose_no_hit)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hit_often, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    look();
    cr_assert_eq(found_count, 2, "each place once");
    cr_expect_eq(found[0].count + found[1].count, 4 * (HITS + HITS - 1));
}
