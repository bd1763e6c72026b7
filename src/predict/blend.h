/* The stage behind calibration: what late sources say (predict/model_source.h), weighed by how unlike training a text
 * is. On logits; z of the calibrated quality, d of each source, both split into the experts' common level and an
 * expert's deviation from it, as in the base stage:
 *
 *   z' = z + g · (level of z − centre) + Σ over sources of a · (d − z)
 *        a: a weight of the levels, another one of the deviations
 *   a  = known + (fresh − known) · unlike, g alike
 *   unlike = sigmoid(c · (1, novelty, entropy of the text's group))
 *
 * `unlike` is how likely the text is of a domain that training had nothing of; train/blend_fit.h learns it, and the
 * weights. g is there because the level is what a model still knows of texts that are unlike its training, where it
 * knows little of who deviates from it. Where all late sources are silent nothing changes, to the last bit; one that
 * is silent has the weight 0. */
#pragma once

#include "predict/model_source.h"

#define BLEND_UNLIKE_TERMS 3 /* of c */
#define BLEND_LEVEL_TERMS  3 /* centre, g where known, g where fresh */
#define BLEND_SOURCE_TERMS 4 /* known level, known deviation, fresh level, fresh deviation */
#define BLEND_TERMS(late)  (BLEND_UNLIKE_TERMS + BLEND_LEVEL_TERMS + BLEND_SOURCE_TERMS * (late))

/* What is known of a text when the stage runs. */
struct blend_view {
    /* [experts] of each late source; NULL: it is silent. NAN: it says nothing of an expert that is apart, which then
     * moves with the level alone. */
    const float *logits[SOURCES_MAX];
    float novelty, entropy;
};

/* terms[BLEND_UNLIKE_TERMS] that c multiplies. */
void blend_unlike_terms(float novelty, float entropy, float *terms);
float blend_unlike(const float *blend, float novelty, float entropy);
/* parameters[BLEND_TERMS(late)] of the stage; quality[experts] in place. apart[experts]: who has no part in the level.
 * Probabilities in, probabilities out, whatever the parameters. */
void blend_run(const float *blend, size_t late, const struct blend_view *v, size_t experts,
               const bool *apart, float *quality);
/* A probability's logit, as the stage takes it. */
float blend_logit(float quality);
