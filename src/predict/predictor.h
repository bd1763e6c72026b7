/* The learned numbers, and the one path from features to estimates that training, evaluation and the gateway share.
 *
 * Stages, in order (docs/orchestrator.md has the reasons):
 *   sources   each gives a logit per expert x_e (predict/model_source.h); one of them the length of answers, too
 *   base      the sources' logits, each split into the experts' common level and an expert's deviation from it,
 *             weighted by two slopes for each source, fitted on held-out folds: the slopes of the deviations are the
 *             shrinkage that keeps near-equal experts from being chosen on noise
 *   trees     statistics of the text and what the sources said → corrections t_e
 *   calibrate base and corrections, again common and deviation, and per expert a scale and an offset (Platt 1999)
 *   blend     what late sources say of the text, weighed by how unlike training it is (predict/blend.h)
 *   guard     far from training, what training knows of each expert on average (predict/guard.h)
 *   tokens    characters, by script where that was learnt, and predicted length → input and output tokens per expert
 *
 * A predictor only points; whoever made it owns the memory. Shapes: E experts, N sources, L late ones. */
#pragma once

#include "predict/blend.h"
#include "predict/guard.h"
#include "predict/model_source.h"
#include "predict/spread.h"
#include "predict/trees.h"

#define LEVEL_SLOPES       2 /* of anything split in levels: of the common one, of the deviations */
#define CALIBRATION_SLOPES (2 * LEVEL_SLOPES) /* of the base, of the corrections */
#define FEATURES_MAX       128                /* that trees look at */

enum token_parameter {
    TOKENS_IN_BASE,
    TOKENS_IN_PER_CHARACTER,
    TOKENS_OUT_BASE,
    TOKENS_OUT_LENGTH,
    TOKENS_OUT_LOG_CHARACTERS,
    TOKENS_OUT_SMEAR,
    TOKEN_PARAMETERS
};

/* A character of a script that was learnt is so many tokens; anything else is no tokenizer's doing. */
#define SCRIPT_TOKENS_MIN 0.05f
#define SCRIPT_TOKENS_MAX 8.0f

struct predictor {
    size_t experts, encoder_count, source_count;
    bool apart
        [EXPERTS_MAX]; /* experts that came later: they have a deviation, but no part in the common level */
    const struct encoder *encoders[ENCODERS_MAX];
    size_t late_count;                  /* sources behind those of the base stage */
    struct source sources[SOURCES_MAX]; /* [source_count + late_count] */
    const float *contrast;              /* [E] unit direction from the weak experts to the strong */
    const float *base;                  /* [E + LEVEL_SLOPES × N] intercepts, slopes */
    struct forest forest;
    const float *calibration; /* [CALIBRATION_SLOPES + 2E] slopes, scales, offsets */
    const float *blend;       /* [BLEND_TERMS(L)]; NULL where there are no late sources */
    const float *tokens;      /* [E × TOKEN_PARAMETERS] */
    const float *scripts;     /* [E × SCRIPTS] tokens a character, 0: not learnt; NULL: none is */
    const float *spread;      /* [SPREAD_TERMS] */
    struct guard guard;

    /* of predictor_layout: what trees look at is the encoders' statistics, then the mean of each source's logits, the
     * sources' facts, and each source's logits along `contrast` */
    size_t statistics, facts, features;
    size_t counted;       /* experts that make the common level */
    size_t entropy_at;    /* among them; NOWHERE: none */
    size_t length_source; /* NOWHERE: none */
};

/* Once encoders and sources are there. False: more than FEATURES_MAX. */
bool predictor_layout(struct predictor *p);

/* features [p->features] from what encoders and sources said. The facts are there already, from predictor_facts on. */
void predictor_stack(const struct predictor *p, const struct source_view *v, float *features);
/* Where the facts of a source go. */
float *predictor_facts(const struct predictor *p, size_t source, float *features);
/* logits[e] = intercepts[e] + for each x[count]: slopes · (common level, deviation). */
void predictor_combine(const struct predictor *p, const float *const *x, size_t count,
                       const float *intercepts, const float *slopes, float *logits);
/* Calibrated probabilities from base logits and tree corrections. */
void predictor_calibrate(const struct predictor *p, const float *base, const float *corrections,
                         float *quality);
/* How many groups of texts the sources tell apart: those of the first source that does; 0: none does. */
size_t predictor_groups(const struct predictor *p);
/* How much of a text is new to any source of the base stage, and how unsure its group is: what is unlike training is
 * told by (predict/blend.h). */
void predictor_newness(const struct predictor *p, const struct features *f, float *ret_novelty,
                       float *ret_entropy);
/* posterior[predictor_groups]: how likely the text is of each. */
void predictor_posterior(const struct predictor *p, const struct features *f, float *posterior);
/* Expected tokens of expert e; both at least 0, at most TOKENS_MAX. `scripts`: what `characters` are made of. */
#define TOKENS_MAX 1e7f
void predictor_tokens(const struct predictor *p, size_t expert, float characters,
                      const struct script_counts *scripts, float length, float *input_tokens,
                      float *output_tokens);
/* The same of a text of training's mean length, or where training has few texts of its kind, of these on average. The
 * predictor has a guard. */
void predictor_usual_tokens(const struct predictor *p, size_t expert, size_t kind,
                            float *input_tokens, float *output_tokens);
/* How many more input tokens characters[SCRIPTS] are, of scripts that were learnt, than at `slope` for each that
 * script_weight takes them for. */
double predictor_script_tokens(const struct predictor *p, size_t expert, const double *characters,
                               double slope);

/* Everything at once: quality [E], input_tokens [E], output_tokens [E]; *spread as spread_quality_sd takes it;
 * *seen what the guard makes of it. */
void predictor_run(const struct predictor *p, const struct features *f, float *quality,
                   float *input_tokens, float *output_tokens, float *spread,
                   struct guard_view *seen);
