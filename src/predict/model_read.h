/* Parts of a model file that more than one reader needs. Internal to model.c and model_plans.c. */
#pragma once

#include "predict/safetensors.h"
#include "predict/trees.h"

/* An F32 tensor of shape [a], [a × b] or [a × b × c]; b SIZE_MAX: rank 1, c 0: rank 2. */
NODISCARD enum status model_read_floats(const struct safetensors *s, const char *name, size_t a,
                                        size_t b, size_t c, const float **ret, struct error *err);
/* The tensors PREFIX.trees and PREFIX.leaves. Every tree is checked: its children, its features below `features`. */
NODISCARD enum status model_read_forest(const struct safetensors *s, const char *prefix,
                                        size_t outputs, size_t features, struct forest *ret,
                                        struct error *err);
