/* The words that tell one set of texts from another: log-odds with an informative Dirichlet prior (Monroe, Colaresi &
 * Quinn 2008, equations 15 to 22), of texts that have the word, not of its occurrences, so that one long text does not
 * speak for all. The prior is the word's share of all texts, as strong as the smaller set. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct telling_set {
    const double *with; /* [words] texts that have the word; may be weighted */
    double texts;
};

struct telling_word {
    uint32_t word;
    double z; /* how many standard errors its odds are higher in the first set */
};

/* The words that tell the first set most, by at least `z_least`, best first; returns how many. into[wanted]. */
size_t telling_words(const struct telling_set *in, const struct telling_set *out, size_t words,
                     double z_least, struct telling_word *into, size_t wanted);
