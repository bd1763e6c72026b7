/* Newcomers of a known truth: it is found again, and nobody else is estimated otherwise. */
#include "enroll_world.h"

#include <math.h>

#include "enroll/seen.h"
#include "predict/model_parts.h"

static struct enroll_world w;

static void begin(void)
{
    w = enroll_world_make();
}

static void end(void)
{
    enroll_world_done(&w);
}

TestSuite(enroll, .init = begin, .fini = end);

Test(enroll, leaves_the_others_as_they_are)
{
    static const double chance[2] = {0.5, 0.4};
    struct enroll_figures figures;
    struct enroll_newcomer n = enroll_world_newcomer(enroll_world_rows(&w, 0, 7, 100, chance), 100);
    struct model *m = enroll_world_join(&w, &n, &figures);
    struct features f = {0};
    struct estimate before[MODEL_ARMS_MAX], after[MODEL_ARMS_MAX];
    for (size_t i = 0; i < 50; i++) {
        struct str text = w.world->queries[i].prompt;
        cr_assert_eq(model_estimate_text(w.model, text, &f, before, NULL), OK);
        cr_assert_eq(model_estimate_text(m, text, &f, after, NULL), OK);
        cr_assert_eq(memcmp(before, after, WORLD_EXPERTS * sizeof(*before)), 0);
    }
    features_done(&f);
    cr_expect_eq(figures.outcomes, 100);
    cr_expect_eq(figures.compared, 100);
    cr_expect_eq(model_expert_at(m, WORLD_EXPERTS)->outcomes, 100);
    model_free(m);
}

Test(enroll, finds_a_truth_that_was_planted)
{
    static const double chance[2] = {0.75, 0.45};
    struct estimate e[MODEL_ARMS_MAX];
    struct enroll_figures figures;
    struct enroll_newcomer n = enroll_world_newcomer(enroll_world_rows(&w, 0, 1, 500, chance), 500);
    struct model *m = enroll_world_join(&w, &n, &figures);
    for (int kind = 0; kind < 2; kind++) {
        enroll_world_ask(m, kind, e);
        cr_expect_float_eq((double)e[WORLD_EXPERTS].quality, chance[kind], 0.12, "%d: %g", kind,
                           (double)e[WORLD_EXPERTS].quality);
    }
    cr_expect_float_eq(figures.accuracy, (2 * chance[0] + chance[1]) / 3, 0.05);
    model_free(m);
}

Test(enroll, a_copy_is_estimated_as_the_expert_is)
{
    struct estimate e[MODEL_ARMS_MAX];
    struct enroll_figures figures;
    for (size_t of = 0; of < WORLD_EXPERTS; of++) {
        struct enroll_row *rows = enroll_world_rows(&w, 0, 1, ROWS, world_truth[0]);
        for (size_t i = 0; i < ROWS; i++)
            rows[i].score = rows[i].others[of];
        struct enroll_newcomer n = enroll_world_newcomer(rows, ROWS);
        struct model *m = enroll_world_join(&w, &n, &figures);
        for (int kind = 0; kind < 2; kind++) {
            enroll_world_ask(m, kind, e);
            cr_expect_float_eq((double)e[WORLD_EXPERTS].quality, (double)e[of].quality, 0.06,
                               "%zu, %d: %g, not %g", of, kind, (double)e[WORLD_EXPERTS].quality,
                               (double)e[of].quality);
        }
        model_free(m);
    }
}

Test(enroll, without_outcomes_is_estimated_with_caution)
{
    struct enroll_figures figures;
    struct enroll_newcomer n = enroll_world_newcomer(NULL, 0);
    struct model *m = enroll_world_join(&w, &n, &figures);
    struct estimate easy[MODEL_ARMS_MAX], hard[MODEL_ARMS_MAX];
    enroll_world_ask(m, 0, easy);
    enroll_world_ask(m, 1, hard);
    double mean = (double)(2 * easy[WORLD_EXPERTS].quality + hard[WORLD_EXPERTS].quality) / 3;
    cr_expect_float_eq(figures.accuracy, 0.6, 0.01);
    cr_expect(mean < 0.58 && mean > 0.3, "%g", mean);
    cr_expect_eq(figures.outcomes, 0);
    cr_expect_gt(figures.usd_per_1k, 0);
    model_free(m);
}

Test(enroll, an_outcome_weighs_what_it_is_believed)
{
    static const double never[2] = {0, 0};
    struct enroll_figures sure, unsure;
    struct enroll_row *rows = enroll_world_rows(&w, 0, 5, 60, never);
    struct enroll_newcomer n = enroll_world_newcomer(rows, 60);
    model_free(enroll_world_join(&w, &n, &sure));
    for (size_t i = 0; i < 60; i++)
        rows[i].confidence = 0.02f;
    model_free(enroll_world_join(&w, &n, &unsure));
    cr_expect_lt(sure.accuracy, unsure.accuracy - 0.15);
    cr_expect_lt(sure.accuracy_sd, unsure.accuracy_sd);
}

Test(enroll, learns_how_much_is_written_and_paid)
{
    static const double chance[2] = {0.7, 0.5};
    struct estimate e[MODEL_ARMS_MAX];
    struct enroll_figures figures;
    struct enroll_row *rows = enroll_world_rows(&w, 0, 7, 80, chance);
    struct enroll_newcomer n = enroll_world_newcomer(rows, 80);
    struct model *m = enroll_world_join(&w, &n, &figures);
    for (int kind = 0; kind < 2; kind++) {
        enroll_world_ask(m, kind, e);
        cr_expect_float_eq((double)(e[WORLD_EXPERTS].output_tokens / e[0].output_tokens), 3, 0.5);
    }
    cr_expect_float_eq(figures.usd_per_1k, 1000 * 1e-6 * (20 + 3 * 360), 0.3);
    model_free(m);
    for (size_t i = 0; i < 80; i++) { /* only the cost is known */
        rows[i].cost_usd = 1e-6 * (20 + 3 * rows[i].output_tokens);
        rows[i].input_tokens = rows[i].output_tokens = 0;
    }
    double before = figures.usd_per_1k;
    model_free(enroll_world_join(&w, &n, &figures));
    cr_expect_float_eq(figures.usd_per_1k, before, 0.1);
}

/* What a model says of a text that it was trained on is no measure of how hard that is. */
Test(enroll, a_text_that_was_trained_on_is_seen_as_held_out)
{
    struct seen held, now;
    const struct enroll_row *rows = enroll_world_rows(&w, 0, 1, ROWS, NULL);
    const struct model_sample s = model_sample(w.model);
    cr_assert_eq(s.rows, ROWS);
    cr_assert_eq(seen_make(w.model, rows, ROWS, SEEN_HELD_OUT, w.arena, &held, NULL), OK);
    cr_assert_eq(seen_make(w.model, rows, ROWS, SEEN_NOW, w.arena, &now, NULL), OK);
    size_t differ = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t e = 0; e < WORLD_EXPERTS; e++) {
            double q = (double)s.quality[i * s.arms + e];
            cr_assert_float_eq(seen_sigmoid(held.logits[i * WORLD_EXPERTS + e]), q, 2e-4);
            differ +=
                fabs(now.logits[i * WORLD_EXPERTS + e] - held.logits[i * WORLD_EXPERTS + e]) > 1e-3;
            cr_assert_eq(held.scores[i * WORLD_EXPERTS + e], (double)rows[i].others[e]);
        }
    cr_expect_gt(differ, ROWS);
    cr_expect(!held.remembered[0]);
}

/* Models that were changed before: somebody is hidden, somebody stands apart. */
Test(enroll, joins_a_model_that_was_changed_before)
{
    static const double chance[2] = {0.7, 0.5};
    static const size_t gone[1] = {1};
    struct error err;
    struct enroll_figures figures;
    struct buf bytes;
    struct model *less, *more;
    struct estimate e[MODEL_ARMS_MAX];
    const struct model_edit retire = {.remove = gone, .remove_count = 1};
    buf_init(&bytes, MODEL_BYTES_MAX);
    cr_assert_eq(model_rewrite_bytes(w.model, &retire, &bytes, &err), OK, "%s", err.text);
    cr_assert_eq(model_load_bytes(bytes.ptr, bytes.len, &less, &err), OK, "%s", err.text);
    buf_done(&bytes);
    model_free(w.model);
    w.model = less;
    struct enroll_row *rows = enroll_world_rows(&w, 0, 1, 300, chance);
    for (size_t i = 0; i < 300; i++)
        rows[i].others = NULL;
    struct enroll_newcomer n = enroll_world_newcomer(rows, 300);
    w.model = enroll_world_join(&w, &n, &figures);
    model_free(less);
    n.name = STR("newer");
    more = enroll_world_join(&w, &n, &figures);
    cr_assert_eq(model_expert_count(more), 4);
    for (int kind = 0; kind < 2; kind++) {
        enroll_world_ask(more, kind, e);
        cr_expect_float_eq((double)e[2].quality, chance[kind], 0.15);
        cr_expect_float_eq((double)e[3].quality, chance[kind], 0.15);
    }
    model_free(more);
}
