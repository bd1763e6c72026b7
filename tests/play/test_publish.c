/* Comparing models on questions that neither has seen: the better one is found, luck is not taken for it. */
#include "play/publish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../train/world.h"
#include "data/subset.h"

#define ROWS 900

struct pair {
    struct world *world;
    struct model *good,
        *bad; /* what it has learnt of the first and the last expert is the wrong way round */
};

/* On the questions that are not for validation. */
static struct model *learn(const struct world *w)
{
    char path[] = "/tmp/leeroo-compare-XXXXXX";
    uint32_t rows[ROWS];
    size_t count = 0;
    struct dataset *part = NULL;
    struct trained *t = NULL;
    struct train_options o;
    struct model *m = NULL;
    struct error err;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    for (size_t q = 0; q < w->dataset.query_count; q++)
        if (!publish_validates(w->queries[q].text_hash))
            rows[count++] = (uint32_t)q;
    cr_assert_eq(dataset_subset(&w->dataset, rows, count, &part, NULL), OK);
    train_options_default(&o);
    cr_assert_eq(train_run(part, &o, &t, &err), OK, "%s", err.text);
    cr_assert_eq(model_write(t, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, NULL), OK);
    unlink(path);
    trained_free(t);
    dataset_free(part);
    return m;
}

static void turn_around(struct world *w)
{
    for (size_t q = 0; q < w->dataset.query_count; q++) {
        struct outcome *o = w->outcomes + q * WORLD_EXPERTS, first = o[0];
        o[0] = o[2];
        o[2] = first;
    }
}

static struct pair *pair_make(void)
{
    struct pair *p = calloc(1, sizeof(*p));
    cr_assert_not_null(p);
    p->world = world_make(ROWS);
    p->good = learn(p->world);
    turn_around(p->world);
    p->bad = learn(p->world);
    turn_around(p->world);
    return p;
}

static void pair_free(struct pair *p)
{
    model_free(p->good);
    model_free(p->bad);
    world_free(p->world);
    free(p);
}

static struct publish_verdict *compare(const struct pair *p, const struct model *candidate,
                                       const struct model *in_force, const struct policy *policies,
                                       size_t count)
{
    static struct publish_verdict v;
    struct error err;
    cr_assert_eq(publish_compare(candidate, in_force, PUBLISH_ANOTHER, &p->world->dataset, policies,
                                 count, &v, &err),
                 OK, "%s", err.text);
    return &v;
}

static size_t validation_count(const struct world *w)
{
    size_t count = 0;
    for (size_t q = 0; q < w->dataset.query_count; q++)
        count += publish_validates(w->queries[q].text_hash);
    return count;
}

Test(publish, an_eighth_is_for_validation)
{
    struct world *w = world_make(ROWS);
    cr_assert_float_eq((double)validation_count(w) / ROWS, 1.0 / PUBLISH_SHARE, 0.04);
    world_free(w);
}

/* At this lambda the dear expert is not worth its price for an easy question. */
static const struct policy cheap = {.lambda = 100};

Test(publish, the_better_one_is_found)
{
    struct pair *p = pair_make();
    struct publish_verdict up = *compare(p, p->good, p->bad, &cheap, 1);
    cr_assert(up.better);
    cr_assert_eq(up.questions, validation_count(p->world));
    cr_assert_gt(up.gain, 0.05);
    cr_assert_gt(up.confidence, 0.99);
    cr_assert(up.low > 0 && up.low < up.gain && up.gain < up.high);
    cr_assert(up.error > 0 && up.error < up.gain);
    struct publish_verdict down = *compare(p, p->bad, p->good, &cheap, 1);
    cr_assert(!down.better);
    cr_assert_float_eq(down.gain, -up.gain, 1e-12);
    cr_assert_float_eq(down.confidence, 1 - up.confidence, 1e-12);
    cr_assert_float_eq(down.of[0].before.quality, up.of[0].after.quality, 1e-12);
    pair_free(p);
}

Test(publish, figures_add_up)
{
    struct pair *p = pair_make();
    const struct policy policies[] = {
        cheap, {.lambda = 0}, {.budget_usd_per_1k = 0.4}, {.min_quality = 0.8}};
    struct publish_verdict *v = compare(p, p->good, p->bad, policies, 4);
    double sum = 0;
    cr_assert_eq(v->policies, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct publish_figures *f = &v->of[i];
        sum += f->gain / 4;
        cr_assert_float_eq(f->after.utility, f->after.quality - f->lambda * f->after.cost_usd,
                           1e-12);
        cr_assert_float_eq(f->gain, f->after.utility - f->before.utility, 1e-12);
        cr_assert(f->after.quality > 0.3 && f->after.quality <= 1);
    }
    cr_assert_float_eq(v->gain, sum, 1e-9);
    cr_assert_float_eq(v->of[0].lambda, 100, 1e-9);
    cr_assert_eq(v->of[1].lambda, 0);
    cr_assert_float_eq(v->of[2].after.cost_usd * 1000, 0.4, 0.1);
    cr_assert_float_eq(v->of[3].after.quality, 0.8, 0.1);
    pair_free(p);
}

Test(publish, a_model_is_not_better_than_itself)
{
    struct pair *p = pair_make();
    struct publish_verdict *v = compare(p, p->good, p->good, &cheap, 1);
    cr_assert(!v->better);
    cr_assert_eq(v->gain, 0);
    cr_assert_float_eq(v->confidence, 0.5, 1e-9);
    pair_free(p);
}

/* Hides outcomes of expert e on all validation questions but the first `left`. */
static void hide(struct world *w, size_t e, size_t left)
{
    for (size_t q = 0; q < w->dataset.query_count; q++)
        if (publish_validates(w->queries[q].text_hash) && left-- == 0) {
            w->outcomes[q * WORLD_EXPERTS + e] = (struct outcome){0};
            left = 0;
        }
}

Test(publish, few_questions_say_nothing)
{
    struct pair *p = pair_make();
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        hide(p->world, e, PUBLISH_QUESTIONS_MIN - 1);
    struct publish_verdict *v = compare(p, p->good, p->bad, &cheap, 1);
    cr_assert_eq(v->questions, PUBLISH_QUESTIONS_MIN - 1);
    cr_assert_gt(v->gain, 0);
    cr_assert(!v->better);
    pair_free(p);
}

Test(publish, few_questions_must_say_it_clearly)
{
    const size_t few = PUBLISH_QUESTIONS_FEW - 1;
    cr_assert_eq(publish_confidence_min(few + 1, PUBLISH_ANOTHER), PUBLISH_CONFIDENCE_MIN);
    cr_assert_eq(publish_confidence_min(few, PUBLISH_ANOTHER), PUBLISH_CONFIDENCE_FEW);
    cr_assert_eq(publish_confidence_min(few + 1, PUBLISH_EARLIER), PUBLISH_CONFIDENCE_LATER);
    cr_assert_eq(publish_confidence_min(few, PUBLISH_EARLIER), PUBLISH_CONFIDENCE_MIN);
    struct pair *p = pair_make();
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        hide(p->world, e, PUBLISH_QUESTIONS_MIN);
    struct publish_verdict *v = compare(p, p->good, p->bad, &cheap, 1);
    cr_assert_eq(v->questions, PUBLISH_QUESTIONS_MIN);
    cr_assert_eq(v->better, v->gain > 0 && v->confidence >= PUBLISH_CONFIDENCE_FEW);
    pair_free(p);
}

/* The same draws decide; what is in force says how sure they must be. */
Test(publish, a_later_round_must_be_better_and_need_not_be_sure)
{
    struct pair *p = pair_make();
    const struct dataset *d = &p->world->dataset;
    struct publish_verdict other, later;
    struct error err;
    size_t parted = 0;
    p->world->dataset.query_count = ROWS / 4;
    struct model *early = learn(p->world);
    p->world->dataset.query_count = ROWS;
    for (double lambda = 5; lambda < 100; lambda *= 1.2)
        for (int turn = 0; turn < 2; turn++) {
            const struct policy policy = {.lambda = lambda};
            const struct model *old = turn ? p->good : early, *new = turn ? early : p->good;
            cr_assert_eq(publish_compare(new, old, PUBLISH_ANOTHER, d, &policy, 1, &other, &err),
                         OK);
            cr_assert_eq(publish_compare(new, old, PUBLISH_EARLIER, d, &policy, 1, &later, &err),
                         OK);
            cr_assert_eq(other.confidence, later.confidence);
            cr_assert_eq(other.better, other.gain > 0 && other.confidence >= 0.8);
            cr_assert_eq(later.better, later.gain > 0 && later.confidence >= 0.5);
            parted += later.better && !other.better;
        }
    model_free(early);
    pair_free(p);
    cr_assert_gt(parted, 0, "no policy was in doubt: the test proves nothing");
}

Test(publish, only_whole_rows_count)
{
    struct pair *p = pair_make();
    size_t all = validation_count(p->world);
    hide(p->world, 1, all * 3 / 4);
    cr_assert_eq(compare(p, p->good, p->bad, &cheap, 1)->questions, all * 3 / 4);
    hide(p->world, 1, all / 4); /* hardly asked: the others are compared without it */
    struct publish_verdict *v = compare(p, p->good, p->bad, &cheap, 1);
    cr_assert_eq(v->questions, all);
    cr_assert(v->better);
    pair_free(p);
}

Test(publish, prices_in_force_decide)
{
    struct pair *p = pair_make();
    const struct policy best = {.lambda = 20};
    double before = compare(p, p->good, p->bad, &best, 1)->of[0].after.cost_usd;
    p->world->experts[1].price.output_nano_usd_per_m *= 50; /* recorded costs stay */
    double after = compare(p, p->good, p->bad, &best, 1)->of[0].after.cost_usd;
    cr_assert_lt(after, before / 2, "%g, at the trained price %g", after, before);
    pair_free(p);
}

/* All prices tenfold since the model in force was trained: its budget is calibrated at those of now, too, and so it
 * spends what the candidate does, which was trained at them. */
Test(publish, budgets_are_calibrated_at_the_prices_in_force)
{
    struct pair *p = pair_make();
    struct world *w = p->world;
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        w->experts[e].price.input_nano_usd_per_m *= 10;
        w->experts[e].price.output_nano_usd_per_m *= 10;
    }
    for (size_t i = 0; i < (size_t)ROWS * WORLD_EXPERTS; i++)
        w->outcomes[i].cost_nano_usd *= 10;
    struct model *now = learn(w);
    const struct policy policies[] = {{.budget_usd_per_1k = 4}, {.min_quality = 0.8}};
    struct publish_verdict *v = compare(p, now, p->good, policies, 2);
    for (size_t i = 0; i < 2; i++) {
        cr_expect_float_eq(v->of[i].before.cost_usd, v->of[i].after.cost_usd,
                           0.02 * v->of[i].after.cost_usd);
        cr_expect_float_eq(v->of[i].before.quality, v->of[i].after.quality, 0.02);
    }
    cr_expect_float_eq(v->of[0].before.cost_usd * 1000, 4, 1);
    model_free(now);
    pair_free(p);
}

Test(publish, without_outcomes_there_is_nothing_to_compare)
{
    struct pair *p = pair_make();
    struct publish_verdict v;
    struct error err;
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        hide(p->world, e, 0);
    cr_assert_eq(
        publish_compare(p->good, p->bad, PUBLISH_ANOTHER, &p->world->dataset, &cheap, 1, &v, &err),
        ERR_INPUT);
    pair_free(p);
}

Test(publish, a_cap_that_nobody_keeps_leaves_questions_unanswered)
{
    struct pair *p = pair_make();
    const struct policy capped = {.lambda = 0, .max_cost_nano_usd = 1};
    struct publish_verdict *v = compare(p, p->good, p->bad, &capped, 1);
    cr_assert_eq(v->of[0].after.quality, 0);
    cr_assert_eq(v->gain, 0);
    pair_free(p);
}
