/* Plans in the model file: a list of what they are in the metadata, their heads and checks as tensors
 * (docs/model-file.md). Internal to model.c and model_write.c. */
#pragma once

#include "predict/model.h"
#include "predict/safetensors.h"
#include "predict/train.h"

#define MODEL_PLANS_ITEMS_MAX (1 + 5 * PLAN_CHECKS_MAX)

/* The metadata value, a JSON list. */
void model_plans_describe(const struct trained *t, struct buf *out);
/* items[MODEL_PLANS_ITEMS_MAX]: first the F32 tensors, from *ret_bytes_from on the U8 ones. Returns how many. */
size_t model_plans_items(const struct trained *t, struct safetensors_item *items,
                         size_t *ret_bytes_from);
/* `text` is the metadata value; names and structs live in `a`, tensors stay in the file. ERR_CORRUPT. */
NODISCARD enum status model_plans_read(const struct safetensors *s, struct str text,
                                       const struct model_expert *experts, size_t expert_count,
                                       struct arena *a, struct plan_set *ret, struct error *err);
