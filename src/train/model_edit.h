/* A loaded model written again, with experts taken out or added, without the data that it was trained from.
 *
 * Nothing else changes, to the last bit:
 *   - Of an expert taken out, its plans vanish, and its estimates from the sample by which budgets are calibrated. Its
 *     numbers stay in the file, unseen: the common level of the others (predict/predictor.h) is a mean that it has a
 *     part in, and without it they would all be estimated otherwise. Where it stood apart they have no part in that,
 *     and go when an expert of its name is added.
 *   - An expert added stands apart: it is estimated by its deviation from the level of the others, but does not move
 *     that level. A copy of an expert is estimated as the expert is.
 * Only training makes new plans, moves the level, or lets experts share what they know. */
#pragma once

#include "predict/model_parts.h"
#include "train/tensor_edit.h"

/* An expert's part of a model. It lives in the arena it was taken into, and may be changed there: what a prior says
 * goes in place of what the expert's outcomes said (expert_parameters_floats). */
struct expert_parameters {
    struct model_expert expert; /* name, prices, figures */
    uint64_t skeleton; /* of what the numbers are meant for: all of a model that is no expert's */
    struct expert_slice *slices;
    size_t slice_count;
};

/* Expert `expert` of the model as it is. ERR_MEMORY. */
NODISCARD enum status expert_parameters_take(const struct model *m, size_t expert, struct arena *a,
                                             struct expert_parameters *ret, struct error *err);
/* Its numbers in an F32 tensor of docs/model-file.md, e.g. "stack.base": one, its intercept; *ret_count of them. NULL:
 * the tensor holds nothing of experts, or no floats. */
float *expert_parameters_floats(const struct expert_parameters *p, const char *tensor,
                                size_t *ret_count);

struct model_edit {
    const size_t *remove; /* [remove_count] experts of the model */
    size_t remove_count;
    const struct expert_parameters *add; /* [add_count], behind those that are there */
    size_t add_count;
    /* Days, "2026-11-30", as the file will say who joined and who left when; empty: it does not say. */
    struct str today;
    struct str trained_by; /* by when the others were; noted unless an earlier edit did */
};

/* Writes the model to `path`; it appears there only when it is whole. With `edit` NULL, or with nothing in it, the file
 * is the one that was loaded, byte for byte. ERR_INPUT: a name that another expert has, parameters of another model,
 * nobody left, or one too many. */
NODISCARD enum status model_rewrite(const struct model *m, const struct model_edit *edit,
                                    const char *path, struct error *err);
/* The same as bytes, appended to `out`, whose limit should be MODEL_BYTES_MAX. */
NODISCARD enum status model_rewrite_bytes(const struct model *m, const struct model_edit *edit,
                                          struct buf *out, struct error *err);
#define MODEL_BYTES_MAX ((size_t)4 << 30)
/* What was trained or put together in memory as anybody would load it: through the bytes of its file, because only what
 * a file keeps may be measured. */
NODISCARD enum status model_parts_load(const struct model_parts *p, struct model **ret,
                                       struct error *err);
