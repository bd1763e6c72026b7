/* What a set of candidates achieves when each query goes to the member that decide() chooses, at a budget: the
 * objective of `leeroo select --routed`.
 *
 * Estimates are held out, by one cross-validation that trains on all candidates; a set is measured by its columns of
 * it. That ranks sets as training on each set alone would (bench/universe.md). Sets that it cannot tell apart are told
 * apart by routed_finals.h. All sets are measured on the same queries, those on which score and cost of every candidate
 * are known: a set is not the better for a member of which hard questions were not recorded.
 *
 * Routed accuracy is not submodular, so nothing is promised of greedy sets. One thread; seconds to make, milliseconds a
 * set. */
#pragma once

#include "eval/folds.h"
#include "universe/objective.h"

#define ROUTED_FOLDS      5
#define ROUTED_SCORES_MAX 64 /* budgets at once */

struct routed_options {
    double share;      /* the budget as a share of what the best single candidate costs; 0: */
    double usd_per_1k; /* the budget itself, above 0 */
    bool plans;        /* routed_choose trains sets with cascades and panels over their members */
    uint64_t seed;     /* of the folds and of training */
    folds_progress *progress; /* may be NULL */
    void *arg;
};

struct routed_figures {
    size_t best;              /* the most accurate candidate; of equals the cheaper */
    double best_score;        /* its mean score */
    double best_usd_per_1k;   /* what asking it everything costs */
    double budget_usd_per_1k; /* at which sets are measured */
    size_t queries;           /* on which they are */
    size_t left_out;          /* queries on which some candidate's outcome is unknown */
};

struct routed;

/* Candidate c is experts[c] of `d`, which must outlive the result. ERR_INPUT: there is no query on which all of
 * their outcomes are known, or training refuses them. ERR_NOT_FOUND: there are no texts to learn plans from. */
NODISCARD enum status routed_create(struct dataset *d, const size_t *experts, size_t count,
                                    const struct routed_options *options, struct routed **ret,
                                    struct error *err);
void routed_free(struct routed *r); /* NULL is fine */
const struct routed_figures *routed_figures(const struct routed *r);

/* The mean score at the budget. A set whose cheapest use costs more answers as many queries as the budget pays, and
 * the others count as wrong. `lean` times the mean score at an eighth, a quarter and a half of the budget is added: 0
 * for the value alone, little to break ties by it. `r` must outlive the result. */
struct routed_lens {
    struct routed *r;
    double lean;
};
struct objective routed_objective(struct routed_lens *lens);

/* Mean scores at budgets usd_per_1k[n], ascending, of members[count] (at least one). */
NODISCARD enum status routed_scores(struct routed *r, const size_t *members, size_t count,
                                    const double *usd_per_1k, size_t n, double *scores,
                                    struct error *err);
/* The mean of the best score that a member has: what no routing exceeds at any price. */
double routed_oracle(const struct routed *r, const size_t *members, size_t count);
