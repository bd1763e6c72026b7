/* examples/pools.yaml: the pools on which bench_paper measures the paper's claims. Every complaint names file, line and
 * column. Strings and nodes live in the arena. */
#pragma once

#include "config/yaml_tree.h"
#include "data/dataset.h"
#include "eval/report.h"

#define PAPER_POOLS_MAX   32
#define PAPER_FOLDS       5
#define PAPER_EXPERTS_MAX 64

extern const char *const paper_claim_names[REPORT_CLAIMS]; /* as the file spells them */

struct paper_pool {
    struct str name, dataset, why;
    bool claims[REPORT_CLAIMS];
    bool rescored; /* scores anew from the texts, one rule for all; else as recorded */
    bool plans;    /* cascades and panels too; else single experts */
    const struct yaml_tree *experts, *reference, *dataset_at;
};

struct paper_pools {
    const char *place; /* the file's name */
    struct paper_pool pool[PAPER_POOLS_MAX];
    size_t count;
};

/* `place` must outlive the pools. */
NODISCARD enum status paper_pools_read(const char *place, struct arena *a, struct paper_pools *ret,
                                       struct error *err);
/* Indices in `d`: the pool's experts in the order of the file, then the reference if it is none of them. At most
 * PAPER_EXPERTS_MAX + 1. */
NODISCARD enum status paper_pool_find(const struct paper_pools *pools, const struct paper_pool *p,
                                      const struct dataset *d, size_t *ret, size_t *ret_count,
                                      size_t *ret_reference, struct error *err);
