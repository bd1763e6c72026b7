/* Prompts: the choices are found again as they were given. */
#include "route/prompt_choices.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 22);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(plan_query, .init = setup, .fini = teardown);

static struct query read_prompt(struct str prompt)
{
    struct query q;
    struct error err = {0};
    cr_assert_eq(plan_query_read(prompt, arena, &q, &err), OK, "%s", err.text);
    return q;
}

static void expect_choices(const char *prompt, const char *text, const char *const *choices,
                           uint32_t count)
{
    struct query q = read_prompt(str_from(prompt));
    cr_expect_eq(q.choice_count, count, "%u in '%s'", q.choice_count, prompt);
    cr_expect(str_equal(q.text, str_from(text)), "'%.*s'", STR_FMT(q.text));
    for (uint32_t i = 0; i < count && i < q.choice_count; i++)
        cr_expect(str_equal(q.choices[i], str_from(choices[i])), "'%.*s'", STR_FMT(q.choices[i]));
}

Test(plan_query, lists_of_every_spelling)
{
    static const char *const two[] = {"yes", "no"};
    expect_choices("Is it?\nA. yes\nB. no", "Is it?", two, 2);
    expect_choices("Is it?\nA) yes\nB) no", "Is it?", two, 2);
    expect_choices("Is it?\n\n(A) yes\n(B) no\n\nAnswer with the letter.", "Is it?\n", two, 2);
    expect_choices("A. yes\nB. no", "", two, 2);
}

Test(plan_query, the_last_list_counts)
{
    static const char *const choices[] = {"both", "neither\nof them", ""};
    expect_choices("Given\nA. one\nB. two\nC. three\nwhich?\nA. both\nB. neither\nof them\nC. ",
                   "Given\nA. one\nB. two\nC. three\nwhich?", choices, 3);
}

Test(plan_query, open_questions)
{
    static const char *const open[] = {"",
                                       "What is it?",
                                       "Explain:\nA. one thing",
                                       "\nB. x\nC. y",
                                       "A.one\nB.two",
                                       "it was A. or\n B. then"};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        expect_choices(open[i], open[i], NULL, 0);
}

Test(plan_query, whatever_query_prompt_writes)
{
    static const char *const pieces[] = {"x", "A. ", "42", "\n", "B.", "(C) ", "é", " D) ", "."};
    struct rng rng;
    rng_seed(&rng, 5);
    for (int round = 0; round < 2000; round++) {
        struct buf words[27], prompt;
        struct str choices[26];
        uint32_t count = 2 + (uint32_t)rng_below(&rng, 25);
        buf_init(&prompt, 1 << 16);
        for (uint32_t i = 0; i < count + 1; i++) {
            buf_init(&words[i], 1 << 10);
            buf_addf(&words[i], "w%u", i); /* no choice begins with a mark */
            for (uint64_t n = rng_below(&rng, 5); n > 0; n--) {
                const char *piece = pieces[rng_below(&rng, sizeof(pieces) / sizeof(pieces[0]))];
                bool line = i < count && piece[0] == '\n'; /* a line in a choice could be a mark */
                buf_add_c(&words[i], line ? " " : piece);
            }
            if (i < count)
                choices[i] = buf_str(&words[i]);
        }
        query_prompt(buf_str(&words[count]), choices, count, &prompt);
        struct query q = read_prompt(buf_str(&prompt));
        cr_assert_eq(q.choice_count, count, "%s", prompt.ptr);
        cr_assert(str_equal(q.text, buf_str(&words[count])));
        for (uint32_t i = 0; i < count; i++)
            cr_assert(str_equal(q.choices[i], choices[i]), "%s", prompt.ptr);
        for (uint32_t i = 0; i < count + 1; i++)
            buf_done(&words[i]);
        buf_done(&prompt);
        arena_reset(arena);
    }
}

/* The data set itself: what online reads is what offline was given. */
Test(plan_query, mmlu_pro)
{
    struct dataset *d = NULL;
    struct error err = {0};
    const char *data = getenv("LEEROO_DATA");
    char path[512];
    snprintf(path, sizeof(path), "%s/mmlu_pro", data ? data : "../shared/data");
    if (dataset_load(path, DATASET_QUERIES, &d, &err) != OK)
        cr_skip_test("skipped: no data");
    size_t wrong = 0;
    for (size_t i = 0; i < d->query_count; i++) {
        const struct query *given = &d->queries[i];
        struct query q = read_prompt(given->prompt);
        bool same = q.choice_count == given->choice_count;
        for (uint32_t k = 0; same && k < q.choice_count; k++)
            same = str_equal(q.choices[k], given->choices[k]);
        wrong += !same;
        arena_reset(arena);
    }
    cr_expect_leq(wrong, d->query_count / 2000, "%zu of %zu", wrong, d->query_count);
    fprintf(stderr, "choices read otherwise: %zu of %zu\n", wrong, d->query_count);
    dataset_free(d);
}
