/* Which questions taught most. */
#include "runpage/lessons.h"

#include <math.h>

#include "run_scene.h"

struct read {
    struct scratch s;
    struct dataset *d;
    struct arena *a;
    struct lessons l;
};

static enum status read_scene(struct read *r, const char *cells, struct error *err)
{
    *r = (struct read){.s = scene_make(), .a = arena_create(1 << 20)};
    if (cells)
        scratch_write(&r->s, "round-1/cells.csv", cells);
    cr_assert_eq(dataset_load(r->s.path, DATASET_ALL, &r->d, NULL), OK);
    return lessons_read(r->s.path, 2, r->d, r->a, &r->l, err);
}

static void done(struct read *r)
{
    dataset_free(r->d);
    arena_free(r->a);
    scratch_remove(&r->s);
}

/* sd² / (sd² + q(1-q) / confidence) · (score - q) */
static double moved(double q, double sd, double score, double confidence)
{
    return sd * sd / (sd * sd + q * (1 - q) / confidence) * (score - q);
}

Test(lessons, are_ranked_by_what_they_may_change)
{
    struct read r;
    cr_assert_eq(read_scene(&r, NULL, NULL), OK);
    const double a1 = moved(0.9, 0.3, 0, 1), b1 = moved(0.5, 0.3, 0, 0.5),
                 a2 = moved(0.8, 0.1, 1, 1);
    cr_assert_eq(r.l.questions, 2, "the validation question and those without a score are none");
    cr_expect(r.l.questions == 2 && r.l.cells == 3);
    const struct lesson *first = &r.l.all[0], *second = &r.l.all[1];
    cr_assert(str_equal(r.d->queries[first->cells[0].query].id, STR("a")));
    cr_assert_eq(first->cell_count, 2);
    cr_expect_float_eq(first->cells[0].moved, a1, 1e-5);
    cr_expect_float_eq(first->cells[0].taught, 0.5 * a1 * a1, 1e-5, "half a tie");
    cr_expect_float_eq(first->cells[1].moved, a2, 1e-5);
    cr_expect(first->cells[0].round == 1 && first->cells[1].round == 2);
    cr_expect_float_eq(first->taught, 0.5 * a1 * a1 + a2 * a2, 1e-5);
    cr_expect_float_eq(second->cells[0].moved, b1, 1e-5, "believed by half");
    cr_expect_float_eq(r.l.taught, first->taught + second->taught, 1e-9);
    done(&r);
}

Test(lessons, experts_are_held_to_what_was_expected_of_them)
{
    struct read r;
    cr_assert_eq(read_scene(&r, NULL, NULL), OK);
    const struct lesson_expert *script = &r.l.experts[0], *small = &r.l.experts[1];
    cr_expect(script->cells == 1 && small->cells == 3, "validation counts here");
    cr_expect_float_eq(script->expected, 0.9, 1e-6);
    cr_expect_float_eq(small->expected, 0.9 + 0.5 + 0.8, 1e-6);
    cr_expect_float_eq(small->scored, 1, 1e-6);
    done(&r);
}

Test(lessons, of_nothing_are_none)
{
    struct read r;
    cr_assert_eq(read_scene(&r, SCENE_CELLS, NULL), OK);
    cr_assert_eq(r.l.questions, 1);
    done(&r);
}

Test(lessons, a_file_that_is_damaged_is_named)
{
    struct read r;
    struct error err = {0};
    cr_assert_eq(read_scene(&r, SCENE_CELLS "a,small,0,1,7,0.1,1\n", &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, "round-1/cells.csv:2:"), "%s", err.text);
    done(&r);
    cr_assert_eq(read_scene(&r, "id,model,random,answered\n", &err), ERR_INPUT);
    cr_expect(strstr(err.text, "quality"), "%s", err.text);
    done(&r);
}
