/* Rows of decisions: names that need quotes, plans, the mixed query, the figures again. */
#include "eval/decisions.h"

#include <stdlib.h>

#include "base/csv.h"
#include "data/scratch.h"
#include "random_table.h"

#define QUERIES 200

struct made {
    struct random_table r;
    struct report report;
    struct eval_set set;
    struct dataset data;
    struct query queries[2 * QUERIES];
    uint32_t index[QUERIES];
    struct scratch scratch;
    char path[160];
};

static void make(struct made *m)
{
    random_table_make(&m->r, QUERIES, 3, 0.8, 31);
    random_table_add_cascade(&m->r, 32);
    m->r.names[0] = STR("small, \"cheap\"");
    const struct report_options o = {.draws = 0};
    cr_assert_eq(report_make(&m->r.table, &o, m->r.arena, &m->report, NULL), OK);
    for (size_t q = 0; q < QUERIES; q++) { /* every second query of the data set is in the table */
        m->index[q] = (uint32_t)(2 * q + 1);
        m->queries[2 * q + 1].id = str_from(arena_printf(m->r.arena, "q%zu", q));
        m->queries[2 * q].id = STR("not in the table");
    }
    m->data = (struct dataset){.queries = m->queries, .query_count = 2 * QUERIES};
    m->set = (struct eval_set){.table = m->r.table, .query_index = m->index};
    m->scratch = scratch_make();
    snprintf(m->path, sizeof(m->path), "%s/decisions.csv", m->scratch.path);
}

static void done(struct made *m)
{
    scratch_remove(&m->scratch);
    random_table_done(&m->r);
}

struct totals {
    double weight, score, usd;
    size_t rows, weighted;
};

static double number(const struct csv *c, int column)
{
    double v = 0;
    cr_assert_eq(str_to_double(csv_cell(c, column), &v), OK);
    return v;
}

/* Sums of the rows of one operating point. */
static struct totals read_point(const char *path, const char *point)
{
    struct csv *c;
    struct totals t = {0};
    struct error err;
    cr_assert_eq(csv_open(path, &c, &err), OK, "%s", err.text);
    int at = csv_column(c, "operating_point"), weight = csv_column(c, "weight");
    int score = csv_column(c, "score"), usd = csv_column(c, "cost_usd");
    enum status status;
    while ((status = csv_next(c, &err)) == OK) {
        if (!str_equal(csv_cell(c, at), str_from(point)))
            continue;
        double w = number(c, weight);
        t.weight += w;
        t.score += w * number(c, score);
        t.usd += w * number(c, usd);
        t.rows++;
        t.weighted += w < 1;
    }
    cr_assert_eq(status, CLOSED, "%s", err.text);
    csv_close(c);
    return t;
}

static void expect_totals(const struct totals *t, double accuracy, double usd_per_1k)
{
    cr_assert_float_eq(t->weight, QUERIES, 1e-9);
    cr_assert_float_eq(t->score / t->weight, accuracy, 1e-9);
    cr_assert_float_eq(t->usd / t->weight * 1000, usd_per_1k, 1e-9);
}

Test(decisions, give_every_figure_again)
{
    struct made m;
    struct error err;
    make(&m);
    cr_assert_eq(decisions_write(&m.set, &m.data, &m.report, m.r.arena, m.path, &err), OK, "%s",
                 err.text);
    static const char *const points[] = {"0.35", "0.5", "0.666667", "0.75", "1"};
    for (size_t i = 0; i < m.report.at_count; i++) {
        const struct report_at *at = &m.report.at[i];
        struct totals t = read_point(m.path, points[i]);
        expect_totals(&t, at->accuracy.value, at->spent_usd_per_1k);
        cr_assert_eq(t.rows, at->cut.share > 0 ? QUERIES + 1 : QUERIES);
        cr_assert_eq(t.weighted, at->cut.share > 0 ? 2 : 0);
    }
    struct report_curve_point end = report_curve_end(&m.report);
    struct totals best = read_point(m.path, "lambda=0");
    expect_totals(&best, end.accuracy, end.usd_per_1k);
    const struct report_expert *e = &m.report.experts[m.report.reference];
    struct totals reference = read_point(m.path, "reference");
    expect_totals(&reference, e->accuracy.value, e->usd_per_1k);
    done(&m);
}

Test(decisions, name_the_calls_that_were_paid)
{
    struct made m;
    struct csv *c;
    size_t asked_on = 0, kept = 0, singles = 0;
    make(&m);
    cr_assert_eq(decisions_write(&m.set, &m.data, &m.report, m.r.arena, m.path, NULL), OK);
    cr_assert_eq(csv_open(m.path, &c, NULL), OK);
    while (csv_next(c, NULL) == OK) {
        struct str plan = csv_cell(c, csv_column(c, "plan"));
        struct str calls = csv_cell(c, csv_column(c, "calls"));
        struct str answered = csv_cell(c, csv_column(c, "answered"));
        cr_assert(csv_cell(c, csv_column(c, "id")).ptr[0] == 'q');
        if (!str_equal(plan, STR("cascade(first→last)"))) {
            cr_assert(str_equal(plan, calls) && str_equal(plan, answered));
            singles++;
        } else if (str_equal(calls, STR("small, \"cheap\"+c"))) {
            cr_assert(str_equal(answered, STR("c")));
            asked_on++;
        } else {
            cr_assert(str_equal(calls, STR("small, \"cheap\"")));
            cr_assert(str_equal(answered, calls));
            kept++;
        }
    }
    cr_assert(asked_on > 5 && kept > 5 && singles > QUERIES);
    csv_close(c);
    done(&m);
}

Test(decisions, an_unwritable_place_is_an_error)
{
    struct made m;
    struct error err = {0};
    make(&m);
    cr_assert_neq(decisions_write(&m.set, &m.data, &m.report, m.r.arena, "/no/such/folder/x", &err),
                  OK);
    cr_assert_not_null(strstr(err.text, "/no/such/folder/x"));
    cr_assert_neq(decisions_write(&m.set, &m.data, &m.report, m.r.arena, "/dev/full", &err), OK);
    cr_assert_not_null(strstr(err.text, "/dev/full"), "%s", err.text);
    done(&m);
}
