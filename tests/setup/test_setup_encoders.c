/* Where training keeps what encoders said. */
#include "setup/setup_encoders.h"

#include <stdlib.h>

#include <criterion/criterion.h>

Test(setup_encoders, encodings_lie_where_caches_do)
{
    struct arena *a = arena_create(1 << 16);
    cr_assert_eq(setenv("HOME", "/home/somebody", 1), 0);
    cr_assert_eq(setenv("XDG_CACHE_HOME", "/var/caches", 1), 0);
    cr_assert_str_eq(setup_encoding_folder(a), "/var/caches/leeroo/encodings");
    cr_assert_eq(setenv("XDG_CACHE_HOME", "relative", 1), 0); /* which the specification forbids */
    cr_assert_str_eq(setup_encoding_folder(a), "/home/somebody/.cache/leeroo/encodings");
    cr_assert_eq(unsetenv("XDG_CACHE_HOME"), 0);
    cr_assert_str_eq(setup_encoding_folder(a), "/home/somebody/.cache/leeroo/encodings");
    cr_assert_eq(unsetenv("HOME"), 0);
    cr_assert_null(setup_encoding_folder(a));
    arena_free(a);
}
