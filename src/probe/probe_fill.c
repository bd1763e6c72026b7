/* What a candidate's answer to one question says of questions like it. Whoever was right once may be wrong on the next
 * of the kind, so an answer counts for a part of itself and for a part of what was to be expected: by how able the
 * candidate is and how easy the question, logistic(ability + ease), both fitted to all answers (Rasch 1960). The less
 * was asked, the more expectation; what is unknown is all expectation. Two members that solve the same question then
 * are worth more than one, and a weak candidate that was lucky on a few is not taken for a strong one's complement:
 * with 135 questions of MMLU-Pro, sets of five chosen so lose half of what plain ones do (bench/universe.md). */
#include "probe/probe_int.h"

#include <math.h>
#include <string.h>

#define HALF_ROWS         100.0 /* after so many rows, answer and expectation count alike */
#define FIT_ROUNDS        15
#define ABILITY_PRECISION 0.05 /* of the normal that is believed before */
#define EASE_PRECISION    0.25

double probe_smoothing(const struct probe *p)
{
    return 1 / (1 + sqrt((double)p->decided / HALF_ROWS));
}

static double expected(double ability, double ease)
{
    return 1 / (1 + exp(-(ability + ease)));
}

/* A Newton step of one parameter: each known score pulls it. */
struct step {
    double slope, curve;
};

static void pull(struct step *s, float score, double rate)
{
    if (score < 0)
        return;
    s->slope += (double)score - rate;
    s->curve += rate * (1 - rate);
}

static void fit_abilities(const struct probe *p, double *abilities)
{
    for (size_t c = 0; c < p->o.candidates; c++) {
        struct step s = {-abilities[c] * ABILITY_PRECISION, ABILITY_PRECISION};
        for (size_t r = 0; r < p->decided; r++)
            pull(&s, probe_row(p, r)[c], expected(abilities[c], p->ease[r]));
        abilities[c] += s.slope / s.curve;
    }
}

/* With mean 0, for abilities could make up for any other. */
static void fit_ease(struct probe *p, const double *abilities)
{
    double sum = 0;
    for (size_t r = 0; r < p->decided; r++) {
        struct step s = {-p->ease[r] * EASE_PRECISION, EASE_PRECISION};
        for (size_t c = 0; c < p->o.candidates; c++)
            pull(&s, probe_row(p, r)[c], expected(abilities[c], p->ease[r]));
        p->ease[r] += s.slope / s.curve;
        sum += p->ease[r];
    }
    for (size_t r = 0; r < p->decided; r++)
        p->ease[r] -= sum / (double)p->decided;
}

void probe_fill(struct probe *p, enum probe_view view)
{
    double abilities[CANDIDATES_MAX] = {0};
    const double share = view == PROBE_SMOOTHED ? probe_smoothing(p) : 0;
    memset(p->ease, 0, p->decided * sizeof(*p->ease));
    for (int i = 0; i < FIT_ROUNDS; i++) {
        fit_abilities(p, abilities);
        fit_ease(p, abilities);
    }
    for (size_t r = 0; r < p->decided; r++) {
        const float *row = probe_row(p, r);
        for (size_t c = 0; c < p->o.candidates; c++) {
            const double rate = expected(abilities[c], p->ease[r]);
            const double score = row[c] < 0 ? rate : (1 - share) * (double)row[c] + share * rate;
            p->columns[c * p->o.questions + r] = (float)(1 - score);
        }
    }
}
