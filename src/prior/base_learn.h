/* Recorded outcomes → the base model. Deterministic: the same data sets in the same order give the same bytes. Every
 * text's difficulty is told by learners that never saw it when the models' parameters are fitted on it. */
#pragma once

#include "data/dataset.h"
#include "prior/base.h"

struct base_learning {
    struct dataset *const *sets;
    size_t set_count;
    const struct str *
        without; /* [without_count] names of models that are not looked at, by names.h; NULL: none */
    size_t without_count;
    /* Whether a query is learnt from; NULL: all. */
    bool (*uses)(const struct query *q, void *arg);
    void *arg;
    uint64_t seed;
    size_t buckets;   /* a power of two; 0: the usual */
    const char *date; /* for the provenance */
};

/* The result lives in `a`. ERR_INPUT: too little data. */
NODISCARD enum status base_learn(const struct base_learning *l, struct arena *a, struct base *ret,
                                 struct error *err);
