/* AUC and calibration error of predictions against outcomes. */
#include "eval/auc_ece.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct ranked {
    float predicted;
    bool right;
};

static int compare_ranked(const void *a, const void *b)
{
    float x = ((const struct ranked *)a)->predicted, y = ((const struct ranked *)b)->predicted;
    return (x > y) - (x < y);
}

/* Pairs (right, wrong) won, ties half, walking the runs of equal predictions upwards. */
static double auc_sorted(const struct ranked *items, size_t count)
{
    double won = 0, right = 0, wrong = 0;
    for (size_t i = 0; i < count;) {
        double run_right = 0, run_wrong = 0;
        float value = items[i].predicted;
        for (; i < count && items[i].predicted == value; i++) {
            run_right += items[i].right;
            run_wrong += !items[i].right;
        }
        won += run_right * (wrong + run_wrong / 2);
        right += run_right;
        wrong += run_wrong;
    }
    return right > 0 && wrong > 0 ? won / (right * wrong) : NAN;
}

enum status metrics_auc(const float *predicted, const float *score, size_t count, struct arena *a,
                        double *ret, struct error *err)
{
    struct ranked *items = ARENA_ARRAY(a, count, struct ranked);
    if (!items && count)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        items[i] = (struct ranked){predicted[i], score[i] >= 0.5f};
    if (count)
        qsort(items, count, sizeof(*items), compare_ranked);
    *ret = auc_sorted(items, count);
    return OK;
}

size_t metrics_bin(double predicted)
{
    double place = predicted * METRICS_ECE_BINS;
    size_t bin = place > 0 ? (size_t)place : 0;
    return bin < METRICS_ECE_BINS ? bin : METRICS_ECE_BINS - 1;
}

double metrics_ece(const float *predicted, const float *score, size_t count)
{
    double gap[METRICS_ECE_BINS] = {0};
    for (size_t i = 0; i < count; i++) {
        double p = (double)predicted[i];
        gap[metrics_bin(p)] += p - (double)score[i];
    }
    double sum = 0;
    for (size_t b = 0; b < METRICS_ECE_BINS; b++)
        sum += fabs(gap[b]);
    return count ? sum / (double)count : 0;
}
