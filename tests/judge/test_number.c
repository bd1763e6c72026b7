/* Numbers as people write them. */
#include "judge/number.h"

#include <criterion/criterion.h>
#include <math.h>

static void reads(const char *text, double value, const char *unit)
{
    struct judge_number n;
    cr_assert(judge_number_read(str_from(text), &n), "%s", text);
    cr_expect(fabs(n.value - value) < 1e-12 * (1 + fabs(value)), "%s gave %g", text, n.value);
    cr_expect(str_equal(n.unit, str_from(unit)), "%s has the unit '%.*s'", text, STR_FMT(n.unit));
}

Test(number, read)
{
    reads("15", 15, "");
    reads(" -7 ", -7, "");
    reads("\xe2\x88\x92"
          "7.5",
          -7.5, "");
    reads("+3", 3, "");
    reads("1,234,567.25", 1234567.25, "");
    reads(".5", 0.5, "");
    reads("12.", 12, "");
    reads("1.5e3", 1500, "");
    reads("$3.50", 3.5, "");
    reads("-$2", -2, "");
    reads("\\$9", 9, "");
    reads("1/4", 0.25, "");
    reads("\\frac{1}{2}", 0.5, "");
    reads("-\\dfrac{3}{4}", -0.75, "");
    reads("15 apples", 15, "apples");
    reads("15kg", 15, "kg");
    reads("9.8 m/s^2", 9.8, "m/s^2");
    reads("50%", 50, "%");
    reads("50\\%", 50, "%");
    reads("90\xc2\xb0", 90, "\xc2\xb0");
}

Test(number, that_are_none)
{
    static const char *const texts[] = {"",
                                        "seven",
                                        "2024-02-29",
                                        "3 of 4",
                                        "1,23",
                                        "1/2/2024",
                                        "5 - x",
                                        "1e999",
                                        "-",
                                        "$",
                                        "1/0x",
                                        "3-4",
                                        "\\frac{1}{0}",
                                        "12 is a number that has a very long sentence behind it"};
    struct judge_number n;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect_not(judge_number_read(str_from(texts[i]), &n), "%s", texts[i]);
}

Test(number, last)
{
    struct str got;
    cr_assert(judge_number_last(STR("from 3 to -4, at last"), &got));
    cr_expect(str_equal(got, STR("-4")));
    cr_assert(judge_number_last(STR("1,234.5."), &got));
    cr_expect(str_equal(got, STR("1,234.5")));
    cr_expect_not(judge_number_last(STR("none"), &got));
}
