/* experts.csv and outcomes.csv: cells, holes, and the place of every mistake. */
#include "data/dataset_int.h"

#include "scratch.h"

/* Loads a set with one bad file and wants a message with the place in it. */
static void expect_error(const char *queries, const char *experts, const char *outcomes,
                         const char *place, const char *what)
{
    struct scratch s = scratch_dataset(queries, experts, outcomes);
    struct dataset *d = NULL;
    struct error err = {0};
    enum status status = dataset_load(s.path, DATASET_ALL, &d, &err);
    cr_expect_eq(status, ERR_INPUT, "status %s, wanted ERR_INPUT for %s", status_name(status),
                 what);
    cr_expect_null(d);
    cr_expect_not_null(strstr(err.text, place), "'%s' does not name %s", err.text, place);
    cr_expect_not_null(strstr(err.text, what), "'%s' does not say %s", err.text, what);
    dataset_free(d);
    scratch_remove(&s);
}

#define HEAD "id,model,score,cost_usd,input_tokens,output_tokens\n"

Test(outcomes, bad_cells_are_named_by_line_and_column)
{
    expect_error(NULL, NULL, HEAD "a,big,1,0.1,1,1\nzz,big,1,0.1,1,1\n", "outcomes.csv:3:1",
                 "'zz'");
    expect_error(NULL, NULL, HEAD "a,huge,1,0.1,1,1\n", "outcomes.csv:2:3", "'huge'");
    expect_error(NULL, NULL, HEAD "a,big,1.5,0.1,1,1\n", "outcomes.csv:2:7", "'1.5'");
    expect_error(NULL, NULL, HEAD "a,big,nan,0.1,1,1\n", "outcomes.csv:2:7", "'nan'");
    expect_error(NULL, NULL, HEAD "a,big,-0.1,0.1,1,1\n", "outcomes.csv:2:7", "'-0.1'");
    expect_error(NULL, NULL, HEAD "a,big,1,-2,1,1\n", "outcomes.csv:2:9", "'-2'");
    expect_error(NULL, NULL, HEAD "a,big,1,0.1,1.5,1\n", "outcomes.csv:2:13", "'1.5'");
    expect_error(NULL, NULL, HEAD "a,big,1,0.1,1,-1\n", "outcomes.csv:2:15", "'-1'");
    expect_error(NULL, NULL, HEAD "a,big,1,0.1,1,2147483648\n", "outcomes.csv:2:15", "2147483648");
}

Test(outcomes, doubled_cells_and_missing_columns_are_refused)
{
    expect_error(NULL, NULL, HEAD "a,big,1,,,\na,big,1,,,\n", "outcomes.csv:3:1", "twice");
    expect_error(NULL, NULL, HEAD "a,big,,,,\na,big,1,,,\n", "outcomes.csv:3:1", "twice");
    expect_error(NULL, NULL, "id,model\na,big\n", "outcomes.csv", "score");
    expect_error(NULL, NULL, HEAD "a,big,1\n", "outcomes.csv:2", "");
}

Test(outcomes, bad_experts_are_named)
{
    const char *head = "model,usd_per_m_input,usd_per_m_output\n";
    char text[256];
    snprintf(text, sizeof(text), "%sbig,1,2\nbig,1,2\n", head);
    expect_error(NULL, text, NULL, "experts.csv:3:1", "twice");
    snprintf(text, sizeof(text), "%sGPT 4,1,2\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:1", "'GPT 4' must be at most 128 letters");
    snprintf(text, sizeof(text), "%sleeroo,1,2\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:1", "what clients ask the router by");
    snprintf(text, sizeof(text), "%sbig,free,2\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:5", "'free'");
    snprintf(text, sizeof(text), "%s,1,2\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:1", "name");
    head = "model,usd_per_m_input,usd_per_m_output,usd_per_m_cached_input\n";
    snprintf(text, sizeof(text), "%sbig,1,2,1.1\norg/small,1,2,\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:9", "at most");
    head = "model,usd_per_m_input,usd_per_m_output,usd_per_m_cache_write,usd_per_m_reasoning\n";
    snprintf(text, sizeof(text), "%sbig,1,2,x,\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:9", "USD per million");
    snprintf(text, sizeof(text), "%sbig,1,2,,-1\n", head);
    expect_error(NULL, text, NULL, "experts.csv:2:10", "USD per million");
}

Test(outcomes, the_price_of_cached_input_is_optional)
{
    struct scratch s = scratch_dataset(NULL,
                                       "model,usd_per_m_input,usd_per_m_output,usd_per_m_cached_"
                                       "input\nbig,10,30,2.5\norg/small,0.6,0.075,\n",
                                       NULL);
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    cr_assert_eq(price_cached_input_nano_usd_per_m(&d->experts[0].price), 2500000000);
    cr_assert_eq(price_cached_input_nano_usd_per_m(&d->experts[1].price), 600000000);
    dataset_free(d);
    scratch_remove(&s);
}

Test(outcomes, prices_of_cache_writes_and_reasoning_are_optional)
{
    struct scratch s = scratch_dataset(NULL,
                                       "model,usd_per_m_input,usd_per_m_output,usd_per_m_reasoning,"
                                       "usd_per_m_cache_write\nbig,10,30,,12.5\n"
                                       "org/small,0.6,0.075,0.5,\n",
                                       NULL);
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    const struct price *big = &d->experts[0].price, *small = &d->experts[1].price;
    cr_assert_eq(price_cache_write_nano_usd_per_m(big), 12500000000);
    cr_assert_eq(price_reasoning_nano_usd_per_m(big), 30000000000);
    cr_assert_eq(price_cache_write_nano_usd_per_m(small), 600000000);
    cr_assert_eq(price_reasoning_nano_usd_per_m(small), 500000000);
    dataset_free(d);
    scratch_remove(&s);
}

Test(outcomes, the_column_of_answers_is_optional)
{
    struct scratch s = scratch_dataset(
        NULL, NULL, "id,model,score,answer\na,big,1,B\nb,big,0,\"1,234\"\nb,org/small,,\n");
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    cr_assert(d->has_answers);
    cr_assert(str_equal(dataset_outcome(d, 0, 0)->answer, STR("B")));
    cr_assert(str_equal(dataset_outcome(d, 1, 0)->answer, STR("1,234")));
    cr_assert_eq(dataset_outcome(d, 1, 1)->answer.len, 0);
    cr_assert_eq(dataset_outcome(d, 0, 1)->answer.len, 0);
    cr_assert_eq(dataset_outcome(d, 0, 0)->answer_class, 0);
    dataset_free(d);
    scratch_remove(&s);
    s = scratch_dataset(NULL, NULL, NULL);
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    cr_assert_not(d->has_answers);
    dataset_free(d);
    scratch_remove(&s);
}

Test(outcomes, method_and_confidence_are_optional)
{
    struct scratch s = scratch_dataset(NULL, NULL,
                                       "id,model,score,confidence,method\n"
                                       "a,big,1,0.25,judge\nb,big,0,,judge\nb,org/small,1,1,\n");
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    cr_expect_eq((double)dataset_outcome(d, 0, 0)->confidence, 0.25);
    cr_expect(str_equal(dataset_outcome(d, 0, 0)->method, STR("judge")));
    cr_expect_eq((double)dataset_outcome(d, 1, 0)->confidence, 1);
    cr_expect(str_equal(dataset_outcome(d, 1, 0)->method, STR("judge")));
    cr_expect_eq(dataset_outcome(d, 1, 1)->method.len, 0);
    cr_expect_eq((double)outcome_confidence(dataset_outcome(d, 0, 1)), 1, "not said is 1");
    dataset_free(d);
    scratch_remove(&s);
    const char *head = "id,model,score,confidence\n";
    static const char *const wrong[] = {"0", "1.01", "-0.5", "nan", "sure", "1e-60"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[96];
        snprintf(text, sizeof(text), "%sa,big,1,%s\n", head, wrong[i]);
        expect_error(NULL, NULL, text, "outcomes.csv:2:9", "confidence above 0");
    }
}

Test(outcomes, a_file_of_scores_alone_is_enough)
{
    struct scratch s = scratch_dataset(NULL, NULL, "score,model,id\n0.5,big,b\n");
    struct dataset *d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), OK);
    const struct outcome *o = dataset_outcome(d, 1, 0);
    cr_assert(o->known && !o->cost_known && !o->tokens_known);
    cr_assert_eq((double)o->score, 0.5);
    dataset_free(d);
    scratch_remove(&s);
}
