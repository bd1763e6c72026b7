/* What a model is made of. A loaded model points into its file, one just trained into the arena of training; both are
 * written by train/model_write.c. For predict and train; whoever decides has predict/model.h. */
#pragma once

#include "base/arena.h"
#include "predict/model.h"
#include "predict/plan_set.h"
#include "predict/predictor.h"

enum { SAMPLE_TEXT_CHARACTERS, SAMPLE_TEXT_LENGTH, SAMPLE_TEXT };

struct model_parts {
    struct predictor predictor;
    /* [predictor.experts], in the order of the sources' columns. Some may be hidden: they were taken out of the model,
     * but the common level of the others is what it is because of them. */
    struct model_expert *experts;
    size_t listed;                /* experts that are not hidden */
    uint16_t column[EXPERTS_MAX]; /* [listed] where an expert that can be chosen is among all */
    struct plan_set plans;
    const uint64_t *text_hashes; /* [text_count] ascending: what it was trained on */
    size_t text_count;
    const float *sample_quality, *sample_cost_usd; /* [sample × arms] held-out estimates */
    const uint64_t *sample_hashes; /* [sample] of their texts; NULL: the file does not say */
    size_t sample;
    /* [sample × sample_text_width] how long its texts are, so that its costs are known at any price: both as the
     * enum says, and where tokens of scripts were learnt the characters of each. NULL: a file of an earlier build. */
    const float *sample_text;
    size_t sample_text_width;
    /* How much experts are right and wrong together (predict/shared_factor.h), if the file says so. */
    bool shared_sd_known;
    float shared_sd;
    struct str training; /* a JSON object: what it was trained from and how */
    struct str leeroo;   /* the version that trained it */
    /* A day, "2026-11-30", by which it was trained; empty in a file as training writes it, which knows no time so that
     * the same data give the same bytes. The first edit notes it (train/model_edit.h). */
    struct str trained_by;
};

const struct model_parts *model_parts(const struct model *m);

/* Fills listed, column and the predictor's `apart` from `experts`; before predictor_layout. */
void model_parts_list(struct model_parts *p);
/* The levels that the predictor's guard goes by, if it has one, from `experts`; once their accuracies are there. */
NODISCARD enum status model_parts_level(struct model_parts *p, struct arena *a, struct error *err);
/* Tokens that expert `column` of `by` is expected to take in and put out for a row of the sample; false: the file is
 * of an earlier build, and does not say how long its texts are. */
bool model_sample_tokens(const struct model_parts *p, const struct predictor *by, size_t column,
                         size_t row, struct estimate *into);
/* estimates [listed + plans], as model_estimate. */
void model_parts_estimate(const struct model_parts *p, const struct features *f,
                          struct estimate *estimates);
