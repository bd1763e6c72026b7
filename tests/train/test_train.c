/* Training from end to end in a world whose truth is known. */
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fmath.h"
#include "base/hash.h"
#include "encode/ngram_encoder.h"
#include "world.h"

#define ROWS 900

static void estimate(const struct trained *t, const char *text, float *quality, float *in,
                     float *out)
{
    static const struct encoder *const encoders[] = {&ngram_encoder};
    struct features f;
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(features_encode(&f, encoders, 1, str_from(text), NULL), OK);
    float spread;
    struct guard_view seen;
    predictor_run(&t->parts.predictor, &f, quality, in, out, &spread, &seen);
    cr_assert(spread > 0 && spread <= 1);
    features_done(&f);
}

/* New questions of both kinds: the mean estimate is near the truth. */
Test(train, learns_the_truth)
{
    struct world *w = world_make(ROWS);
    struct trained *t = world_train(w, 1);
    struct rng r;
    rng_seed(&r, 7);
    for (int kind = 0; kind < 2; kind++) {
        double sums[WORLD_EXPERTS] = {0}, tokens = 0;
        for (int i = 0; i < 50; i++) {
            char text[WORLD_TEXT];
            float quality[WORLD_EXPERTS], in[WORLD_EXPERTS], out[WORLD_EXPERTS];
            world_text(&r, kind, text);
            estimate(t, text, quality, in, out);
            tokens += (double)out[0] / 50;
            for (size_t e = 0; e < WORLD_EXPERTS; e++)
                sums[e] += (double)quality[e] / 50;
        }
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            cr_assert_float_eq(sums[e], world_truth[kind][e], 0.1, "kind %d expert %zu: %g", kind,
                               e, sums[e]);
        cr_assert(kind ? tokens > 150 : tokens < 90, "%g tokens", tokens);
    }
    trained_free(t);
    world_free(w);
}

Test(train, figures_are_those_of_held_out_rows)
{
    struct world *w = world_make(ROWS);
    struct trained *t = world_train(w, 1);
    cr_assert_eq(t->queries, ROWS);
    cr_assert_eq(t->experts, WORLD_EXPERTS);
    cr_assert_gt(t->figures[0].auc, 0.8);
    cr_assert_lt(t->figures[0].auc, 0.95); /* an estimate that saw the answers would be above */
    for (size_t e = 0; e < WORLD_EXPERTS; e++) {
        double share = 1.0 / 3;
        double mean = (1 - share) * world_truth[0][e] + share * world_truth[1][e];
        cr_assert_float_eq(t->figures[e].accuracy, mean, 0.04);
        cr_assert_lt(t->figures[e].calibration_error, 0.08);
        cr_assert_eq(t->figures[e].known, ROWS);
        cr_assert_eq(t->parts.experts[e].accuracy, t->figures[e].accuracy);
    }
    for (size_t i = 1; i < t->queries; i++)
        cr_assert_leq(t->parts.text_hashes[i - 1], t->parts.text_hashes[i]);
    trained_free(t);
    world_free(w);
}

/* A label that no text can tell must not be learnt: held-out estimates of coin tosses are of no use. */
Test(train, does_not_see_what_it_is_measured_on)
{
    struct world *w = world_make(ROWS);
    struct rng r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < ROWS; i++)
        w->outcomes[i * WORLD_EXPERTS].score = (float)rng_below(&r, 2);
    struct trained *t = world_train(w, 1);
    cr_assert_float_eq(t->figures[0].auc, 0.5, 0.08);
    trained_free(t);
    world_free(w);
}

/* Equal texts are one query: with labels that are coin tosses per text, a fold that had a text's twin would know. */
Test(train, equal_texts_are_never_parted)
{
    struct world *w = world_make(ROWS);
    for (size_t i = 1; i < ROWS; i += 2) {
        w->queries[i] = w->queries[i - 1];
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            w->outcomes[i * WORLD_EXPERTS + e] = w->outcomes[(i - 1) * WORLD_EXPERTS + e];
    }
    struct rng r;
    rng_seed(&r, 3);
    for (size_t i = 0; i < ROWS; i += 2)
        w->outcomes[i * WORLD_EXPERTS].score = w->outcomes[(i + 1) * WORLD_EXPERTS].score =
            (float)rng_below(&r, 2);
    struct trained *t = world_train(w, 1);
    cr_assert_float_eq(t->figures[0].auc, 0.5, 0.1);
    trained_free(t);
    world_free(w);
}

static const struct linear_head *head_of(const struct trained *t)
{
    cr_assert_eq(t->parts.predictor.sources[0].ops, &linear_source);
    return t->parts.predictor.sources[0].state;
}

static void expect_same(const struct trained *a, const struct trained *b, bool same)
{
    const struct predictor *p = &a->parts.predictor, *q = &b->parts.predictor;
    size_t cells = (size_t)NGRAM_BUCKETS * head_of(a)->width, leaves = p->forest.tree_count;
    leaves *= TREE_LEAVES_MAX * a->experts;
    bool equal =
        !memcmp(head_of(a)->weights, head_of(b)->weights, cells * sizeof(uint16_t)) &&
        !memcmp(p->base, q->base, (a->experts + LEVEL_SLOPES * p->source_count) * sizeof(float)) &&
        !memcmp(p->forest.leaves, q->forest.leaves, leaves * sizeof(float)) &&
        !memcmp(a->parts.sample_quality, b->parts.sample_quality,
                a->parts.sample * a->experts * sizeof(float)) &&
        !memcmp(a->figures, b->figures, a->experts * sizeof(*a->figures));
    cr_assert_eq(equal, same);
}

Test(train, the_seed_decides)
{
    struct world *w = world_make(200);
    struct trained *a = world_train(w, 5), *b = world_train(w, 5), *c = world_train(w, 6);
    expect_same(a, b, true);
    expect_same(a, c, false);
    cr_assert_eq(a->fingerprint, b->fingerprint);
    cr_assert_eq(a->fingerprint, c->fingerprint);
    trained_free(a);
    trained_free(b);
    trained_free(c);
    world_free(w);
}

Test(train, the_fingerprint_is_of_texts_and_outcomes)
{
    struct world *w = world_make(60);
    struct trained *a = world_train(w, 1);
    w->outcomes[10].score = 1 - w->outcomes[10].score;
    struct trained *b = world_train(w, 1);
    w->outcomes[10].score = 1 - w->outcomes[10].score;
    w->queries[5].text_hash ^= 1;
    struct trained *c = world_train(w, 1);
    cr_assert_neq(a->fingerprint, b->fingerprint);
    cr_assert_neq(a->fingerprint, c->fingerprint);
    trained_free(a);
    trained_free(b);
    trained_free(c);
    world_free(w);
}

Test(train, missing_cells_are_missed)
{
    struct world *w = world_make(ROWS);
    struct rng r;
    rng_seed(&r, 11);
    size_t known = 0;
    for (size_t i = 0; i < ROWS; i++) {
        struct outcome *o = &w->outcomes[i * WORLD_EXPERTS];
        if (rng_below(&r, 3)) {
            known++;
            continue;
        }
        *o = (struct outcome){.score = -7}; /* must not be read */
    }
    struct trained *t = world_train(w, 1);
    cr_assert_eq(t->figures[0].known, known);
    cr_assert_float_eq(t->figures[0].accuracy, 0.65, 0.06);
    cr_assert_gt(t->figures[0].auc, 0.8);
    cr_assert_eq(t->figures[1].known, ROWS);
    trained_free(t);
    world_free(w);
}

Test(train, without_domains_and_without_tokens)
{
    struct world *w = world_make(300);
    for (size_t i = 0; i < 300; i++) {
        w->queries[i].domain = (struct str){NULL, 0};
        for (size_t e = 0; e < WORLD_EXPERTS; e++)
            w->outcomes[i * WORLD_EXPERTS + e].tokens_known = false;
    }
    struct trained *t = world_train(w, 1);
    cr_assert_eq(head_of(t)->groups, 0);
    cr_assert_gt(t->figures[0].auc, 0.75);
    float quality[WORLD_EXPERTS], in[WORLD_EXPERTS], out[WORLD_EXPERTS];
    estimate(t, "hello cat", quality, in, out);
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        cr_assert(isfinite(quality[e]) && isfinite(in[e]) && out[e] > 1);
    trained_free(t);
    world_free(w);
}

Test(train, experts_can_be_chosen_in_any_order)
{
    struct world *w = world_make(200);
    struct train_options o;
    struct trained *t = NULL;
    const size_t chosen[2] = {2, 0};
    train_options_default(&o);
    o.experts = chosen;
    o.expert_count = 2;
    cr_assert_eq(train_run(&w->dataset, &o, &t, NULL), OK);
    cr_assert_eq(t->experts, 2);
    cr_assert(str_equal(t->parts.experts[0].name, STR("odd")));
    cr_assert(str_equal(t->parts.experts[1].name, STR("cheap")));
    cr_assert_float_eq(t->figures[1].accuracy, 0.65, 0.1);
    trained_free(t);
    o.expert_count = 1;
    cr_assert_eq(train_run(&w->dataset, &o, &t, NULL), OK);
    cr_assert(isfinite(t->figures[0].log_loss));
    trained_free(t);
    world_free(w);
}

static void expect_refusal(const struct world *w, const char *words)
{
    struct train_options o;
    struct trained *t = NULL;
    struct error err = {0};
    train_options_default(&o);
    cr_assert_eq(train_run(&w->dataset, &o, &t, &err), ERR_INPUT);
    cr_assert_null(t);
    cr_assert_not_null(strstr(err.text, words), "%s", err.text);
}

Test(train, refuses_too_little)
{
    struct world *w = world_make(TRAIN_ROWS_MIN - 1);
    expect_refusal(w, "world: 19 queries; training wants at least 20");
    w->dataset.query_count = 0;
    expect_refusal(w, "world: 0 queries");
    world_free(w);
    w = world_make(50);
    for (size_t i = 0; i < 50; i++)
        w->outcomes[i * WORLD_EXPERTS + 2].known = false;
    expect_refusal(w, "no outcome of expert 'odd'; leave it out with --experts");
    world_free(w);
}

/* Nothing to learn from is no reason to fail: blank texts, one text only, scores that never differ. */
Test(train, survives_odd_data)
{
    struct world *w = world_make(TRAIN_ROWS_MIN);
    float quality[WORLD_EXPERTS], in[WORLD_EXPERTS], out[WORLD_EXPERTS];
    for (size_t i = 0; i < TRAIN_ROWS_MIN; i++) {
        w->queries[i].prompt = w->queries[i].text = STR("  ");
        w->queries[i].text_hash = text_hash(STR("  "));
        w->outcomes[i * WORLD_EXPERTS].score = 1;
        w->outcomes[i * WORLD_EXPERTS + 1].score = 0;
    }
    struct trained *t = world_train(w, 1);
    estimate(t, "anything", quality, in, out);
    for (size_t e = 0; e < WORLD_EXPERTS; e++)
        cr_assert(quality[e] >= 0 && quality[e] <= 1 && isfinite(in[e]) && isfinite(out[e]));
    cr_assert_gt((double)quality[0], (double)quality[1]);
    trained_free(t);
    world_free(w);
}

static void count_steps(size_t done, size_t total, void *arg)
{
    size_t *left = arg;
    cr_assert(*left == SIZE_MAX || *left == total - done + 1);
    *left = total - done;
}

Test(train, reports_each_step_once)
{
    struct world *w = world_make(60);
    struct train_options o;
    struct trained *t = NULL;
    size_t left = SIZE_MAX;
    train_options_default(&o);
    o.progress = count_steps;
    o.progress_arg = &left;
    cr_assert_eq(train_run(&w->dataset, &o, &t, NULL), OK);
    cr_assert_eq(left, 0);
    trained_free(t);
    trained_free(NULL);
    world_free(w);
}

/* Confidence */

static uint64_t bytes_of(const struct world *w)
{
    char path[] = "/tmp/leeroo-confidence-XXXXXX";
    struct trained *t = world_train(w, 1);
    struct buf bytes;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    buf_init(&bytes, 64u << 20);
    cr_assert_eq(model_write(t, path, NULL), OK);
    cr_assert_eq(file_read(path, 64u << 20, &bytes, NULL), OK);
    uint64_t hash = hash64(buf_str(&bytes), 0);
    buf_done(&bytes);
    unlink(path);
    trained_free(t);
    return hash;
}

Test(train, a_confidence_of_one_is_none)
{
    struct world *w = world_make(200);
    uint64_t before = bytes_of(w);
    for (size_t i = 0; i < w->dataset.query_count * WORLD_EXPERTS; i++)
        w->outcomes[i].confidence = 1;
    cr_assert_eq(bytes_of(w), before);
    w->outcomes[5].confidence = 0.5f;
    cr_assert_neq(bytes_of(w), before);
    world_free(w);
}

/* Half of the odd expert's scores are wrong and hardly believed. */
Test(train, outcomes_weigh_by_their_confidence)
{
    struct world *w = world_make(600);
    for (size_t i = 0; i < w->dataset.query_count; i += 2) {
        struct outcome *o = &w->outcomes[i * WORLD_EXPERTS + 2];
        o->score = 1 - o->score;
        o->confidence = 0.001f;
    }
    struct trained *t = world_train(w, 1);
    double truth = (2 * world_truth[0][2] + world_truth[1][2]) / 3;
    cr_assert_float_eq(t->figures[2].accuracy, truth, 0.05);
    cr_assert_eq(t->figures[2].known, 600);
    struct features f;
    struct estimate e[WORLD_EXPERTS];
    cr_assert_eq(features_init(&f, NULL), OK);
    const char *easy = "hello cat sum two hello colour 7",
               *hard = "prove lemma tensor quantum prove integral 7";
    cr_assert_eq(trained_estimate_text(t, str_from(easy), &f, e, NULL), OK);
    cr_assert_lt(e[2].quality, 0.42f, "%g", (double)e[2].quality);
    cr_assert_eq(trained_estimate_text(t, str_from(hard), &f, e, NULL), OK);
    cr_assert_gt(e[2].quality, 0.48f, "%g", (double)e[2].quality);
    features_done(&f);
    trained_free(t);
    world_free(w);
}
