/* The built-in experts: right within their skill, wrong outside it, the same every time. */
#include "rehearse/sandbox.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct sandbox sandbox = {.seed = 1};
static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(sandbox, .init = setup, .fini = teardown);

static size_t expert(const char *name)
{
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++)
        if (!strcmp(sandbox_expert_at(i)->name, name))
            return i;
    cr_assert_fail("no expert %s", name);
    return 0;
}

static const char *ask(const char *name, const char *question)
{
    struct rehearse_source source = sandbox_source(&sandbox);
    struct rehearse_answer answer;
    enum status s =
        source.ops->answer(source.self, expert(name), str_from(question), arena, &answer, NULL);
    cr_assert_eq(s, OK);
    cr_assert_gt(answer.input_tokens, 0);
    cr_assert_gt(answer.output_tokens, 0);
    return answer.text.ptr;
}

/* How many of 60 additions with operands around `base` the expert gets right. */
static int right_sums(const char *name, long base)
{
    int right = 0;
    for (long i = 0; i < 60; i++) {
        char question[96], wanted[64];
        snprintf(question, sizeof(question), "What is %ld + %ld?", base + i, base - i * 3);
        snprintf(wanted, sizeof(wanted), "The answer is %ld.", 2 * base - 2 * i);
        right += strstr(ask(name, question), wanted) != NULL;
        arena_reset(arena);
    }
    return right;
}

Test(sandbox, skill_has_a_limit)
{
    cr_expect_geq(right_sums("abacus", 5000), 56);
    cr_expect_leq(right_sums("abacus", 123456789012), 35);
    cr_expect_leq(right_sums("lexicon", 5000), 15);
    cr_expect_geq(right_sums("sage", 5000), 56);
}

Test(sandbox, same_question_same_answer)
{
    const char *first = ask("lexicon", "What is 12 * 31?");
    cr_assert_str_eq(first, ask("lexicon", "What is 12 * 31?"));
    cr_assert_str_eq(first, ask("lexicon", "  What is 12 * 31?\n"));
}

Test(sandbox, does_not_understand)
{
    cr_assert(strstr(ask("sage", "Who wrote Faust?"), "The answer is unknown."));
}

Test(sandbox, names_are_the_sources)
{
    struct rehearse_source source = sandbox_source(&sandbox);
    cr_assert_eq(source.ops->expert_count(source.self), SANDBOX_EXPERT_COUNT);
    cr_assert(str_equal(source.ops->expert_name(source.self, expert("sage")), STR("sage")));
}
