/* The area under a report's figures, and what draws of the questions say of its error. */
#include "eval/report_area.h"

#include "random_table.h"

static struct report make(struct random_table *r, size_t draws, const double *fractions,
                          size_t count)
{
    struct report ret;
    const struct report_options o = {
        .draws = draws, .seed = 7, .fractions = fractions, .fraction_count = count};
    cr_assert_eq(report_make(&r->table, &o, r->arena, &ret, NULL), OK);
    return ret;
}

Test(report_area, is_the_mean_where_both_are_known)
{
    struct random_table r;
    const double fractions[] = {0.001, 0.4, 0.8}; /* nothing is as cheap as the first */
    random_table_make(&r, 500, 4, 0.8, 2);
    struct report p = make(&r, 0, fractions, 3);
    struct report_area a = report_area(&p);
    cr_assert(isnan(p.at[0].accuracy.value));
    cr_assert_float_eq(a.area.value, (p.at[1].accuracy.value + p.at[2].accuracy.value) / 2, 1e-12);
    cr_assert_float_eq(a.mix, (p.at[1].mix + p.at[2].mix) / 2, 1e-12);
    cr_assert(isnan(a.area.error), "no draws, no error");
    p = make(&r, 0, fractions, 1);
    cr_assert(isnan(report_area(&p).area.value) && isnan(report_area(&p).mix));
    random_table_done(&r);
}

/* At one fraction it is the report's own error; over several no more than their mean, because they rise and fall
 * together, and not much less. Four times the questions halve it. */
Test(report_area, its_error_is_that_of_the_draws)
{
    struct random_table r, four;
    const double fractions[] = {0.3, 0.6, 0.9};
    random_table_make(&r, 400, 4, 0.8, 5);
    random_table_make(&four, 1600, 4, 0.8, 5);
    struct report one = make(&r, 200, fractions + 1, 1), all = make(&r, 200, fractions, 3),
                  more = make(&four, 200, fractions, 3);
    double mean = 0, error = report_area(&all).area.error;
    for (size_t i = 0; i < 3; i++)
        mean += all.at[i].accuracy.error / 3;
    cr_expect_float_eq(report_area(&one).area.error, one.at[0].accuracy.error, 0.002);
    cr_expect(error < mean + 1e-9 && error > 0.5 * mean, "%f %f", error, mean);
    cr_expect(report_area(&more).area.error < 0.7 * error &&
              report_area(&more).area.error > 0.3 * error);
    random_table_done(&r);
    random_table_done(&four);
}
