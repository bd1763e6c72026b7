/* What all checks have in common: they are told once, later, and not to those who have gone. */
#include <criterion/criterion.h>

#include "verify/verify_scene.h"

static struct scene s;

static void setup(void)
{
    scene_init(&s, VERIFY_SCHEMA);
    scene_start(&s);
}

static void teardown(void)
{
    scene_done(&s);
}

TestSuite(verify, .init = setup, .fini = teardown);

static struct verify_input an_object(const char *answer)
{
    return (struct verify_input){.request =
                                     scene_json("{\"response_format\":{\"type\":\"json_object\"}}"),
                                 .question = STR("An object, please."),
                                 .answer = str_from(answer)};
}

Test(verify, an_end_that_is_known_at_once_is_told_later)
{
    const struct verify_input right = an_object("{}"), wrong = an_object("[]");
    scene_begin(&s, &right);
    cr_assert_eq(s.end_count, 0);
    virtual_clock_settle(&s.clock);
    scene_begin(&s, &wrong);
    virtual_clock_settle(&s.clock);
    cr_assert_eq(s.end_count, 2);
    cr_expect_eq(s.ends[0].verdict, VERIFY_PASS);
    cr_expect_eq(s.ends[1].verdict, VERIFY_REJECT);
    cr_expect_str_eq(s.ends[1].why, "the answer is no JSON object");
    cr_expect_eq(s.ends[1].elapsed_ms, 0);
}

Test(verify, nothing_is_told_to_whoever_has_gone)
{
    const struct verify_input input = an_object("{}");
    verifier_cancel(scene_begin(&s, &input));
    virtual_clock_advance(&s.clock, 100000);
    cr_expect_eq(s.end_count, 0);
}

Test(verify, what_says_something_is_paid_and_what_is_down_is_not)
{
    s.settings.price_nano_usd = 700;
    const struct verify_input input = an_object("{}"), none = {.answer = STR("{}")};
    scene_begin(&s, &input);
    virtual_clock_settle(&s.clock);
    scene_begin(&s, &none);
    virtual_clock_settle(&s.clock);
    cr_assert_eq(s.end_count, 2);
    cr_expect_eq(s.ends[0].cost_nano_usd, 700);
    cr_expect_eq(s.ends[1].verdict, VERIFY_DOWN);
    cr_expect_eq(s.ends[1].cost_nano_usd, 0);
}

Test(verify, without_a_timer_there_is_no_task)
{
    struct verify_task *t = NULL;
    struct error err = {0};
    const struct verify_input input = an_object("{}");
    s.clock.timers_to_refuse = 1;
    cr_expect_eq(verifier_begin(s.verifier, &s.on, &input, NULL, NULL, &t, &err), ERR_MEMORY);
    cr_expect_null(t);
}

Test(verify, kinds_and_verdicts_have_names)
{
    cr_expect_str_eq(verify_kind_name(VERIFY_NONE), "none");
    cr_expect_str_eq(verify_kind_name(VERIFY_COMMAND), "command");
    cr_expect_str_eq(verify_kind_name(VERIFY_HTTP), "http");
    cr_expect_str_eq(verify_kind_name(VERIFY_SCHEMA), "schema");
    cr_expect_str_eq(verify_kind_name(VERIFY_EXPERT), "expert");
    cr_expect_str_eq(verify_verdict_name(VERIFY_PASS), "pass");
    cr_expect_str_eq(verify_verdict_name(VERIFY_REJECT), "reject");
    cr_expect_str_eq(verify_verdict_name(VERIFY_DOWN), "down");
}

Test(verify, only_schemas_are_believed_without_doubt)
{
    cr_expect_eq(verify_settings_usual(VERIFY_SCHEMA).false_pass, 0);
    cr_expect_eq(verify_settings_usual(VERIFY_SCHEMA).false_alarm, 0);
    cr_expect_eq(verify_settings_usual(VERIFY_COMMAND).false_pass, VERIFY_ERRORS_USUAL);
    cr_expect_eq(verify_settings_usual(VERIFY_EXPERT).false_alarm, VERIFY_ERRORS_USUAL);
}

Test(verify, schemas_alone_are_choosy)
{
    const struct json_value plain = scene_json("{\"messages\":[]}");
    const struct verify_settings command = verify_settings_usual(VERIFY_COMMAND);
    const char *why = NULL;
    cr_expect(verify_applies(&command, plain, &why));
    cr_expect_null(why);
    cr_expect_not(verify_applies(&s.settings, plain, &why));
    cr_expect_not_null(why);
}
