/* Token estimates. */
#include "dialect/token_estimate.h"

#include <criterion/criterion.h>

static uint64_t weight(const char *json)
{
    struct json_value value;
    cr_assert_eq(json_parse(str_from(json), "t", 1, &value, NULL), OK);
    return tokens_json_weight(value);
}

/* headroom #1093, OpenViking #661, hermes-agent #59121: as bytes and as escapes. */
Test(token_estimate, other_scripts_weigh_more)
{
    cr_assert_eq(weight("\"abc\\n\\u00e9\""), 5);
    cr_assert_eq(weight("\"\xE4\xBA\xBA\xE4\xBA\xBA a\""), 10);
    cr_assert_eq(weight("\"\\u4eba\\u4EBA a\""), 10);
    cr_assert_eq(weight("\"\\ud83d\\ude00\""), 8);
    cr_assert_eq(weight("null"), 0);
}

Test(token_estimate, scripts_are_told_apart_in_bytes_and_escapes)
{
    struct script_counts n = {0};
    struct json_value value;
    cr_assert_eq(
        json_parse(STR("\"a\xE4\xBA\xBA \\u4EBA\\u0412\\ud83d\\ude00\""), "t", 1, &value, NULL),
        OK);
    cr_assert_eq(tokens_json_scripts(value, &n), 20);
    cr_assert_eq(tokens_json_weight(value), 20);
    cr_assert(n.of[SCRIPT_HAN] == 2 && n.of[SCRIPT_CYRILLIC] == 1);
    for (size_t s = 0; s < SCRIPTS; s++)
        cr_assert(n.of[s] == 0 || s == SCRIPT_HAN || s == SCRIPT_CYRILLIC);
}

static uint64_t characters(const char *json)
{
    struct json_value value;
    cr_assert_eq(json_parse(str_from(json), "t", 1, &value, NULL), OK);
    return tokens_json_characters(value);
}

Test(token_estimate, four_characters_make_one_rounded_up)
{
    cr_assert_eq(tokens_from_characters(0), 0);
    cr_assert_eq(tokens_from_characters(1), 1);
    cr_assert_eq(tokens_from_characters(4), 1);
    cr_assert_eq(tokens_from_characters(5), 2);
    cr_assert_eq(tokens_from_characters(UINT64_MAX), INT64_C(4611686018427387904));
}

Test(token_estimate, counts_code_points_of_json_strings)
{
    cr_assert_eq(characters("\"\""), 0);
    cr_assert_eq(characters("\"abc\""), 3);
    cr_assert_eq(characters("\"a\\nb\\\"\""), 4);
    cr_assert_eq(characters("\"\\u00e9x\""), 2);
    cr_assert_eq(characters("\"gr\xC3\xBC\xC3\x9F\""), 4);
    cr_assert_eq(characters("12345"), 0);
    cr_assert_eq(tokens_json_characters((struct json_value){0}), 0);
}
