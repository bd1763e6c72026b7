/* What an encoder said of a data set's prompts, from a file, as an encoder: for benchmarks of what it is worth. */
#pragma once

#include <stdbool.h>

#include "data/dataset.h"
#include "encode/encode.h"

struct vectors {
    const char *folder, *kind; /* of a source: "dense", "opinion"; by whom it is made */
    struct encoder encoder;    /* its name, too; its state is this */
    char fingerprint[64];      /* likewise */
    size_t rows;
    float *
        x; /* [rows × encoder.dense_count]; a row that begins with NaN was not read; NULL: none are loaded */
    struct map *map; /* text → row */
};

/* All encoders say nothing. */
extern bool vectors_silent;

/* FOLDER/DATASET.npy. *found: whether there is one, and, of opinions, whether they are on so many experts. ERR_INPUT:
 * it is not a table of this data set's queries; ERR_MEMORY. */
NODISCARD enum status vectors_load(struct vectors *v, const char *name, const struct dataset *d,
                                   size_t experts, bool *found, struct error *err);
void vectors_free(struct vectors *v); /* what was loaded; it may be loaded again */
