/* The table that training works on. */
#include <math.h>

#include "encode/ngram_encoder.h"
#include "train/train_int.h"
#include "world.h"

#define ROWS 120

static const size_t all[WORLD_EXPERTS] = {0, 1, 2};

static struct train_table fill(const struct world *w, struct arena *a, uint64_t seed)
{
    struct train_table t = {.dataset = &w->dataset,
                            .rows = ROWS,
                            .experts = WORLD_EXPERTS,
                            .expert = all,
                            .encoded = {{.encoder = &ngram_encoder}},
                            .encoder_count = 1};
    cr_assert_eq(train_table_fill(&t, a, seed, NULL, NULL), OK);
    return t;
}

Test(train_table, rows_are_what_the_encoder_says)
{
    static const struct encoder *const encoders[] = {&ngram_encoder};
    struct world *w = world_make(ROWS);
    struct arena *a = arena_create(64u << 20);
    struct train_table t = fill(w, a, 1);
    struct features f;
    cr_assert_eq(features_init(&f, NULL), OK);
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_eq(features_encode(&f, encoders, 1, w->queries[i].prompt, NULL), OK);
        struct encoding row;
        train_table_said(&t, i, &row);
        cr_assert_eq(row.count, f.said[0].count);
        cr_assert_eq(memcmp(row.buckets, f.said[0].buckets, row.count * 4), 0);
        cr_assert_eq(memcmp(row.values, f.said[0].values, row.count * 4), 0);
        cr_assert_eq(memcmp(row.dense, f.said[0].dense, NGRAM_STATS * sizeof(float)), 0);
        cr_assert_eq((double)t.characters[i], f.characters);
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            cr_assert_eq((double)t.scores[i * WORLD_EXPERTS + e],
                         (double)w->outcomes[i * WORLD_EXPERTS + e].score);
    }
    features_done(&f);
    arena_free(a);
    world_free(w);
}

Test(train_table, lengths_are_in_standard_deviations)
{
    struct world *w = world_make(ROWS);
    struct arena *a = arena_create(64u << 20);
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        w->outcomes[5 * WORLD_EXPERTS + e].tokens_known = false;
    w->outcomes[6 * WORLD_EXPERTS + 1].tokens_known = false;
    struct train_table t = fill(w, a, 1);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < ROWS; i++) {
        cr_assert_eq(isnan(t.lengths[i]), i == 5);
        if (i == 5)
            continue;
        cr_assert_eq(t.lengths[i] > 0, world_kind(i)); /* hard ones have long answers */
        sum += (double)t.lengths[i];
        squares += (double)t.lengths[i] * (double)t.lengths[i];
    }
    cr_assert_float_eq(sum / (ROWS - 1), 0, 0.01);
    cr_assert_float_eq(squares / (ROWS - 1), 1, 0.01);
    arena_free(a);
    world_free(w);
}

Test(train_table, answers_of_equal_length_say_nothing)
{
    struct world *w = world_make(ROWS);
    struct arena *a = arena_create(64u << 20);
    for (size_t i = 0; i < (size_t)ROWS * WORLD_EXPERTS; i++)
        w->outcomes[i].output_tokens = 17;
    struct train_table t = fill(w, a, 1);
    for (size_t i = 0; i < ROWS; i++)
        cr_assert_eq((double)t.lengths[i], 0);
    arena_free(a);
    world_free(w);
}

Test(train_table, folds_part_rows_but_never_equal_texts)
{
    struct world *w = world_make(ROWS);
    struct arena *a = arena_create(64u << 20);
    for (size_t i = 1; i < ROWS; i += 2)
        w->queries[i].text_hash = w->queries[i - 1].text_hash;
    struct train_table t = fill(w, a, 1), other = fill(w, a, 2);
    uint32_t inside[ROWS], outside[ROWS];
    size_t total = 0, moved = 0;
    for (unsigned fold = 0; fold < TRAIN_FOLDS; fold++) {
        size_t in = train_table_rows(&t, fold, true, inside);
        size_t out = train_table_rows(&t, fold, false, outside);
        cr_assert_eq(in + out, ROWS);
        cr_assert_gt(in, ROWS / TRAIN_FOLDS / 3);
        total += in;
        for (size_t k = 0; k < in; k++)
            cr_assert_eq(t.folds[inside[k]], fold);
        for (size_t k = 0; k < out; k++)
            cr_assert_neq(t.folds[outside[k]], fold);
    }
    cr_assert_eq(total, ROWS);
    for (size_t i = 1; i < ROWS; i += 2)
        cr_assert_eq(t.folds[i], t.folds[i - 1]);
    for (size_t i = 0; i < ROWS; i++)
        moved += t.folds[i] != other.folds[i];
    cr_assert_gt(moved, 0); /* the seed deals the folds */
    arena_free(a);
    world_free(w);
}

/* Rows 4 and 5 ask the same; one knows of the first expert, the other of the rest. Row 6 stands alone. */
Test(train_table, nothing_is_expected_of_what_an_equal_text_says)
{
    struct world *w = world_make(ROWS);
    struct arena *a = arena_create(64u << 20);
    w->queries[5] = w->queries[4];
    w->outcomes[4 * WORLD_EXPERTS + 1].known = w->outcomes[4 * WORLD_EXPERTS + 2].known = false;
    w->outcomes[5 * WORLD_EXPERTS].known = w->outcomes[6 * WORLD_EXPERTS].known = false;
    w->outcomes[7 * WORLD_EXPERTS].confidence = 0.25f;
    struct train_table t = fill(w, a, 1);
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        for (size_t row = 4; row <= 5; row++) {
            size_t at = row * WORLD_EXPERTS + e;
            cr_assert_eq(t.targets[at], t.scores[at]);
            cr_assert_eq(t.weights[at], w->outcomes[at].known ? 1 : 0);
        }
    cr_assert_eq(t.scores[6 * WORLD_EXPERTS], -1);
    cr_assert(t.targets[6 * WORLD_EXPERTS] > 0 && t.targets[6 * WORLD_EXPERTS] < 1);
    cr_assert_gt(t.weights[6 * WORLD_EXPERTS], 0);
    cr_assert_eq(t.weights[7 * WORLD_EXPERTS], 0.25f);
    arena_free(a);
    world_free(w);
}
