/* A newcomer's part of a trained model, from few outcomes of it and without the data that the model was trained from.
 *
 * How the known experts lie among each other says how a newcomer may lie among them: its logit of a good answer is
 *
 *   a + b · level + Σ u_e · (deviation of expert e) + Σ d_g · (posterior of group g)
 *
 * in the known experts' logits on a text, each less its mean; level is their mean, a deviation what is left. Where a
 * newcomer is expected to be before any outcome is the caller's to say (prior/prior.h does); outcomes pull it from
 * there as far as unlike experts differ. Such a logit is a mix of the known experts' numbers, so that the newcomer
 * becomes an expert like any other, apart (train/model_edit.h): the others' estimates stay the same to the bit. */
#pragma once

#include "train/model_edit.h"

#define ENROLL_ROWS_MAX 65536

/* A question, and what is known of its answers. */
struct enroll_row {
    struct str text;    /* the prompt */
    uint64_t text_hash; /* of the query, as a data set has it; 0: unknown */
    float score;        /* of the newcomer's answer, 0..1; negative: unknown */
    float confidence;   /* how far that is to be believed, up to 1; 0: not said, and counts as 1 */
    int32_t input_tokens, output_tokens; /* of the newcomer; 0: unknown */
    double cost_usd;                     /* of the newcomer; 0: unknown */
    const float *others; /* [experts of the model] scores, negative: unknown; NULL: none is known */
};

/* What is believed of a newcomer before its outcomes count. */
struct enroll_belief {
    double accuracy, accuracy_sd; /* over the questions that the model was trained on */
    size_t like; /* the expert of the model that it is like; SIZE_MAX: those of its accuracy */
    double input_tokens, output_tokens; /* of an answer, where the model's experts tell nothing */
};

struct enroll_newcomer {
    struct str name;
    struct price price;
    struct enroll_belief belief;
    const struct enroll_row *rows; /* [row_count] */
    size_t row_count;
};

/* What was learnt. */
struct enroll_figures {
    size_t outcomes;              /* of the newcomer, that it was learnt from */
    size_t compared;              /* questions of them on which known experts have outcomes, too */
    double accuracy, accuracy_sd; /* over the questions that the model was trained on */
    double usd_per_1k;            /* mean cost there */
    double share
        [MODEL_EXPERTS_MAX]; /* [experts of the model] how much of each is in it; they sum to about 1 */
};

/* *ret lives in `a`, to be added by model_rewrite. ERR_MEMORY. Takes a copy of the model's weights in memory and some
 * milliseconds: not for a thread that serves. */
NODISCARD enum status enroll_fit(const struct model *m, const struct enroll_newcomer *newcomer,
                                 struct arena *a, struct expert_parameters *ret,
                                 struct enroll_figures *figures, struct error *err);
