/* What a model that had nothing of a row's domain would have said of it: the estimates by which training learns what to
 * do with texts that are unlike it (train/blend_fit.h). */
#pragma once

#include "train/train_int.h"

#define UNSEEN_FOLDS 4

struct unseen {
    uint8_t
        *folds; /* [rows] of whole domains; NULL: too few domains, or outcomes, to hold any out */
    float *quality;           /* [rows × experts] */
    float *novelty, *entropy; /* [rows] */
};

/* Into the scratch arena of the work, whose table is filled. Trains UNSEEN_FOLDS times without late sources. */
NODISCARD enum status train_unseen(struct train_work *w, struct unseen *ret, struct error *err);
