/* All tensors of a model, in the order of its file. Internal to the files that write models. */
#pragma once

#include "predict/model_parts.h"
#include "train/model_tensor.h"

#define MODEL_TENSORS_MAX 128

/* ret[MODEL_TENSORS_MAX]; names live in `a`. Wide types come first, so that every tensor is aligned without gaps.
 * ERR_UNSUPPORTED: a source is of a kind that cannot be written here. */
NODISCARD enum status model_tensors(const struct model_parts *p, struct arena *a,
                                    struct model_tensor *ret, size_t *ret_count, struct error *err);
