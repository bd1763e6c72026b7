/* Who may be in a set, what each costs, and how each did on the questions that they are compared on: a data set, or the
 * folder of a run, without its holes.
 *
 * Compared are the questions of which every candidate's score is known: an unknown score is neither right nor wrong,
 * and whoever was asked only what is hard for others would look bad by a mean over its own. A candidate's cost is what
 * it costs to ask it each of them, scaled to 1,000. All memory is the arena's; the data set must stay loaded. */
#pragma once

#include <math.h>

#include "base/arena.h"
#include "data/dataset.h"
#include "universe/objective.h"

#define SCORE_ONE 10000 /* units of a score of 1 */

_Static_assert(CANDIDATES_MAX >= DATASET_EXPERTS_MAX, "every expert can be a candidate");

struct candidates {
    const struct dataset *d;
    size_t count;
    size_t expert[CANDIDATES_MAX]; /* of the data set */
    int64_t cost_nano_usd
        [CANDIDATES_MAX];         /* per 1,000 questions; CANDIDATE_COST_UNKNOWN: none is known */
    double score[CANDIDATES_MAX]; /* mean, 0..1 */
    size_t rows;                  /* questions compared */
    uint32_t *query;              /* [rows], of the data set */
    uint16_t *scores;             /* [rows × count] in units */
    size_t domains;               /* 0: no question has one */
    struct str *domain;  /* [domains], in the order of their first rows; "" where it is not said */
    uint32_t *domain_of; /* [rows] */
};

/* The experts of the data set that `names` lists ("a,b"; NULL: all). ERR_INPUT where no question has a score of each,
 * and says of whom fewest have. */
NODISCARD enum status candidates_build(const struct dataset *d, const char *names, struct arena *a,
                                       struct candidates *ret, struct error *err);

struct str candidate_name(const struct candidates *c, size_t candidate);
/* Index by name; SIZE_MAX when absent. */
size_t candidate_index(const struct candidates *c, struct str name);

/* NaN where it is not known, also of a sum with such a one in it. */
static inline double candidate_usd(int64_t nano_usd)
{
    return nano_usd >= CANDIDATE_COST_UNKNOWN ? (double)NAN
                                              : (double)nano_usd / (double)NANO_PER_USD;
}

static inline bool candidate_cost_known(const struct candidates *c, size_t candidate)
{
    return c->cost_nano_usd[candidate] != CANDIDATE_COST_UNKNOWN;
}
