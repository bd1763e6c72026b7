/* Late sources: learning them, how hard their weights are pulled to zero, how much each counts where a text is as
 * training knows it and where it is unlike, and whether it is worth having at all (predict/blend.h).
 *
 * Everything is judged on rows held out in two ways, which count alike: by text, as the stages before are, and by whole
 * domains (train/unseen.h); in a data set of too few domains by text alone. */
#pragma once

#include "train/train_int.h"

/* Once the base stage's estimates of all rows are in w->quality, held out: learns the late sources, drops those that
 * are not worth it, with encoders that nobody reads then, sets the predictor's blend and puts what the blended model
 * says into w->quality. novelty and entropy [rows] are those of the rows held out by text. Without late sources nothing
 * happens. */
NODISCARD enum status train_blend(struct train_work *w, const float *novelty, const float *entropy,
                                  struct error *err);
