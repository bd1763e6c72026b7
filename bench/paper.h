/* What bench_paper measures of a pool, and how it is shown. Private to bench/paper*.c. */
#pragma once

#include "base/buf.h"
#include "paper_pools.h"

struct paper_options {
    const char *data;
    bool singles_only; /* --plans none */
    size_t draws;      /* of the bootstrap */
    void (*progress)(size_t done, size_t total, void *arg);
    void *arg;
};

/* Where the gain comes from: shares of the queries at the claim's cost, in scores. */
struct paper_why {
    double elsewhere; /* answered by somebody other than the reference */
    double won, lost; /* there: right where the reference is wrong, and wrong where it is right */
    double could_win; /* the reference is wrong, and a single expert of the pool is right */
};

struct paper_claim {
    struct figure difference, relative; /* against the reference */
    struct figure singles; /* the figure that is judged, among single experts; NaN: the same */
    double accuracy, mix;  /* mix: the best that blind mixing of single experts has at this cost */
    struct paper_why why;
    bool reproduced, within_error; /* the latter: two standard errors might turn it round */
};

struct paper_result {
    const struct paper_pool *pool;
    bool plans; /* were learnt */
    size_t experts, queries, left_out;
    struct str reference, other; /* other: the best single expert of the pool but the reference */
    struct figure reference_accuracy, other_accuracy;
    double reference_usd_per_1k, cheapest_usd_per_1k;
    struct paper_claim claims[REPORT_CLAIMS]; /* of pool->claims alone */
};

/* What the paper says of a claim; see bench/paper.md for where the numbers stand. */
struct paper_says {
    const char *claim, *figure;
    double bar;    /* reproduced when the figure reaches it */
    bool relative; /* judged by accuracy / the reference's; else by the difference */
};
extern const struct paper_says paper_says[REPORT_CLAIMS];

/* The figure that is judged. */
struct figure paper_figure(const struct paper_claim *c, enum report_claim which);
/* Strings live in `a`. */
NODISCARD enum status paper_measure(const struct paper_pools *pools, const struct paper_pool *pool,
                                    const struct paper_options *options, struct arena *a,
                                    struct paper_result *ret, struct error *err);

void paper_write_head(struct buf *b);
void paper_write_text(const struct paper_result *r, struct buf *b);
void paper_write_sum(const struct paper_result *results, size_t count, struct buf *b);
void paper_write_json(const struct paper_result *results, size_t count, struct buf *b);
