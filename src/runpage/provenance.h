/* Where a run's questions come from, and why others were dropped: posed.jsonl and dropped.jsonl, read back. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "data/dataset.h"

#define PROVENANCE_SOURCES_MAX 8
#define PROVENANCE_REASONS_MAX 64

struct provenance_source {
    struct str name; /* "generator", "sandbox"; the first is what was not made up */
    size_t questions, asked, outcomes;
    double score; /* sum */
    size_t scored;
};

struct provenance_drop { /* the first of its reason */
    struct str reason, text, why;
};

struct provenance {
    struct provenance_source sources[PROVENANCE_SOURCES_MAX];
    size_t source_count;
    struct provenance_drop examples[PROVENANCE_REASONS_MAX];
    size_t example_count;
};

/* Either file may be missing: nothing was made up, nothing dropped. Strings live in `a`. */
NODISCARD enum status provenance_read(const char *folder, const struct dataset *d, struct arena *a,
                                      struct provenance *ret, struct error *err);
/* A line of one of them into what is known so far: `origin` [queries] says which source made a question up, 0: none.
 * `queries` has their indices by id. */
NODISCARD enum status provenance_posed_line(struct str line, const char *place, size_t number,
                                            const struct map *queries, struct arena *a,
                                            uint8_t *origin, struct provenance *into,
                                            struct error *err);
NODISCARD enum status provenance_dropped_line(struct str line, const char *place, size_t number,
                                              struct arena *a, struct provenance *into,
                                              struct error *err);
