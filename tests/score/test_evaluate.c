/* Scores by checks, references, a teacher and consensus. */
#include "score_table.h"

#include "base/valgrind.h"
#include "score/evaluate_int.h"

static struct score_table t;

static void setup(void)
{
    score_table_open(&t);
}

static void teardown(void)
{
    score_table_close(&t);
}

TestSuite(evaluate, .init = setup, .fini = teardown, .timeout = 60);

static const struct evaluate_options plain = {.teacher = EVALUATE_NONE};

Test(evaluate, references_and_checks_come_first)
{
    const struct str choices[] = {STR("red"), STR("green")};
    score_table_add(
        &t,
        (struct query){
            .text = STR("Which?"), .answer = STR("B"), .choices = choices, .choice_count = 2},
        (const char *[]){"The answer is (B).", "A", NULL, NULL});
    score_table_add(&t, (struct query){.text = STR("How many?"), .answer = STR("42")},
                    (const char *[]){"so 42.0", "The answer is 41.", NULL, NULL});
    score_table_add(&t, (struct query){.text = STR("Who?"), .answer = STR("Ada Lovelace")},
                    (const char *[]){"The answer is Ada  lovelace.", NULL, NULL, NULL});
    score_table_add(&t,
                    (struct query){.text = STR("Far?"),
                                   .answer = STR("99"),
                                   .check = STR("{\"regex\":\"^[0-9]+ km$\"}")},
                    (const char *[]){"12 km", "99", NULL, NULL});
    score_table_add(
        &t, (struct query){.text = STR("JSON?"), .check = STR("{\"schema\":{\"type\":\"array\"}}")},
        (const char *[]){"[1]", "{}", NULL, NULL});
    const struct evaluate_figures f = score_table_run(&t, plain);
    score_table_expect(&t, 0, 0, 1, "choice");
    score_table_expect(&t, 0, 1, 0, "choice");
    score_table_expect(&t, 1, 0, 1, "number");
    score_table_expect(&t, 1, 1, 0, "number");
    score_table_expect(&t, 2, 0, 1, "text");
    score_table_expect(&t, 3, 0, 1, "regex");
    score_table_expect(&t, 3, 1, 0, "regex");
    score_table_expect(&t, 4, 0, 1, "schema");
    score_table_expect(&t, 4, 1, 0, "schema");
    cr_expect_eq(f.scored[EVALUATE_CHOICE], 2);
    cr_expect_eq(f.scored[EVALUATE_UNSCORED], 0);
    cr_expect_eq(f.confidence[EVALUATE_REGEX], 1);
    cr_expect_eq(t.asked, 0);
}

/* A whole answer is one where it is a few words, whatever stands between them. */
Test(evaluate, words_are_told_apart_by_any_blank)
{
    const struct query q = {.text = STR("Who?")};
    struct str said;
    cr_expect(eval_answer(&q, STR("Ada \t Lovelace\nof\r\nLondon"), &said));
    cr_expect_not(eval_answer(&q, STR("this\tis\ta\twhole\tsentence"), &said));
}

Test(evaluate, what_is_scored_already_stays)
{
    score_table_add(&t, (struct query){.text = STR("How many?"), .answer = STR("42")},
                    (const char *[]){"42", NULL, NULL, NULL});
    t.outcomes[0].known = true;
    t.outcomes[0].score = 0.25f;
    const struct evaluate_figures f = score_table_run(&t, plain);
    cr_expect_eq(t.outcomes[0].score, 0.25f);
    cr_expect_eq(f.scored[EVALUATE_NUMBER], 0);
}

Test(evaluate, what_was_scored_before_is_counted_with_the_rest)
{
    const size_t before[EVALUATE_METHODS] = {[EVALUATE_CHOICE] = 5, [EVALUATE_NUMBER] = 2};
    score_table_add(&t, (struct query){.text = STR("2 + 2?"), .answer = STR("4")},
                    (const char *[]){"4", "5", NULL, NULL});
    struct evaluate_options o = plain;
    o.scored_before = before;
    const struct evaluate_figures f = score_table_run(&t, o);
    cr_expect_eq(f.scored[EVALUATE_CHOICE], 5);
    cr_expect_eq(f.scored[EVALUATE_NUMBER], 4);
    cr_expect_eq(f.confidence[EVALUATE_NUMBER], 1);
    struct buf out;
    buf_init(&out, 1u << 16);
    evaluate_write_text(&f, &t.data, &out);
    cr_expect_eq(out.len, 0, "references are no news: %s", out.ptr);
    buf_done(&out);
}

Test(evaluate, commands_run_only_when_allowed)
{
    NEEDS_CONFINEMENT;
    score_table_add(&t,
                    (struct query){.text = STR("Code?"),
                                   .answer = STR("x"),
                                   .check = STR("{\"command\":[\"grep\",\"-q\",\"yes\"]}")},
                    (const char *[]){"yes", "no", NULL, NULL});
    struct evaluate_figures f = score_table_run(&t, plain);
    cr_expect_eq(f.commands_refused, 2);
    cr_expect_eq(f.scored[EVALUATE_UNSCORED], 2);
    cr_expect_not(t.outcomes[0].known);
    struct evaluate_options o = plain;
    o.allow_commands = true;
    f = score_table_run(&t, o);
    score_table_expect(&t, 0, 0, 1, "command");
    score_table_expect(&t, 0, 1, 0, "command");
}

Test(evaluate, a_broken_check_is_told_and_nothing_else_is_tried)
{
    score_table_add(
        &t, (struct query){.text = STR("?"), .answer = STR("1"), .check = STR("{\"rx\":1}")},
        (const char *[]){"1", "1", "1", NULL});
    const struct evaluate_figures f = score_table_run(&t, plain);
    cr_expect_eq(f.checks_broken, 3);
    cr_expect_eq(f.scored[EVALUATE_UNSCORED], 3);
    cr_expect_not_null(strstr(f.first_problem.ptr, "question q1: check: 'rx'"));
    struct buf out;
    buf_init(&out, 1u << 16);
    evaluate_write_text(&f, &t.data, &out);
    cr_expect_not_null(strstr(out.ptr, "could not be checked"), "%s", out.ptr);
    buf_done(&out);
}

static const char *teach(const struct evaluate_ask *ask)
{
    cr_expect_eq(ask->expert, 3);
    cr_expect(str_starts(ask->key, STR("teacher/q")));
    return str_equal(ask->user, STR("Capital?")) ? "The answer is Paris." : NULL;
}

Test(evaluate, a_teachers_answer_is_the_reference)
{
    score_table_add(&t, (struct query){.text = STR("Capital?")},
                    (const char *[]){"The answer is paris.", "Lyon", NULL, NULL});
    score_table_add(&t, (struct query){.text = STR("River?")},
                    (const char *[]){"Seine", "Rhine", NULL, NULL});
    score_table_add(&t, (struct query){.text = STR("Hill?")},
                    (const char *[]){"Montmartre", NULL, NULL, "The answer is Montmartre"});
    t.reply = teach;
    struct evaluate_options o = plain;
    o.teacher = 3;
    const struct evaluate_figures f = score_table_run(&t, o);
    cr_expect_eq(t.asked, 2); /* the third it has answered as an expert */
    score_table_expect(&t, 0, 0, 1, "teacher");
    score_table_expect(&t, 0, 1, 0, "teacher");
    score_table_expect(&t, 2, 0, 1, "teacher");
    cr_expect_not(t.outcomes[4].known);  /* the teacher said nothing */
    cr_expect_not(t.outcomes[11].known); /* its own */
    cr_expect_float_eq((double)t.outcomes[0].confidence, 0.8, 1e-6);
    cr_expect_eq(f.scored[EVALUATE_TEACHER], 3);
}

Test(evaluate, consensus_is_the_last_resort_and_measured_where_references_are)
{
    const struct str choices[] = {STR("w"), STR("x"), STR("y"), STR("z")};
    const struct query closed = {
        .text = STR("?"), .answer = STR("A"), .choices = choices, .choice_count = 4};
    for (size_t i = 0; i < 20; i++)
        score_table_add(&t, closed, (const char *[]){"A", "A", i % 3 ? "A" : "B", "C"});
    struct query open = closed;
    open.answer = STR("");
    const size_t q = score_table_add(&t, open, (const char *[]){"B", "B", "B", "who knows"});
    score_table_add(&t, open, (const char *[]){"B", "B", NULL, NULL});
    score_table_add(&t, open, (const char *[]){"B", NULL, NULL, NULL});
    const struct evaluate_figures f = score_table_run(&t, plain);
    const struct outcome *o = &t.outcomes[q * TABLE_EXPERTS];
    cr_expect(o[0].known && o[0].score > 0.8f, "%g", (double)o[0].score);
    cr_expect(str_equal(o[0].method, STR("consensus")));
    cr_expect_eq(o[0].confidence, o[0].score);
    cr_expect(o[3].known && o[3].score == 0);
    cr_expect(t.outcomes[(q + 1) * TABLE_EXPERTS].known); /* of two that are known to be able */
    cr_expect_not(t.outcomes[(q + 2) * TABLE_EXPERTS].known);
    cr_expect_eq(f.scored[EVALUATE_CONSENSUS], 6);
    cr_expect_eq(f.consensus_gap[TABLE_EXPERTS].count, 80);
    cr_expect_gt(f.consensus_gap[TABLE_EXPERTS].agreement, 0.9);
    cr_expect_eq(f.consensus_gap[3].count, 20);
}

Test(evaluate, two_whose_abilities_are_not_known_are_no_consensus)
{
    score_table_add(&t, (struct query){.text = STR("?")},
                    (const char *[]){"The answer is B.", "The answer is B.", NULL, NULL});
    cr_expect_eq(score_table_run(&t, plain).scored[EVALUATE_UNSCORED], 2);
}

Test(evaluate, essays_have_no_consensus)
{
    static char essay[3][200];
    for (int i = 0; i < 3; i++)
        snprintf(essay[i], sizeof(essay[i]),
                 "In the %dth chapter it rains, and everybody leaves the city in 1984, as they had "
                 "always wanted to do without any doubt",
                 i);
    score_table_add(&t, (struct query){.text = STR("Write.")},
                    (const char *[]){essay[0], essay[1], essay[2], NULL});
    const struct evaluate_figures f = score_table_run(&t, plain);
    cr_expect_eq(f.scored[EVALUATE_UNSCORED], 3);
}
