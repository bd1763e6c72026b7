/* traceparent in and out. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watch/trace_context.h"

#define ID   "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static struct trace begin(const char *traceparent, double sample)
{
    struct rng rng;
    struct trace t;
    rng_seed(&rng, 7);
    trace_begin(&t, str_from(traceparent), sample, &rng);
    cr_expect_neq(t.span, 0);
    return t;
}

static void is_child(const char *traceparent)
{
    struct trace t = begin(traceparent, 0);
    cr_expect(t.on, "%s", traceparent);
    cr_expect_eq(t.id_high, 0x4bf92f3577b34da6, "%s", traceparent);
    cr_expect_eq(t.id_low, 0xa3ce929d0e0e4736);
    cr_expect_eq(t.parent, 0x00f067aa0ba902b7);
    cr_expect_neq(t.span, t.parent);
}

Test(trace, a_sampled_parent_is_followed)
{
    is_child("00-" ID "-" SPAN "-01");
    is_child("00-" ID "-" SPAN "-03");
    is_child("cc-" ID "-" SPAN "-01"); /* a later version */
    is_child("cc-" ID "-" SPAN "-01-what-the-future-will-be-like");
}

Test(trace, a_parent_that_is_not_sampled_is_followed_too)
{
    cr_expect_not(begin("00-" ID "-" SPAN "-00", 1).on);
    cr_expect_not(begin("00-" ID "-" SPAN "-fe", 1).on);
}

Test(trace, what_is_malformed_begins_a_trace_of_its_own)
{
    static const char *const bad[] = {"",
                                      "00-" ID "-" SPAN,
                                      "00-" ID "-" SPAN "-01-more",
                                      "00-" ID "-" SPAN "-01 ",
                                      "ff-" ID "-" SPAN "-01",
                                      "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
                                      "00-00000000000000000000000000000000-" SPAN "-01",
                                      "00-" ID "-0000000000000000-01",
                                      "00-" ID "_" SPAN "-01",
                                      "0g-" ID "-" SPAN "-01",
                                      "cc-" ID "-" SPAN "-01.x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct trace t = begin(bad[i], 1);
        cr_expect(t.on && t.parent == 0, "%s", bad[i]);
        cr_expect_neq(t.id_low, 0xa3ce929d0e0e4736, "%s", bad[i]);
        cr_expect_not(begin(bad[i], 0).on, "%s", bad[i]);
    }
}

Test(trace, a_share_of_requests_is_sampled)
{
    struct rng rng;
    struct trace t;
    int on = 0;
    rng_seed(&rng, 1);
    for (int i = 0; i < 10000; i++) {
        trace_begin(&t, STR(""), 0.25, &rng);
        on += t.on;
    }
    cr_expect(on > 2300 && on < 2700, "%d", on);
}

Test(trace, each_expert_has_a_span_of_its_own)
{
    struct trace t = begin("00-" ID "-" SPAN "-01", 1), other = t;
    other.span++;
    char text[TRACEPARENT_BYTES], wanted[TRACEPARENT_BYTES];
    uint64_t a = trace_child(&t, STR("a")), b = trace_child(&t, STR("b"));
    cr_expect(a != b && a != t.span && a != 0);
    cr_expect_eq(a, trace_child(&t, STR("a")));
    cr_expect_neq(a, trace_child(&other, STR("a")));
    trace_write_parent(&t, a, text);
    snprintf(wanted, sizeof(wanted), "00-" ID "-%016llx-01", (unsigned long long)a);
    cr_expect_str_eq(text, wanted);
}
