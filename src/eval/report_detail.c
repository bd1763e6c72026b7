/* Domains and calibration, for the page: figures that the tables do not show and that are only worked out when a page
 * is asked for.
 *
 * Belongs to one command's thread; everything lives in the caller's arena. A query that may take the next step counts
 * with its expectation over the two choices, so that the domains add up to the report's own figures. */
#include "eval/report_detail.h"

#include <math.h>
#include <stdlib.h>

#include "eval/baseline.h"

#define DETAIL_FRACTION 0.5 /* of the reference's cost: where domains are shown */

/* Domains */

struct labelled {
    struct str name;
    uint32_t query;
};

static int compare_labelled(const void *a, const void *b)
{
    const struct labelled *x = a, *y = b;
    int by_name = str_compare(x->name, y->name);
    return by_name ? by_name : (x->query > y->query) - (x->query < y->query);
}

static int compare_domains(const void *a, const void *b)
{
    const struct detail_domain *x = a, *y = b;
    if (x->queries != y->queries)
        return x->queries < y->queries ? 1 : -1;
    return str_compare(x->name, y->name);
}

/* The step that query q takes with probability cut->share; NULL for all queries but one. */
static const struct curve_step *mixed_step(const struct report *r, const struct curve_cut *cut,
                                           size_t q)
{
    if (!(cut->share > 0) || r->sweep.steps[cut->steps].query != q)
        return NULL;
    return &r->sweep.steps[cut->steps];
}

/* What a query adds: the expectation over the mix where it is the one that may take the next step. */
struct expected {
    double score, nano_usd;
};

static struct expected expect(const struct eval_table *t, const struct report *r, size_t q,
                              const struct curve_cut *cut, size_t choice)
{
    const struct outcome *o = eval_outcome(t, q, choice);
    struct expected e = {(double)o->score, (double)o->cost_nano_usd};
    const struct curve_step *next = mixed_step(r, cut, q);
    if (next) {
        e.score += cut->share * (double)next->score_gain;
        e.nano_usd += cut->share * (double)next->cost_gain_nano_usd;
    }
    return e;
}

struct sums {
    double value, squares;
};

static void sums_add(struct sums *s, double value)
{
    s->value += value;
    s->squares += value * value;
}

static struct figure sums_mean(const struct sums *s, size_t count)
{
    return baseline_mean(s->value, s->squares, count);
}

/* Sums up one domain. One pass over its queries feeds all sums, since each of them needs the query's choice and its
 * expectation. */
static void domain_fill(const struct eval_table *t, const struct report *r,
                        const struct curve_cut *cut, const uint32_t *choices,
                        const struct labelled *rows, struct detail_domain *d)
{
    struct sums router = {0}, reference = {0}, difference = {0};
    double nano_usd = 0, reference_nano_usd = 0;
    for (size_t i = 0; i < d->queries; i++) {
        size_t q = rows[i].query, choice = choices[q];
        struct expected e = expect(t, r, q, cut, choice);
        const struct outcome *o = eval_outcome(t, q, t->reference);
        sums_add(&router, e.score);
        sums_add(&reference, (double)o->score);
        sums_add(&difference, e.score - (double)o->score);
        nano_usd += e.nano_usd;
        reference_nano_usd += (double)o->cost_nano_usd;
        d->shares[choice] += 1 / (double)d->queries;
        const struct curve_step *next = mixed_step(r, cut, q);
        if (next) {
            d->shares[choice] -= cut->share / (double)d->queries;
            d->shares[next->to] += cut->share / (double)d->queries;
        }
    }
    double to_usd_per_1k = 1000 / (double)NANO_PER_USD / (double)d->queries;
    d->accuracy = sums_mean(&router, d->queries);
    d->reference = sums_mean(&reference, d->queries);
    d->difference = sums_mean(&difference, d->queries);
    d->usd_per_1k = nano_usd * to_usd_per_1k;
    d->reference_usd_per_1k = reference_nano_usd * to_usd_per_1k;
}

static size_t run_length(const struct labelled *rows, size_t count)
{
    size_t n = 1;
    while (n < count && str_equal(rows[n].name, rows[0].name))
        n++;
    return n;
}

/* The operating point to show; SIZE_MAX: none has a policy. */
static size_t point_near(const struct report *r, double fraction)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < r->at_count; i++)
        if (!isnan(r->at[i].spent_usd_per_1k) &&
            (best == SIZE_MAX ||
             fabs(r->at[i].fraction - fraction) < fabs(r->at[best].fraction - fraction)))
            best = i;
    return best;
}

/* Sorts the queries by domain and fills one row for each run of equal names. It counts the runs first, because an
 * arena's arrays cannot grow. */
static enum status domains_make(const struct eval_table *t, const struct report *r,
                                const struct str *domains, struct arena *a, struct detail *ret,
                                struct error *err)
{
    struct labelled *rows = ARENA_ARRAY(a, t->queries, struct labelled);
    uint32_t *choices = ARENA_ARRAY(a, t->queries, uint32_t);
    if (!rows || !choices)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < t->queries; q++)
        rows[q] = (struct labelled){domains[q], (uint32_t)q};
    qsort(rows, t->queries, sizeof(*rows), compare_labelled);
    size_t count = 0;
    for (size_t i = 0; i < t->queries; i += run_length(&rows[i], t->queries - i))
        count++;
    ret->domains = ARENA_ARRAY(a, count, struct detail_domain);
    double *shares = ARENA_ARRAY(a, count * r->columns, double);
    if (!ret->domains || !shares)
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct curve_cut *cut = &r->at[ret->at].cut;
    curve_choices(&r->sweep, cut->steps, choices);
    for (size_t i = 0; i < t->queries; shares += r->columns) {
        struct detail_domain *d = &ret->domains[ret->domain_count++];
        d->name = rows[i].name;
        d->queries = run_length(&rows[i], t->queries - i);
        d->shares = shares;
        domain_fill(t, r, cut, choices, &rows[i], d);
        i += d->queries;
    }
    qsort(ret->domains, count, sizeof(*ret->domains), compare_domains);
    return OK;
}

/* Calibration */

static void bins_fill(const struct eval_table *t, size_t column,
                      struct detail_bin bins[METRICS_ECE_BINS])
{
    for (size_t q = 0; q < t->queries; q++) {
        double predicted = (double)eval_estimate(t, q, column)->quality;
        struct detail_bin *b = &bins[metrics_bin(predicted)];
        b->queries++;
        b->predicted += predicted;
        b->recorded += (double)eval_outcome(t, q, column)->score;
    }
    for (size_t i = 0; i < METRICS_ECE_BINS; i++) {
        bins[i].predicted /= (double)bins[i].queries; /* NaN when empty */
        bins[i].recorded /= (double)bins[i].queries;
    }
}

static enum status calibration_make(const struct eval_table *t, struct arena *a, struct detail *ret,
                                    struct error *err)
{
    ret->bins = arena_array(a, t->experts, sizeof(*ret->bins));
    if (!ret->bins)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < t->experts; e++)
        if (eval_in_pool(t, e))
            bins_fill(t, e, ret->bins[e]);
    return OK;
}

enum status detail_make(const struct eval_table *t, const struct report *r,
                        const struct str *domains, struct arena *a, struct detail *ret,
                        struct error *err)
{
    struct detail d = {.at = point_near(r, DETAIL_FRACTION)};
    enum status status = calibration_make(t, a, &d, err);
    if (status == OK && d.at != SIZE_MAX)
        status = domains_make(t, r, domains, a, &d, err);
    if (status == OK)
        *ret = d;
    return status;
}
