/* What unlike experts agree on, where no question has a reference: how probable it is that each answer is right.
 *
 * A question has a true answer, a difficulty, and one wrong answer that tempts; an expert is right with probability
 * sigmoid(ability - difficulty), else it is tempted at times, and else picks any other wrong answer. Abilities are
 * found by EM (Dawid and Skene 1979 with one coin an expert; GLAD's difficulty, Whitehill et al. 2009), so that what is
 * agreed on by chance counts little where there are few choices. Experts of one family which agree more with each
 * other than with any stranger share their votes, and a question's posterior is flattened by
 * 1 / (1 + CONSENSUS_CORRELATION (n - 1)) for n votes, because even unlike experts err together. Deterministic: no
 * random numbers. docs/judge.md has what was measured. */
#pragma once

#include <stdint.h>

#include "base/arena.h"

#define CONSENSUS_CORRELATION  0.1 /* of two unlike experts' errors, beyond what the model says */
#define CONSENSUS_OPEN_ANSWERS 20  /* answers that a question without choices is thought to have */
#define CONSENSUS_EXPERTS_MAX  256

struct consensus_input {
    const uint16_t
        *classes; /* [questions × experts], as answer_class of outcomes: equal ones agree; 0:
                                no answer, or not asked */
    const uint32_t *choices; /* [questions]; 0: an open question */
    const uint16_t
        *truths; /* [questions]: the right class where it is known, else 0; NULL: nowhere */
    const uint16_t
        *families; /* [experts]: equal ones are kin by name (judge/family.h), 0: of its own;
                                 NULL: all unlike */
    size_t questions, experts;
};

struct consensus {
    float *
        right; /* [questions × experts]: probability that the answer is right; 0 where there is none */
    uint16_t *label; /* [questions]: the likeliest class; 0 when nobody answered */
    float *sure;     /* [questions]: its probability */
    double *
        reliability; /* [experts]: share of its answers that are right; of one without answers, the mean */
    double *
        share; /* [experts]: mean weight of its votes: 1 for a stranger, 0.5 for one of two copies, 0 without votes */
};

/* families[i] for these names: equal for kin. */
void consensus_families(const struct str *names, size_t count, uint16_t *ret);
/* The result lives in `a`. ERR_TOO_LARGE over CONSENSUS_EXPERTS_MAX experts. */
NODISCARD enum status consensus_run(const struct consensus_input *in, struct arena *a,
                                    struct consensus *ret, struct error *err);

/* How sure a score of this probability is, as the confidence of an outcome: 0.5 for a toss of a coin, 1 for certain. */
static inline float consensus_confidence(float right)
{
    return right > 0.5f ? right : 1 - right;
}
