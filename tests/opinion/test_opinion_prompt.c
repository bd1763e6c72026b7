/* The prompt, byte for byte: models are fine-tuned on it. */
#include "opinion/opinion_prompt.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

static const struct opinion_expert experts[] = {
    {STR_INIT("small"),
     true,
     {.input_nano_usd_per_m = 100000000, .output_nano_usd_per_m = 250000000},
     0.6049},
    {STR_INIT("org/big"),
     true,
     {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 15000000000},
     NAN},
    {STR_INIT("free"), false, {0}, 1},
};

Test(opinion_prompt, says_who_is_there_and_what_is_wanted)
{
    struct buf b;
    struct error err;
    buf_init(&b, 4096);
    cr_assert_eq(opinion_head_write(experts, 3, 0, &b, &err), OK, "%s", err.text);
    buf_add_c(&b, "Why?");
    buf_add(&b, opinion_tail);
    cr_assert_str_eq(
        b.ptr, "Which expert should answer the question? The best is the cheapest of those that "
               "answer it right.\n"
               "\nExperts, with USD per million tokens of input and of output, and how often each "
               "was right:\n"
               "X: small, 0.10 in, 0.25 out, right on 60 %\n"
               "Y: org/big, 5.00 in, 15.00 out\n"
               "Z: free, price not known, right on 100 %\n"
               "\nQuestion:\nWhy?\n\nReply with the letter of the best expert alone.\nAnswer:");
    buf_done(&b);
}

Test(opinion_prompt, says_lambda_where_cost_counts)
{
    struct buf b;
    struct error err;
    buf_init(&b, 4096);
    cr_assert_eq(opinion_head_write(experts, 1, 12.5, &b, &err), OK);
    cr_assert_not_null(strstr(b.ptr, "lambda * cost, where quality is from 0 to 1, cost is in USD, "
                                     "and lambda is 12.5.\n"));
    cr_assert_not_null(strstr(b.ptr, "\nZ: small, "));
    buf_done(&b);
}

Test(opinion_prompt, has_a_letter_for_each_of_52)
{
    struct opinion_expert many[OPINION_EXPERTS_MAX + 1];
    struct buf b;
    struct error err;
    for (size_t e = 0; e <= OPINION_EXPERTS_MAX; e++)
        many[e] = experts[0];
    buf_init(&b, 1u << 16);
    cr_assert_eq(opinion_head_write(many, OPINION_EXPERTS_MAX, 0, &b, &err), OK);
    cr_assert_not_null(strstr(b.ptr, "\nA: small, "));
    cr_assert_not_null(strstr(b.ptr, "\nz: small, "));
    buf_clear(&b);
    cr_assert_eq(opinion_label(26, 0), 'A');
    cr_assert_eq(opinion_label(26, 25), 'Z');
    cr_assert_eq(opinion_label(27, 26), 'a');
    cr_assert_eq(opinion_head_write(many, OPINION_EXPERTS_MAX + 1, 0, &b, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "not about 53"));
    cr_assert_eq(opinion_head_write(many, 0, 0, &b, &err), ERR_INPUT);
    cr_assert_eq(b.len, 0, "nothing is written on failure");
    buf_done(&b);
}
