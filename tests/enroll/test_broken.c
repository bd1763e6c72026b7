/* Questions that something is wrong with. */
#include "enroll/broken.h"

#include "enroll_world.h"

static struct enroll_world w;
static float many[ROWS][12];

/* A model of twelve experts, from weak to strong, and what they made of the questions. */
static void begin(void)
{
    struct trained *t;
    struct train_options o;
    struct error err;
    static struct dataset_expert experts[12];
    static char names[12][4];
    w = (struct enroll_world){.world = world_make(ROWS), .arena = arena_create((size_t)1 << 30)};
    struct outcome *outcomes = calloc(ROWS * 12, sizeof(*outcomes));
    rng_seed(&w.rng, 11);
    for (size_t e = 0; e < 12; e++) {
        snprintf(names[e], sizeof(names[e]), "e%zu", e);
        experts[e] = (struct dataset_expert){str_from(names[e]), w.world->experts[0].price};
    }
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < 12; e++) {
            many[i][e] = rng_uniform(&w.rng) < 0.35 + 0.05 * (double)e;
            outcomes[i * 12 + e] = (struct outcome){
                .present = true, .known = true, .cost_known = true, .score = many[i][e]};
        }
    struct dataset d = w.world->dataset;
    d.experts = experts;
    d.expert_count = 12;
    d.outcomes = outcomes;
    train_options_default(&o);
    static const size_t all[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    o.experts = all;
    o.expert_count = 12;
    cr_assert_eq(train_run(&d, &o, &t, &err), OK, "%s", err.text);
    cr_assert_eq(model_parts_load(&t->parts, &w.model, &err), OK, "%s", err.text);
    trained_free(t);
    free(outcomes);
}

static void end(void)
{
    enroll_world_done(&w);
}

TestSuite(broken, .init = begin, .fini = end);

static void flag(enum broken_way *ways)
{
    struct error err;
    struct enroll_row rows[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = (struct enroll_row){.text = w.world->queries[i].prompt,
                                      .text_hash = w.world->queries[i].text_hash,
                                      .score = -1,
                                      .others = many[i]};
    cr_assert_eq(enroll_broken(w.model, rows, ROWS, w.arena, ways, &err), OK, "%s", err.text);
}

Test(broken, what_is_wrong_is_found_and_nothing_else)
{
    enum broken_way ways[ROWS];
    for (size_t e = 0; e < 12; e++) {
        many[100][e] = e < 6; /* the weak know it */
        many[200][e] = 0;
        many[300][e] = e >= 6;
        many[400][e] = e < 4 ? (float)(e < 2) : -1; /* too few were asked */
    }
    flag(ways);
    cr_expect_eq(ways[100], BROKEN_BACKWARDS);
    cr_expect_eq(ways[200], BROKEN_NOBODY);
    for (size_t i = 0; i < ROWS; i++)
        cr_expect(i == 100 || i == 200 || ways[i] == BROKEN_NOT, "%zu %d", i, ways[i]);
    cr_expect_str_eq(broken_way_name(BROKEN_BACKWARDS), "backwards");
}
