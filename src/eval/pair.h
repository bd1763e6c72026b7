/* Two experts, one strong: RouteLLM's figures (Ong et al. 2024, arXiv:2406.18665, section 4). Queries go to the strong
 * expert in the order of predicted quality_strong - quality_weak; calls are counted, not dollars.
 *
 *   PGR(c)  = (accuracy with a share c of strong calls - weak accuracy) / (strong accuracy - weak accuracy)
 *   APGR    = area under PGR over c in 0..1 (trapezoids over every query, no grid)
 *   CPT(x)  = the smallest share of strong calls at which PGR reaches x
 *
 * Queries with equal routing scores enter together, in proportion: a constant router is a random one, with exactly
 * .5, 50 % and 80 %. */
#pragma once

#include <stdint.h>

#include "eval/table.h"

struct pair {
    uint32_t count;
    uint32_t *order; /* [count] queries, strongest wish for the strong expert first */
    uint32_t *ends;  /* [group_count] ends of the runs of equal routing score in `order` */
    uint32_t group_count;
    float *weak, *strong; /* [count] scores in that order */
};

struct pair_figures {
    double apgr, cpt50,
        cpt80; /* shares 0..1; all NaN when the strong expert is not the better one */
};

NODISCARD enum status pair_make(const struct eval_table *t, size_t weak, size_t strong,
                                struct arena *a, struct pair *ret, struct error *err);
/* For queries counted weights[query] times (NULL: once). */
struct pair_figures pair_measure(const struct pair *p, const uint32_t *weights);
