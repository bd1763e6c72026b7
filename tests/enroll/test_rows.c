/* A data set's questions as rows. */
#include "enroll/rows.h"

#include "enroll_world.h"

Test(rows, takes_what_the_newcomer_was_asked_and_some_beside)
{
    struct enroll_world w = enroll_world_make();
    struct enroll_rows r;
    struct outcome *o = w.world->outcomes;
    for (size_t q = 0; q < ROWS; q++)
        if (q % 6) /* the second expert of the model is the newcomer here: it was asked a sixth */
            o[q * WORLD_EXPERTS + 1].known = false;
    const struct dataset *d = &w.world->dataset;
    cr_assert_eq(enroll_rows_take(w.model, d, w.world->experts[1].name, 50, w.arena, &r, NULL), OK);
    cr_expect_eq(r.outcomes, 100);
    cr_assert_eq(r.count, 150);
    for (size_t i = 0; i < r.count; i++) {
        size_t q = r.query[i];
        cr_assert_eq(r.rows[i].score >= 0, q % 6 == 0);
        cr_assert_eq(r.rows[i].text_hash, w.world->queries[q].text_hash);
        cr_assert_eq(r.rows[i].others[0], o[q * WORLD_EXPERTS].score);
        cr_assert(i == 0 || r.query[i - 1] < r.query[i]);
    }
    cr_assert_eq(enroll_rows_take(w.model, d, STR("nobody"), SIZE_MAX, w.arena, &r, NULL), OK);
    cr_expect(r.outcomes == 0 && r.count == ROWS && r.rows[5].score < 0);
    enroll_world_done(&w);
}
