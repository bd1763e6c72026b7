/* The files that make a model, opened once: what is checked, what its fingerprint is made of, what is tried and what
 * llama.cpp reads are the same bytes, whatever happens to the name meanwhile. */
#pragma once

#include "base/digest.h"
#include "lm/lm.h"

#define LM_FD_PATH_BYTES 32

struct lm_file {
    const char *path; /* the caller's */
    int fd;
    char fd_path[LM_FD_PATH_BYTES]; /* the open file as a path */
};

struct lm_files {
    struct lm_file model;
    struct lm_file *loras; /* [lora_count] */
    size_t lora_count;
    char fingerprint[LM_FINGERPRINT_BYTES]; /* "" where only the vocabulary is wanted */
};

/* Opens and checks (lm/gguf_file.h) all files, and reads them once for the fingerprint: of the model's bytes, or of the
 * fingerprints of the model and of its adapters, in their order, a line each. */
NODISCARD enum status lm_files_open(const char *path, const struct lm_options *options,
                                    struct lm_files *ret, struct error *err);
void lm_files_close(struct lm_files *f);
