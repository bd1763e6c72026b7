/* Late sources on top of calibrated estimates, against the formula of predict/blend.h in double precision. */
#include "predict/blend.h"

#include <math.h>
#include <string.h>

#include <criterion/criterion.h>

#define EXPERTS 3

static const bool none_apart[EXPERTS], last_apart[EXPERTS] = {false, false, true};
static const float quality[EXPERTS] = {0.3f, 0.8f, 0.55f}, one[EXPERTS] = {0.4f, 1.2f, -0.7f},
                   two[EXPERTS] = {-1, 2, 0.5f};
static const float blend[BLEND_TERMS(2)] = {-2,   8,    1.5f, 0.6f, 0.1f, 0.4f, 0.1f,
                                            0.2f, 0.4f, 0.9f, 0,    0.3f, 0.5f, 0};

static double logit(double q)
{
    return log(q / (1 - q));
}

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

static double mean(const float *x, size_t counted)
{
    double sum = 0;
    for (size_t e = 0; e < counted; e++)
        sum += (double)x[e] / (double)counted;
    return sum;
}

/* Expert e, where the first `counted` make the level. */
static double expected(const float *const *said, size_t late, double novelty, double entropy,
                       size_t counted, size_t e)
{
    double unlike =
        sigmoid((double)blend[0] + (double)blend[1] * novelty + (double)blend[2] * entropy);
    double z[EXPERTS], level = 0, sum;
    for (size_t i = 0; i < EXPERTS; i++)
        z[i] = logit((double)quality[i]);
    for (size_t i = 0; i < counted; i++)
        level += z[i] / (double)counted;
    sum = z[e] +
          ((double)blend[4] + (double)(blend[5] - blend[4]) * unlike) * (level - (double)blend[3]);
    for (size_t k = 0; k < late; k++) {
        const float *w = blend + BLEND_TERMS(k);
        double between = said[k] ? mean(said[k], counted) - level : 0;
        if (!said[k])
            continue;
        sum += ((double)w[0] + (double)(w[2] - w[0]) * unlike) * between;
        sum +=
            ((double)w[1] + (double)(w[3] - w[1]) * unlike) * ((double)said[k][e] - z[e] - between);
    }
    return sigmoid(sum);
}

Test(blend, is_the_formula)
{
    const float *both[] = {one, two}, *second[] = {NULL, two};
    for (int silent = 0; silent < 2; silent++)
        for (int apart = 0; apart < 2; apart++) {
            struct blend_view v = {.novelty = 0.1f, .entropy = 0.9f};
            const float *const *said = silent ? second : both;
            float q[EXPERTS];
            memcpy(v.logits, said, 2 * sizeof(*said));
            memcpy(q, quality, sizeof(q));
            blend_run(blend, 2, &v, EXPERTS, apart ? last_apart : none_apart, q);
            for (size_t e = 0; e < EXPERTS; e++)
                cr_assert_float_eq(q[e], expected(said, 2, 0.1, 0.9, EXPERTS - (size_t)apart, e),
                                   1e-5, "silent %d apart %d expert %zu", silent, apart, e);
        }
}

Test(blend, where_all_are_silent_nothing_changes)
{
    const float odd[EXPERTS] = {0, 1, 0.12345679f};
    const struct blend_view v = {.novelty = 0.7f, .entropy = 2};
    float q[EXPERTS];
    memcpy(q, odd, sizeof(q));
    blend_run(blend, 2, &v, EXPERTS, none_apart, q);
    cr_assert_arr_eq(q, odd, sizeof(q));
}

Test(blend, weights_go_from_those_of_the_known_to_those_of_the_unlike)
{
    const float steep[BLEND_TERMS(1)] = {-50, 100, 0, 0, 0, 0, 0, 0, 1, 1};
    struct blend_view known = {.logits = {one}, .novelty = 0},
                      fresh = {.logits = {one}, .novelty = 1};
    float q[EXPERTS];
    memcpy(q, quality, sizeof(q));
    blend_run(steep, 1, &known, EXPERTS, none_apart, q);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_float_eq(q[e], quality[e], 1e-6);
    blend_run(steep, 1, &fresh, EXPERTS, none_apart, q);
    for (size_t e = 0; e < EXPERTS; e++)
        cr_assert_float_eq(q[e], sigmoid((double)one[e]), 1e-6);
}

Test(blend, probabilities_come_out_whatever_the_parameters)
{
    const float wild[] = {0, 1, NAN, INFINITY, -INFINITY, 1e30f};
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        float forged[BLEND_TERMS(1)], d[EXPERTS] = {wild[i], 0, -wild[i]}, q[EXPERTS];
        struct blend_view v = {.logits = {d}, .novelty = wild[i], .entropy = 1};
        for (size_t k = 0; k < BLEND_TERMS(1); k++)
            forged[k] = wild[(i + k) % (sizeof(wild) / sizeof(wild[0]))];
        memcpy(q, quality, sizeof(q));
        blend_run(forged, 1, &v, EXPERTS, none_apart, q);
        for (size_t e = 0; e < EXPERTS; e++)
            cr_assert(q[e] >= 0 && q[e] <= 1);
    }
}
