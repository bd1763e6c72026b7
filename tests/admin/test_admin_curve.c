/* Decisions made again: by hand, out of damaged rows, and out of none. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin_curve.h"
#include "base/json.h"

static struct arena *a;
static struct curve c;

static void begin(void)
{
    a = arena_create(16u << 20);
    cr_assert_eq(curve_init(&c, 0xab, a, NULL), OK);
}

static void end(void)
{
    arena_free(a);
}

TestSuite(admin_curve, .init = begin, .fini = end);

static char *written(void)
{
    struct json_value root;
    struct error err = {0};
    struct buf out, whole;
    buf_init(&out, 1 << 20);
    buf_init(&whole, 1 << 20);
    curve_write(&c, &out);
    cr_assert_eq(out.status, OK);
    buf_addf(&whole, "{\"a\":0%.*s}", STR_FMT(buf_str(&out)));
    cr_assert_eq(json_parse(buf_str(&whole), "curve", 1, &root, &err), OK, "%s", err.text);
    buf_done(&whole);
    return buf_take(&out);
}

static void expect(const char *text, const char *part)
{
    cr_expect_not_null(strstr(text, part), "no %s in %s", part, text);
}

/* Between two experts lambda decides where the dearer one is worth it: 0.5 of quality for 0.05 USD is 10 a dollar. */
Test(admin_curve, is_what_decide_chooses_at_each_lambda)
{
    curve_add_decision(&c,
                       STR("{\"model_checksum\":\"00000000000000ab\",\"estimates\":{\"dear\":[1.0,"
                           "0.050000000],\"cheap\":[0.500000,0.000000000]},\"ruled_out\":{}}"),
                       70);
    char *text = written();
    expect(text, "\"curve\":[{\"lambda\":0,\"quality\":1,\"cost_usd\":0.05},{\"lambda\":10,"
                 "\"quality\":0.5,\"cost_usd\":0}]");
    expect(text, "\"basis\":{\"requests\":1,\"of_this_model\":1,\"feedback\":0,\"from_ms\":70,"
                 "\"to_ms\":70,");
    expect(text, "{\"from\":0.5,\"to\":0.6,\"n\":1}");
    free(text);
}

Test(admin_curve, leaves_out_who_could_not_serve)
{
    curve_add_decision(&c,
                       STR("{\"estimates\":{\"best\":[1,0.1],\"other\":[0.25,0.5]},\"ruled_out\":{"
                           "\"best\":\"circuit open\"}}"),
                       9);
    curve_add_decision(&c, STR("{\"estimates\":{\"a\":[1,0]},\"ruled_out\":{\"a\":\"no\"}}"), 5);
    char *text = written();
    expect(text, "\"curve\":[{\"lambda\":0,\"quality\":0.25,\"cost_usd\":0.5}]");
    expect(text, "\"doubt\":[]"); /* one expert alone leaves none */
    expect(text, "\"requests\":1,\"of_this_model\":0");
    free(text);
}

Test(admin_curve, of_nothing_has_empty_lists)
{
    char *text = written();
    expect(text, ",\"curve\":[],\"calibration\":[],\"doubt\":[],\"basis\":{\"requests\":0,");
    expect(text, "\"from_ms\":null");
    free(text);
}

Test(admin_curve, passes_over_what_it_cannot_read)
{
    const char *bad[] = {"",
                         "{",
                         "[]",
                         "7",
                         "{\"cached\":true}",
                         "{\"estimates\":7}",
                         "{\"estimates\":{}}",
                         "{\"estimates\":{\"a\":7}}",
                         "{\"estimates\":{\"a\":[]}}",
                         "{\"estimates\":{\"a\":[0.5]}}",
                         "{\"estimates\":{\"a\":[2,0]}}",
                         "{\"estimates\":{\"a\":[-1,0]}}",
                         "{\"estimates\":{\"a\":[0.5,-1]}}",
                         "{\"estimates\":{\"a\":[0.5,\"1\"]}}",
                         "{\"estimates\":{\"a\":[\"0.5\",1]}}",
                         "{\"estimates\":{\"a\":[0.5,1e300]}}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        curve_add_decision(&c, str_from(bad[i]), 1);
        cr_assert_eq(c.count, 0, "%s", bad[i]);
    }
    curve_add_decision(&c, STR("{\"estimates\":{\"a\":7,\"b\":[0.5,1]}}"), 1);
    cr_assert_eq(c.count, 1);
}

Test(admin_curve, takes_no_more_than_its_limits)
{
    char text[2048] = "{\"estimates\":{";
    for (int i = 0; i < 40; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"e%d\":[0.%02d,0.%d]",
                 i ? "," : "", i, i, i + 1);
    strcat(text, "}}");
    for (int i = 0; i < CURVE_DECISIONS_MAX + 7; i++)
        curve_add_decision(&c, str_from(text), 1000 - i);
    cr_assert_eq(c.count, CURVE_DECISIONS_MAX);
    cr_assert_eq(c.decisions[0].count, CURVE_ESTIMATES_MAX);
    cr_assert_eq(c.from_ms, 1000 - CURVE_DECISIONS_MAX + 1);
    cr_assert_eq(c.to_ms, 1000);
    free(written());
}

Test(admin_curve, calibration_sets_what_was_said_beside_what_was_predicted)
{
    const struct str d = STR("{\"estimates\":{\"a\":[0.91,0],\"b\":[0.2,0]}}");
    curve_add_score(&c, d, STR("single"), STR("a"), 0.3, 1);
    curve_add_score(&c, d, STR("single"), STR("a"), 0.3, 0);
    curve_add_score(&c, d, STR("single"), STR("gone"), 0.35, 0.5);
    curve_add_score(&c, d, STR("panel"), STR("a"), 1, 1);
    curve_add_score(&c, STR(""), STR("single"), STR("a"), 0.05, 0.25);
    curve_add_score(&c, d, STR("panel"), STR("a"), 1.5, 1);
    curve_add_score(&c, d, STR("panel"), STR("a"), 0.5, -1);
    char *text = written();
    expect(text, "\"calibration\":[{\"from\":0,\"to\":0.1,\"n\":1,\"predicted\":0.05,\"observed\":"
                 "0.25},{\"from\":0.3,\"to\":0.4,\"n\":1,\"predicted\":0.35,\"observed\":0.5},{"
                 "\"from\":0.9,\"to\":1,\"n\":3,");
    expect(text, "\"feedback\":5");
    free(text);
}

/* A plan is chosen like an expert, and is none where experts' estimates are compared. */
Test(admin_curve, plans_take_part_and_raise_no_doubt)
{
    curve_add_decision(&c,
                       STR("{\"estimates\":{\"panel(a,b->c)\":[1.0,0.3],\"a\":[0.5,0.1],\"b\":["
                           "0.52,0.2]}}"),
                       1);
    char *text = written();
    expect(text, "\"curve\":[{\"lambda\":0,\"quality\":1,\"cost_usd\":0.3}");
    expect(text, "{\"from\":0,\"to\":0.1,\"n\":1}");
    free(text);
}
