/* arena.h: caps, alignment, zeroing, the order of cleanups. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include <criterion/criterion.h>

Test(arena, gives_zeroed_aligned_memory)
{
    struct arena *a = arena_create(1 << 20);
    for (size_t bytes = 0; bytes < 300; bytes++) {
        unsigned char *p = arena_alloc(a, bytes);
        cr_assert_not_null(p);
        cr_assert_eq((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < bytes; i++)
            cr_assert_eq(p[i], 0);
        memset(p, 0xff, bytes);
    }
    arena_free(a);
}

Test(arena, reset_memory_is_zeroed_again)
{
    struct arena *a = arena_create(1 << 20);
    memset(arena_alloc(a, 1000), 0xff, 1000);
    arena_reset(a);
    cr_assert_eq(arena_used_bytes(a), 0);
    const unsigned char *p = arena_alloc(a, 1000);
    for (size_t i = 0; i < 1000; i++)
        cr_assert_eq(p[i], 0);
    arena_free(a);
}

Test(arena, keeps_its_cap)
{
    struct arena *a = arena_create(100);
    cr_assert_null(arena_alloc(a, 101));
    cr_assert_not_null(arena_alloc(a, 60));
    cr_assert_null(arena_alloc(a, 41));
    cr_assert_not_null(arena_alloc(a, 40));
    cr_assert_null(arena_alloc(a, 1));
    cr_assert_eq(arena_used_bytes(a), 100);
    arena_reset(a);
    cr_assert_not_null(arena_alloc(a, 100));
    arena_free(a);
}

Test(arena, refuses_sizes_that_overflow)
{
    struct arena *a = arena_create(SIZE_MAX);
    cr_assert_null(arena_alloc(a, SIZE_MAX));
    cr_assert_null(arena_alloc(a, SIZE_MAX - 16));
    cr_assert_null(arena_alloc(a, SIZE_MAX - 40));
    cr_assert_null(arena_array(a, SIZE_MAX / 2, 3));
    cr_assert_not_null(arena_array(a, 3, 5));
    arena_free(a);
}

Test(arena, serves_more_than_a_block)
{
    struct arena *a = arena_create(8 << 20);
    unsigned char *big = arena_alloc(a, 5 << 20);
    cr_assert_not_null(big);
    big[(5 << 20) - 1] = 7;
    for (int i = 0; i < 1000; i++)
        cr_assert_not_null(arena_alloc(a, 1000));
    cr_assert_eq(big[(5 << 20) - 1], 7);
    arena_free(a);
}

Test(arena, copies_are_terminated)
{
    struct arena *a = arena_create(1000);
    struct str copy = arena_copy(a, (struct str){"abcdef", 3});
    cr_assert_eq(copy.len, 3);
    cr_assert_str_eq(copy.ptr, "abc");
    struct str empty = arena_copy(a, (struct str){NULL, 0});
    cr_assert_not_null(empty.ptr);
    cr_assert_eq(empty.ptr[0], 0);
    static const char much[1000];
    cr_assert_null(arena_copy(a, (struct str){much, sizeof(much)}).ptr);
    arena_free(a);
}

Test(arena, formats)
{
    struct arena *a = arena_create(100);
    cr_assert_str_eq(arena_printf(a, "%d-%s", 42, "x"), "42-x");
    cr_assert_null(arena_printf(a, "%200d", 1));
    arena_free(a);
}

static char order[8];

static void note(void *arg)
{
    size_t n = strlen(order);
    order[n] = *(char *)arg;
}

Test(arena, cleanups_run_in_reverse_and_once)
{
    static char names[] = "abc";
    struct arena *a = arena_create(1000);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(arena_defer(a, note, &names[i]), OK);
    arena_reset(a);
    cr_assert_str_eq(order, "cba");
    cr_assert_eq(arena_defer(a, note, &names[0]), OK);
    arena_free(a);
    cr_assert_str_eq(order, "cbaa");
}

static unsigned char seen_in_cleanup;

static void look(void *arg)
{
    seen_in_cleanup = *(unsigned char *)arg;
}

Test(arena, cleanups_see_the_memory)
{
    struct arena *a = arena_create(1000);
    unsigned char *p = arena_alloc(a, 1);
    *p = 9;
    cr_assert_eq(arena_defer(a, look, p), OK);
    arena_free(a);
    cr_assert_eq(seen_in_cleanup, 9);
}

Test(arena, defer_says_when_it_is_full)
{
    struct arena *a = arena_create(4);
    cr_assert_eq(arena_defer(a, note, NULL), ERR_MEMORY);
    arena_free(a);
    arena_free(NULL);
}
