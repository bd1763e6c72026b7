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

Test(number, read_with_scales_signs_and_units_in_other_spellings)
{
    reads("1 million", 1e6, "");
    reads("2.5 billion dollars", 2.5e9, "dollars");
    reads("3 Millionen Euro", 3e6, "Euro");
    reads("4 milliards", 4e9, "");
    reads("1 millionth", 1, "millionth");
    reads("–7", -7, "");
    reads("negative 7", -7, "");
    reads("minus 7 K", -7, "K");
    reads("50 percent", 50, "%");
    reads("50 Prozent", 50, "%");
    reads("45^\\circ", 45, "^\\circ");
    reads("45^{\\circ}", 45, "^{\\circ}");
    reads("6.02 × 10²³", 6.02e23, "");
    reads("1.5 × 10⁻³ mol", 1.5e-3, "mol");
    reads("12 cm³", 12, "cm³");
}

Test(number, read_with_marks_between_thousands)
{
    reads("1'234", 1234, "");
    reads("1 234 567", 1234567, "");
    reads("1\u00a0234", 1234, "");
    reads("1\u202f234,5", 1234.5, "");
    reads("12{,}345", 12345, "");
    reads("12,\\!345", 12345, "");
    reads("1.234.567", 1234567, "");
    reads("1.234,5", 1234.5, "");
    reads("3,5", 3.5, "");
    reads("1,234", 1234, "");
    reads("1.234", 1.234, "");
}

Test(number, read_in_fractions_and_powers)
{
    reads("\\frac12", 0.5, "");
    reads("\\tfrac{3}{4}", 0.75, "");
    reads("\\frac{-1}{2}", -0.5, "");
    reads("3 1/2", 3.5, "");
    reads("3\\frac{1}{2}", 3.5, "");
    reads("2\u00bd cups", 2.5, "cups");
    reads("\u00be", 0.75, "");
    reads("10^3", 1000, "");
    reads("10^{-3}", 0.001, "");
    reads("1.2 \u00d7 10^5", 120000, "");
    reads("1.2 \\times 10^{-4} m", 1.2e-4, "m");
    reads("6.02 \\cdot 10^{23}", 6.02e23, "");
}

Test(number, read_behind_what_stands_in_front)
{
    reads("USD 1,234", 1234, "");
    reads("US$ 5", 5, "");
    reads("\u20ac5", 5, "");
    reads("km 5", 5, "");
    reads("about 5 km", 5, "km");
    reads("Approximately 5", 5, "");
    reads("x = 5", 5, "");
    reads("f(x) = -5", -5, "");
    reads("\u2248 5", 5, "");
    reads("5\\,\\mathrm{km}", 5, "mathrm{km}");
}

Test(number, that_are_none)
{
    static const char *const texts[] = {"",
                                        "seven",
                                        "2024-02-29",
                                        "3 of 4",
                                        "1,2,3",
                                        "1/2/2024",
                                        "5 - x",
                                        "1e999",
                                        "-",
                                        "$",
                                        "1/0x",
                                        "2024 100",
                                        "Apollo 11",
                                        "x = y",
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
    cr_assert(judge_number_last(STR("a rate of $1.2 \\times 10^{-4}$ m/s"), &got));
    cr_expect(str_equal(got, STR("1.2 \\times 10^{-4}")), "%.*s", STR_FMT(got));
    cr_assert(judge_number_last(STR("that is \\frac{3}{4}."), &got));
    cr_expect(str_equal(got, STR("\\frac{3}{4}")), "%.*s", STR_FMT(got));
    cr_assert(judge_number_last(STR("so 3/4 of it"), &got));
    cr_expect(str_equal(got, STR("3/4")));
    cr_expect_not(judge_number_last(STR("none"), &got));
}
