/* Sandbox questions as any others: by domain and level, with references, and the same from the same seed. */
#include "pose/sandbox_pose.h"

#include "posing.h"

Test(sandbox_pose, by_domain_and_level)
{
    struct arena *a = test_arena();
    struct rng rng, again;
    rng_seed(&rng, 4);
    rng_seed(&again, 4);
    cr_assert_geq(sandbox_domain_count(), 5);
    for (size_t d = 0; d < sandbox_domain_count(); d++)
        for (unsigned level = 1; level <= sandbox_levels(); level++) {
            struct posed p, same;
            cr_assert_eq(sandbox_pose(&rng, d, level, a, &p, NULL), OK);
            cr_assert_eq(sandbox_pose(&again, d, level, a, &same, NULL), OK);
            cr_assert(str_equal(p.query.domain, sandbox_domain(d)));
            cr_assert_eq(p.level, level);
            cr_assert_eq(p.source, POSED_SANDBOX);
            cr_assert_gt(p.query.answer.len, 0);
            cr_assert_eq(p.query.text_hash, text_hash(p.query.text));
            cr_assert(str_equal(p.query.prompt, same.query.prompt));
        }
    arena_free(a);
}
