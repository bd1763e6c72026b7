/* Escaping, and figures for people. */
#include "eval/markup.h"

#include <math.h>

#include <criterion/criterion.h>

static void expect(struct buf *b, const char *want)
{
    cr_expect_str_eq(b->ptr, want);
    buf_clear(b);
}

Test(markup, text_from_data_cannot_become_markup)
{
    struct buf b;
    buf_init(&b, 4096);
    markup_text(&b, STR("<script>alert(\"1\" & '2')</script>"));
    expect(&b, "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;");
    markup_text(&b, STR("a→b é 模型"));
    expect(&b, "a→b é 模型");
    markup_text(&b, STR("a\x01\xFF"
                        "b\0c\x7F"));
    expect(&b, "a\xEF\xBF\xBD\xEF\xBF\xBD"
               "b\xEF\xBF\xBD"
               "c\xEF\xBF\xBD");
    markup_text(&b, STR("\xEF\xBF\xBD\xEF\xBF\xBF")); /* itself, and U+FFFF, which XML forbids */
    expect(&b, "\xEF\xBF\xBD\xEF\xBF\xBD");
    buf_done(&b);
}

Test(markup, money_has_three_digits)
{
    static const struct {
        double usd;
        const char *want;
    } cases[] = {
        {6.4828, "$6.48"}, {0.0408, "$0.0408"}, {0.2566, "$0.257"},      {12.345, "$12.3"},
        {123.4, "$123"},   {5964, "$5,964"},    {1234567, "$1,234,567"}, {0, "$0.00"},
        {-3.5, "−$3.50"},  {NAN, "–"},          {INFINITY, "–"},         {0.0000123, "$0.0000123"}};
    struct buf b;
    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        markup_usd(&b, cases[i].usd);
        expect(&b, cases[i].want);
    }
    buf_done(&b);
}

Test(markup, shares_are_percent_and_differences_have_a_sign)
{
    struct buf b;
    buf_init(&b, 4096);
    markup_percent(&b, 0.71449, 1);
    expect(&b, "71.4");
    markup_points(&b, 0.012, 1);
    expect(&b, "+1.2");
    markup_points(&b, -0.0081, 1);
    expect(&b, "−0.8");
    markup_points(&b, -0.0001, 1);
    expect(&b, "0.0");
    markup_percent_se(&b, &(struct figure){0.5, 0.011}, 1);
    expect(&b, "50.0<span class=\"se\"> ±1.1</span>");
    markup_points_se(&b, &(struct figure){0.5, NAN}, 1);
    expect(&b, "+50.0");
    markup_percent_se(&b, &(struct figure){NAN, 0.1}, 1);
    expect(&b, "–");
    markup_count(&b, 9558);
    expect(&b, "9,558");
    markup_count(&b, 12);
    expect(&b, "12");
    markup_lambda(&b, 11.5512);
    expect(&b, "11.55");
    markup_lambda(&b, INFINITY);
    expect(&b, "∞");
    buf_done(&b);
}

Test(markup, long_texts_are_cut_between_characters)
{
    struct buf b;
    buf_init(&b, 1000);
    markup_cut(&b, STR("  äöü  <\n\t> ok  "), 6);
    cr_expect_str_eq(b.ptr, "äöü &lt;…");
    buf_clear(&b);
    markup_cut(&b, STR("  a  b "), 3);
    cr_expect_str_eq(b.ptr, "a b");
    buf_done(&b);
}
