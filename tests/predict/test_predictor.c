/* Each stage from linear outputs to estimates, recomputed in double precision from docs/orchestrator.md. */
#include "predict/predictor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "encode/ngram_encoder.h"
#include "predict/linear.h"
#include "train/linear_train.h"

#define EXPERTS 3
#define GROUPS  2
#define WIDTH   16
#define EXTRA   6 /* what trees look at beside the statistics */

static const float quality[GROUPS * EXPERTS] = {0.9f, 0.5f, 0.1f, 0.3f, 0.6f, 1.0f};
static const float contrast[EXPERTS] = {0.6f, 0.0f, -0.8f};
static const float base[EXPERTS + 2 * LEVEL_SLOPES] = {0.1f, 0.2f, -0.3f, 0.7f, 0.5f, 0.4f, 0.3f};
static const float calibration[CALIBRATION_SLOPES + 2 * EXPERTS] = {1.1f, 0.9f, 0.8f, 0.7f, 1.0f,
                                                                    0.5f, 2.0f, 0.0f, 0.1f, -0.2f};
static const float tokens[EXPERTS * TOKEN_PARAMETERS] = {
    10, 0.25f, 2, 0.5f, 0.1f, 1.2f, -50, 0.1f, 0, 0, 0, 1, 1e9f, 0, 200, 0, 0, 1,
};

static const struct linear_head words = {GROUPS, WIDTH, NULL, NULL};
static const struct groups_head groups = {GROUPS, quality, NULL};

static const struct script_counts no_script;

static struct predictor make(void)
{
    struct predictor p = {.experts = EXPERTS,
                          .encoder_count = 1,
                          .encoders = {&ngram_encoder},
                          .source_count = 2,
                          .contrast = contrast,
                          .base = base,
                          .forest = {.experts = EXPERTS},
                          .calibration = calibration,
                          .tokens = tokens};
    p.sources[0] = (struct source){.ops = &linear_source,
                                   .of = NOWHERE,
                                   .experts = EXPERTS,
                                   .columns = WIDTH,
                                   .length_at = EXPERTS + GROUPS,
                                   .state = &words};
    p.sources[1] = (struct source){.ops = &groups_source,
                                   .encoder = NOWHERE,
                                   .experts = EXPERTS,
                                   .columns = EXPERTS,
                                   .length_at = NOWHERE,
                                   .state = &groups};
    cr_assert(predictor_layout(&p));
    return p;
}

static double logit(double p)
{
    p = fmin(fmax(p, 1e-4), 1 - 1e-4);
    return log(p / (1 - p));
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* What the sources say of a linear source's columns, and what the trees see. */
static void stack(const struct predictor *p, const float *linear, const float *stats,
                  float *features, float *second)
{
    struct encoding said = {.dense = stats};
    struct source_view v = {.said = &said, .columns = {linear}};
    groups_source.run(&p->sources[1], &v, second, predictor_facts(p, 1, features));
    v.columns[1] = second;
    predictor_stack(p, &v, features);
}

Test(predictor, layout_finds_facts_length_and_entropy)
{
    struct predictor p = make();
    cr_assert_eq(p.statistics, NGRAM_STATS);
    cr_assert_eq(p.features, NGRAM_STATS + EXTRA);
    cr_assert_eq(p.entropy_at, NGRAM_STATS + 3);
    cr_assert_eq(p.length_source, 0);
    cr_assert_eq(p.counted, EXPERTS);
    p.source_count = 1;
    cr_assert(predictor_layout(&p));
    cr_assert_eq(p.features, NGRAM_STATS + 2);
    cr_assert_eq(p.entropy_at, NOWHERE);
    struct encoder wide = ngram_encoder;
    wide.statistics = FEATURES_MAX - 1;
    p.encoders[0] = &wide;
    cr_assert(!predictor_layout(&p));
}

Test(predictor, stack)
{
    struct predictor p = make();
    const float linear[WIDTH] = {1, -2, 0.5f, 0.3f, -0.9f, 0.7f};
    float stats[NGRAM_STATS], features[FEATURES_MAX], second[EXPERTS];
    for (int i = 0; i < NGRAM_STATS; i++)
        stats[i] = (float)i;
    stack(&p, linear, stats, features, second);
    double a = 1 / (1 + exp(-0.9 - 0.3)), mean = 0, strong = 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        double mixed = a * (double)quality[e] + (1 - a) * (double)quality[EXPERTS + e];
        cr_assert_float_eq((double)second[e], logit(mixed), 1e-5);
        mean += logit(mixed) / EXPERTS;
        strong += logit(mixed) * (double)contrast[e];
    }
    const double wanted[EXTRA] = {(1 - 2 + 0.5) / 3, mean,  a, -a * log(a) - (1 - a) * log(1 - a),
                                  0.6 - 0.4,         strong};
    cr_assert_eq(memcmp(features, stats, sizeof(stats)), 0);
    for (int i = 0; i < EXTRA; i++)
        cr_assert_float_eq((double)features[NGRAM_STATS + i], wanted[i], 1e-5, "extra %d", i);
}

Test(predictor, stack_of_an_encoder_that_is_silent)
{
    struct predictor p = make();
    float linear[WIDTH] = {0.4f, -0.2f, 1.3f}, second[EXPERTS], features[FEATURES_MAX];
    const struct encoding silent = {.silent = true};
    struct source_view v = {.said = &silent, .columns = {linear}};
    groups_source.run(&p.sources[1], &v, second, predictor_facts(&p, 1, features));
    v.columns[1] = second;
    memset(features, 1, sizeof(features));
    predictor_stack(&p, &v, features);
    for (size_t i = 0; i < NGRAM_STATS; i++)
        cr_assert_eq(features[i], 0);
    cr_assert_float_eq(features[NGRAM_STATS], 0.5f, 1e-6f);
}

Test(predictor, stack_without_groups)
{
    struct predictor p = make();
    const struct groups_head none = {0, quality, NULL};
    const float linear[WIDTH] = {1, -2, 0.5f, 0.7f}, stats[NGRAM_STATS] = {0};
    float features[FEATURES_MAX], second[EXPERTS];
    p.sources[1].state = &none;
    stack(&p, linear, stats, features, second);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_eq((double)second[e], 0);
    for (int i = 0; i < EXTRA; i++)
        cr_assert(isfinite(features[NGRAM_STATS + i]));
}

/* Means of exactly 0 and 1 have no log-odds. */
Test(predictor, stack_clamps_certainty)
{
    struct predictor p = make();
    const float sure[GROUPS * EXPERTS] = {0, 1, 0, 0, 1, 0}, linear[WIDTH] = {0};
    const struct groups_head head = {GROUPS, sure, NULL};
    const float stats[NGRAM_STATS] = {0};
    float features[FEATURES_MAX], second[EXPERTS];
    p.sources[1].state = &head;
    stack(&p, linear, stats, features, second);
    cr_assert_float_eq((double)second[0], logit(0), 1e-3);
    cr_assert_float_eq((double)second[1], logit(1), 1e-2);
}

Test(predictor, combine)
{
    const float first[EXPERTS] = {1, 2, 6}, second[EXPERTS] = {-1, 0, 4};
    const float intercepts[EXPERTS] = {0.5f, 0, -0.5f}, slopes[4] = {2, 0.5f, 3, 0.25f};
    float out[EXPERTS];
    const float *const both[] = {first, second};
    const struct predictor p = make();
    predictor_combine(&p, both, 2, intercepts, slopes, out);
    cr_assert_float_eq((double)out[0], 0.5 + 2 * 3 + 0.5 * -2 + 3 * 1 + 0.25 * -2, 1e-5);
    cr_assert_float_eq((double)out[1], 0.0 + 2 * 3 + 0.5 * -1 + 3 * 1 + 0.25 * -1, 1e-5);
    cr_assert_float_eq((double)out[2], -0.5 + 2 * 3 + 0.5 * 3 + 3 * 1 + 0.25 * 3, 1e-5);
}

Test(predictor, calibrate)
{
    struct predictor p = make();
    const float logits[EXPERTS] = {0.5f, -0.5f, 3}, corrections[EXPERTS] = {0.1f, 0.2f, 0.6f};
    float out[EXPERTS];
    predictor_calibrate(&p, logits, corrections, out);
    for (size_t e = 0; e < EXPERTS; e++) {
        double z = 1.1 * 1 + 0.9 * ((double)logits[e] - 1) + 0.8 * 0.3 +
                   0.7 * ((double)corrections[e] - 0.3);
        cr_assert_float_eq((double)out[e],
                           sigmoid((double)calibration[CALIBRATION_SLOPES + e] * z +
                                   (double)calibration[CALIBRATION_SLOPES + EXPERTS + e]),
                           1e-6);
    }
}

/* Numbers out of a forged model: no NaN, nothing outside 0..1. */
Test(predictor, estimates_are_numbers_whatever_the_parameters)
{
    struct predictor p = make();
    float wild[CALIBRATION_SLOPES + 2 * EXPERTS], out[EXPERTS], in, tokens_out,
        wild_tokens[TOKEN_PARAMETERS];
    const float values[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f};
    p.calibration = wild;
    p.tokens = wild_tokens;
    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        for (size_t i = 0; i < CALIBRATION_SLOPES + 2 * EXPERTS; i++)
            wild[i] = values[v];
        for (size_t i = 0; i < TOKEN_PARAMETERS; i++)
            wild_tokens[i] = values[v];
        predictor_calibrate(&p, base, base, out);
        for (size_t e = 0; e < EXPERTS; e++)
            cr_assert(out[e] >= 0 && out[e] <= 1);
        predictor_tokens(&p, 0, 100, &no_script, 1, &in, &tokens_out);
        cr_assert(in >= 0 && in <= TOKENS_MAX && tokens_out >= 0 && tokens_out <= TOKENS_MAX);
    }
}

Test(predictor, tokens)
{
    struct predictor p = make();
    float in, out;
    predictor_tokens(&p, 0, 400, &no_script, -1, &in, &out);
    cr_assert_float_eq((double)in, 10 + 0.25 * 400, 1e-4);
    cr_assert_float_eq((double)out, 1.2 * exp(2 - 0.5 + 0.1 * log(401)) - 1, 1e-4);
    predictor_tokens(&p, 1, 400, &no_script, 0, &in, &out);
    cr_assert_eq((double)in, 0); /* never negative */
    cr_assert_float_eq((double)out, 0, 1e-6);
    predictor_tokens(&p, 2, 400, &no_script, 0, &in, &out);
    cr_assert_eq((double)in, (double)TOKENS_MAX);
    cr_assert_eq((double)out, (double)TOKENS_MAX);
}

/* 40 characters of Han and 10 of Cyrillic that count 180 are beside 20 others. */
Test(predictor, tokens_of_scripts_that_were_learnt)
{
    const float learnt[EXPERTS * SCRIPTS] = {[SCRIPT_HAN] = 1.3f,
                                             [SCRIPTS + SCRIPT_CYRILLIC] = 0.3f};
    const struct script_counts n = {.of = {[SCRIPT_HAN] = 40, [SCRIPT_CYRILLIC] = 10}};
    struct predictor p = make();
    float in, out, before;
    predictor_tokens(&p, 0, 200, &n, 0, &before, &out);
    cr_assert_float_eq((double)before, 10 + 0.25 * 200, 1e-4);
    p.scripts = learnt;
    predictor_tokens(&p, 0, 200, &n, 0, &in, &out);
    cr_assert_float_eq((double)in, 10 + 0.25 * (20 + 2 * 10) + 1.3 * 40, 1e-4);
    predictor_tokens(&p, 0, 200, &no_script, 0, &in, &out);
    cr_assert_eq((double)in, (double)before);
    float alike[2 * TOKEN_PARAMETERS];
    memcpy(alike, tokens, TOKEN_PARAMETERS * sizeof(*tokens));
    memcpy(alike + TOKEN_PARAMETERS, tokens, TOKEN_PARAMETERS * sizeof(*tokens));
    p.tokens = alike;
    predictor_tokens(&p, 1, 200, &n, 0, &in, &out);
    cr_assert_float_eq((double)in, 10 + 0.25 * (20 + 4 * 40) + 0.3 * 10, 1e-4);
}

/* Who came later has a deviation from the level of the others and leaves that level alone. */
Test(predictor, experts_apart_do_not_make_the_level)
{
    struct predictor p = make();
    const float x[EXPERTS] = {1, 3, 100}, zeros[EXPERTS] = {0}, slopes[2] = {1, 0.5f};
    const float *const one[] = {x};
    float out[EXPERTS];
    p.apart[2] = true;
    cr_assert(predictor_layout(&p));
    predictor_combine(&p, one, 1, zeros, slopes, out);
    cr_assert_float_eq((double)out[0], 2 - 0.5, 1e-6);
    cr_assert_float_eq((double)out[1], 2 + 0.5, 1e-6);
    cr_assert_float_eq((double)out[2], 2 + 0.5 * 98, 1e-5);
}

/* With a late source: silent, it changes nothing of `before`, to the last bit; else it is blended in. */
static void check_late(struct predictor *p, struct features *f, const float *before, float novelty,
                       float entropy)
{
    static const float mean[NGRAM_STATS],
        directions[NGRAM_STATS] = {0.2f, 0.1f},
        weights[2 * EXPERTS] = {1, -1, 0.5f, 0.1f, 0.2f, 0.3f},
        blend[BLEND_TERMS(1)] = {-1, 2, 1, 0.5f, 0.1f, 0.2f, 0.1f, 0.2f, 0.5f, 0.7f};
    const struct dense_head head = {NGRAM_STATS, 1, mean, directions, weights};
    float got[EXPERTS], in[EXPERTS], out[EXPERTS], share, logits[EXPERTS], wanted[EXPERTS];
    struct guard_view seen;
    p->sources[2] = (struct source){.ops = &dense_source,
                                    .encoder = 1,
                                    .of = NOWHERE,
                                    .experts = EXPERTS,
                                    .columns = EXPERTS,
                                    .length_at = NOWHERE,
                                    .state = &head};
    p->late_count = 1;
    p->blend = blend;
    f->said[1] = (struct encoding){.silent = true};
    predictor_run(p, f, got, in, out, &share, &seen);
    cr_assert_arr_eq(got, before, sizeof(got));
    f->said[1] = (struct encoding){.dense = f->said[0].dense};
    predictor_run(p, f, got, in, out, &share, &seen);
    const struct blend_view v = {.logits = {logits}, .novelty = novelty, .entropy = entropy};
    float component;
    dense_components(&head, f->said[0].dense, &component);
    dense_logits(&head, &component, EXPERTS, logits);
    memcpy(wanted, before, sizeof(wanted));
    blend_run(blend, 1, &v, EXPERTS, p->apart, wanted);
    cr_assert_arr_eq(got, wanted, sizeof(got));
    cr_assert(fabsf(got[0] - before[0]) > 1e-3f);
}

/* A guard for which every text is far: quality is the levels, and answers get longer by what is common to all. */
Test(predictor, far_from_training_experts_are_what_they_are_on_average)
{
    static const float scale[2 * NGRAM_STATS], whiten[NGRAM_STATS * NGRAM_STATS], none[NGRAM_STATS];
    static const float limits[GUARD_LIMITS] = {-2, -1, 0, 1, 0.5f, 3};
    static const float levels[EXPERTS] = {0.4f, -1, 2}, spread[SPREAD_TERMS] = {0.2f};
    uint16_t *weights = calloc((size_t)NGRAM_BUCKETS * WIDTH, sizeof(*weights));
    float bias[WIDTH] = {0}, got[EXPERTS], in[EXPERTS], out[EXPERTS], share;
    struct guard_view seen;
    const struct linear_head head = {GROUPS, WIDTH, weights, bias};
    struct predictor p = make();
    struct features f;
    cr_assert_not_null(weights);
    bias[EXPERTS + GROUPS] = 2; /* the predicted length */
    p.sources[0].state = &head;
    p.spread = spread;
    p.guard = (struct guard){.kinds = 1,
                             .statistics = NGRAM_STATS,
                             .scale = scale,
                             .whiten = whiten,
                             .centre = none,
                             .limits = limits,
                             .levels = levels};
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(features_encode(&f, p.encoders, 1, STR("What is 12 + 30?"), NULL), OK);
    predictor_run(&p, &f, got, in, out, &share, &seen);
    cr_assert_eq(seen.share, 1);
    cr_assert_eq(seen.far, 1);
    cr_assert_eq(share, 1);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_float_eq((double)got[e], sigmoid((double)levels[e]), 1e-5);
    /* The first expert's slopes are .5 and .1, the others have none: a third of each is common. */
    double log_out = 2 + 0.5 * 0.5 + 0.1 * 3 + 0.5 / 3 * (2 - 0.5) + 0.1 / 3 * (log1p(16) - 3);
    cr_assert_float_eq((double)out[0], (double)1.2f * exp(log_out) - 1, 1e-3);
    double usual = (double)1.2f * exp(2 + 0.5 * 0.5 + 0.1 * 3) - 1;
    predictor_usual_tokens(&p, 0, 0, &in[0], &out[0]);
    cr_assert_float_eq((double)out[0], usual, 1e-3);
    features_done(&f);
    free(weights);
}

/* A kind that little is known of: quality goes part of the way to its own level, tokens stay as they are, and a usual
 * text is one of the kind's. */
Test(predictor, of_a_kind_with_few_texts_the_level_is_its_own)
{
    static const float scale[2 * NGRAM_STATS], whiten[NGRAM_STATS * NGRAM_STATS], none[NGRAM_STATS];
    static const float limits[GUARD_LIMITS] = {1, 2, 2, 3, 0.5f, 3}, few[1] = {0.75f};
    static const float levels[EXPERTS] = {0.4f, -1, 2}, spread[SPREAD_TERMS] = {0.2f};
    static const float of_kind[GUARD_KIND_TERMS * EXPERTS] = {0.5f, 0, -1, 0.25f, 0, 0, -0.5f};
    uint16_t *weights = calloc((size_t)NGRAM_BUCKETS * WIDTH, sizeof(*weights));
    float bias[WIDTH] = {0}, plain[EXPERTS], got[EXPERTS], in[2][EXPERTS], out[2][EXPERTS], share;
    struct guard_view seen;
    const struct linear_head head = {GROUPS, WIDTH, weights, bias};
    struct predictor p = make();
    struct features f;
    cr_assert_not_null(weights);
    p.sources[0].state = &head;
    p.spread = spread;
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(features_encode(&f, p.encoders, 1, STR("What is 12 + 30?"), NULL), OK);
    predictor_run(&p, &f, plain, in[0], out[0], &share, &seen);
    cr_assert_eq(seen.share, 0);
    p.guard = (struct guard){.kinds = 1,
                             .statistics = NGRAM_STATS,
                             .scale = scale,
                             .whiten = whiten,
                             .centre = none,
                             .limits = limits,
                             .levels = levels,
                             .few = few,
                             .of_kind = of_kind};
    predictor_run(&p, &f, got, in[1], out[1], &share, &seen);
    cr_assert_eq(seen.share, few[0]);
    cr_assert_eq(seen.far, 0);
    for (size_t e = 0; e < EXPERTS; e++) {
        double own = log((double)plain[e] / (1 - (double)plain[e]));
        double level = (double)levels[e] + (double)of_kind[e];
        cr_assert_float_eq((double)got[e], sigmoid(0.25 * own + 0.75 * level), 1e-4);
    }
    cr_assert_arr_eq(in[0], in[1], sizeof(in[0]));
    cr_assert_arr_eq(out[0], out[1], sizeof(out[0]));
    double usual = (double)1.2f * exp(2 + 0.5 * 0.5 + 0.1 * 3) - 1;
    predictor_usual_tokens(&p, 0, 0, &in[0][0], &out[0][0]);
    cr_assert_float_eq((double)out[0][0], usual * exp(-0.5), 1e-3);
    features_done(&f);
    free(weights);
}

Test(predictor, run_is_the_stages_in_order)
{
    struct predictor p = make();
    uint16_t *weights = calloc((size_t)NGRAM_BUCKETS * WIDTH, sizeof(*weights));
    struct tree tree = {
        .nodes = 1, .features = {0}, .left = {-1}, .right = {-2}, .thresholds = {1}};
    float leaves[TREE_LEAVES_MAX * EXPERTS] = {0.1f, 0.2f, 0.3f, -1, -2, -3}, bias[WIDTH] = {0};
    float linear[WIDTH], features[FEATURES_MAX], second[EXPERTS], combined[EXPERTS];
    float corrections[EXPERTS] = {0}, wanted[EXPERTS], got[EXPERTS], in[EXPERTS], out[EXPERTS];
    const struct linear_head head = {GROUPS, WIDTH, weights, bias};
    struct features f;
    cr_assert_not_null(weights);
    for (size_t i = 0; i < (size_t)NGRAM_BUCKETS * WIDTH; i++)
        weights[i] = linear_to_bf16((float)(i * 7919 % 1000) / 1000 - 0.5f);
    p.sources[0].state = &head;
    p.forest = (struct forest){1, EXPERTS, &tree, leaves};
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(features_encode(&f, p.encoders, 1, STR("What is 12 + 30?"), NULL), OK);
    static const float spread[SPREAD_TERMS] = {0.2f, 0.01f, 0.1f, 0.3f};
    const struct encoding *said = &f.said[0];
    float share;
    struct guard_view seen;
    memset(weights + (size_t)said->buckets[0] * WIDTH, 0, WIDTH * sizeof(*weights));
    p.spread = spread;
    predictor_run(&p, &f, got, in, out, &share, &seen);
    linear_predict_bf16(weights, bias, WIDTH, said->buckets, said->values, said->count, linear);
    stack(&p, linear, said->dense, features, second);
    const float *const both[] = {linear, second};
    predictor_combine(&p, both, 2, base, base + EXPERTS, combined);
    forest_predict(&p.forest, features, corrections);
    predictor_calibrate(&p, combined, corrections, wanted);
    for (size_t e = 0; e < EXPERTS; e++) {
        float i, o;
        predictor_tokens(&p, e, 16, &no_script, linear[EXPERTS + GROUPS], &i, &o);
        cr_assert_eq((double)got[e], (double)wanted[e]);
        cr_assert_eq((double)in[e], (double)i);
        cr_assert_eq((double)out[e], (double)o);
    }
    float mean = (wanted[0] + wanted[1] + wanted[2]) / EXPERTS;
    float novelty = linear_novelty_bf16(weights, WIDTH, said->buckets, said->values, said->count);
    cr_assert(novelty > 0 && novelty < 1);
    cr_assert_eq((double)share,
                 (double)spread_share(spread, mean, features[p.entropy_at], novelty));
    cr_assert_eq((double)corrections[0], -1); /* log length is above 1 */
    check_late(&p, &f, got, novelty, features[p.entropy_at]);
    features_done(&f);
    free(weights);
}
