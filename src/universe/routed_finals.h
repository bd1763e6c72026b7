/* The set to take when sets are routed. Searches and plain rules propose a few sets; each is trained by itself and
 * measured on held-out folds, all on the same queries and the same splits, and the best of them is taken. Sets that lie
 * within a standard error of the best at the budget count as equal there, and the best of these at smaller budgets is
 * taken. Nothing is promised of it; see routed.h. Seconds a set. */
#pragma once

#include "universe/greedy.h"
#include "universe/routed.h"

#define ROUTED_FINALS_MAX 4

struct routed_final {
    const char *from; /* what proposed it: "greedy", for tables */
    size_t members[CANDIDATES_MAX];
    size_t count;
    double score;        /* mean score at the budget */
    double below;        /* the mean of it at an eighth, a quarter and a half of the budget */
    double behind;       /* by how much the best at the budget is better there */
    double behind_error; /* its standard error, over the queries */
};

struct routed_choice {
    struct routed_final finals[ROUTED_FINALS_MAX];
    size_t count, taken;
    size_t queries;        /* that the finals were compared on */
    struct chosen_set set; /* finals[taken] in the order of what each adds, by routed_objective */
};

/* Chooses under `rules`, of which progress and arg are told of the search alone. Where routed_options say so each final
 * is trained with plans, and they take part. */
NODISCARD enum status routed_choose(struct routed *r, const struct set_rules *rules,
                                    struct routed_choice *ret, struct error *err);
