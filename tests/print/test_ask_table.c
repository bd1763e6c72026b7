/* What `leeroo ask --explain` says of a decision and of an answer. */
#include "print/ask_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const char decision[] =
    "{\"plan\":\"single\",\"expert\":\"gro\xc3\x9f\",\"policy\":\"thrift\",\"lambda\":100,\"cost_"
    "usd\":0.0005,"
    "\"estimates\":{\"gro\xc3\x9f\":[0.9,0.0005],\"small\":[0.5,0.0001],\"gone\":[0.95,0.0002]},"
    "\"ruled_out\":{\"gone\":\"circuit open\"}}";

typedef void print_fn(FILE *out, const void *arg);

/* Whatever `print` prints; free() it. */
static char *printed(print_fn *print, const void *arg)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    print(out, arg);
    fclose(out);
    return text;
}

static void print_table(FILE *out, const void *arg)
{
    ask_table_print(out, str_from(arg), false);
}

static void print_result(FILE *out, const void *arg)
{
    ask_result_print(out, arg);
}

static void print_json(FILE *out, const void *arg)
{
    ask_result_json(out, arg);
}

Test(ask_table, has_a_row_for_each_and_marks_the_chosen)
{
    char *text = printed(print_table, decision);
    cr_expect_str_eq(
        text, "  expert  quality  cost USD     utility\n"
              "* gro\xc3\x9f     0.9000  0.0005    0.8500  chosen\n"
              "  small    0.5000  0.0001    0.4900\n"
              "  gone     0.9500  0.0002    0.9300  circuit open\n"
              "plan single, policy thrift, lambda 100 (utility = quality - lambda * cost)\n\n");
    free(text);
}

Test(ask_table, of_what_is_no_decision_there_is_none)
{
    char *text = printed(print_table, "<html>");
    cr_expect_str_eq(text, "");
    free(text);
}

static struct ask_result answered(void)
{
    return (struct ask_result){
        .decision = {decision, sizeof(decision) - 1},
        .usage_event = STR("{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2},"
                           "\"leeroo\":{\"cost_usd\":0.000000900,\"cost_basis\":\"usage\"}}"),
        .answer = STR("a \"b\"\n"),
        .expert = "small",
        .seconds = 1.5,
    };
}

Test(ask_table, a_result_has_the_prediction_of_whichever_answered)
{
    struct ask_result r = answered();
    char *text = printed(print_result, &r);
    cr_expect_str_eq(text, "\nsmall answered in 1.50 s: predicted 0.0001, really 0.000000900 USD "
                           "(7 input + 2 output tokens)\n");
    free(text);
}

Test(ask_table, without_usage_it_says_so)
{
    struct ask_result silent = answered();
    silent.usage_event = STR("");
    char *text = printed(print_result, &silent);
    cr_expect(strstr(text, "predicted 0.0001 USD; the expert reported no usage\n"), "%s", text);
    free(text);
}

Test(ask_table, calls_of_a_plan_have_a_line_each)
{
    struct ask_result plan = answered();
    plan.usage_event =
        STR("{\"leeroo\":{\"cost_usd\":0.3,\"calls\":[{\"expert\":\"small\",\"outcome\":\"ok\","
            "\"latency_ms\":250,\"cost_usd\":0.1,\"cost_basis\":\"usage\"}]}}");
    char *text = printed(print_result, &plan);
    cr_expect(strstr(text, "really 0.3 USD\n  small ok in 0.25 s, 0.1 USD (usage)\n"), "%s", text);
    free(text);
}

Test(ask_table, the_json_keeps_every_byte)
{
    struct ask_result r = answered();
    char *text = printed(print_json, &r);
    struct json_value root;
    cr_assert_eq(json_parse(str_from(text), "result", 1, &root, NULL), OK, "%s", text);
    cr_expect(json_string_equal(json_get(root, "answer"), r.answer));
    cr_expect(str_equal(json_get(root, "cost_usd").raw, STR("0.000000900")));
    cr_expect(str_equal(json_get(root, "output_tokens").raw, STR("2")));
    cr_expect(str_equal(json_get(root, "decision").raw, r.decision));
    cr_expect_eq(json_get(root, "calls").type, JSON_NONE);
    free(text);
}
