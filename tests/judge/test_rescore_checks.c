/* Checks of a whole data set. */
#include "judge/rescore_checks.h"

#include "base/valgrind.h"
#include "scratch_set.h"

static char folder[64];

static void setup(void)
{
    set_make(folder);
    set_write(
        folder, "queries.jsonl",
        "{\"id\":\"q1\",\"text\":\"One?\",\"choices\":[\"red\",\"green\"],\"answer\":\"B\"}\n"
        "{\"id\":\"q2\",\"text\":\"Two?\",\"answer\":\"7\",\"check\":{\"regex\":\"1,234\"}}\n"
        "{\"id\":\"q3\",\"text\":\"Three?\",\"check\":{\"command\":[\"grep\",\"-q\",\"Tea\"]}}\n");
}

static void teardown(void)
{
    set_remove(folder);
}

TestSuite(rescore_checks, .init = setup, .fini = teardown);

static const size_t pair[] = {0, 1};

static struct judge_figures figures[2];

static struct dataset *rescored(bool commands, struct rescore_checks_figures *checks)
{
    struct dataset *d = set_load(folder);
    struct error err = {0};
    cr_assert_eq(judge_rescore(d, pair, 2, JUDGE_AUTO, NULL, NULL, figures, &err), OK, "%s",
                 err.text);
    cr_expect(dataset_outcome(d, 1, 0)->known); /* as recorded: its reference does not score it */
    cr_expect_eq(dataset_outcome(d, 1, 0)->score, 1);
    cr_assert_eq(judge_rescore_checks(d, pair, 2, commands, figures, checks, &err), OK, "%s",
                 err.text);
    return d;
}

Test(rescore_checks, a_check_scores_and_counts)
{
    NEEDS_CONFINEMENT;
    struct rescore_checks_figures checks;
    struct dataset *d = rescored(true, &checks);
    const struct outcome *a = dataset_outcome(d, 1, 0), *b = dataset_outcome(d, 1, 1);
    cr_expect(a->known && a->score == 1 && str_equal(a->method, STR("regex")));
    cr_expect(b->known && b->score == 0);
    a = dataset_outcome(d, 2, 0);
    cr_expect(a->known && a->score == 1 && str_equal(a->method, STR("command")));
    cr_expect_not(dataset_outcome(d, 2, 1)->known); /* no text */
    cr_expect(figures[0].scored == 3 && figures[0].judged == 1 && figures[0].compared == 3);
    cr_expect_float_eq(figures[0].recorded, 0.5, 1e-9);
    cr_expect(checks.refused == 0 && checks.broken == 0 && !checks.problem[0]);
    dataset_free(d);
}

Test(rescore_checks, commands_that_are_not_allowed_score_nothing)
{
    struct rescore_checks_figures checks;
    struct dataset *d = rescored(false, &checks);
    cr_expect_eq(checks.refused, 1);
    cr_expect_not(dataset_outcome(d, 2, 0)->known);
    cr_expect(dataset_outcome(d, 2, 0)->present);
    dataset_free(d);
}

Test(rescore_checks, a_check_that_cannot_be_read_names_its_question)
{
    set_write(folder, "queries.jsonl",
              "{\"id\":\"q1\",\"text\":\"One?\"}\n{\"id\":\"q2\",\"text\":\"Two?\"}\n"
              "{\"id\":\"q3\",\"text\":\"Three?\",\"check\":{\"regexp\":\"x\"}}\n");
    struct dataset *d = set_load(folder);
    struct rescore_checks_figures checks;
    struct error err = {0};
    cr_expect_eq(judge_rescore_checks(d, pair, 2, true, figures, &checks, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "question q3: check: 'regexp'"), "%s", err.text);
    dataset_free(d);
}
