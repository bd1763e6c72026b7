/* Experts without experts.csv, and rows of experts that it does not have. */
#include "data/dataset_int.h"

#include "scratch.h"

#define HEAD "id,model,score,cost_usd,input_tokens,output_tokens\n"

static enum status load_without(const char *outcomes, struct scratch *s, struct dataset **ret,
                                struct error *err)
{
    char path[96];
    *s = scratch_dataset(NULL, NULL, outcomes);
    snprintf(path, sizeof(path), "%s/experts.csv", s->path);
    cr_assert_eq(unlink(path), 0);
    return dataset_load(s->path, DATASET_ALL, ret, err);
}

Test(expert_list, outcomes_name_the_experts)
{
    struct scratch s;
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(load_without(HEAD "b,two,1,0.1,1,1\na,one,0,0.1,1,1\na,two,0,,,\n", &s, &d, &err),
                 OK, "%s", err.text);
    cr_assert(d->experts_unlisted);
    cr_assert_eq(d->expert_count, 2);
    cr_expect(str_equal(d->experts[0].name, STR("two")));
    cr_expect(str_equal(d->experts[1].name, STR("one")));
    cr_expect_eq(d->skipped.outcomes, 0);
    dataset_free(d);
    scratch_remove(&s);
}

Test(expert_list, names_are_checked_all_the_same)
{
    struct scratch s;
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(load_without(HEAD "b,GPT 4,1,0.1,1,1\n", &s, &d, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "outcomes.csv:2:3"), "%s", err.text);
    cr_expect_null(d);
    scratch_remove(&s);
}

Test(expert_list, without_both_files_experts_csv_is_missed)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = NULL;
    struct error err;
    char command[160];
    snprintf(command, sizeof(command), "rm %s/experts.csv %s/outcomes.csv", s.path, s.path);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, &err), ERR_NOT_FOUND);
    cr_expect(strstr(err.text, "experts.csv"), "%s", err.text);
    scratch_remove(&s);
}

Test(expert_list, rows_of_others_are_counted_and_their_experts_named)
{
    struct scratch s =
        scratch_dataset(NULL, NULL, HEAD "a,big,1,,1,1\na,x,1,,1,1\nb,x,2,oops,,\nb,y,1,,,\n");
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_expect_eq(d->skipped.outcomes, 3);
    cr_assert_eq(d->skipped.named, 2);
    cr_expect(str_equal(d->skipped.names[0], STR("x")) && str_equal(d->skipped.names[1], STR("y")));
    cr_expect_eq(d->skipped.line, 3);
    dataset_free(d);
    scratch_remove(&s);
}

Test(expert_list, one_price_without_the_other_is_a_mistake)
{
    static const char *const wrong[] = {"model,usd_per_m_input,usd_per_m_output\nbig,1,\n",
                                        "model,usd_per_m_input\nbig,1\n",
                                        "model,usd_per_m_output\nbig,1\n"};
    for (size_t i = 0; i < 3; i++) {
        struct scratch s = scratch_dataset(NULL, wrong[i], NULL);
        struct dataset *d = NULL;
        cr_expect_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), ERR_INPUT, "%s", wrong[i]);
        scratch_remove(&s);
    }
}

Test(expert_list, tokens_may_be_written_as_real_numbers)
{
    struct scratch s =
        scratch_dataset(NULL, NULL, HEAD "a,big,1,,10.0,2e1\nb,big,1,,0.0,2147483647.0\n");
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_expect_eq(dataset_outcome(d, 0, 0)->input_tokens, 10);
    cr_expect_eq(dataset_outcome(d, 0, 0)->output_tokens, 20);
    cr_expect_eq(dataset_outcome(d, 1, 0)->output_tokens, INT32_MAX);
    dataset_free(d);
    scratch_remove(&s);
    static const char *const wrong[] = {"1.5", "-1.0", "2147483648.0", "nan", "inf", "1e300"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), HEAD "a,big,1,,%s,1\n", wrong[i]);
        s = scratch_dataset(NULL, NULL, text);
        cr_expect_eq(dataset_load(s.path, DATASET_ALL, &d, NULL), ERR_INPUT, "%s", wrong[i]);
        scratch_remove(&s);
    }
}
