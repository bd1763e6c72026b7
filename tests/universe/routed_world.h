/* Four candidates of whom two complement each other, for the tests of routed sets. */
#pragma once

#include "base/buf.h"
#include "data/scratch.h"
#include "eval/curve.h"
#include "universe/routed.h"

#define QUERIES 200
#define HOLE    17 /* the query of which "fair" has no outcome */

enum { DEAR, FAIR, MATHY, POET, EXPERTS };

static struct scratch scratch;
static struct dataset *data;
static struct routed *routed;

/* "dear" is right on nine of ten at ten times the price, "fair" on six of ten; the others know one subject each. */
static inline void world_make(void)
{
    struct buf queries, outcomes;
    struct error err;
    scratch = scratch_make();
    buf_init(&queries, 1 << 20);
    buf_init(&outcomes, 1 << 20);
    buf_add_c(&outcomes, "id,model,score,cost_usd\n");
    for (int i = 0; i < QUERIES; i++) {
        bool poetry = i % 2;
        buf_addf(&queries, "{\"id\":\"%d\",\"text\":\"%s number %d\"}\n", i,
                 poetry ? "a poem about autumn" : "solve the equation", i);
        buf_addf(&outcomes, "%d,dear,%d,0.010\n%d,mathy,%d,0.001\n%d,poet,%d,0.001\n", i,
                 i % 10 != 3, i, !poetry, i, poetry);
        if (i != HOLE)
            buf_addf(&outcomes, "%d,fair,%d,0.001\n", i, i * 7 % 10 < 6);
    }
    scratch_write(&scratch, "queries.jsonl", queries.ptr);
    scratch_write(&scratch, "outcomes.csv", outcomes.ptr);
    scratch_write(&scratch, "experts.csv",
                  "model,usd_per_m_input,usd_per_m_output\ndear,9,9\nfair,1,1\nmathy,1,1\n"
                  "poet,1,1\n");
    buf_done(&queries);
    buf_done(&outcomes);
    cr_assert_eq(dataset_load(scratch.path, DATASET_ALL, &data, &err), OK, "%s", err.text);
    const size_t experts[] = {DEAR, FAIR, MATHY, POET};
    const struct routed_options options = {.share = 0.5, .seed = 3};
    cr_assert_eq(routed_create(data, experts, EXPERTS, &options, &routed, &err), OK, "%s",
                 err.text);
}

static inline void world_remove(void)
{
    routed_free(routed);
    dataset_free(data);
    scratch_remove(&scratch);
}

/* The mean score of a table at a budget, by eval's own curve; *ret_first: that of its cheapest use. */
static inline double world_score_at(const struct eval_table *t, double usd_per_1k, struct arena *a,
                                    double *ret_first)
{
    struct curve c;
    cr_assert_eq(curve_make(t, a, &c, NULL), OK);
    struct curve_point *points = ARENA_ARRAY(a, c.step_count + 1, struct curve_point);
    curve_trace(&c, NULL, points);
    double rows = (double)t->queries;
    *ret_first = points[0].score / rows;
    return curve_score_at(points, c.step_count + 1, usd_per_1k * 1e6 * rows) / rows;
}
