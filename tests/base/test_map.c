/* map.h: insert, replace, grow, and the empty key. */
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

Test(map, finds_what_was_put)
{
    struct map *m = map_create(0);
    uint32_t value = 99;
    cr_assert_not(map_get(m, STR("a"), &value));
    cr_assert_eq(value, 99, "outputs stay as they were");
    cr_assert_eq(map_put(m, STR("a"), 1), OK);
    cr_assert_eq(map_put(m, STR("b"), 2), OK);
    cr_assert_eq(map_put(m, STR("a"), 3), OK);
    cr_assert_eq(map_count(m), 2);
    cr_assert(map_get(m, STR("a"), &value));
    cr_assert_eq(value, 3);
    map_free(m);
    map_free(NULL);
}

Test(map, empty_and_binary_keys)
{
    struct map *m = map_create(4);
    uint32_t value = 0;
    cr_assert_not(map_get(m, STR(""), &value));
    cr_assert_eq(map_put(m, (struct str){NULL, 0}, 5), OK);
    cr_assert(map_get(m, STR(""), &value));
    cr_assert_eq(value, 5);
    cr_assert_eq(map_put(m, STR("a\0b"), 6), OK);
    cr_assert_not(map_get(m, STR("a\0c"), &value));
    cr_assert(map_get(m, STR("a\0b"), &value));
    cr_assert_eq(value, 6);
    map_free(m);
}

Test(map, grows_far_past_what_was_expected)
{
    enum { COUNT = 20000 };
    char(*keys)[12] = calloc(COUNT, sizeof(*keys));
    struct map *m = map_create(1);
    for (uint32_t i = 0; i < COUNT; i++) {
        int n = snprintf(keys[i], sizeof(keys[i]), "%u", i);
        cr_assert_eq(map_put(m, (struct str){keys[i], (size_t)n}, i), OK);
    }
    cr_assert_eq(map_count(m), COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t value = 0;
        cr_assert(map_get(m, str_from(keys[i]), &value));
        cr_assert_eq(value, i);
    }
    map_free(m);
    free(keys);
}
