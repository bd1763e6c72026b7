/* Names and prices of plans. */
#include "predict/arm.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#define EXPERTS 5

static const struct str names[EXPERTS] = {
    {"a", 1}, {"b", 1}, {"org/c d", 7}, {"né→", sizeof("né→") - 1}, {"v~2%", 4}};

static enum status parse(const char *text, struct plan *p, struct error *err)
{
    *err = (struct error){0};
    return plan_parse(str_from(text), names, EXPERTS, p, err);
}

static void expect_plan(const char *text, enum plan_kind kind, size_t count, const size_t *members)
{
    struct plan p;
    struct error err;
    cr_assert_eq(parse(text, &p, &err), OK, "%s: %s", text, err.text);
    cr_expect_eq(p.kind, kind, "%s", text);
    cr_assert_eq(p.member_count, count, "%s", text);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(p.members[i], members[i], "%s: member %zu", text, i);
}

Test(arm, both_arrows_and_blanks_are_read)
{
    expect_plan("cascade(a->b)", PLAN_CASCADE, 2, (size_t[]){0, 1});
    expect_plan("cascade(a→b)", PLAN_CASCADE, 2, (size_t[]){0, 1});
    expect_plan("  panel ( a , org/c d  ->  b )  ", PLAN_PANEL, 3, (size_t[]){0, 2, 1});
    expect_plan("panel(b,a→org/c d)", PLAN_PANEL, 3, (size_t[]){1, 0, 2});
}

Test(arm, a_share_is_read_over)
{
    expect_plan("panel(a,b→org/c d ~30%)", PLAN_PANEL, 3, (size_t[]){0, 1, 2});
    expect_plan("cascade(b -> a ~5% )", PLAN_CASCADE, 2, (size_t[]){1, 0});
    expect_plan("sequential(b,a,org/c d ~1.8 calls)", PLAN_SEQUENTIAL, 3, (size_t[]){1, 0, 2});
}

/* What looks like the end of a share may be a part of a name. */
Test(arm, names_may_hold_a_tilde)
{
    expect_plan("panel(v~2%,a->b)", PLAN_PANEL, 3, (size_t[]){4, 0, 1});
    expect_plan("cascade(v~2% -> b ~30%)", PLAN_CASCADE, 2, (size_t[]){4, 1});
    expect_plan("sequential(b,v~2%)", PLAN_SEQUENTIAL, 2, (size_t[]){1, 4});
}

static void expect_error(const char *text, enum status want, const char *words)
{
    struct plan p, before;
    struct error err;
    memset(&p, 0x5a, sizeof(p));
    memcpy(&before, &p, sizeof(p));
    cr_expect_eq(parse(text, &p, &err), want, "%s: %s", text, err.text);
    cr_expect_not_null(strstr(err.text, words), "%s: '%s'", text, err.text);
    cr_expect_eq(memcmp(&before, &p, sizeof(p)), 0, "%s: touched", text);
}

Test(arm, what_is_no_plan_is_refused)
{
    static const char *const malformed[] = {"",
                                            "a",
                                            "panel",
                                            "panel()",
                                            "panel(a,b)",
                                            "panel(a->b)",
                                            "panel(a,b,a->b)",
                                            "panel(a,b->org/c d",
                                            "cascade(a,b->org/c d)",
                                            "cascade(->b)",
                                            "cascade(a->)",
                                            "cascade(a,->b)",
                                            "panel(,a->b)",
                                            "panel(a,,b->b)",
                                            "panel(a,b,->b)",
                                            "cascade(a→b",
                                            "single(a)",
                                            "Panel(a,b->c)",
                                            "cascade a->b)",
                                            ")(",
                                            "cascade(~30%)",
                                            "sequential(a)",
                                            "sequential(a,)",
                                            "sequential(,a)",
                                            "sequential(a->b)",
                                            "sequential(~1.8 calls)"};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
        expect_error(malformed[i], ERR_INPUT,
                     "write cascade(a->b), panel(a,b->c) or sequential(a,b,c)");
}

Test(arm, errors_name_the_expert)
{
    expect_error("panel(a,huge->b)", ERR_NOT_FOUND, "there is no expert 'huge'");
    expect_error("cascade(a->B)", ERR_NOT_FOUND, "there is no expert 'B'");
    expect_error("sequential(a,b ~x calls)", ERR_NOT_FOUND, "there is no expert 'b ~x calls'");
    expect_error("cascade(a->a)", ERR_INPUT, "asks an expert twice");
    expect_error("panel(a,a->b)", ERR_INPUT, "asks an expert twice");
    expect_error("panel(a,b-> b)", ERR_INPUT, "asks an expert twice");
}

/* A slice that does not end with the string around it: nothing behind it is read. */
Test(arm, reads_no_further_than_the_slice)
{
    char *text = malloc(12);
    struct plan p;
    struct error err;
    memcpy(text, "cascade(a->b", 12);
    cr_expect_eq(plan_parse((struct str){text, 12}, names, EXPERTS, &p, &err), ERR_INPUT);
    memcpy(text, "cascade(a\xE2\x86", 11);
    cr_expect_eq(plan_parse((struct str){text, 11}, names, EXPERTS, &p, &err), ERR_INPUT);
    p.name = STR("cascade(a→b)");
    p.kind = PLAN_CASCADE;
    cr_expect(!plan_matches(&p, (struct str){text, 11}));
    free(text);
}

static void name_of(const struct plan *p, struct buf *b)
{
    buf_init(b, 1024);
    plan_name_add(b, p, names);
    cr_assert_eq(b->status, OK);
}

Test(arm, names_are_written_and_read_back)
{
    static const struct {
        struct plan plan;
        const char *name;
    } cases[] = {
        {{.kind = PLAN_SINGLE, .member_count = 1, .members = {2}}, "org/c d"},
        {{.kind = PLAN_CASCADE,
          .rule = PLAN_TRUST,
          .member_count = 2,
          .members = {1, 0},
          .share = 0.296f},
         "cascade(b→a ~30%)"},
        {{.kind = PLAN_PANEL, .rule = PLAN_AGREE, .member_count = 3, .members = {0, 1, 2}},
         "panel(a,b→org/c d)"},
        {{.kind = PLAN_PANEL,
          .rule = PLAN_TRUST,
          .member_count = 3,
          .members = {4, 2, 0},
          .share = 1},
         "panel(v~2%,org/c d→a ~100%)"},
        {{.kind = PLAN_SEQUENTIAL,
          .rule = PLAN_TRUST,
          .member_count = 4,
          .members = {4, 2, 0, 1},
          .calls = 2.04f},
         "sequential(v~2%,org/c d,a,b ~2.04 calls)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan p = cases[i].plan;
        struct buf b;
        name_of(&p, &b);
        cr_expect(str_equal(buf_str(&b), str_from(cases[i].name)), "%.*s", STR_FMT(buf_str(&b)));
        p.name = buf_str(&b);
        cr_expect(plan_matches(&p, p.name), "%s", cases[i].name);
        if (p.kind != PLAN_SINGLE)
            expect_plan(cases[i].name, p.kind, p.member_count, p.members);
        buf_done(&b);
    }
}

Test(arm, kinds_have_names)
{
    cr_expect_str_eq(plan_kind_name(PLAN_SINGLE), "single");
    cr_expect_str_eq(plan_kind_name(PLAN_CASCADE), "cascade");
    cr_expect_str_eq(plan_kind_name(PLAN_PANEL), "panel");
    cr_expect_str_eq(plan_kind_name(PLAN_SEQUENTIAL), "sequential");
}

Test(arm, patterns_mean_kinds_and_names)
{
    const struct plan trust = {.kind = PLAN_PANEL, .name = STR("panel(a,b→org/c d ~30%)")};
    const struct plan agree = {.kind = PLAN_PANEL, .name = STR("panel(a,b→org/c d)")};
    static const struct {
        const char *pattern;
        bool trust, agree;
    } cases[] = {
        {"all", true, true},
        {" panel ", true, true},
        {"cascade", false, false},
        {"none", false, false},
        {"", false, false},
        {"panel(a,b→org/c d ~30%)", true, false},
        {"panel( a, b -> org/cd ~30% )", true, false},
        {"panel(a,b->org/c d~30%)", true, false},
        {"panel(a,b->org/c d)", true, true},
        {"panel(a,b→org/c d)", true, true},
        {"panel(a,b->org/c d ~31%)", false, false},
        {"panel(a,b->org/c d ~3%)", false, false},
        {"panel(a,b->org/c)", false, false},
        {"panel(b,a->org/c d)", false, false},
        {"panel(a,b->org/c d))", false, false},
        {"panel(a,b->org/c d", false, false},
        {"cascade(a->b)", false, false},
        {"ALL", false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str pattern = str_from(cases[i].pattern);
        cr_expect_eq(plan_matches(&trust, pattern), cases[i].trust, "%s", cases[i].pattern);
        cr_expect_eq(plan_matches(&agree, pattern), cases[i].agree, "%s", cases[i].pattern);
    }
}

Test(arm, a_number_of_calls_may_be_left_out)
{
    const struct plan p = {.kind = PLAN_SEQUENTIAL, .name = STR("sequential(a,b ~1.8 calls)")};
    static const char *const means[] = {"all",
                                        "sequential",
                                        "sequential(a,b)",
                                        "sequential( a, b )",
                                        "sequential(a,b ~1.8 calls)",
                                        "sequential(a,b~1.8calls)"};
    static const char *const other[] = {"panel", "sequential(b,a)", "sequential(a,b ~1.9 calls)",
                                        "sequential(a,b ~1 calls)", "sequential(a)"};
    for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++)
        cr_expect(plan_matches(&p, str_from(means[i])), "%s", means[i]);
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        cr_expect_not(plan_matches(&p, str_from(other[i])), "%s", other[i]);
}

/* A tilde in an expert's name is no share. */
Test(arm, a_name_is_not_cut_at_any_tilde)
{
    const struct plan p = {.kind = PLAN_CASCADE, .name = STR("cascade(a→b~c)")};
    cr_expect(!plan_matches(&p, STR("cascade(a->b)")));
    cr_expect(plan_matches(&p, STR("cascade(a->b~c)")));
}

static struct estimate priced(const struct plan *p, const int64_t *costs, float escalation)
{
    struct estimate members[PLAN_MEMBERS_MAX], e = {.escalation = escalation, .quality = 0.5f};
    const struct estimate *at[PLAN_MEMBERS_MAX] = {NULL};
    for (size_t i = 0; i < p->member_count; i++) {
        members[i] = (struct estimate){.cost_nano_usd = costs[i]};
        at[i] = &members[i];
    }
    plan_price(p, at, &e);
    cr_expect_eq(e.quality, 0.5f);
    cr_expect_eq(e.escalation, escalation);
    return e;
}

Test(arm, a_plan_costs_the_calls_it_makes)
{
    const struct plan panel = {.kind = PLAN_PANEL, .member_count = 3, .next_cost_ratio = 1.5f},
                      cascade = {.kind = PLAN_CASCADE, .member_count = 2, .next_cost_ratio = 1},
                      single = {.member_count = 1, .next_cost_ratio = 1};
    struct estimate e = priced(&panel, (int64_t[]){100, 30, 1000}, 0.25f);
    cr_expect_eq(e.cost_nano_usd, 130 + 375);
    cr_expect_eq(e.cost_max_nano_usd, 1130);
    e = priced(&cascade, (int64_t[]){100, 1000}, 0);
    cr_expect_eq(e.cost_nano_usd, 100);
    cr_expect_eq(e.cost_max_nano_usd, 1100);
    e = priced(&single, (int64_t[]){77}, 0);
    cr_expect_eq(e.cost_nano_usd, 77);
    cr_expect_eq(e.cost_max_nano_usd, 77);
}

Test(arm, a_sequential_plan_costs_whom_it_is_expected_to_ask)
{
    const struct plan p = {.kind = PLAN_SEQUENTIAL, .member_count = 3, .cost_ratio = {1, 0.5f, 2}};
    const struct estimate members[] = {
        {.cost_nano_usd = 100}, {.cost_nano_usd = 40}, {.cost_nano_usd = 1000}};
    const struct estimate *at[PLAN_MEMBERS_MAX] = {&members[0], &members[1], &members[2]};
    struct estimate e = {.asked = {1, 0.75f, 0.125f}};
    plan_price(&p, at, &e);
    cr_expect_eq(e.cost_nano_usd, 100 + 15 + 250);
    cr_expect_eq(e.cost_max_nano_usd, 1140);
}

/* Dear where it escalates: the expected cost is never above that of asking everyone. */
Test(arm, no_plan_is_expected_to_cost_more_than_all_its_calls)
{
    const struct plan p = {.kind = PLAN_CASCADE, .member_count = 2, .next_cost_ratio = 3};
    struct estimate e = priced(&p, (int64_t[]){10, 1000}, 0.9f);
    cr_expect_eq(e.cost_nano_usd, 1010);
    cr_expect_eq(e.cost_max_nano_usd, 1010);
}

Test(arm, costs_saturate)
{
    const struct plan p = {.kind = PLAN_PANEL, .member_count = 3, .next_cost_ratio = 1e30f};
    struct estimate e = priced(&p, (int64_t[]){INT64_MAX, INT64_MAX, INT64_MAX}, 1);
    cr_expect_eq(e.cost_nano_usd, INT64_MAX);
    cr_expect_eq(e.cost_max_nano_usd, INT64_MAX);
    e = priced(&p, (int64_t[]){0, 0, INT64_MAX}, 0);
    cr_expect_eq(e.cost_nano_usd, 0);
}

/* What a decision weighs of a plan is made of what it weighs of the members. */
Test(arm, a_plan_is_weighed_as_its_members_are)
{
    const struct plan panel = {.kind = PLAN_PANEL, .member_count = 3, .next_cost_ratio = 1.5f};
    const struct estimate members[] = {
        {.cost_nano_usd = 100, .unweighed_nano_usd = 90},
        {.cost_nano_usd = 30, .unweighed_nano_usd = -20},
        {.cost_nano_usd = 1000, .unweighed_nano_usd = 200},
    };
    const struct estimate *const at[PLAN_MEMBERS_MAX] = {&members[0], &members[1], &members[2]};
    struct estimate e = {.escalation = 0.25f};
    plan_price(&panel, at, &e);
    cr_expect_eq(e.cost_nano_usd, 130 + 375);
    cr_expect_eq(estimate_weighed_nano_usd(&e), 10 + 50 + 300);
}

Test(arm, another_price_is_weighed_in_proportion)
{
    struct estimate known = {.cost_nano_usd = 100}, far = known, free = {.unweighed_nano_usd = -5};
    far.unweighed_nano_usd = 25;
    estimate_reprice(&known, 40);
    cr_expect_eq(known.cost_nano_usd, 40);
    cr_expect_eq(known.cost_max_nano_usd, 40);
    cr_expect_eq(known.unweighed_nano_usd, 0);
    estimate_reprice(&far, 40);
    cr_expect_eq(far.cost_nano_usd, 40);
    cr_expect_eq(estimate_weighed_nano_usd(&far), 30);
    estimate_reprice(&free, 40);
    cr_expect_eq(estimate_weighed_nano_usd(&free), 40);
}
