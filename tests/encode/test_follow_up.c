/* What speaks for itself and what points back. */
#include "encode/follow_up.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(follow_up, what_has_nothing_of_its_own)
{
    static const char *const texts[] = {
        "",
        "  ...?! ",
        "Are you sure?",
        "and why?",
        "Why not?",
        "Thanks! Can you explain step by step?",
        "do it again in French",
        "Please rewrite that for children",
        "What about the second one?",
        "OK, go on",
        "I don't think that's right.",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect_eq(follow_up_share(str_from(texts[i])), 1, "%s: %g", texts[i],
                     follow_up_share(str_from(texts[i])));
}

Test(follow_up, what_speaks_for_itself)
{
    static const char *const texts[] = {
        "Prove that the square root of two is irrational without infinite descent",
        "Which hormone is released by the posterior pituitary gland?",
        "Write a Python function that merges two sorted lists",
        "If 17 * 23 = x and x + 9 = y, what is y / 4?",
        "Was ist die Hauptstadt von Burkina Faso?",
        ("\xd0\xa1\xd0\xba\xd0\xbe\xd0\xbb\xd1\x8c\xd0\xba\xd0\xbe "
         "\xd0\xbf\xd1\x80\xd0\xbe\xd1\x81\xd1\x82\xd1\x8b\xd1\x85"),
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect_eq(follow_up_share(str_from(texts[i])), 0, "%s: %g", texts[i],
                     follow_up_share(str_from(texts[i])));
}

Test(follow_up, between_the_two_it_falls_with_the_words_of_content)
{
    double before = 1;
    static const char *const texts[] = {"why?", "why entropy?", "why entropy rises?",
                                        "why entropy rises slowly?",
                                        "why entropy rises slowly everywhere?"};
    for (size_t i = 1; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double share = follow_up_share(str_from(texts[i]));
        cr_expect_lt(share, before, "%s", texts[i]);
        before = share;
    }
    cr_expect_eq(before, 0);
    cr_expect_gt(follow_up_share(STR("does it rise in there slowly?")),
                 follow_up_share(STR("does entropy rise slowly?")), "who points back refers");
}

Test(follow_up, long_texts_are_not_read)
{
    char text[FOLLOW_UP_BYTES_MAX + 2];
    memset(text, '?', sizeof(text));
    cr_expect_eq(follow_up_share((struct str){text, FOLLOW_UP_BYTES_MAX}), 1);
    cr_expect_eq(follow_up_share((struct str){text, FOLLOW_UP_BYTES_MAX + 1}), 0);
    memset(text, 'a', sizeof(text));
    cr_expect_lt(follow_up_share((struct str){text, FOLLOW_UP_BYTES_MAX}), 1, "one endless word");
}
