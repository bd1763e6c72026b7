/* Classes of code points. */
#include "encode/unicode_class.h"

#include <criterion/criterion.h>

Test(unicode_class, each_class_has_its_points)
{
    cr_expect(unicode_class('A') == UNICODE_UPPER && unicode_class('z') == UNICODE_LOWER);
    cr_expect(unicode_class(0x4EBA) == UNICODE_LETTER && unicode_class(0x301) == UNICODE_MARK);
    cr_expect(unicode_class('7') == UNICODE_NUMBER && unicode_class(0x2167) == UNICODE_NUMBER);
    cr_expect(unicode_class(0x3000) == UNICODE_SPACE && unicode_class(0xA0) == UNICODE_SPACE);
    cr_expect(unicode_class('!') == UNICODE_OTHER && unicode_class(0x1F600) == UNICODE_OTHER);
    cr_expect(unicode_class(0) == UNICODE_OTHER && unicode_class(0x10FFFF) == UNICODE_OTHER);
}

Test(unicode_class, alternating_runs_tell_capitals_from_small_letters)
{
    cr_expect(unicode_class(0x100) == UNICODE_UPPER && unicode_class(0x101) == UNICODE_LOWER);
    cr_expect(unicode_class(0x12E) == UNICODE_UPPER && unicode_class(0x12F) == UNICODE_LOWER);
    cr_expect(unicode_class(0x1C5) == UNICODE_UPPER, "title case counts as a capital");
}
