/* A query's check: what it may say, and the scores that it gives. */
#include "judge/answer_check.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/valgrind.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1u << 22);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(answer_check, .init = setup, .fini = teardown, .timeout = 60);

static const struct query query = {
    .text = STR_INIT("Why?"), .prompt = STR_INIT("Why?"), .answer = STR_INIT("42")};

static enum status score(const char *check, const char *response, bool commands, float *ret,
                         struct error *err)
{
    struct judge_check c;
    *err = (struct error){0};
    cr_assert_eq(check_read(str_from(check), arena, &c, err), OK, "%s: %s", check, err->text);
    return check_score(&c, &query, str_from(response), commands, NULL, arena, ret, err);
}

static float scored(const char *check, const char *response)
{
    float ret = -1;
    struct error err;
    cr_assert_eq(score(check, response, true, &ret, &err), OK, "%s: %s", check, err.text);
    return ret;
}

Test(answer_check, a_regular_expression)
{
    cr_expect_eq(scored("{\"regex\":\"^\\\\d+ km$\"}", " 12 km\n"), 1);
    cr_expect_eq(scored("{\"regex\":\"^\\\\d+ km$\"}", "<think>12 km</think>\nfar"), 0);
}

Test(answer_check, a_schema)
{
    const char *check = "{\"schema\":{\"required\":[\"a\"],\"type\":\"object\"}}";
    cr_expect_eq(scored(check, "{\"a\":1}"), 1);
    cr_expect_eq(scored(check, "Here:\n```json\n{\"a\":1}\n```\nDone."), 1);
    cr_expect_eq(scored(check, "{\"b\":1}"), 0);
    cr_expect_eq(scored(check, "a is 1"), 0);
    cr_expect_eq(scored(check, ""), 0);
}

Test(answer_check, a_command_says_it_by_its_exit_or_a_number)
{
    NEEDS_CONFINEMENT;
    cr_expect_eq(scored("{\"command\":[\"true\"]}", "x"), 1);
    cr_expect_eq(scored("{\"command\":[\"false\"]}", "x"), 0);
    cr_expect_eq(scored("{\"command\":[\"sh\",\"-c\",\"echo thinking; echo 0.25\"]}", "x"), 0.25f);
    cr_expect_eq(scored("{\"command\":[\"sh\",\"-c\",\"echo 1; exit 1\"]}", "x"), 0);
}

Test(answer_check, a_command_is_given_question_answer_and_reference)
{
    NEEDS_CONFINEMENT;
    cr_expect_eq(
        scored("{\"command\":[\"python3\",\"-c\",\"import json,sys; d=json.load(sys.stdin); "
               "assert d=={'question':'Why?','answer':'be\\\\\\\"cause','reference':'42'}, "
               "d\"]}",
               "be\"cause"),
        1);
}

Test(answer_check, a_command_that_breaks_is_no_score)
{
    NEEDS_CONFINEMENT;
    static const struct {
        const char *command, *said;
    } rows[] = {
        {"{\"command\":[\"sh\",\"-c\",\"exit 3\"]}", "ended with 3"},
        {"{\"command\":[\"sh\",\"-c\",\"echo 7\"]}", "says 7"},
        {"{\"command\":[\"python3\",\"-c\",\"import os; os.abort()\"]}", "signal"},
        {"{\"command\":[\"sh\",\"-c\",\"yes\"]}", "too much"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        float ret = 0.5f;
        struct error err;
        cr_expect_eq(score(rows[i].command, "x", true, &ret, &err), ERR_UPSTREAM);
        cr_expect_not_null(strstr(err.text, rows[i].said), "%s", err.text);
        cr_expect_eq(ret, 0.5f);
    }
}

Test(answer_check, a_command_is_not_run_unless_allowed)
{
    float ret = 0.5f;
    struct error err;
    cr_expect_eq(score("{\"command\":[\"true\"]}", "x", false, &ret, &err), ERR_FORBIDDEN);
    cr_expect_not_null(strstr(err.text, "--allow-commands"), "%s", err.text);
}

Test(answer_check, what_is_not_understood_is_refused_by_name)
{
    static const char *const rows[][2] = {
        {"{\"regexp\":\"a\"}", "regexp"},
        {"{\"regex\":\"a\",\"schema\":{}}", "'schema' is not understood"},
        {"{\"regex\":1}", "regex"},
        {"{\"regex\":\"(\"}", "byte"},
        {"{\"schema\":{\"format\":\"date\"}}", "format"},
        {"{\"command\":[]}", "command"},
        {"{\"command\":\"true\"}", "command"},
        {"{\"command\":[\"a\\u0000b\"]}", "command"},
        {"{}", "regex"},
        {"[]", "regex"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct judge_check c;
        struct error err = {0};
        cr_expect_eq(check_read(str_from(rows[i][0]), arena, &c, &err), ERR_INPUT);
        cr_expect_not_null(strstr(err.text, rows[i][1]), "%s: %s", rows[i][0], err.text);
    }
}
