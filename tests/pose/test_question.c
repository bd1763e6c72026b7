/* Every question the generator makes is understood by the experts' solver, and the two agree on its answer. */
#include "pose/question.h"

#include <criterion/criterion.h>
#include <string.h>

Test(question, generator_and_solver_agree)
{
    struct rng rng;
    rng_seed(&rng, 42);
    int wrong = 0;
    for (int i = 0; i < 20000 && wrong < 10; i++) {
        struct question q;
        struct solution s = {.answer = "?"};
        question_draw(&rng, &q);
        bool understood = solve(str_from(q.text), &s);
        bool right = understood && !strcmp(s.answer, q.answer) && s.skill == q.skill;
        wrong += !right;
        cr_expect(right, "%s | wanted %s (%s), solved %s", q.text, q.answer, skill_name(q.skill),
                  s.answer);
    }
}

Test(question, seeded)
{
    struct rng a, b;
    struct question x, y;
    rng_seed(&a, 7);
    rng_seed(&b, 7);
    for (int i = 0; i < 100; i++) {
        question_draw(&a, &x);
        question_draw(&b, &y);
        cr_assert_str_eq(x.text, y.text);
        cr_assert_str_eq(x.answer, y.answer);
    }
}

Test(question, levels_grow)
{
    double sizes[QUESTION_LEVELS] = {0};
    struct rng rng;
    rng_seed(&rng, 3);
    for (unsigned level = 1; level <= QUESTION_LEVELS; level++)
        for (int i = 0; i < 300; i++) {
            struct question q;
            struct solution s;
            question_make(&rng, SKILL_ARITHMETIC, level, &q);
            cr_assert_eq(q.level, level);
            cr_assert(solve(str_from(q.text), &s));
            sizes[level - 1] += s.size;
        }
    cr_assert_lt(sizes[0] * 1.5, sizes[1]);
    cr_assert_lt(sizes[1] * 1.3, sizes[2]);
}
