/* Rows by digest: found, replaced by age of use, bounded. */
#include <criterion/criterion.h>

#include "reader/row_cache.h"

#define WIDTH 3

static struct digest key_of(unsigned i)
{
    struct digest d;
    cr_assert_eq(digest_sha256((struct str){(const char *)&i, sizeof(i)}, &d, NULL), OK);
    return d;
}

static void put(struct row_cache *c, unsigned i)
{
    const float row[WIDTH] = {(float)i, (float)i + 0.25f, -(float)i};
    struct digest key = key_of(i);
    row_cache_put(c, &key, row);
}

static bool has(struct row_cache *c, unsigned i)
{
    struct digest key = key_of(i);
    const float *row = row_cache_get(c, &key);
    cr_assert(!row || (row[0] == (float)i && row[1] == (float)i + 0.25f && row[2] == -(float)i));
    return row != NULL;
}

Test(row_cache, keeps_rows_while_it_grows)
{
    struct row_cache *c = row_cache_create(WIDTH, 1u << 20);
    cr_assert(!has(c, 1));
    for (unsigned i = 0; i < 1000; i++)
        put(c, i);
    cr_assert_eq(row_cache_count(c), 1000);
    for (unsigned i = 0; i < 1000; i++)
        cr_assert(has(c, i), "%u", i);
    cr_assert(!has(c, 1000));
    row_cache_free(c);
}

Test(row_cache, what_is_used_least_recently_goes_first)
{
    struct row_cache *c = row_cache_create(WIDTH, 60 * 100);
    unsigned room = 0;
    while (row_cache_count(c) == room)
        put(c, room++);
    room--; /* the last one took another's place */
    cr_assert_gt(room, 50);
    cr_assert_leq(room, 100);
    cr_assert(!has(c, 0));
    cr_assert(has(c, 1)); /* used: now 2 is the oldest */
    put(c, 5000);
    cr_assert(has(c, 1));
    cr_assert(!has(c, 2));
    cr_assert(has(c, 3));
    for (unsigned i = 6000; i < 6000 + 3 * room; i++)
        put(c, i);
    cr_assert_eq(row_cache_count(c), room);
    for (unsigned i = 6000; i < 6000 + 3 * room; i++)
        cr_assert_eq(has(c, i), i >= 6000 + 2 * room, "%u", i);
    row_cache_free(c);
}

Test(row_cache, a_key_keeps_its_row)
{
    struct row_cache *c = row_cache_create(WIDTH, 1u << 20);
    const float other[WIDTH] = {7, 7, 7};
    struct digest key = key_of(1);
    put(c, 1);
    row_cache_put(c, &key, other);
    cr_assert(has(c, 1));
    cr_assert_eq(row_cache_count(c), 1);
    row_cache_free(c);
}

Test(row_cache, no_room_at_all_keeps_nothing)
{
    struct row_cache *c = row_cache_create(WIDTH, 10);
    put(c, 1);
    cr_assert(!has(c, 1));
    cr_assert_eq(row_cache_count(c), 0);
    row_cache_free(c);
    row_cache_free(NULL);
}
