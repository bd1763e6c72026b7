/* Signatures against the exact Jaccard index, and what the bands find. */
#include "pose/minhash.h"

#include <math.h>

#include "base/rng.h"
#include "posing.h"

#define TEXT_WORDS 60

/* A text of random words, and the same with some of them replaced. */
static void make_pair(struct rng *rng, unsigned replaced_percent, char *a, char *b, size_t size)
{
    size_t i = 0, j = 0;
    for (size_t w = 0; w < TEXT_WORDS; w++) {
        unsigned long long x = rng_below(rng, 1000000), y = rng_below(rng, 1000000);
        bool same = rng_below(rng, 100) >= replaced_percent;
        i += (size_t)snprintf(a + i, size - i, "w%llu ", x);
        j += (size_t)snprintf(b + j, size - j, "w%llu ", same ? x : y);
    }
}

Test(minhash, estimates_the_exact_likeness)
{
    struct minhash_family f;
    struct rng rng;
    double squares = 0, bias = 0, worst = 0;
    size_t pairs = 0;
    rng_seed(&rng, 11);
    minhash_family_init(&f, 5);
    for (unsigned percent = 0; percent <= 60; percent += 3)
        for (int i = 0; i < 20; i++, pairs++) {
            char a[1000], b[1000];
            struct minhash x, y;
            double exact = -1;
            make_pair(&rng, percent, a, b, sizeof(a));
            minhash_make(&f, str_from(a), &x);
            minhash_make(&f, str_from(b), &y);
            cr_assert_eq(minhash_likeness_exact(str_from(a), str_from(b), &exact), OK);
            double error = minhash_likeness(&x, &y) - exact;
            squares += error * error;
            bias += error;
            worst = fmax(worst, fabs(error));
        }
    double rmse = sqrt(squares / (double)pairs);
    cr_assert_lt(rmse, 0.044, "root mean square error %.4f", rmse);
    cr_assert_lt(fabs(bias / (double)pairs), 0.01, "bias %.4f", bias / (double)pairs);
    cr_assert_lt(worst, 0.18, "worst %.4f", worst);
}

Test(minhash, exact_likeness)
{
    double j = -1;
    cr_assert_eq(minhash_likeness_exact(STR("abcdef"), STR("abcdeg"), &j), OK);
    cr_assert_float_eq(j, 1.0 / 3, 1e-12); /* abcde, bcdef | abcde, bcdeg */
    cr_assert_eq(minhash_likeness_exact(STR("abcd"), STR("abcd"), &j), OK);
    cr_assert_eq(j, 1);
    cr_assert_eq(minhash_likeness_exact(STR(""), STR("abcd"), &j), OK);
    cr_assert_eq(j, 0);
    cr_assert_eq(minhash_likeness_exact(STR("aaaaaaaa"), STR("aaaaa"), &j), OK);
    cr_assert_eq(j, 1, "sets, not counts");
    cr_assert_eq(minhash_likeness_exact(STR("äöüäöü"), STR("äöüäöx"), &j), OK);
    cr_assert_float_eq(j, 1.0 / 3, 1e-12, "characters, not bytes");
}

Test(minhash, seeded)
{
    struct minhash_family f, same, other;
    struct minhash x, y, z;
    minhash_family_init(&f, 1);
    minhash_family_init(&same, 1);
    minhash_family_init(&other, 2);
    minhash_make(&f, STR("which planet is the largest?"), &x);
    minhash_make(&same, STR("which planet is the largest?"), &y);
    minhash_make(&other, STR("which planet is the largest?"), &z);
    cr_assert_eq(memcmp(&x, &y, sizeof(x)), 0);
    cr_assert_lt(minhash_likeness(&x, &z), 0.1);
}

/* Whether the index, asked for the changed texts, finds exactly those whose estimated likeness is high enough. */
Test(minhash_index, finds_what_all_against_all_would)
{
    struct minhash_index *index = minhash_index_create();
    struct minhash_family f;
    struct rng rng;
    enum { COUNT = 600 };
    struct minhash *asked = calloc(COUNT, sizeof(*asked)), *kept = calloc(COUNT, sizeof(*kept));
    size_t near = 0, missed = 0;
    rng_seed(&rng, 3);
    minhash_family_init(&f, 5);
    for (size_t i = 0; i < COUNT; i++) {
        char a[1000], b[1000];
        make_pair(&rng, (unsigned)rng_below(&rng, 40), a, b, sizeof(a));
        minhash_make(&f, str_from(a), &kept[i]);
        minhash_make(&f, str_from(b), &asked[i]);
        cr_assert_eq(minhash_index_add(index, &kept[i], NULL), OK);
    }
    cr_assert_eq(minhash_index_count(index), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        size_t item = SIZE_MAX;
        double likeness = -1;
        bool is_near = minhash_likeness(&asked[i], &kept[i]) >= MINHASH_NEAR;
        bool found =
            minhash_index_find(index, &asked[i], MINHASH_NEAR, NULL, NULL, &item, &likeness);
        near += is_near;
        missed += is_near && !found;
        cr_assert(!found || (item == i && is_near), "item %zu for %zu (%.2f)", item, i, likeness);
    }
    cr_assert_gt(near, 100);
    cr_assert_lt(near, COUNT - 100);
    cr_assert_leq(missed, 1, "%zu of %zu missed", missed, near);
    minhash_index_free(index);
    free(asked);
    free(kept);
}

static bool is_not_first(void *arg, size_t item)
{
    (void)arg;
    return item != 0;
}

Test(minhash_index, the_likest_that_will_do)
{
    struct minhash_index *index = minhash_index_create();
    struct minhash_family f;
    struct minhash m, changed;
    size_t item = SIZE_MAX;
    double likeness = 0;
    minhash_family_init(&f, 5);
    minhash_make(&f, STR("which of the planets of the sun is the largest of all?"), &m);
    minhash_make(&f, STR("which of the planets of the sun is the largest of them?"), &changed);
    cr_assert_not(minhash_index_find(index, &m, MINHASH_NEAR, NULL, NULL, &item, &likeness));
    cr_assert_eq(minhash_index_add(index, &m, NULL), OK);
    cr_assert_eq(minhash_index_add(index, &changed, NULL), OK);
    cr_assert_eq(minhash_index_add(index, &m, NULL), OK);
    cr_assert(minhash_index_find(index, &m, MINHASH_NEAR, NULL, NULL, &item, &likeness));
    cr_assert_eq(item, 0);
    cr_assert_eq(likeness, 1);
    cr_assert(minhash_index_find(index, &m, MINHASH_NEAR, is_not_first, NULL, &item, &likeness));
    cr_assert_eq(item, 2);
    minhash_index_free(index);
}
