/* Texts as vectors. */
#include "gaps/corpus.h"

#include <math.h>

#include <criterion/criterion.h>

static const struct str choices[] = {STR_INIT("granite"), STR_INIT("basalt")};
static const struct query queries[] = {
    {.text = STR_INIT("granite basalt granite")},
    {.text = STR_INIT("lava"), .choices = choices, .choice_count = 2},
    {.text = STR_INIT("lava granite unique")},
    {.text = STR_INIT("the of and")},
};

static struct corpus build(struct arena *a)
{
    struct corpus c;
    struct error err;
    cr_assert_eq(corpus_build(queries, 4, a, &c, &err), OK);
    return c;
}

static float weight(const struct corpus *c, const struct corpus_row *row, const char *word)
{
    for (uint32_t i = 0; i < row->count; i++)
        if (str_equal(c->words[row->words[i]], str_from(word)))
            return row->weights[i];
    return 0;
}

Test(corpus, words_of_two_texts_are_kept_and_counted)
{
    struct arena *a = arena_create(1 << 26);
    struct corpus c = build(a);
    cr_assert_eq(c.word_count, 3);
    cr_expect(str_equal(c.words[0], STR("granite")) && c.texts[0] == 3);
    cr_expect(str_equal(c.words[1], STR("basalt")) && c.texts[1] == 2);
    cr_expect(str_equal(c.words[2], STR("lava")) && c.texts[2] == 2);
    arena_free(a);
}

Test(corpus, rows_are_tf_idf_of_length_one)
{
    struct arena *a = arena_create(1 << 26);
    struct corpus c = build(a);
    double granite = (1 + log(2)) * log(5.0 / 3), basalt = log(5.0 / 2);
    double length = hypot(granite, basalt);
    cr_expect_float_eq(weight(&c, &c.rows[0], "granite"), granite / length, 1e-6);
    cr_expect_float_eq(weight(&c, &c.rows[0], "basalt"), basalt / length, 1e-6);
    cr_expect_eq(c.rows[1].count, 3); /* choices count, too */
    cr_expect_eq(c.rows[3].count, 0);
    arena_free(a);
}

Test(corpus, another_text_is_read_by_the_same_words)
{
    struct arena *a = arena_create(1 << 26);
    struct corpus c = build(a);
    const struct query other = {.text = STR("basalt granite granite and unheard")};
    struct corpus_row row = corpus_read(&c, &other);
    cr_assert_eq(row.count, 2);
    cr_expect_float_eq(weight(&c, &row, "granite"), weight(&c, &c.rows[0], "granite"), 1e-7);
    float direction[3] = {1, 0, 0};
    cr_expect_float_eq(corpus_dot(&row, direction), weight(&c, &row, "granite"), 1e-7);
    arena_free(a);
}

Test(corpus, nothing_is_fine)
{
    struct arena *a = arena_create(1 << 26);
    struct corpus c;
    struct error err;
    cr_assert_eq(corpus_build(NULL, 0, a, &c, &err), OK);
    cr_expect_eq(c.word_count, 0);
    arena_free(a);
}
