/* Texts that are nearly the same, found without comparing all with all.
 *
 * A text is the set of its shingles: runs of MINHASH_SHINGLE characters of the normalised text (text_normalize). The
 * likeness of two texts is the Jaccard index of their sets. A signature holds the least value of MINHASH_ROWS hash
 * functions over the set; the share of equal places estimates the likeness with a standard error of at most .044
 * (Broder 1997). Signatures are cut into MINHASH_BANDS bands, and only texts that share a band are compared (Leskovec,
 * Rajaraman, Ullman: Mining of Massive Datasets, 3.4): texts of likeness .7 meet with a probability of .9998, of .3
 * with .23. Where more than MINHASH_CHAIN_MAX share a band, the last of them are compared. Seeded: the same texts and
 * seed give the same signatures on every machine. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define MINHASH_SHINGLE      5
#define MINHASH_ROWS         128
#define MINHASH_BANDS        32
#define MINHASH_BAND_ROWS    (MINHASH_ROWS / MINHASH_BANDS)
#define MINHASH_SHINGLES_MAX (1u << 16) /* of one text; what is behind them is not looked at */
#define MINHASH_CHAIN_MAX    4096
#define MINHASH_ITEMS_MAX    (1u << 20)
/* Two texts of at least this likeness are taken for the same question. */
#define MINHASH_NEAR 0.7

struct minhash {
    uint32_t least[MINHASH_ROWS];
};

/* The functions of one seed. */
struct minhash_family {
    uint64_t seed;
    uint64_t factors[MINHASH_ROWS], offsets[MINHASH_ROWS];
};

void minhash_family_init(struct minhash_family *f, uint64_t seed);
/* `text` is normalised already. */
void minhash_make(const struct minhash_family *f, struct str text, struct minhash *ret);
/* The estimated Jaccard index, 0..1. */
double minhash_likeness(const struct minhash *a, const struct minhash *b);
/* The exact one, by sorted sets; what the estimate is tested against. ERR_MEMORY. */
NODISCARD enum status minhash_likeness_exact(struct str a, struct str b, double *ret);

/* Signatures that grow in number, with the bands by which like ones are found. */
struct minhash_index;

struct minhash_index *minhash_index_create(void); /* NULL when out of memory */
void minhash_index_free(struct minhash_index *x); /* NULL is fine */
size_t minhash_index_count(const struct minhash_index *x);
/* Items are numbered from 0 in the order added. ERR_TOO_LARGE, ERR_MEMORY. */
NODISCARD enum status minhash_index_add(struct minhash_index *x, const struct minhash *m,
                                        struct error *err);
/* Whoever among the items is like `m` by at least `near`: true and the likest, of equals the first. `also` (NULL: all
 * will do) may refuse an item. */
bool minhash_index_find(const struct minhash_index *x, const struct minhash *m, double near,
                        bool (*also)(void *arg, size_t item), void *arg, size_t *ret_item,
                        double *ret_likeness);
