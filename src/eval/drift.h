/* For which experts recent outcomes differ from what a model says of them: a provider may have changed one silently.
 *
 * Of each expert the mean residual, score − estimated quality, over its questions, with an error that counts
 *   - chance: the residuals' spread, at least what the estimates themselves say of it,
 *   - difficulty: outcomes of one question share it, and a set of questions may be harder than its texts tell. What the
 *     other experts' residuals on the same questions explain is taken off, as far as they explain it (a control
 *     variate), and of what is left the part that a shift of all would leave counts as error. Experts found to have
 *     drifted are nobody's comparison any more, the surest first,
 *   - the model's doubt: it learnt the expert from so many outcomes, with the same chance in them; and other questions
 *     lie otherwise among its estimates, which are off by the calibration error here and there: half of that.
 * A difference below the expert's calibration error, found held out in training, is never called drift. Where scores
 * are feedback, whose level is not that of the training, an expert is compared with its own earlier residuals, else
 * with the others' recent ones.
 *
 * Length drifts, too: output tokens over what was expected, compared by their logarithms, because a few answers that
 * do not end would make any mean. Where tokens are unknown, cost, with the expert's own earlier rows. Its floor is
 * DRIFT_LENGTH_FLOOR. What a call costs on average is told beside, with its error, and not tested.
 *
 * All tests of all experts, of score and of length, are corrected together (Holm 1979): the chance that anything at all
 * is called drift while nothing drifts is at most alpha. */
#pragma once

#include "base/arena.h"

#define DRIFT_ROWS_MIN     30   /* of an expert, to say anything */
#define DRIFT_LENGTH_FLOOR 0.1  /* lengths differ by that much between sets of questions */
#define DRIFT_FLOOR        0.02 /* where the model does not know its calibration error */

struct drift_row {
    size_t question; /* rows with the same number are about the same question */
    size_t expert;
    float score, estimated; /* 0..1 */
    float estimated_sd;     /* how far the question's own probability may lie from it */
    bool earlier;           /* than the outcomes that are asked about */
    /* Of the answer and as estimated: output tokens, USD. 0: unknown. */
    double tokens, estimated_tokens, usd, estimated_usd;
};

struct drift_known {          /* what the model says of an expert */
    size_t outcomes;          /* it was learnt from */
    double calibration_error; /* NaN: unknown */
    /* Mean and spread of ln(tokens / estimated), as lengths are skewed; NaN: unknown. */
    double length_log, length_log_sd;
};

enum drift_basis {
    DRIFT_TOO_FEW,
    DRIFT_NOTHING, /* nothing to compare with: feedback alone, or the model has no outcomes of it */
    DRIFT_MODEL,   /* compared with the model alone */
    DRIFT_PAIRED,  /* with the model and the other experts on the same questions */
    DRIFT_EARLIER, /* with its own earlier rows */
    DRIFT_OTHERS   /* with the other experts' recent rows */
};

struct drift_test {
    double difference; /* of score: recorded less expected; of length: ratio less 1 */
    double error;      /* standard error */
    double z;          /* in such errors; of length that of the logarithms */
    double floor;
    size_t rows; /* recent ones that it is of */
    double p;    /* two-sided, corrected; NaN: not tested */
    bool drifted;
};

struct drift_expert {
    enum drift_basis basis;
    size_t rows, earlier;    /* recent ones, and those before */
    double score, estimated; /* means of the recent rows */
    struct drift_test quality, length;
    double usd, usd_ratio, usd_ratio_error; /* mean cost, over what was estimated; NaN: unknown */
};

struct drift_input {
    const struct drift_row *rows;
    size_t row_count, question_count, expert_count;
    const struct drift_known *known; /* [expert_count] */
    bool feedback;                   /* scores are opinions */
    double alpha;
};

/* ret[expert_count]. Scratch comes from `a`. ERR_MEMORY. */
NODISCARD enum status drift_find(const struct drift_input *in, struct arena *a,
                                 struct drift_expert *ret, struct error *err);
const char *drift_basis_name(enum drift_basis basis); /* "model", "same questions", ... */
