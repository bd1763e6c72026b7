/* Tables built from a trained model and a data set. */
#include "eval/build.h"

#include "base/buf.h"
#include "data/scratch.h"
#include "train/train.h"

#define QUERIES 80

/* Three experts, of whom the model knows "big" and "small"; "other" has no outcome for every eighth query. */
struct fixture {
    struct scratch scratch;
    struct dataset *data;
    struct model *model;
    struct arena *arena;
};

static void files_write(const struct scratch *s)
{
    struct buf queries, outcomes;
    buf_init(&queries, 1 << 20);
    buf_init(&outcomes, 1 << 20);
    buf_add_c(&outcomes, "id,model,score,cost_usd\n");
    for (int i = 0; i < QUERIES; i++) {
        buf_addf(&queries, "{\"id\":\"%d\",\"text\":\"%s question %d\"}\n", i,
                 i % 2 ? "hard" : "easy", i);
        buf_addf(&outcomes, "%d,big,%d,0.002\n%d,small,%d,0.001\n", i, i % 5 != 0, i, i % 2 == 0);
        if (i % 8)
            buf_addf(&outcomes, "%d,other,1,0.003\n", i);
    }
    scratch_write(s, "queries.jsonl", queries.ptr);
    scratch_write(s, "outcomes.csv", outcomes.ptr);
    scratch_write(s, "experts.csv",
                  "model,usd_per_m_input,usd_per_m_output\nother,3,3\nsmall,1,1\nbig,2,2\n");
    buf_done(&queries);
    buf_done(&outcomes);
}

static struct fixture fixture_make(void)
{
    struct fixture f = {.scratch = scratch_make(), .arena = arena_create(1 << 26)};
    struct train_options options;
    struct trained *trained;
    struct error err;
    char path[128];
    const size_t experts[] = {2, 1};
    files_write(&f.scratch);
    cr_assert_eq(dataset_load(f.scratch.path, DATASET_ALL, &f.data, &err), OK, "%s", err.text);
    train_options_default(&options);
    options.experts = experts;
    options.expert_count = 2;
    cr_assert_eq(train_run(f.data, &options, &trained, &err), OK, "%s", err.text);
    snprintf(path, sizeof(path), "%s/model", f.scratch.path);
    cr_assert_eq(model_write(trained, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &f.model, &err), OK, "%s", err.text);
    trained_free(trained);
    return f;
}

static void fixture_done(struct fixture *f)
{
    model_free(f->model);
    dataset_free(f->data);
    arena_free(f->arena);
    scratch_remove(&f->scratch);
}

Test(build, the_pool_is_what_model_and_data_share)
{
    struct fixture f = fixture_make();
    struct eval_set s;
    cr_assert_eq(
        eval_set_build(f.model, f.data, &(struct eval_pool){NULL, NULL, NULL}, f.arena, &s, NULL),
        OK);
    cr_assert_eq(s.table.experts, 2);
    cr_assert_eq(s.table.queries, QUERIES);
    cr_assert(str_equal(s.table.names[0], STR("small")), "in the order of the data set");
    cr_assert(str_equal(s.table.names[s.table.reference], STR("big")), "the most accurate");
    cr_assert_eq(s.trained_on, QUERIES);
    cr_assert_eq(s.left_out, 0);
    fixture_done(&f);
}

Test(build, rows_hold_the_estimates_and_outcomes_of_their_query)
{
    struct fixture f = fixture_make();
    struct eval_set s;
    struct features features;
    struct estimate want[MODEL_ARMS_MAX];
    cr_assert_eq(eval_set_build(f.model, f.data, &(struct eval_pool){"big", "other", NULL}, f.arena,
                                &s, NULL),
                 OK);
    cr_assert_eq(features_init(&features, NULL), OK);
    size_t row = 0;
    for (size_t q = 0; q < QUERIES; q++) {
        if (q % 8 == 0)
            continue; /* unknown for the reference */
        cr_assert_eq(model_encode(f.model, f.data->queries[q].prompt, &features, NULL), OK);
        model_estimate(f.model, &features, want);
        size_t big = model_expert_index(f.model, STR("big"));
        cr_assert_eq(eval_estimate(&s.table, row, 0)->quality, want[big].quality);
        cr_assert_eq(eval_estimate(&s.table, row, 0)->cost_nano_usd, want[big].cost_nano_usd);
        cr_assert_eq((double)eval_outcome(&s.table, row, 0)->score, q % 5 != 0);
        cr_assert_eq(eval_outcome(&s.table, row, 1)->cost_nano_usd, 3000000);
        cr_assert_eq(s.query_index[row], q);
        row++;
    }
    cr_assert_eq(s.table.queries, row);
    cr_assert_eq(s.left_out, QUERIES / 8);
    cr_assert(s.table.pool[0] && !s.table.pool[1] && s.table.reference == 1);
    features_done(&features);
    fixture_done(&f);
}

static void expect_error(struct fixture *f, const char *experts, const char *reference,
                         enum status want, const char *what)
{
    struct eval_set s = {.left_out = 77};
    struct error err = {0};
    cr_expect_eq(eval_set_build(f->model, f->data, &(struct eval_pool){experts, reference, NULL},
                                f->arena, &s, &err),
                 want);
    cr_expect_not_null(strstr(err.text, what), "'%s' does not say %s", err.text, what);
    cr_expect_eq(s.left_out, 77, "outputs stay untouched on failure");
}

Test(build, unknown_experts_are_named)
{
    struct fixture f = fixture_make();
    expect_error(&f, "big,huge", NULL, ERR_NOT_FOUND, "'huge'");
    expect_error(&f, "big,other", NULL, ERR_NOT_FOUND, "model has no expert 'other'");
    expect_error(&f, NULL, "huge", ERR_NOT_FOUND, "'huge'");
    fixture_done(&f);
}
