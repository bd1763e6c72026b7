/* Escapes of URLs, whole and broken. */
#include "base/percent.h"

#include <criterion/criterion.h>

Test(percent, broken_escapes_stay_as_they_are)
{
    struct arena *a = arena_create(1 << 16);
    cr_expect(str_equal(percent_decode(STR("a%2fb%zz%"), a), STR("a/b%zz%")));
    cr_expect(str_equal(percent_decode(STR("%41%4"), a), STR("A%4")));
    cr_expect(str_equal(percent_decode(STR("%C3%a9"), a), STR("\xc3\xa9")));
    arena_free(a);
}
