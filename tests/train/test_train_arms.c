/* The last part of training, from end to end: plans found, the sample of all arms, and the same after the model was
 * written and read. */
#include <unistd.h>

#include "world.h"

#define ROWS 1200

/* A world of which the first and the last expert agree just where both are right; "dear" is right on the rest. The last
 * is the cheapest and the first a bit better, so that routing uses both. */
static struct answer_cell *answers_make(struct world *w)
{
    struct answer_cell *cells = calloc(ROWS * WORLD_EXPERTS, sizeof(*cells));
    struct rng r;
    rng_seed(&r, 4);
    w->experts[2].price = (struct price){.input_nano_usd_per_m = NANO_PER_USD / 2,
                                         .output_nano_usd_per_m = 3 * (NANO_PER_USD / 2)};
    for (size_t i = 0; i < ROWS; i++) {
        struct outcome *o = &w->outcomes[i * WORLD_EXPERTS];
        bool agree = rng_uniform(&r) < 0.6;
        size_t key = rng_below(&r, 4);
        w->queries[i].choice_count = 4;
        o[0].score = agree || rng_uniform(&r) < 0.4;
        o[2].score = agree;
        o[1].score = !agree || rng_uniform(&r) < 0.8;
        for (size_t e = 0; e < WORLD_EXPERTS; e++) {
            o[e].answer_class = (uint16_t)(1 + (key + (o[e].score > 0 ? 0 : 1 + e)) % 4);
            cells[i * WORLD_EXPERTS + e].present = true;
        }
        o[2].cost_nano_usd /= 2;
    }
    return cells;
}

static struct trained *train(const struct world *w, const struct answer_cell *cells,
                             const char *named, size_t combinations)
{
    struct answer_table answers = {.cells = cells};
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    o.answers = cells ? &answers : NULL;
    o.plans = named;
    o.combinations = combinations;
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), OK, "%s", err.text);
    return t;
}

Test(train_arms, without_answers_there_are_no_plans)
{
    struct world *w = world_make(100);
    struct trained *t = train(w, NULL, NULL, 3);
    cr_expect_eq(t->plans.set.count, 0);
    cr_expect_eq(t->arms, WORLD_EXPERTS);
    trained_free(t);
    world_free(w);
}

Test(train_arms, nor_are_there_where_none_are_asked_for)
{
    struct world *w = world_make(ROWS);
    struct answer_cell *cells = answers_make(w);
    struct trained *t = train(w, cells, NULL, 0);
    cr_expect_eq(t->plans.set.count, 0);
    trained_free(t);
    free(cells);
    world_free(w);
}

static void expect_sample(const struct trained *t)
{
    double quality = 0, cost = 0;
    cr_assert_eq(t->arms, t->experts + t->plans.set.count);
    cr_assert_eq(t->parts.sample, ROWS);
    for (size_t i = 0; i < t->parts.sample * t->arms; i++) {
        cr_assert(t->parts.sample_quality[i] >= 0 && t->parts.sample_quality[i] <= 1);
        cr_assert_geq(t->parts.sample_cost_usd[i], 0);
    }
    for (size_t i = 0; i < t->parts.sample; i++) {
        quality += (double)t->parts.sample_quality[i * t->arms + t->experts] / ROWS;
        cost += (double)t->parts.sample_cost_usd[i * t->arms + t->experts] / ROWS;
    }
    cr_expect_float_eq(quality, t->plans.figures[0].accuracy, 0.02);
    cr_expect_float_eq(cost, t->plans.figures[0].cost_usd, 0.1 * t->plans.figures[0].cost_usd);
}

static struct model *write_and_load(const struct trained *t)
{
    char path[] = "/tmp/leeroo-arms-XXXXXX";
    struct model *m = NULL;
    struct error err = {0};
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(model_write(t, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    unlink(path);
    return m;
}

/* Of a text that is far from training, the plans as well as the experts. */
static void expect_estimates(const struct trained *t, const struct model *m, const char *text,
                             bool is_far)
{
    struct estimate e[MODEL_ARMS_MAX], plans[PLANS_MAX];
    struct features f;
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(model_encode(m, str_from(text), &f, NULL), OK);
    model_estimate(m, &f, e);
    cr_expect_eq(e[0].unfamiliar > 0, is_far);
    plan_set_estimate(&t->plans.set, e, plans);
    for (size_t k = 0; k < t->plans.set.count; k++) {
        double accuracy = t->plans.set.records[k].accuracy;
        float quality = plans[k].quality;
        if (e[0].unfamiliar > 0)
            quality = guard_quality(e[0].unfamiliar, guard_level(accuracy), quality);
        cr_expect_eq(e[t->experts + k].quality, quality);
        cr_expect_eq(e[t->experts + k].unfamiliar, e[0].unfamiliar);
        cr_expect_eq(e[t->experts + k].escalation, plans[k].escalation);
        cr_expect_eq(e[t->experts + k].cost_nano_usd, plans[k].cost_nano_usd);
    }
    features_done(&f);
}

Test(train_arms, plans_are_arms_of_the_model)
{
    struct world *w = world_make(ROWS);
    struct answer_cell *cells = answers_make(w);
    struct trained *t = train(w, cells, NULL, 3);
    cr_assert_gt(t->plans.set.count, 0);
    const struct plan_figures *first = &t->plans.combinations[0];
    cr_expect(str_starts(first->name, STR("sequential(")), "%.*s", STR_FMT(first->name));
    cr_expect_gt(first->accuracy, 0.99);
    expect_sample(t);
    struct model *m = write_and_load(t);
    cr_assert_eq(model_expert_count(m), WORLD_EXPERTS);
    cr_assert_eq(model_arm_count(m), t->arms);
    for (size_t i = 0; i < t->arms; i++) {
        const struct plan *p = model_arm_at(m, i);
        cr_expect(str_equal(p->name, i < t->experts ? t->parts.experts[i].name
                                                    : t->plans.set.plans[i - t->experts].name));
        cr_expect_eq(p->kind == PLAN_SINGLE, i < t->experts);
    }
    struct model_sample s = model_sample(m);
    cr_assert_eq(s.arms, t->arms);
    cr_expect_eq(memcmp(s.quality, t->parts.sample_quality, s.rows * s.arms * sizeof(float)), 0);
    cr_expect_eq(memcmp(s.cost_usd, t->parts.sample_cost_usd, s.rows * s.arms * sizeof(float)), 0);
    expect_estimates(t, m, w->texts, false);
    expect_estimates(t, m, "prove this lemma", true);
    model_free(m);
    trained_free(t);
    free(cells);
    world_free(w);
}
