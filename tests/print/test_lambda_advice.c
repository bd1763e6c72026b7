/* Three lambdas in words, in lines to copy, and in JSON. */
#include "print/lambda_advice.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/json.h"

static struct lambda_points points(void)
{
    return (struct lambda_points){
        .queries = 400,
        .best = STR("sage"),
        .best_quality = 0.978,
        .best_error = 0.007,
        .best_usd_per_1k = 0.75,
        .at = {{true, 8, 0.978, 0.007, 0.6}, {true, 890, 0.945, 0.011, 0.15}}};
}

static char *printed(const struct lambda_points *p)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    lambda_advice_print(p, out);
    fclose(out);
    return text;
}

Test(lambda_advice, is_a_table_and_lines_for_the_configuration)
{
    struct lambda_points p = points();
    char *text = printed(&p);
    cr_expect_not_null(strstr(text, "sage alone: 97.8 \u00b10.7 %, 0.7500 USD per 1,000\n"), "%s",
                       text);
    cr_expect_not_null(
        strstr(text, "       8   97.8 \u00b10.7 %     0.6000    80 %  about as good as sage"), "%s",
        text);
    cr_expect_not_null(strstr(text, "    none "), "%s", text);
    cr_expect_not_null(strstr(text, "\n    default: {lambda: 8}\n    thrifty: {lambda: 890}"), "%s",
                       text);
    free(text);
    p.at[LAMBDA_MATCHES].there = false;
    text = printed(&p);
    cr_expect_not_null(strstr(text, "\n    default: {lambda: 890}\n"), "%s", text);
    cr_expect_null(strstr(text, "thrifty"));
    free(text);
    p.has_plans = true;
    text = printed(&p);
    cr_expect_not_null(strstr(text, "These are of single experts"));
    free(text);
    p.queries = 7;
    text = printed(&p);
    cr_expect_str_empty(text);
    free(text);
}

Test(lambda_advice, is_json_that_a_program_reads)
{
    struct lambda_points p = points();
    struct json_value root;
    struct buf b;
    double lambda = 0;
    buf_init(&b, 1 << 16);
    buf_add_char(&b, '{');
    lambda_advice_json(&p, &b);
    buf_add_char(&b, '}');
    cr_assert_eq(json_parse(buf_str(&b), "t", 1, &root, NULL), OK, "%s", b.ptr);
    struct json_value all = json_get(root, "lambdas");
    cr_assert_eq(json_to_double(json_get(json_get(all, "knee"), "lambda"), &lambda), OK);
    cr_expect_eq(lambda, 890);
    cr_expect_eq(json_get(all, "half").type, JSON_NULL);
    buf_clear(&b);
    lambda_advice_json(&(struct lambda_points){.queries = 3}, &b);
    cr_expect_str_eq(b.ptr, "\"lambdas\":null");
    buf_done(&b);
}
