/* Two sets of one data set, reduced to what both have. */
#include "eval/shared_queries.h"

#include "base/buf.h"
#include "data/scratch.h"
#include "train/train.h"

#define QUERIES 80

/* "b" has no outcome for every eighth query, "c" none for every fifth. */
static void files_write(const struct scratch *s)
{
    struct buf queries, outcomes;
    buf_init(&queries, 1 << 20);
    buf_init(&outcomes, 1 << 20);
    buf_add_c(&outcomes, "id,model,score,cost_usd\n");
    for (int i = 0; i < QUERIES; i++) {
        buf_addf(&queries, "{\"id\":\"%d\",\"text\":\"question %d\"}\n", i, i);
        buf_addf(&outcomes, "%d,a,%d,0.001\n", i, i % 3 == 0);
        if (i % 8)
            buf_addf(&outcomes, "%d,b,%d,0.00%d\n", i, i % 2, 1 + i % 4);
        if (i % 5)
            buf_addf(&outcomes, "%d,c,1,0.003\n", i);
    }
    scratch_write(s, "queries.jsonl", queries.ptr);
    scratch_write(s, "outcomes.csv", outcomes.ptr);
    scratch_write(s, "experts.csv",
                  "model,usd_per_m_input,usd_per_m_output\na,1,1\nb,2,2\nc,3,3\n");
    buf_done(&queries);
    buf_done(&outcomes);
}

static struct model *train(const struct scratch *s, const struct dataset *d, size_t a, size_t b)
{
    struct train_options options;
    struct trained *trained;
    struct model *m;
    char path[160];
    const size_t experts[] = {a, b};
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = 2;
    cr_assert_eq(train_run(d, &options, &trained, NULL), OK);
    snprintf(path, sizeof(path), "%s/model", s->path);
    cr_assert_eq(model_write(trained, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, NULL), OK);
    trained_free(trained);
    return m;
}

Test(common, both_keep_the_queries_of_both)
{
    struct scratch s = scratch_make();
    struct dataset *d;
    struct arena *arena = arena_create(1 << 26);
    struct eval_set ab, ac;
    files_write(&s);
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    struct model *m_ab = train(&s, d, 0, 1), *m_ac = train(&s, d, 0, 2);
    const struct eval_pool pool = {.reference = "a"};
    cr_assert_eq(eval_set_build(m_ab, d, &pool, arena, &ab, NULL), OK);
    cr_assert_eq(eval_set_build(m_ac, d, &pool, arena, &ac, NULL), OK);
    cr_assert(ab.table.queries == 70 && ac.table.queries == 64);
    struct estimate before = *eval_estimate(&ab.table, 69, 1); /* of query 79 */
    cr_assert_eq(eval_sets_common(&ab, m_ab, &ac, m_ac, d, arena, NULL), OK);
    cr_assert(ab.table.queries == 56 && ac.table.queries == 56);
    cr_assert(ab.left_out == QUERIES - 56 && ac.left_out == QUERIES - 56);
    cr_assert(ab.trained_on == 56 && ac.trained_on == 56);
    for (size_t q = 0; q < 56; q++) {
        uint32_t query = ab.query_index[q];
        cr_assert_eq(query, ac.query_index[q]);
        cr_assert(query % 8 && query % 5);
        cr_assert_eq(eval_outcome(&ab.table, q, 1)->cost_nano_usd,
                     dataset_outcome(d, query, 1)->cost_nano_usd);
        cr_assert_eq(eval_outcome(&ac.table, q, 1)->cost_nano_usd, 3000000);
    }
    cr_assert_eq(eval_estimate(&ab.table, 55, 1)->quality, before.quality);
    const struct estimate *same = ab.table.estimates;
    cr_assert_eq(eval_sets_common(&ab, m_ab, &ac, m_ac, d, arena, NULL), OK);
    cr_assert_eq(ab.table.estimates, same, "nothing has to go, nothing is copied");
    model_free(m_ab);
    model_free(m_ac);
    dataset_free(d);
    arena_free(arena);
    scratch_remove(&s);
}
