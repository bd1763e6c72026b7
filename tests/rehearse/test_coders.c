/* Coders answer tasks with programs: the dearer, the more often the right one; and always the same. */
#include "rehearse/coders.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define QUESTIONS 2000

static struct str answer_of(size_t coder, const char *question, uint64_t seed, struct arena *a)
{
    const struct coders coders = {seed};
    const struct rehearse_source s = coders_source(&coders);
    struct rehearse_answer got;
    cr_assert_eq(s.ops->answer(s.self, coder, str_from(question), a, &got, NULL), OK);
    cr_assert_eq(got.output_tokens, (int64_t)(got.text.len + 3) / 4);
    return got.text;
}

static double right_share(size_t coder, const char *task, const char *reference, struct arena *a)
{
    int right = 0;
    for (int i = 0; i < QUESTIONS; i++) {
        char question[256];
        snprintf(question, sizeof(question), "Write an awk program that %s. Number %d.", task, i);
        right += str_find(answer_of(coder, question, 1, a), str_from(reference), 0) != SIZE_MAX;
    }
    return (double)right / QUESTIONS;
}

Test(coders, are_as_good_as_they_are_said_to_be)
{
    struct arena *a = arena_create(UINT64_C(1) << 28);
    for (size_t c = 0; c < CODER_COUNT; c++) {
        double easy = right_share(c, "prints the sum of column 2 of all lines",
                                  "```awk\n{ s += $2 }\nEND { print s + 0 }\n```", a);
        double hard = right_share(c, "prints each number in base 7",
                                  "```awk\n{\n  n = $1\n  s = \"\"\n  do {\n    s = (n % 7) s\n"
                                  "    n = int(n / 7)\n  } while (n > 0)\n  print s\n}\n```",
                                  a);
        cr_expect_float_eq(easy, (double)coder_at(c)->right[0], 0.03, "%zu: %f", c, easy);
        cr_expect_float_eq(hard, (double)coder_at(c)->right[2], 0.03, "%zu: %f", c, hard);
        if (c > 0)
            cr_expect_gt(coder_at(c)->price.output_nano_usd_per_m,
                         coder_at(c - 1)->price.output_nano_usd_per_m);
    }
    arena_free(a);
}

Test(coders, the_seed_decides)
{
    struct arena *a = arena_create(UINT64_C(1) << 28);
    int different = 0;
    for (int i = 0; i < 100; i++) {
        char q[128];
        snprintf(q, sizeof(q), "Write an awk program that prints each number in base %d.", i);
        cr_assert(str_equal(answer_of(0, q, 1, a), answer_of(0, q, 1, a)));
        different += !str_equal(answer_of(0, q, 1, a), answer_of(0, q, 2, a));
    }
    cr_assert_gt(different, 30);
    arena_free(a);
}

Test(coders, an_unknown_task_is_said_to_be_unknown)
{
    struct arena *a = arena_create(UINT64_C(1) << 20);
    cr_assert_neq(str_find(answer_of(3, "What is 2 + 2?", 1, a), STR("do not know"), 0), SIZE_MAX);
    arena_free(a);
}
