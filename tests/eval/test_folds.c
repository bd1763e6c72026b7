/* Cross-validation: every query once, by a model that never saw it, as `eval_set_build` would have it. */
#include "eval/folds.h"

#include "base/buf.h"
#include "data/scratch.h"
#include "data/split.h"
#include "data/subset.h"
#include "train/train.h"

#define QUERIES 150

static struct scratch scratch;
static struct dataset *data;
static struct arena *arena;

static void setup(void)
{
    struct buf queries, outcomes;
    struct error err;
    scratch = scratch_make();
    arena = arena_create(1 << 28);
    buf_init(&queries, 1 << 20);
    buf_init(&outcomes, 1 << 20);
    buf_add_c(&outcomes, "id,model,score,cost_usd\n");
    for (int i = 0; i < QUERIES; i++) {
        buf_addf(&queries, "{\"id\":\"%d\",\"text\":\"%s question %d\"}\n", i,
                 i % 2 ? "hard" : "easy", i / 3); /* some are the same */
        buf_addf(&outcomes, "%d,big,%d,0.002\n%d,small,%d,0.001\n", i, i % 5 != 0, i, i % 2 == 0);
        if (i % 8)
            buf_addf(&outcomes, "%d,other,1,0.003\n", i);
    }
    scratch_write(&scratch, "queries.jsonl", queries.ptr);
    scratch_write(&scratch, "outcomes.csv", outcomes.ptr);
    scratch_write(&scratch, "experts.csv",
                  "model,usd_per_m_input,usd_per_m_output\nother,3,3\nsmall,1,1\nbig,2,2\n");
    buf_done(&queries);
    buf_done(&outcomes);
    cr_assert_eq(dataset_load(scratch.path, DATASET_ALL, &data, &err), OK, "%s", err.text);
}

static void teardown(void)
{
    dataset_free(data);
    arena_free(arena);
    scratch_remove(&scratch);
}

TestSuite(folds, .init = setup, .fini = teardown);

static struct eval_set build(const struct folds_options *options)
{
    struct eval_set set;
    struct error err;
    cr_assert_eq(eval_folds_build(data, options, arena, &set, &err), OK, "%s", err.text);
    return set;
}

Test(folds, every_query_is_there_once_with_its_outcomes)
{
    struct eval_set set = build(&(struct folds_options){.folds = 4, .experts = "small,big"});
    bool seen[QUERIES] = {false};
    cr_assert_eq(set.table.queries, QUERIES);
    cr_assert_eq(set.table.experts, 2);
    cr_assert(str_equal(set.table.names[0], STR("small")));
    cr_assert(str_equal(set.table.names[set.table.reference], STR("big")), "the most accurate");
    for (size_t row = 0; row < QUERIES; row++) {
        uint32_t q = set.query_index[row];
        cr_assert(q < QUERIES && !seen[q]);
        seen[q] = true;
        cr_assert_eq((double)eval_outcome(&set.table, row, 0)->score, q % 2 == 0);
        cr_assert_eq((double)eval_outcome(&set.table, row, 1)->score, q % 5 != 0);
    }
}

/* The last fold again, by hand. */
Test(folds, estimates_are_those_of_a_model_of_the_other_folds)
{
    struct eval_set set =
        build(&(struct folds_options){.folds = 3, .experts = "small,big", .seed = 5});
    uint32_t others[QUERIES];
    size_t count = 0;
    for (uint32_t q = 0; q < QUERIES; q++)
        if (split_fold(data->queries[q].text_hash, 5, 3) != 2)
            others[count++] = q;
    struct dataset *part;
    struct train_options options;
    struct trained *trained;
    struct model *m;
    struct features f;
    struct estimate want[MODEL_ARMS_MAX];
    const size_t experts[] = {1, 2};
    char path[128];
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = 2;
    options.seed = 7; /* 5 + 2 */
    cr_assert_eq(dataset_subset(data, others, count, &part, NULL), OK);
    cr_assert_eq(train_run(part, &options, &trained, NULL), OK);
    snprintf(path, sizeof(path), "%s/model", scratch.path);
    cr_assert_eq(model_write(trained, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, NULL), OK);
    cr_assert_eq(features_init(&f, NULL), OK);
    size_t compared = 0;
    for (size_t row = 0; row < QUERIES; row++) {
        const struct query *q = &data->queries[set.query_index[row]];
        if (split_fold(q->text_hash, 5, 3) != 2)
            continue;
        cr_assert_not(model_trained_on(m, q->text_hash));
        cr_assert_eq(model_estimate_text(m, q->prompt, &f, want, NULL), OK);
        for (size_t e = 0; e < 2; e++)
            cr_assert_eq(eval_estimate(&set.table, row, e)->quality, want[e].quality);
        compared++;
    }
    cr_assert_eq(compared, QUERIES - count);
    features_done(&f);
    model_free(m);
    trained_free(trained);
    dataset_free(part);
}

Test(folds, a_reference_outside_the_pool_and_holes)
{
    struct eval_set set =
        build(&(struct folds_options){.folds = 2, .experts = "small,big", .reference = "other"});
    cr_assert_eq(set.table.experts, 3);
    cr_assert_eq(set.table.reference, 2);
    cr_assert_not(set.table.pool[2]);
    cr_assert_eq(set.left_out, 19);
    cr_assert_eq(set.table.queries, QUERIES - 19);
}

Test(folds, what_will_not_do_is_named)
{
    struct eval_set set = {.left_out = 77};
    struct error err;
    struct dataset *few;
    uint32_t rows[30];
    for (uint32_t i = 0; i < 30; i++)
        rows[i] = i;
    struct folds_options options = {.folds = 2, .experts = "small,huge"};
    cr_assert_eq(eval_folds_build(data, &options, arena, &set, &err), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "'huge'"), "%s", err.text);
    options = (struct folds_options){.folds = 2, .plans = "cascade(small->big)"};
    cr_assert_eq(eval_folds_build(data, &options, arena, &set, &err), ERR_NOT_FOUND);
    cr_assert(strstr(err.text, "responses/"), "%s", err.text);
    options = (struct folds_options){.folds = 2};
    cr_assert_eq(dataset_subset(data, rows, 30, &few, NULL), OK);
    cr_assert_eq(eval_folds_build(few, &options, arena, &set, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "fold 1 of 2"), "%s", err.text);
    cr_assert(strstr(err.text, "training wants 20; more folds leave more"), "%s", err.text);
    cr_assert_eq(set.left_out, 77);
    dataset_free(few);
}
