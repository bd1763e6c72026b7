/* A tensor with another list of experts and plans. Internal to model_edit.c. */
#pragma once

#include "train/model_tensor.h"

/* Numbers of one expert out of one tensor: for each part of the axis that is the experts', for each row before the
 * axis, the elements behind it. */
struct expert_slice {
    const char *tensor;
    bool is_floats; /* F32 */
    size_t bytes;
    unsigned char *data;
};

/* What becomes of the elements along an axis. */
struct axis_edit {
    size_t experts, listed, plans; /* before */
    const bool *keeps_experts;     /* [experts] of PART_EXPERTS and PART_LEARNT; NULL: all stay */
    const bool *keeps_listed;      /* [listed] of PART_LISTED */
    const bool *keeps_plan;        /* [plans] */
    const struct expert_slice *added; /* [added_count] of this tensor */
    size_t added_count;
};

/* Whether a tensor has an element for each expert, and how many bytes belong to one: 0 also where it has no rows. */
bool tensor_has_experts(const struct model_tensor *t);
size_t tensor_expert_bytes(const struct model_tensor *t);
/* into[tensor_expert_bytes] of one expert: its place among all, and among those that are listed. */
void tensor_expert_read(const struct model_tensor *t, const struct axis_edit *before, size_t expert,
                        size_t listed, unsigned char *into);
/* *ret with new bytes in `a` and a new shape. A tensor without parts is *t itself. ERR_MEMORY. */
NODISCARD enum status tensor_edit(const struct model_tensor *t, const struct axis_edit *edit,
                                  struct arena *a, struct model_tensor *ret, struct error *err);
/* Mixes what belongs to no expert and to no plan into a hash. */
uint64_t tensor_shared_hash(const struct model_tensor *t, const struct axis_edit *before,
                            uint64_t hash);
