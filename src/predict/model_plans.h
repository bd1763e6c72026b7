/* Plans out of the model file: a list of what they are in the metadata, their heads and escalations as tensors
 * (docs/model-file.md). Internal to model.c. */
#pragma once

#include "predict/model.h"
#include "predict/safetensors.h"

/* `text` is the metadata value; names and structs live in `a`, tensors stay in the file. ERR_CORRUPT. */
NODISCARD enum status model_plans_read(const struct safetensors *s, struct str text,
                                       const struct model_expert *experts, size_t expert_count,
                                       struct arena *a, struct plan_set *ret, struct error *err);
