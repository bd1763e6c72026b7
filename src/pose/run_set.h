/* A set of hashes: the runs of words that protected texts have. Eight bytes each, at most half of the places taken. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct run_set {
    uint64_t *slots; /* [capacity], a power of two; 0: free */
    size_t count, capacity;
};

void run_set_done(struct run_set *s); /* {0} is an empty set */
NODISCARD enum status run_set_add(struct run_set *s, uint64_t hash);
bool run_set_has(const struct run_set *s, uint64_t hash);

/* The runs of `words` words in a text, one after the other. Words are runs of letters and digits, without case. */
#define RUN_WORDS_MAX 32

struct run_reader {
    struct str text;
    size_t at;
    size_t words;                 /* of a run, 1..RUN_WORDS_MAX */
    size_t seen;                  /* words so far */
    uint64_t last[RUN_WORDS_MAX]; /* their hashes, in a ring */
};

/* The hash of the next run; false at the end. */
bool run_next(struct run_reader *r, uint64_t *ret);
