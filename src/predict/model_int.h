/* A loaded model, as model.c and model_load.c share it. */
#pragma once

#include "base/arena.h"
#include "base/file.h"
#include "predict/model_parts.h"

struct model {
    struct file_copy file; /* its bytes; or */
    void *copy;            /* the bytes given to model_load_bytes */
    struct arena *arena;
    uint64_t checksum;
    struct model_parts parts;
    struct plan *arms; /* [arm_count]: every expert as a single, then the plans */
    size_t arm_count;
    const struct encoder *opened[ENCODERS_MAX]; /* [opened_count] to be closed */
    size_t opened_count;
};
