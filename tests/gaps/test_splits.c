/* Texts in two, and again. */
#include "gaps/splits.h"

#include "planted.h"

#define ROWS 400

struct scene {
    struct planted *p;
    struct arena *a;
    struct corpus c;
    struct split_forest f;
    float missed[ROWS], noise[ROWS];
    uint32_t rows[ROWS], root;
};

static struct scene *scene_make(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    struct error err;
    cr_assert_not_null(s);
    s->p = planted_make(ROWS, 1, false);
    s->a = arena_create(1 << 28);
    cr_assert_eq(corpus_build(s->p->queries, ROWS, s->a, &s->c, &err), OK);
    for (uint32_t i = 0; i < ROWS; i++)
        s->rows[i] = i;
    return s;
}

static void scene_free(struct scene *s)
{
    arena_free(s->a);
    planted_free(s->p);
    free(s);
}

static void grow(struct scene *s, const struct split_rules *rules)
{
    const struct split_missed missed = {s->missed, s->noise};
    struct rng rng;
    struct error err;
    rng_seed(&rng, 0);
    cr_assert_eq(split_forest_init(&s->c, rules->least, 1, s->a, &s->f, &err), OK);
    cr_assert_eq(split_grow(&s->f, s->rows, ROWS, rules, &missed, &rng, s->a, &s->root, &err), OK);
}

/* Of all pairs of texts, in how many both or neither say: same leaf, same subject. */
static double agreement(const struct scene *s)
{
    size_t agree = 0, pairs = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < i; k++, pairs++) {
            bool leaf = split_leaf(&s->f, s->root, &s->c.rows[i]) ==
                        split_leaf(&s->f, s->root, &s->c.rows[k]);
            agree += leaf == (s->p->subject[i] == s->p->subject[k]);
        }
    return (double)agree / (double)pairs;
}

Test(splits, a_wide_part_falls_into_its_subjects)
{
    struct scene *s = scene_make();
    grow(s, &(struct split_rules){.least = 20, .most = 140, .telling = 3});
    cr_expect_eq(s->f.leaf_count, 4);
    cr_expect_gt(agreement(s), 0.98);
    scene_free(s);
}

Test(splits, what_was_missed_says_whether_a_part_stays_whole)
{
    struct scene *s = scene_make();
    const struct split_rules rules = {.least = 20, .most = ROWS, .telling = 3};
    grow(s, &rules);
    cr_expect_eq(s->f.leaf_count, 1, "nothing is missed");
    for (size_t i = 0; i < ROWS; i++)
        s->missed[i] = s->p->subject[i] == PLANTED_GLACIERS;
    grow(s, &rules);
    cr_expect(s->f.leaf_count >= 2 && s->f.leaf_count <= 4);
    uint32_t leaf = SPLIT_LEAF;
    for (size_t i = 0; i < ROWS; i++)
        if (s->missed[i] > 0)
            leaf = split_leaf(&s->f, s->root, &s->c.rows[i]);
    size_t in = 0, missed = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (split_leaf(&s->f, s->root, &s->c.rows[i]) == leaf) {
            in++;
            missed += s->missed[i] > 0;
        }
    cr_expect_gt((double)missed, 0.95 * (double)in);
    for (size_t i = 0; i < ROWS; i++) { /* the same, but as guesses: they might be chance */
        s->missed[i] = 0.5f + (s->p->subject[i] == PLANTED_GLACIERS ? 0.05f : 0);
        s->noise[i] = 0.25f;
    }
    grow(s, &rules);
    cr_expect_eq(s->f.leaf_count, 1);
    scene_free(s);
}

Test(splits, no_part_is_smaller_than_the_least)
{
    struct scene *s = scene_make();
    size_t sizes[ROWS] = {0};
    grow(s, &(struct split_rules){.least = 30, .most = 1, .telling = 3});
    for (size_t i = 0; i < ROWS; i++)
        sizes[split_leaf(&s->f, s->root, &s->c.rows[i])]++;
    cr_expect_gt(s->f.leaf_count, 6);
    for (size_t l = 0; l < s->f.leaf_count; l++)
        cr_expect_geq(sizes[l], 30);
    scene_free(s);
}

Test(splits, texts_that_are_all_alike_stay_together)
{
    struct scene *s = scene_make();
    for (size_t i = 0; i < ROWS; i++)
        s->c.rows[i] = s->c.rows[0];
    grow(s, &(struct split_rules){.least = 20, .most = 50, .telling = 3});
    cr_expect_eq(s->f.leaf_count, 1);
    for (size_t i = 0; i < ROWS; i++)
        s->c.rows[i].count = 0;
    grow(s, &(struct split_rules){.least = 20, .most = 50, .telling = 3});
    cr_expect_eq(s->f.leaf_count, 1);
    scene_free(s);
}
