/* Questions as a model sees them: what it says of its experts' answers, and which group it takes them for. */
#pragma once

#include "enroll/enroll.h"
#include "predict/linear.h"

struct seen {
    size_t rows, known, groups; /* known: experts of the model that can be chosen */
    double *logits;             /* [rows × known] of a good answer */
    double *scores;             /* [rows × known] of recorded answers; negative: unknown */
    double *posterior;          /* [rows × groups] */
    float *input_tokens, *output_tokens; /* [rows × known] */
    bool *
        remembered; /* [rows] whether the model was trained on it and no held-out estimate is kept */
};

enum seen_as {
    SEEN_HELD_OUT, /* as if the model had not been trained on them, where it keeps such estimates */
    SEEN_NOW       /* as it would say now; scores are left out */
};

/* Everything lives in `a`. ERR_MEMORY, or what an encoder fails with. */
NODISCARD enum status seen_make(const struct model *m, const struct enroll_row *rows, size_t count,
                                enum seen_as as, struct arena *a, struct seen *ret,
                                struct error *err);

double seen_logit(double p);
double seen_sigmoid(double x);
