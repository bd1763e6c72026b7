/* Where the answers of experts that are not real come from: the recordings of a data set (recorded_source.h), or
 * experts that compute (sandbox.h). Read-only after creation, so any number of threads may ask at once. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct rehearse_answer {
    struct str text;
    int64_t input_tokens, output_tokens;
};

struct rehearse_source_ops {
    size_t (*expert_count)(const void *self);
    struct str (*expert_name)(const void *self, size_t expert);
    /* The text lives in `a` or as long as the source. ERR_NOT_FOUND: there is no answer to this prompt, and
     * err->text tells the client why. */
    enum status (*answer)(const void *self, size_t expert, struct str prompt, struct arena *a,
                          struct rehearse_answer *ret, struct error *err);
};

struct rehearse_source {
    const struct rehearse_source_ops *ops;
    const void *self;
};
