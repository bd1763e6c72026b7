/* Folds: even, stable, and never between equal texts. */
#include "data/split.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "data/dataset.h"

Test(split, folds_are_even_and_depend_on_the_seed)
{
    size_t counts[5] = {0}, moved = 0;
    for (int i = 0; i < 20000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "question %d", i);
        uint64_t hash = text_hash(str_from(text));
        uint32_t fold = split_fold(hash, 1, 5);
        cr_assert(fold < 5);
        counts[fold]++;
        moved += fold != split_fold(hash, 2, 5);
    }
    for (int f = 0; f < 5; f++)
        cr_assert(counts[f] > 3760 && counts[f] < 4240, "fold %d has %zu", f, counts[f]);
    cr_assert(moved > 15200 && moved < 16800, "%zu moved", moved); /* four fifths */
}

/* Recorded once: a model's cross-validated figures stay comparable across machines and versions. */
Test(split, folds_are_the_same_everywhere)
{
    cr_assert_eq(split_fold(text_hash(STR("What is it?")), 0, 5),
                 split_fold(text_hash(STR("  what IS\nit? ")), 0, 5));
    cr_assert_eq(split_fold(0, 0, 1), 0);
}

Test(split, a_share_is_kept_when_it_grows)
{
    size_t small = 0, large = 0, others = 0, folds[2] = {0};
    for (int i = 0; i < 20000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "question %d", i);
        uint64_t hash = text_hash(str_from(text));
        bool in = split_in_share(hash, 1, 0.2);
        small += in;
        large += split_in_share(hash, 1, 0.3);
        others += in && split_in_share(hash, 2, 0.2);
        cr_assert(!in || split_in_share(hash, 1, 0.3), "it left");
        folds[in] += split_fold(hash, 1, 4) == 0;
    }
    cr_assert(small > 3760 && small < 4240, "%zu", small);
    cr_assert(large > 5700 && large < 6300, "%zu", large);
    cr_assert(others > 680 && others < 920, "%zu: of another seed, a fifth of a fifth", others);
    cr_assert(folds[1] > 850 && folds[1] < 1150, "%zu: folds of the same seed go through it",
              folds[1]);
    cr_assert_not(split_in_share(7, 1, 0));
    cr_assert(split_in_share(7, 1, 1));
}
