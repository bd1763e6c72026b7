/* Drift of experts: see drift.h for what is compared with what, bench/universe.md for how often it errs. The tests are
 * made again whenever one more expert is found to have drifted, without it among the comparisons, so that one that has
 * fallen does not make the others seem to have risen. Sums go over rows in their order: the same rows give the same
 * figures. One thread, scratch memory; nothing is drawn, nothing asked. */
#include "eval/drift.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"

struct drift {
    const struct drift_input *in;
    struct drift_expert *ret;
    double *sums;   /* [questions] of the residuals of those that may be compared with */
    size_t *counts; /* [questions] of them */
    bool *fallen;   /* [experts] found to have drifted */
    double *raw;    /* [experts] |difference| / error by the expert's own rows alone */
};

static double residual(const struct drift_row *r)
{
    return (double)r->score - (double)r->estimated;
}

/* The least variance of a residual: of the answer's chance, beside what all answers to the question share. */
static double chance(const struct drift_row *r)
{
    double q = (double)r->estimated, sd = (double)r->estimated_sd;
    return fmax(0, q * (1 - q) - sd * sd);
}

/* Means of an expert's recent rows */

struct moments {
    double n, r, c, rr, rc, cc; /* sums of residuals, of the others' means, of products */
    double chance, spread;      /* sums of the least variance, and of the estimates' own */
};

/* The mean residual of the others on the row's question; false: nobody else is there. */
static bool others_mean(const struct drift *d, const struct drift_row *r, double *ret)
{
    bool among = !d->fallen[r->expert];
    size_t count = d->counts[r->question] - among;
    if (!count)
        return false;
    *ret = (d->sums[r->question] - (among ? residual(r) : 0)) / (double)count;
    return true;
}

/* `paired`: only rows on whose question somebody else is. */
static struct moments sum_up(const struct drift *d, size_t expert, bool earlier, bool paired)
{
    struct moments m = {0};
    for (size_t i = 0; i < d->in->row_count; i++) {
        const struct drift_row *r = &d->in->rows[i];
        double x = residual(r), c = 0;
        if (r->expert != expert || r->earlier != earlier || (paired && !others_mean(d, r, &c)))
            continue;
        m.n++;
        m.r += x;
        m.c += c;
        m.rr += x * x;
        m.rc += x * c;
        m.cc += c * c;
        m.chance += chance(r);
        m.spread += (double)r->estimated * (1 - (double)r->estimated);
    }
    return m;
}

/* Variance of the mean of n residuals, and of the mean that the model learnt, from as many with the same spread. */
static double variance(double spread, double n, size_t learnt_from)
{
    return spread / n + (learnt_from ? spread / (double)learnt_from : 0);
}

static double own_spread(const struct moments *m)
{
    double mean = m->r / m->n;
    return fmax(m->rr / m->n - mean * mean, m->spread / m->n);
}

static void test_alone(const struct moments *m, size_t learnt_from, struct drift_test *t)
{
    t->difference = m->r / m->n;
    t->error = sqrt(variance(own_spread(m), m->n, learnt_from));
    t->rows = (size_t)m->n;
}

/* What others explain is taken off. A shift of all questions alike would show in their mean, and what the slope leaves
 * of it is no drift. */
static void test_paired(const struct moments *m, size_t learnt_from, struct drift_test *t)
{
    double r = m->r / m->n, c = m->c / m->n;
    double cc = m->cc / m->n - c * c, rc = m->rc / m->n - r * c, rr = m->rr / m->n - r * r;
    double slope = cc > 0 ? fmax(0, fmin(1, rc / cc)) : 0;
    double spread = fmax(rr - 2 * slope * rc + slope * slope * cc, m->chance / m->n);
    double shift = (1 - slope) * c;
    t->difference = r - slope * c;
    t->error = sqrt(variance(spread, m->n, learnt_from) + shift * shift);
    t->rows = (size_t)m->n;
}

/* The others' recent residuals, whatever their questions. */
static bool test_others(const struct drift *d, size_t expert, const struct moments *m,
                        struct drift_test *t)
{
    struct moments all = {0};
    for (size_t e = 0; e < d->in->expert_count; e++) {
        if (e == expert || d->fallen[e])
            continue;
        struct moments one = sum_up(d, e, false, false);
        all.n += one.n;
        all.r += one.r;
        all.rr += one.rr;
        all.spread += one.spread;
    }
    if (all.n < DRIFT_ROWS_MIN)
        return false;
    t->difference = m->r / m->n - all.r / all.n;
    t->error = sqrt(own_spread(m) / m->n + own_spread(&all) / all.n);
    return true;
}

static void test_earlier(const struct moments *m, const struct moments *before,
                         struct drift_test *t)
{
    t->difference = m->r / m->n - before->r / before->n;
    t->error = sqrt(own_spread(m) / m->n + own_spread(before) / before->n);
}

static void test_feedback(const struct drift *d, size_t e, const struct moments *m,
                          struct drift_expert *x)
{
    struct moments before = sum_up(d, e, true, false);
    if (before.n >= DRIFT_ROWS_MIN) {
        x->basis = DRIFT_EARLIER;
        test_earlier(m, &before, &x->quality);
    } else {
        x->basis = test_others(d, e, m, &x->quality) ? DRIFT_OTHERS : DRIFT_NOTHING;
    }
}

static void test_quality(struct drift *d, size_t e)
{
    struct drift_expert *x = &d->ret[e];
    const struct drift_known *known = &d->in->known[e];
    struct moments m = sum_up(d, e, false, false);
    if (m.n < DRIFT_ROWS_MIN)
        return;
    test_alone(&m, known->outcomes, &x->quality);
    d->raw[e] = fabs(x->quality.difference) / x->quality.error;
    if (d->in->feedback) {
        test_feedback(d, e, &m, x);
        return;
    }
    struct moments paired = sum_up(d, e, false, true);
    if (!known->outcomes) {
        x->basis = DRIFT_NOTHING;
        return;
    }
    x->basis = 2 * paired.n >= m.n && paired.n >= DRIFT_ROWS_MIN ? DRIFT_PAIRED : DRIFT_MODEL;
    if (x->basis == DRIFT_PAIRED)
        test_paired(&paired, known->outcomes, &x->quality);
    x->quality.error = hypot(x->quality.error, x->quality.floor / 2);
}

/* Lengths */

struct ratio {
    double n, is, expected; /* sums */
    double squares; /* of what was, of what was expected, and their product, each as a row's term */
    double products, expected_squares;
};

static void ratio_add(struct ratio *s, double is, double expected)
{
    if (!(is > 0 && expected > 0))
        return;
    s->n++;
    s->is += is;
    s->expected += expected;
    s->squares += is * is;
    s->products += is * expected;
    s->expected_squares += expected * expected;
}

/* A ratio of sums, and its error by the delta method; the model's own doubt is that of as many rows as it learnt from.
 * False: too few rows. */
static bool ratio_of(const struct ratio *s, size_t learnt_from, double *ret, double *ret_error)
{
    if (s->n < DRIFT_ROWS_MIN)
        return false;
    double ratio = s->is / s->expected, mean = s->expected / s->n;
    double spread =
        fmax(0, s->squares - 2 * ratio * s->products + ratio * ratio * s->expected_squares) / s->n;
    *ret = ratio;
    *ret_error = sqrt(variance(spread, s->n, learnt_from)) / mean;
    return true;
}

/* Sums of logarithms of is over expected. */
struct logs {
    double n, sum, squares;
};

static void log_add(struct logs *s, double is, double expected)
{
    if (!(is > 0 && expected > 0))
        return;
    double x = log(is / expected);
    s->n++;
    s->sum += x;
    s->squares += x * x;
}

static double log_spread(const struct logs *s)
{
    double mean = s->sum / s->n;
    return fmax(0, s->squares / s->n - mean * mean);
}

/* With what the model knows, else with the expert's own earlier rows. */
static void test_logs(const struct logs *now, const struct logs *before,
                      const struct drift_known *known, bool has_length, struct drift_test *t)
{
    double change, spread = now->n > 0 ? log_spread(now) : 0;
    if (now->n < DRIFT_ROWS_MIN)
        return;
    if (has_length) {
        change = now->sum / now->n - known->length_log;
        spread = fmax(spread, known->length_log_sd * known->length_log_sd);
        t->error = sqrt(variance(spread, now->n, known->outcomes));
    } else if (before->n >= DRIFT_ROWS_MIN) {
        change = now->sum / now->n - before->sum / before->n;
        t->error = sqrt(spread / now->n + log_spread(before) / before->n);
    } else {
        return;
    }
    t->rows = (size_t)now->n;
    t->difference = expm1(change);
    t->z = t->error > 0 ? change / t->error : 0;
    t->error *= exp(change);
}

static void test_length(struct drift *d, size_t e)
{
    struct drift_expert *x = &d->ret[e];
    const struct drift_known *known = &d->in->known[e];
    struct ratio usd = {0};
    struct logs tokens[2] = {{0}}, costs[2] = {{0}};
    for (size_t i = 0; i < d->in->row_count; i++) {
        const struct drift_row *r = &d->in->rows[i];
        if (r->expert != e)
            continue;
        log_add(&tokens[r->earlier], r->tokens, r->estimated_tokens);
        log_add(&costs[r->earlier], r->usd, r->estimated_usd);
        if (!r->earlier)
            ratio_add(&usd, r->usd, r->estimated_usd);
    }
    if (ratio_of(&usd, known->outcomes, &x->usd_ratio, &x->usd_ratio_error))
        x->usd = usd.is / usd.n;
    bool by_tokens = tokens[0].n >= DRIFT_ROWS_MIN;
    bool has_length = by_tokens && !d->in->feedback && known->length_log == known->length_log;
    test_logs(by_tokens ? &tokens[0] : &costs[0], by_tokens ? &tokens[1] : &costs[1], known,
              has_length, &x->length);
}

/* Verdicts */

/* Of Student's t with a degree of freedom less than rows, by the normal deviate that it is worth (Wallace 1959). */
static double two_sided(const struct drift_test *t)
{
    double free = (double)t->rows - 1;
    if (!(t->error > 0) || free <= 0)
        return (double)NAN;
    double z = (8 * free + 1) / (8 * free + 3) * sqrt(free * log1p(t->z * t->z / free));
    return erfc(z * M_SQRT1_2);
}

static int compare_p(const void *a, const void *b)
{
    const struct drift_test *const *x = a, *const *y = b;
    return ((*x)->p > (*y)->p) - ((*x)->p < (*y)->p);
}

/* Holm: the smallest p times the number of tests, the next times one less, and never below the one before. */
static void correct(struct drift_test **tests, size_t count, double alpha)
{
    double highest = 0;
    qsort(tests, count, sizeof(struct drift_test *), compare_p);
    for (size_t i = 0; i < count; i++) {
        struct drift_test *t = tests[i];
        highest = fmax(highest, fmin(1, t->p * (double)(count - i)));
        t->p = highest;
        t->drifted = t->p < alpha && fabs(t->difference) > t->floor;
    }
}

static void judge(struct drift *d, struct drift_test **tests)
{
    size_t count = 0;
    for (size_t e = 0; e < d->in->expert_count; e++) {
        struct drift_expert *x = &d->ret[e];
        if (x->quality.error > 0)
            x->quality.z = x->quality.difference / x->quality.error;
        x->quality.p = x->basis == DRIFT_NOTHING ? (double)NAN : two_sided(&x->quality);
        x->length.p = two_sided(&x->length);
        if (x->quality.p == x->quality.p)
            tests[count++] = &x->quality;
        if (x->length.p == x->length.p)
            tests[count++] = &x->length;
    }
    correct(tests, count, d->in->alpha);
}

/* Course */

static void begin(struct drift *d)
{
    for (size_t e = 0; e < d->in->expert_count; e++) {
        double error = d->in->known[e].calibration_error;
        d->ret[e] = (struct drift_expert){
            .quality = {.floor = error == error ? error : DRIFT_FLOOR, .p = (double)NAN},
            .length = {.floor = DRIFT_LENGTH_FLOOR, .p = (double)NAN},
            .usd = (double)NAN,
            .usd_ratio = (double)NAN,
            .usd_ratio_error = (double)NAN};
    }
    for (size_t i = 0; i < d->in->row_count; i++) {
        const struct drift_row *r = &d->in->rows[i];
        struct drift_expert *x = &d->ret[r->expert];
        CHECK(r->expert < d->in->expert_count && r->question < d->in->question_count);
        x->rows += !r->earlier;
        x->earlier += r->earlier;
        x->score += r->earlier ? 0 : (double)r->score;
        x->estimated += r->earlier ? 0 : (double)r->estimated;
    }
    for (size_t e = 0; e < d->in->expert_count; e++)
        if (d->ret[e].rows) {
            d->ret[e].score /= (double)d->ret[e].rows;
            d->ret[e].estimated /= (double)d->ret[e].rows;
        }
}

static void sum_questions(struct drift *d)
{
    for (size_t q = 0; q < d->in->question_count; q++) {
        d->sums[q] = 0;
        d->counts[q] = 0;
    }
    for (size_t i = 0; i < d->in->row_count; i++) {
        const struct drift_row *r = &d->in->rows[i];
        if (r->earlier || d->fallen[r->expert])
            continue;
        d->sums[r->question] += residual(r);
        d->counts[r->question]++;
    }
}

/* Of those whose quality has drifted and who are still compared with: the one that differs most by itself. SIZE_MAX. */
static size_t next_fallen(const struct drift *d)
{
    size_t next = SIZE_MAX;
    for (size_t e = 0; e < d->in->expert_count; e++)
        if (d->ret[e].quality.drifted && !d->fallen[e] &&
            (next == SIZE_MAX || d->raw[e] > d->raw[next]))
            next = e;
    return next;
}

enum status drift_find(const struct drift_input *in, struct arena *a, struct drift_expert *ret,
                       struct error *err)
{
    struct drift d = {.in = in,
                      .ret = ret,
                      .sums = ARENA_ARRAY(a, in->question_count + 1, double),
                      .counts = ARENA_ARRAY(a, in->question_count + 1, size_t),
                      .fallen = ARENA_ARRAY(a, in->expert_count + 1, bool),
                      .raw = ARENA_ARRAY(a, in->expert_count + 1, double)};
    struct drift_test **tests = ARENA_ARRAY(a, 2 * in->expert_count + 1, struct drift_test *);
    if (!d.sums || !d.counts || !d.fallen || !d.raw || !tests)
        return error_set(err, ERR_MEMORY, "out of memory");
    begin(&d);
    for (size_t e = 0; e < in->expert_count; e++)
        test_length(&d, e);
    for (size_t next = 0; next != SIZE_MAX;) {
        sum_questions(&d);
        for (size_t e = 0; e < in->expert_count; e++)
            test_quality(&d, e);
        judge(&d, tests);
        next = next_fallen(&d);
        if (next != SIZE_MAX)
            d.fallen[next] = true;
    }
    return OK;
}

const char *drift_basis_name(enum drift_basis basis)
{
    static const char *const names[] = {[DRIFT_TOO_FEW] = "too few",
                                        [DRIFT_NOTHING] = "nothing to compare with",
                                        [DRIFT_MODEL] = "the model",
                                        [DRIFT_PAIRED] = "the others on the same questions",
                                        [DRIFT_EARLIER] = "its own earlier outcomes",
                                        [DRIFT_OTHERS] = "the others' recent outcomes"};
    CHECK(basis <= DRIFT_OTHERS);
    return names[basis];
}
