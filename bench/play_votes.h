/* Scores for a pool without a single reference: what its experts agree on. */
#pragma once

#include "play_pool.h"

#define PLAY_VOTES_MIN 3 /* answers to a question, below which nobody's is scored */

/* Scores what is bought of p->fold->train by judge/consensus.h into p->labels: the probability that it is right.
 * A cell on a question to which too few have an answer stays unscored. Looks at no reference. */
NODISCARD enum status purchase_vote(struct purchase *p, struct error *err);
