/* A tensor of a model file and what its parts belong to, so that a file can be written again with another list of
 * experts (train/model_edit.h). */
#pragma once

#include "predict/safetensors.h"

#define TENSOR_PARTS_MAX 4

/* What a stretch of a tensor's axis belongs to. */
enum tensor_part_of {
    PART_END = 0,
    PART_EXPERTS, /* an element for each expert that the sources know, also of those taken out */
    PART_LEARNT,  /* the same, but zero of those added: what all were learnt with together */
    PART_LISTED,  /* an element for each expert that can be chosen */
    PART_PLANS,   /* an element for each plan */
    PART_SHARED,  /* `count` elements that belong to no expert */
    PART_PADDING  /* zeros up to a multiple of `count` */
};

struct model_tensor {
    struct safetensors_item item;
    size_t axis; /* the one that the parts lie along; without parts the tensor is one's and all's */
    struct {
        enum tensor_part_of of;
        size_t count; /* of PART_SHARED and PART_PADDING */
    } parts[TENSOR_PARTS_MAX];
};
