/* Bradley and Terry: see pairwise.h. */
#include "judge/pairwise.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

#define SWEEPS 60 /* of one Newton step for each answer */

static double wins(double a, double b)
{
    return 1 / (1 + exp(b - a));
}

/* One step towards the maximum of the posterior in one answer's strength. */
static void step(const struct pairwise_game *games, size_t count, size_t i, double *strength)
{
    double slope = -strength[i], bend = 1;
    for (size_t g = 0; g < count; g++) {
        const struct pairwise_game *x = &games[g];
        if (x->a != i && x->b != i)
            continue;
        const double p = wins(strength[x->a], strength[x->b]);
        slope += x->a == i ? x->a_share - p : p - x->a_share;
        bend += p * (1 - p);
    }
    strength[i] += slope / bend;
}

void pairwise_scores(const struct pairwise_game *games, size_t count, size_t n, double *scores)
{
    double strength[PAIRWISE_ANSWERS_MAX];
    CHECK(n >= 2 && n <= PAIRWISE_ANSWERS_MAX);
    memset(strength, 0, sizeof(strength));
    for (size_t sweep = 0; sweep < SWEEPS; sweep++)
        for (size_t i = 0; i < n; i++)
            step(games, count, i, strength);
    for (size_t i = 0; i < n; i++) {
        scores[i] = -0.5; /* against itself */
        for (size_t j = 0; j < n; j++)
            scores[i] += wins(strength[i], strength[j]);
        scores[i] /= (double)(n - 1);
    }
}
