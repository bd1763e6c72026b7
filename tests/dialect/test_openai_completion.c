/* Where the members of a completion are. */
#include "dialect/openai_completion.h"

#include <criterion/criterion.h>

Test(openai_completion, the_first_choice_is_the_one_numbered_zero)
{
    struct json_value root;
    cr_assert_eq(json_parse(STR("{\"choices\":[7,{\"index\":1},{\"index\":0,\"x\":1}]}"), "t", 1,
                            &root, NULL),
                 OK);
    cr_assert_eq(json_get(openai_choice_first(root), "x").type, JSON_NUMBER);
    cr_assert_eq(json_parse(STR("{\"choices\":[{\"index\":1}]}"), "t", 1, &root, NULL), OK);
    cr_assert_eq(openai_choice_first(root).type, JSON_NONE);
}

Test(openai_completion, members_are_found_in_any_order_and_absent_ones_are_none)
{
    struct json_value root;
    struct openai_completion c;
    cr_assert_eq(json_parse(STR("{\"usage\":{},\"x\":1,\"id\":\"a\"}"), "t", 1, &root, NULL), OK);
    openai_completion_read(root, &c);
    cr_expect_eq(c.usage.type, JSON_OBJECT);
    cr_expect_eq(c.id.type, JSON_STRING);
    cr_expect_eq(c.choices.type, JSON_NONE);
    openai_completion_read((struct json_value){0}, &c);
    cr_expect_eq(c.id.type, JSON_NONE);
}
