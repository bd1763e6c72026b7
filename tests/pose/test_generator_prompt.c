/* What a generator is asked, and whether it answers its own question as it said. */
#include "pose/generator_prompt.h"

#include "posing.h"

Test(generator_prompt, says_what_is_wanted)
{
    struct query seed = {.prompt = STR("Is a hot dog a sandwich?")};
    const struct query *seeds[] = {&seed};
    struct generator_want want = {.domain = STR("law"),
                                  .level = 4,
                                  .kinds = 1u << POSED_CHOICE | 1u << POSED_NUMBER,
                                  .items = 7,
                                  .seeds = seeds,
                                  .seed_count = 1};
    struct buf a, b;
    buf_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    generator_prompt(&want, &a);
    cr_assert(strstr(a.ptr, "Write 7 new questions."));
    cr_assert(strstr(a.ptr, "Domain: law\n"));
    cr_assert(strstr(a.ptr, "Difficulty: 4 of 5"));
    cr_assert(strstr(a.ptr, "- \"choice\""));
    cr_assert(strstr(a.ptr, "- \"number\""));
    cr_assert_not(strstr(a.ptr, "- \"short\""));
    cr_assert(strstr(a.ptr, "Is a hot dog a sandwich?"));
    generator_prompt(&want, &b);
    cr_assert_str_eq(a.ptr, b.ptr, "the same request twice has the same bytes");
    buf_clear(&b);
    want.variation = 1;
    generator_prompt(&want, &b);
    cr_assert_str_neq(a.ptr, b.ptr);
    buf_done(&a);
    buf_done(&b);
}

Test(generator_prompt, long_examples_are_cut_between_characters)
{
    char text[1000];
    memset(text, 'x', sizeof(text));
    memcpy(text + 599, "\xC3\xA9", 2);
    struct query seed = {.prompt = {text, sizeof(text)}};
    const struct query *seeds[] = {&seed};
    struct generator_want want = {
        .kinds = POSED_COMPARABLE, .items = 1, .seeds = seeds, .seed_count = 1};
    struct buf b;
    buf_init(&b, 1 << 16);
    generator_prompt(&want, &b);
    cr_assert(utf8_valid(buf_str(&b)));
    cr_assert_lt(b.len, 2500);
    buf_done(&b);
}

static bool agrees(enum posed_kind kind, const char *reference, const char *response)
{
    static const struct str choices[] = {STR_INIT("red"), STR_INIT("green"), STR_INIT("blue")};
    struct posed p = {.kind = kind, .query.answer = str_from(reference)};
    if (kind == POSED_CHOICE) {
        p.query.choices = choices;
        p.query.choice_count = 3;
    }
    return generator_repeat_agrees(&p, str_from(response));
}

Test(generator_repeat, agreement)
{
    cr_assert(agrees(POSED_CHOICE, "B", "Grass is green. The answer is B."));
    cr_assert_not(agrees(POSED_CHOICE, "B", "The answer is C."));
    cr_assert_not(agrees(POSED_CHOICE, "B", "No choice is right."));
    cr_assert(agrees(POSED_NUMBER, "1234", "So the answer is 1,234."));
    cr_assert_not(agrees(POSED_NUMBER, "1234", "The answer is 1,235."));
    cr_assert_not(agrees(POSED_NUMBER, "1234", "This cannot be answered."));
    cr_assert(agrees(POSED_SHORT, "Ada Lovelace", "ada lovelace."));
    cr_assert(agrees(POSED_SHORT, "Ada Lovelace", "<think>hm</think>The answer is Ada Lovelace."));
    cr_assert_not(agrees(POSED_SHORT, "Ada Lovelace", "The answer is Charles Babbage."));
    cr_assert_not(agrees(POSED_SHORT, "Ada Lovelace", ""));
}

Test(generator_repeat, every_kind_has_words)
{
    for (size_t k = 0; k < POSED_KINDS; k++)
        cr_assert_gt(generator_repeat_system((enum posed_kind)k).len, 0);
}
