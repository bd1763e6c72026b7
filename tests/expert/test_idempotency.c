/* What an expert sees of an idempotency-key: the same for the same request, another for another client or expert. */
#include "expert/idempotency.h"

#include <criterion/criterion.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_create(1 << 20);
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(idempotency, .init = begin, .fini = end);

static struct str bound(const char *client, const char *expert, const char *value)
{
    struct str ret = {0};
    struct error err = {0};
    enum status status =
        idempotency_bind(str_from(client), str_from(expert), str_from(value), arena, &ret, &err);
    cr_assert_eq(status, OK, "%s", err.text);
    return ret;
}

Test(idempotency, every_part_counts)
{
    struct str first = bound("key_a", "cheap", "1");
    cr_expect(str_equal(first, bound("key_a", "cheap", "1")), "a retry");
    cr_expect_not(str_equal(first, bound("key_b", "cheap", "1")));
    cr_expect_not(str_equal(first, bound("", "cheap", "1")));
    cr_expect_not(str_equal(first, bound("key_a", "dear", "1")));
    cr_expect_not(str_equal(first, bound("key_a", "cheap", "2")));
    cr_expect_not(str_equal(first, bound("key_a", "cheap", "")));
}

Test(idempotency, parts_do_not_run_together)
{
    cr_expect_not(str_equal(bound("ab", "c", "d"), bound("a", "bc", "d")));
    cr_expect_not(str_equal(bound("a", "bc", "d"), bound("a", "b", "cd")));
    cr_expect_not(str_equal(bound("", "2 1 a", "b"), bound("2 1 a", "", "b")));
}

Test(idempotency, it_is_a_short_token)
{
    struct str made = bound("key_a", "cheap", "with blanks, \"quotes\" and \xc3\xa9");
    cr_expect_eq(made.len, 46);
    for (size_t i = 0; i < made.len; i++)
        cr_expect(made.ptr[i] > ' ' && made.ptr[i] < 127 && made.ptr[i] != '"');
}

Test(idempotency, without_memory_it_is_an_error)
{
    struct str ret = {0};
    struct arena *small = arena_create(16);
    while (arena_alloc(small, 1))
        ;
    cr_expect_eq(idempotency_bind(STR("a"), STR("b"), STR("c"), small, &ret, NULL), ERR_MEMORY);
    cr_expect_null(ret.ptr);
    arena_free(small);
}
