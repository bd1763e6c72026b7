/* The last step of writing any model (docs/model-file.md). Internal to the files that write models. */
#pragma once

#include "train/model_tensors.h"
#include "train/train.h"

/* Metadata of `p` and tensors[count] become the file; it appears under its name only when it is whole. */
NODISCARD enum status model_tensors_write(const struct model_parts *p,
                                          const struct model_tensor *tensors, size_t count,
                                          const char *path, struct error *err);
/* The same bytes appended to `out`. */
NODISCARD enum status model_tensors_bytes(const struct model_parts *p,
                                          const struct model_tensor *tensors, size_t count,
                                          struct buf *out, struct error *err);
