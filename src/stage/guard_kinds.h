/* What is known of kinds of texts (fit/kinds.h) of which training has few: the experts' levels there, and how long
 * texts and answers are. A hundred outcomes tell of a new kind who is good at it on the whole; what single texts of it
 * are like they hardly tell, so estimates there are taken back towards such levels (predict/guard.h). */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "predict/guard.h"

struct guard_outcomes {
    size_t rows, experts;
    const float *said; /* [rows × stride] statistics first */
    size_t stride;
    const float *scores;                       /* [rows × experts] negative: unknown */
    const float *weights;                      /* [rows × experts] */
    const float *input_tokens, *output_tokens; /* [rows × experts] recorded; negative: unknown */
    const float *levels;                       /* [experts] of all of training, logits */
    const float *usual_input, *usual_output;   /* [experts] tokens of a text of mean length */
};

/* Sets few and of_kind of a guard that is fitted; both stay NULL where training has enough of every kind. What they
 * point to lives in the arena. Deterministic. ERR_MEMORY. */
NODISCARD enum status guard_kinds_fit(const struct guard_outcomes *o, struct arena *a,
                                      struct guard *g, struct error *err);
