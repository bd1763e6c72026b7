/* What the tests of whatever writes text share. */
#pragma once

#include <criterion/criterion.h>

#include "base/str.h"

#define TEXT_TEST_BYTES_MAX (1u << 20)

static inline void expect_text(struct str got, const char *want)
{
    cr_assert(str_equal(got, str_from(want)), "got:  %.*s\nwant: %s", STR_FMT(got), want);
}
