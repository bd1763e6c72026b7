/* Plans to the model file: a list of what they are in the metadata, their heads and checks as tensors
 * (docs/model-file.md). Internal to model_write.c. */
#pragma once

#include "predict/safetensors.h"
#include "train/train.h"

#define MODEL_PLANS_ITEMS_MAX (1 + 5 * PLAN_CHECKS_MAX)

/* The metadata value, a JSON list. */
void model_plans_describe(const struct trained *t, struct buf *out);
/* items[MODEL_PLANS_ITEMS_MAX]: first the F32 tensors, from *ret_bytes_from on the U8 ones. Returns how many. */
size_t model_plans_items(const struct trained *t, struct safetensors_item *items,
                         size_t *ret_bytes_from);
