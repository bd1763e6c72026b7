/* Failures on purpose: specifications, rates and determinism. */
#include "rehearse/faults.h"

#include <criterion/criterion.h>
#include <string.h>

#include "rehearse/sandbox.h"

static struct sandbox sandbox = {1};
static struct error err;

static enum status create(const char *fail_500, uint64_t seed, struct faults **ret)
{
    struct rehearse_source source = sandbox_source(&sandbox);
    const char *const specs[FAULT_COUNT] = {[FAULT_500] = fail_500};
    return faults_create(&source, specs, seed, ret, &err);
}

static int hits(struct faults *f, size_t expert, int draws)
{
    int count = 0;
    for (int i = 0; i < draws; i++)
        count += faults_draw(f, expert, (uint64_t)i * 977).kind == FAULT_500;
    return count;
}

Test(faults, rates_by_expert)
{
    struct faults *f;
    cr_assert_eq(create("0.2, sage=1,lexicon=0", 1, &f), OK, "%s", err.text);
    int abacus = hits(f, 0, 5000);
    cr_expect(abacus > 900 && abacus < 1100, "%d", abacus);
    cr_expect_eq(hits(f, 2, 500), 0);
    cr_expect_eq(hits(f, 3, 500), 500);
    faults_free(f);
}

Test(faults, seeded_by_prompt_and_attempt)
{
    struct faults *f, *g, *other;
    int same = 0, attempts = 0;
    cr_assert_eq(create("0.5", 7, &f), OK);
    cr_assert_eq(create("0.5", 7, &g), OK);
    cr_assert_eq(create("0.5", 8, &other), OK);
    enum fault_kind forwards[100], first = FAULT_NONE;
    for (uint64_t i = 0; i < 100; i++)
        forwards[i] = faults_draw(f, 0, i).kind;
    for (uint64_t i = 100; i-- > 0;) { /* in another order: the same */
        cr_assert_eq(faults_draw(g, 0, i).kind, forwards[i]);
        same += faults_draw(other, 0, i).kind == forwards[i];
    }
    cr_expect_lt(same, 75);
    first = forwards[0];
    for (int i = 0; i < 50; i++) /* a retry may succeed */
        attempts += faults_draw(f, 0, 0).kind != first;
    cr_expect_gt(attempts, 10);
    faults_free(f);
    faults_free(g);
    faults_free(other);
}

Test(faults, none_by_default)
{
    struct faults *f;
    cr_assert_eq(create(NULL, 7, &f), OK);
    cr_assert_not(faults_any(f));
    cr_assert_eq(faults_draw(f, 0, 1).kind, FAULT_NONE);
    faults_free(f);
}

Test(faults, bad_specifications)
{
    struct faults *f = NULL;
    cr_expect_eq(create("2", 1, &f), ERR_USAGE);
    cr_expect_eq(create("often", 1, &f), ERR_USAGE);
    cr_expect_eq(create("-0.1", 1, &f), ERR_USAGE);
    cr_expect_eq(create("", 1, &f), ERR_USAGE);
    cr_expect_eq(create("sage=", 1, &f), ERR_USAGE);
    cr_expect_eq(create("nobody=0.1", 1, &f), ERR_NOT_FOUND);
    cr_expect(strstr(err.text, "nobody"));
    cr_expect_null(f);
}
