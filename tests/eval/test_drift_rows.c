/* A data set and a model as rows: whose they are, what is expected, what is left out. */
#include "eval/drift_rows.h"

#include <criterion/criterion.h>

#include "../train/world.h"
#include "data/subset.h"
#include "train/model_edit.h"

#define ROWS   400
#define LEARNT 300

static struct world *world;
static struct model *model;
static struct arena *arena;

/* Learnt from the first questions. */
static void begin(void)
{
    struct dataset *part = NULL;
    struct trained *t = NULL;
    struct train_options o;
    struct error err = {0};
    uint32_t rows[LEARNT];
    arena = arena_create((size_t)1 << 26);
    world = world_make(ROWS);
    for (uint32_t i = 0; i < LEARNT; i++)
        rows[i] = i;
    cr_assert_eq(dataset_subset(&world->dataset, rows, LEARNT, &part, &err), OK, "%s", err.text);
    train_options_default(&o);
    cr_assert_eq(train_run(part, &o, &t, &err), OK, "%s", err.text);
    cr_assert_eq(model_parts_load(&t->parts, &model, &err), OK, "%s", err.text);
    trained_free(t);
    dataset_free(part);
}

static void end(void)
{
    model_free(model);
    world_free(world);
    arena_free(arena);
}

TestSuite(drift_rows, .init = begin, .fini = end);

static struct drift_rows read_rows(void)
{
    struct drift_rows r;
    struct error err = {0};
    cr_assert_eq(drift_rows_read(model, &world->dataset, arena, &r, &err), OK, "%s", err.text);
    return r;
}

Test(drift_rows, questions_that_were_trained_on_are_left_out)
{
    struct drift_rows r = read_rows();
    cr_expect_geq(r.trained_on, LEARNT);
    cr_expect_eq(r.input.question_count + r.trained_on, ROWS);
    cr_expect_eq(r.input.row_count, r.input.question_count * WORLD_EXPERTS);
    cr_expect_eq(r.strangers, 0);
    cr_expect_eq(r.input.expert_count, WORLD_EXPERTS);
    cr_expect_eq(r.input.known[1].outcomes, LEARNT);
}

Test(drift_rows, a_row_is_an_outcome_beside_its_estimate)
{
    struct drift_rows r = read_rows();
    struct features f = {0};
    struct estimate estimates[MODEL_ARMS_MAX];
    size_t q = LEARNT;
    while (model_trained_on(model, world->queries[q].text_hash))
        q++;
    cr_assert_eq(model_estimate_text(model, world->queries[q].prompt, &f, estimates, NULL), OK);
    features_done(&f);
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        const struct drift_row *row = &r.input.rows[e];
        const struct outcome *o = dataset_outcome(&world->dataset, q, e);
        cr_expect(row->question == 0 && row->expert == e && !row->earlier);
        cr_expect_eq(row->score, o->score);
        cr_expect_eq(row->estimated, estimates[e].quality);
        cr_expect_eq(row->tokens, 1 + (double)o->output_tokens);
        cr_expect_float_eq(row->usd, (double)o->cost_nano_usd * 1e-9, 1e-12);
        cr_expect_float_eq(row->estimated_usd, (double)estimates[e].cost_nano_usd * 1e-9, 2e-9);
    }
}

Test(drift_rows, holes_and_strangers_are_no_rows)
{
    size_t before = read_rows().input.row_count;
    for (size_t q = LEARNT; q < ROWS; q++)
        world->outcomes[q * WORLD_EXPERTS].known = false;
    world->experts[2].name = STR("stranger");
    struct drift_rows r = read_rows();
    cr_expect_eq(r.strangers, 1);
    cr_expect_eq(r.input.row_count * 3, before);
    for (size_t i = 0; i < r.input.row_count; i++)
        cr_expect_eq(r.input.rows[i].expert, 1);
}
