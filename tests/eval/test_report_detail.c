/* Domains and bins against sums by hand. */
#include "eval/report_detail.h"

#include "random_table.h"

#define QUERIES 600

struct made {
    struct random_table r;
    struct report report;
    struct detail detail;
    struct str domains[QUERIES];
};

static void make(struct made *m, const double *fractions, size_t count)
{
    static const char *const names[] = {"law", "", "math", "law"};
    struct error err;
    random_table_make(&m->r, QUERIES, 4, 0.8, 12);
    random_table_add_cascade(&m->r, 13);
    for (size_t q = 0; q < QUERIES; q++)
        m->domains[q] = str_from(names[q % 4]);
    const struct report_options o = {.fractions = fractions, .fraction_count = count};
    cr_assert_eq(report_make(&m->r.table, &o, m->r.arena, &m->report, &err), OK, "%s", err.text);
    cr_assert_eq(detail_make(&m->r.table, &m->report, m->domains, m->r.arena, &m->detail, &err),
                 OK);
}

Test(detail, domains_add_up_to_the_operating_point)
{
    struct made m;
    make(&m, NULL, 0);
    const struct report_at *at = &m.report.at[m.detail.at];
    cr_assert_eq(at->fraction, 0.5);
    cr_assert_eq(m.detail.domain_count, 3);
    cr_assert(str_equal(m.detail.domains[0].name, STR("law")), "most queries first");
    cr_assert_eq(m.detail.domains[0].queries, QUERIES / 2);
    double score = 0, usd = 0, reference = 0, shares[5] = {0};
    for (size_t i = 0; i < 3; i++) {
        const struct detail_domain *d = &m.detail.domains[i];
        double weight = (double)d->queries / QUERIES, whole = 0;
        score += weight * d->accuracy.value;
        usd += weight * d->usd_per_1k;
        reference += weight * d->reference.value;
        cr_assert_float_eq(d->difference.value, d->accuracy.value - d->reference.value, 1e-12);
        cr_assert(d->difference.error > 0 && d->accuracy.error > 0.01);
        for (size_t c = 0; c < 5; c++) {
            shares[c] += weight * d->shares[c];
            whole += d->shares[c];
        }
        cr_assert_float_eq(whole, 1, 1e-9);
    }
    cr_assert_float_eq(score, at->accuracy.value, 1e-9);
    cr_assert_float_eq(usd, at->spent_usd_per_1k, 1e-9);
    cr_assert_float_eq(reference, m.report.experts[m.report.reference].accuracy.value, 1e-9);
    for (size_t c = 0; c < 5; c++)
        cr_assert_float_eq(shares[c], at->shares[c], 1e-9);
    random_table_done(&m.r);
}

Test(detail, without_a_policy_there_are_no_domains)
{
    struct made m;
    const double tiny[] = {1e-6};
    make(&m, tiny, 1);
    cr_assert_eq(m.detail.at, SIZE_MAX);
    cr_assert_eq(m.detail.domain_count, 0);
    random_table_done(&m.r);
}

Test(detail, bins_are_those_of_the_calibration_error)
{
    struct made m;
    make(&m, NULL, 0);
    for (size_t c = 0; c < 5; c++) {
        double gap = 0;
        size_t queries = 0;
        for (size_t i = 0; i < METRICS_ECE_BINS; i++) {
            const struct detail_bin *b = &m.detail.bins[c][i];
            queries += b->queries;
            if (b->queries)
                gap += (double)b->queries * fabs(b->predicted - b->recorded);
            else
                cr_assert(isnan(b->predicted));
        }
        cr_assert_eq(queries, QUERIES);
        cr_assert_float_eq(gap / QUERIES, m.report.experts[c].ece, 1e-6);
    }
    random_table_done(&m.r);
}
