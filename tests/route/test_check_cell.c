/* A cell is shared by threads and by configurations; what it learns is tests/plan/test_check_record.c's. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "route/check_cell.h"

static const struct verified_check owner = {.false_pass = 0.1f, .false_alarm = 0.1f};

static struct check_cell *cell_of(struct str a, struct str b)
{
    struct str names[] = {a, b};
    struct check_cell *c = check_cell_create(names, 2, &owner);
    cr_assert(c);
    return c;
}

static void *observe(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        float shift[2];
        struct verified_check now;
        check_cell_observe(arg, (size_t)(i % 2), i % 3, 0.5);
        check_cell_terms(arg, shift, &now);
    }
    return NULL;
}

Test(check_cell, threads_observe_together)
{
    struct check_cell *c = cell_of(STR("a"), STR("b"));
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, observe, c), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(check_cell_answers(c), 4000);
    check_cell_release(c);
}

Test(check_cell, state_goes_through_a_file_and_over_to_another)
{
    struct check_cell *from = cell_of(STR("a"), STR("b")), *to = cell_of(STR("b"), STR("c"));
    struct check_cell *third = cell_of(STR("a"), STR("b"));
    struct str name = STR("code");
    float shift[2], again[2];
    struct verified_check now;
    struct error err = {0};
    struct buf text;
    for (int i = 0; i < 50; i++)
        check_cell_observe(from, 1, false, 0.9);
    check_cell_terms(from, shift, &now);
    cr_expect_lt(shift[1], -1.0f);
    check_cell_adopt(to, from);
    check_cell_terms(to, again, &now);
    cr_expect_eq(again[0], shift[1]);
    cr_expect_eq(again[1], 0);
    buf_init(&text, CHECK_STATE_BYTES_MAX);
    check_cells_write(&from, &name, 1, &text);
    cr_assert_eq(check_cells_resume(&third, &name, 1, buf_str(&text), "f", &err), OK, "%s",
                 err.text);
    check_cell_terms(third, again, &now);
    cr_expect_eq(again[1], shift[1]);
    buf_done(&text);
    check_cell_release(from);
    check_cell_release(to);
    check_cell_release(third);
}

Test(check_cell, is_held_until_the_last_lets_go)
{
    struct check_cell *c = cell_of(STR("a"), STR("b"));
    cr_expect_eq(check_cell_hold(c), c);
    check_cell_release(c);
    check_cell_feedback(c, true, 0.5);
    cr_expect_eq(check_cell_answers(c), 1);
    check_cell_release(c);
    check_cell_release(NULL);
}
