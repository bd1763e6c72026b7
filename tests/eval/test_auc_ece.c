/* AUC and calibration error against their definitions. */
#include "eval/auc_ece.h"

#include "random_table.h"

static double auc(const float *p, const float *s, size_t n)
{
    double ret = -1;
    struct arena *a = arena_create(1 << 20);
    cr_assert_eq(metrics_auc(p, s, n, a, &ret, NULL), OK);
    arena_free(a);
    return ret;
}

static double auc_by_pairs(const float *p, const float *s, size_t n)
{
    double won = 0, pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (s[i] >= 0.5f && s[j] < 0.5f) {
                pairs++;
                won += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
            }
    return won / pairs;
}

Test(metrics, auc_counts_won_pairs)
{
    struct rng r;
    rng_seed(&r, 1);
    for (int round = 0; round < 50; round++) {
        float p[120], s[120];
        for (int i = 0; i < 120; i++) {
            p[i] = (float)rng_below(&r, 20) / 20; /* many ties */
            s[i] = rng_uniform(&r) < (double)p[i] ? 1.0f : 0.25f;
        }
        cr_assert_float_eq(auc(p, s, 120), auc_by_pairs(p, s, 120), 1e-12);
    }
}

Test(metrics, auc_at_its_ends)
{
    float up[] = {0.1f, 0.2f, 0.8f, 0.9f}, right[] = {0, 0, 1, 1}, wrong[] = {1, 1, 0, 0};
    float flat[] = {0.5f, 0.5f, 0.5f, 0.5f}, all[] = {1, 1, 1, 1};
    cr_assert_eq(auc(up, right, 4), 1.0);
    cr_assert_eq(auc(up, wrong, 4), 0.0);
    cr_assert_eq(auc(flat, right, 4), 0.5);
    cr_assert(isnan(auc(up, all, 4)));
    cr_assert(isnan(auc(up, right, 0)));
}

Test(metrics, calibration_error_by_hand)
{
    /* bins of 1/15: .50 and .52 share the eighth, .90 is alone. |1.02 - 1| + |.9 - 0| over three */
    float p[] = {0.50f, 0.52f, 0.90f}, s[] = {0, 1, 0};
    cr_assert_float_eq(metrics_ece(p, s, 3), (0.02 + 0.90) / 3, 1e-6);
    float edge[] = {0.0f, 1.0f}, same[] = {0, 1};
    cr_assert_eq(metrics_ece(edge, same, 2), 0.0);
    cr_assert_eq(metrics_ece(p, s, 0), 0.0);
}

Test(metrics, bins_hold_their_lower_edge_and_the_last_one_its_upper)
{
    cr_assert_eq(metrics_bin(0), 0);
    cr_assert_eq(metrics_bin(-0.1), 0);
    cr_assert_eq(metrics_bin(0.5 / METRICS_ECE_BINS), 0);
    cr_assert_eq(metrics_bin(1.5 / METRICS_ECE_BINS), 1);
    cr_assert_eq(metrics_bin(1), METRICS_ECE_BINS - 1);
    cr_assert_eq(metrics_bin(7), METRICS_ECE_BINS - 1);
}
