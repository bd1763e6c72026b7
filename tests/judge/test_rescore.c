/* Answers and scores of a whole data set. */
#include "judge/rescore.h"

#include "scratch_set.h"

static char folder[64];

static void setup(void)
{
    set_make(folder);
}

static void teardown(void)
{
    set_remove(folder);
}

TestSuite(rescore, .init = setup, .fini = teardown);

static void answered(const struct dataset *d, size_t q, size_t e, const char *answer)
{
    const struct outcome *o = dataset_outcome(d, q, e);
    cr_expect(str_equal(o->answer, str_from(answer)), "q%zu of %zu is '%.*s'", q + 1, e,
              STR_FMT(o->answer));
    cr_expect_eq(o->answer_class == 0, answer[0] == '\0');
}

static void count_calls(size_t done, size_t total, void *arg)
{
    (void)done;
    (void)total;
    ++*(size_t *)arg;
}

Test(rescore, fills_answers_and_classes_from_texts)
{
    struct dataset *d = set_load(folder);
    struct error err = {0};
    const size_t pair[] = {1, 0};
    size_t calls = 0;
    cr_assert_eq(judge_answers_fill(d, pair, 2, count_calls, &calls, &err), OK, "%s", err.text);
    answered(d, 0, 0, "B");
    answered(d, 1, 0, "1,234");
    answered(d, 2, 0, "green tea");
    answered(d, 0, 1, "");
    answered(d, 1, 1, "1234.0");
    answered(d, 2, 1, "");
    cr_expect_eq(dataset_outcome(d, 0, 0)->answer_class, 2);
    cr_expect_eq(dataset_outcome(d, 1, 0)->answer_class, dataset_outcome(d, 1, 1)->answer_class);
    cr_expect_not(d->has_answers); /* c was not asked for */
    cr_expect_eq((double)dataset_outcome(d, 2, 0)->score, 0.5);
    dataset_free(d);
}

Test(rescore, answers_of_the_column_need_no_texts)
{
    set_write(folder, "outcomes.csv",
              "id,model,score,answer\nq1,a,1,B\nq1,b,1,(B)\nq1,c,1,A\n"
              "q2,a,0,1\nq2,b,0,2\nq2,c,0,2.0\nq3,a,,yes\nq3,b,,no\n");
    struct dataset *d = set_load(folder);
    struct error err = {0};
    cr_assert_eq(judge_answers_fill(d, NULL, 0, NULL, NULL, &err), OK, "%s", err.text);
    const struct outcome *o = d->outcomes;
    cr_expect(o[0].answer_class == 2 && o[1].answer_class == 2 && o[2].answer_class == 1);
    cr_expect(o[3].answer_class != o[4].answer_class && o[4].answer_class == o[5].answer_class);
    cr_expect(o[6].answer_class != o[7].answer_class && o[8].answer_class == 0);
    dataset_free(d);
}

/* A run's scores by a teacher or by consensus are not those of a reference. */
Test(rescore, what_was_said_of_the_old_scores_goes_with_them)
{
    set_write(folder, "outcomes.csv",
              "id,model,score,method,confidence\nq1,a,1,teacher,0.8\nq2,b,0,consensus,0.6\n"
              "q3,a,1,judge,0.7\n");
    struct dataset *d = set_load(folder);
    const size_t pair[] = {0, 1};
    struct judge_figures figures[2];
    struct error err = {0};
    cr_assert_eq(judge_rescore(d, pair, 2, JUDGE_AUTO, NULL, NULL, figures, &err), OK, "%s",
                 err.text);
    cr_expect(dataset_outcome(d, 0, 0)->known && dataset_outcome(d, 1, 1)->known);
    cr_expect_not(dataset_outcome(d, 2, 0)->known, "it has no reference");
    for (size_t q = 0; q < 3; q++)
        for (size_t e = 0; e < 2; e++) {
            cr_expect_eq(dataset_outcome(d, q, e)->method.len, 0, "q%zu %zu", q + 1, e);
            cr_expect_eq(outcome_confidence(dataset_outcome(d, q, e)), 1);
        }
    dataset_free(d);
}

Test(rescore, without_column_and_texts_says_so)
{
    struct dataset *d = set_load(folder);
    struct error err = {0};
    cr_assert_eq(judge_answers_fill(d, NULL, 0, NULL, NULL, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.text, "responses/c.jsonl"), "%s", err.text);
    cr_expect_not_null(strstr(err.text, "'answer'"), "%s", err.text);
    cr_expect_eq(dataset_outcome(d, 0, 0)->answer.len, 0); /* as it was */
    dataset_free(d);
}

Test(rescore, scores_by_the_key)
{
    struct dataset *d = set_load(folder);
    struct error err = {0};
    const size_t pair[] = {0, 1};
    struct judge_figures f[2];
    cr_assert_eq(judge_rescore(d, pair, 2, JUDGE_AUTO, NULL, NULL, f, &err), OK, "%s", err.text);
    const struct outcome *a = dataset_outcome(d, 0, 0);
    cr_expect(a->known && a->score == 1.0f && a->cost_nano_usd == 500000000 && a->tokens_known);
    cr_expect(dataset_outcome(d, 1, 0)->known && dataset_outcome(d, 1, 0)->score == 1.0f);
    cr_expect(!dataset_outcome(d, 2, 0)->known); /* no key */
    cr_expect(dataset_outcome(d, 0, 1)->known && dataset_outcome(d, 0, 1)->score == 0.0f);
    cr_expect(dataset_outcome(d, 1, 1)->present && dataset_outcome(d, 1, 1)->score == 1.0f);
    cr_expect(!dataset_outcome(d, 2, 1)->present);
    cr_expect(dataset_outcome(d, 1, 2)->known); /* c was left alone */
    cr_expect(f[0].expert == 0 && f[0].texts == 3 && f[0].unanswered == 0 && f[0].scored == 2);
    cr_expect(f[0].compared == 2 && f[0].recorded == 0.5 && f[0].judged == 1.0);
    cr_expect_eq(f[0].agreement, 0.5);
    cr_expect(f[1].texts == 2 && f[1].unanswered == 1 && f[1].compared == 1 && f[1].scored == 2);
    cr_expect(f[1].recorded == 1.0 && f[1].judged == 0.5 && f[1].agreement == 0.0);
    dataset_free(d);
}

Test(rescore, an_outcome_without_a_text_becomes_unknown)
{
    set_write(folder, "responses/b.jsonl", "");
    struct dataset *d = set_load(folder);
    const size_t b = 1;
    struct judge_figures f;
    cr_assert_eq(judge_rescore(d, &b, 1, JUDGE_AUTO, NULL, NULL, &f, NULL), OK);
    cr_expect(dataset_outcome(d, 0, 1)->present && !dataset_outcome(d, 0, 1)->known);
    cr_expect(f.texts == 0 && f.scored == 0 && f.judged == 0 && f.recorded == 0);
    dataset_free(d);
}

Test(rescore, a_failure_changes_nothing)
{
    set_write(folder, "responses/b.jsonl", "{\"id\":\"q1\",\"text\":\"A\"}\n{\"id\":\"q2\"\n");
    struct dataset *d = set_load(folder);
    struct error err = {0};
    const size_t pair[] = {0, 1};
    struct judge_figures f[2] = {{.texts = 77}};
    cr_assert_eq(judge_rescore(d, pair, 2, JUDGE_AUTO, NULL, NULL, f, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "responses/b.jsonl:2:"), "%s", err.text);
    cr_expect_eq((double)dataset_outcome(d, 0, 0)->score, 0.0);
    cr_expect_eq(f[0].texts, 77);
    dataset_free(d);
}

Test(rescore, without_any_key_is_refused)
{
    set_write(folder, "queries.jsonl",
              "{\"id\":\"q1\",\"text\":\"One?\"}\n{\"id\":\"q2\",\"text\":\"2?\"}\n"
              "{\"id\":\"q3\",\"text\":\"Three?\"}\n");
    struct dataset *d = set_load(folder);
    struct error err = {0};
    const size_t a = 0;
    struct judge_figures f;
    cr_assert_eq(judge_rescore(d, &a, 1, JUDGE_AUTO, NULL, NULL, &f, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "queries.jsonl"));
    dataset_free(d);
}
