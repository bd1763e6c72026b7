/* Replies in numbers, against sums done by hand. */
#include "opinion/opinion_said.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define NEAR(a, b)                                                                                 \
    cr_assert_float_eq((double)(a), (double)(b), 1e-5, "%g %g", (double)(a), (double)(b))

Test(opinion_said, logits_become_shares_of_the_labels)
{
    const float logits[] = {1, 2, 3, 2};
    const int tokens[] = {2, 0};
    float out[2], entropy, mass;
    opinion_of_logits(logits, 4, tokens, 2, out, &entropy, &mass);
    double all = exp(1) + 2 * exp(2) + exp(3), p = exp(3) / (exp(3) + exp(1));
    NEAR(out[0], log(p));
    NEAR(out[1], log(1 - p));
    NEAR(entropy, -(p * log(p) + (1 - p) * log(1 - p)) / log(2));
    NEAR(mass, log((exp(3) + exp(1)) / all));
}

Test(opinion_said, far_logits_stay_finite)
{
    const float logits[] = {1000, -1000, 0};
    const int tokens[] = {0, 1};
    float out[2], entropy, mass;
    opinion_of_logits(logits, 3, tokens, 2, out, &entropy, &mass);
    NEAR(out[0], 0);
    NEAR(out[1], OPINION_LOGPROB_MIN);
    NEAR(mass, 0);
    cr_assert(entropy >= 0 && entropy < 1e-6f);
}

Test(opinion_said, labels_that_were_not_told_share_what_is_left)
{
    const float said[] = {logf(0.5f), NAN, logf(0.3f), NAN};
    float out[4], entropy, mass;
    opinion_normalise(said, 4, 0.9, log(0.3), out, &entropy, &mass);
    NEAR(out[0], log(0.5 / 0.9));
    NEAR(out[1], log(0.05 / 0.9));
    NEAR(out[3], log(0.05 / 0.9));
    NEAR(mass, log(0.9));
}

Test(opinion_said, what_was_not_told_is_no_likelier_than_what_was)
{
    const float said[] = {logf(0.2f), NAN};
    float out[2], entropy, mass;
    opinion_normalise(said, 2, 0.4, log(0.01), out, &entropy, &mass);
    NEAR(out[1], log(0.01 / 0.21));
}

Test(opinion_said, no_label_told_is_no_opinion)
{
    const float said[] = {NAN, NAN, NAN};
    float out[3], entropy, mass;
    opinion_normalise(said, 3, 0.999999, log(1e-6), out, &entropy, &mass);
    for (int i = 0; i < 3; i++)
        NEAR(out[i], log(1.0 / 3));
    NEAR(entropy, 1);
    NEAR(mass, OPINION_LOGPROB_MIN);
    opinion_normalise(said, 3, 1.1, log(1e-6), out, &entropy, &mass);
    NEAR(out[0], log(1.0 / 3));
}

static size_t choices(const char *text)
{
    return opinion_choices(text, strlen(text));
}

Test(opinion_said, finds_the_choices_at_the_end_of_lines)
{
    cr_assert_eq(choices("One?\nA. x\nB. y"), 2);
    cr_assert_eq(choices("One?\nA. x\nB. y\nC. z\nmore of it"), 3);
    cr_assert_eq(choices("One?\nA. x"), 0, "one choice is none");
    cr_assert_eq(choices("One?\nA. x\nC. y"), 0);
    cr_assert_eq(choices("B. b\nA. a"), 0);
    cr_assert_eq(choices(""), 0);
    cr_assert_eq(choices("\nA"), 0);
    cr_assert_eq(choices("A. no line begins here\nA. x\nB."), 0);
}
