/* Scales and ticks. */
#include "eval/svg.h"

#include <math.h>

#include <criterion/criterion.h>

Test(svg, costs_far_apart_are_logarithmic)
{
    struct svg_scale s = svg_scale_cost(0.04, 6.5, 50, 900);
    cr_assert(s.log && s.low < 0.04 && s.high > 6.5);
    cr_assert_float_eq(svg_at(&s, s.low), 50, 1e-9);
    cr_assert_float_eq(svg_at(&s, s.high), 900, 1e-9);
    double middle = svg_at(&s, sqrt(s.low * s.high));
    cr_assert_float_eq(middle, 475, 1e-6);
    cr_assert_float_eq(svg_value(&s, middle), sqrt(s.low * s.high), 1e-9);
    cr_assert(!svg_scale_cost(1, 5, 0, 1).log);
    cr_assert(!svg_scale_cost(0, 5, 0, 1).log, "free experts have no logarithm");
}

Test(svg, an_axis_has_room_whatever_it_holds)
{
    static const double ends[][2] = {{0, 0}, {1, 1}, {2, 3}, {0, 7}, {1e-7, 1}, {99, 100}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct svg_scale s = svg_scale_cost(ends[i][0], ends[i][1], 0, 100);
        cr_assert(s.high > s.low && s.low >= 0, "%g %g", s.low, s.high);
        cr_assert(svg_at(&s, ends[i][0]) >= 0 && svg_at(&s, ends[i][1]) <= 100);
    }
}

static void expect_ticks(const struct svg_scale *s, size_t wanted)
{
    struct svg_tick ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(s, wanted, ticks), majors = 0;
    cr_assert(n > 0 && n <= SVG_TICKS_MAX);
    for (size_t i = 0; i < n; i++) {
        majors += ticks[i].major;
        cr_assert(ticks[i].value >= s->low - 1e-9 && ticks[i].value <= s->high * (1 + 1e-6));
        cr_assert(!signbit(ticks[i].value), "no -0");
        if (i > 0)
            cr_assert(ticks[i].value > ticks[i - 1].value);
    }
    cr_assert(majors >= 2 && majors <= 2 * wanted + 2, "%zu of %zu", majors, wanted);
}

Test(svg, ticks_are_round_ascending_and_about_as_many_as_wanted)
{
    static const double ends[][2] = {{0.04, 6.5}, {0.02, 8}, {1e-4, 100}, {1, 9}, {0.6, 40}};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct svg_scale s = svg_scale_cost(ends[i][0], ends[i][1], 0, 900);
        expect_ticks(&s, 10);
        expect_ticks(&s, 5);
    }
    struct svg_scale shares = {0, 1, 300, 20, false};
    struct svg_tick ticks[SVG_TICKS_MAX];
    cr_assert_eq(svg_ticks(&shares, 5, ticks), 6);
    cr_assert_float_eq(ticks[1].value, 0.2, 1e-12);
    expect_ticks(&shares, 5);
}

Test(svg, text_for_people_who_cannot_see_is_escaped)
{
    struct buf b;
    buf_init(&b, 4096);
    svg_open(&b, "x", "wide", 10, 20, "a < b", "c & d");
    svg_close(&b);
    cr_assert_not_null(strstr(b.ptr, "aria-labelledby=\"x-t x-d\""));
    cr_assert_not_null(
        strstr(b.ptr, "<title id=\"x-t\">a &lt; b</title><desc id=\"x-d\">c &amp; d"));
    buf_done(&b);
}
