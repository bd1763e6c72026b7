/* The rows of encoders, and those that a program adds. */
#include <criterion/criterion.h>

#include "encode/encode.h"
#include "encode/ngram_encoder.h"

Test(encoders, are_found_by_name)
{
    cr_assert_eq(encoder_named(STR("ngram")), &ngram_encoder);
    cr_assert_null(encoder_named(STR("ngra")));
    cr_assert_null(encoder_named(STR("")));
}

Test(encoders, a_program_may_add_its_own_under_a_free_name)
{
    static const struct encoder mine = {.name = "mine", .fingerprint = "1"},
                                taken = {.name = "ngram", .fingerprint = "1"};
    struct error err = {0};
    cr_assert_eq(encoder_register(&mine, &err), OK);
    cr_assert_eq(encoder_named(STR("mine")), &mine);
    cr_assert_eq(encoder_register(&mine, &err), ERR_INPUT);
    cr_assert_eq(encoder_register(&taken, &err), ERR_INPUT);
    cr_assert_str_eq(err.text, "there is an encoder 'ngram' already");
}
