/* Sums that forget, and what is believed by them: see check_record.h. Arithmetic alone; whatever was counted, shifts
 * and rates are finite and within their bounds. */
#include "plan/check_record.h"

#include <math.h>

#include "base/check.h"

#define WORTH_ROUNDS 8
#define EDGE         0.01 /* no share is taken nearer to 0 and 1 than this */
#define RATE_MAX     0.99

static double within(double x, double low, double high)
{
    return x > low ? x < high ? x : high : low; /* a NaN is low */
}

static void forget(struct check_record *r)
{
    double *const sums[] = {&r->passed_good, &r->passed_bad, &r->rejected_good, &r->rejected_bad};
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
        *sums[i] *= CHECK_DECAY;
    for (size_t i = 0; i < r->count; i++) {
        struct check_tally *t = &r->experts[i];
        t->checks *= CHECK_DECAY;
        t->passes *= CHECK_DECAY;
        t->right *= CHECK_DECAY;
    }
}

void check_record_observe(struct check_record *r, size_t expert, bool passed, double right)
{
    CHECK(expert < r->count);
    forget(r);
    struct check_tally *t = &r->experts[expert];
    t->checks += 1;
    t->passes += passed;
    t->right += within(right, 0, 1);
    r->answers++;
}

void check_record_feedback(struct check_record *r, bool passed, double score)
{
    double good = within(score, 0, 1);
    *(passed ? &r->passed_good : &r->rejected_good) += good;
    *(passed ? &r->passed_bad : &r->rejected_bad) += 1 - good;
    r->answers++;
}

static double logit(double p)
{
    p = within(p, 1e-6, 1 - 1e-6);
    return log(p / (1 - p));
}

/* What a verdict is worth, and how often it comes. */
struct worth {
    double bad_passed;    /* P(wrong | passed) */
    double good_rejected; /* P(right | rejected) */
    double passes, right; /* of all answers */
};

/* The mean of what was seen, begun at `first`. */
static double begun(double sum, double weight, double first)
{
    return (sum + CHECK_PRIOR * first) / (weight + CHECK_PRIOR);
}

/* What the owner's rates make of P(right), then feedback, then P(right) by both; a few rounds bring them into line. */
static struct worth worth_of(const struct check_record *r, const struct verified_check *owner)
{
    struct check_tally all = {0};
    double false_pass = within((double)owner->false_pass, 0, 1);
    double false_alarm = within((double)owner->false_alarm, 0, 1);
    struct worth w = {0};
    for (size_t i = 0; i < r->count; i++) {
        all.checks += r->experts[i].checks;
        all.passes += r->experts[i].passes;
        all.right += r->experts[i].right;
    }
    double first = all.checks > 0 ? all.right / all.checks : 0.5;
    w.right = first;
    for (int round = 0; round < WORTH_ROUNDS; round++) {
        double p = within(w.right, EDGE, 1 - EDGE);
        double pass = within(p * (1 - false_alarm) + (1 - p) * false_pass, EDGE, 1 - EDGE);
        w.passes = begun(all.passes, all.checks, pass);
        w.bad_passed =
            begun(r->passed_bad, r->passed_good + r->passed_bad, (1 - p) * false_pass / pass);
        w.good_rejected = begun(r->rejected_good, r->rejected_good + r->rejected_bad,
                                p * false_alarm / (1 - pass));
        double seen = all.passes * (1 - w.bad_passed) + (all.checks - all.passes) * w.good_rejected;
        w.right = begun(seen, all.checks, first);
    }
    return w;
}

static float shift_of(const struct check_tally *t, const struct worth *w)
{
    if (!(t->checks > 0))
        return 0;
    double believed = t->right / t->checks;
    double seen = t->passes * (1 - w->bad_passed) + (t->checks - t->passes) * w->good_rejected;
    double shift = logit(begun(seen, t->checks, believed)) - logit(believed);
    return (float)within(shift, -CHECK_SHIFT_MAX, CHECK_SHIFT_MAX);
}

void check_record_believe(const struct check_record *r, const struct verified_check *owner,
                          struct verified_check *ret, float *shift)
{
    struct worth w = worth_of(r, owner);
    double p = within(w.right, EDGE, 1 - EDGE);
    *ret = *owner;
    if (r->passed_good + r->passed_bad > 0)
        ret->false_pass = (float)within(w.bad_passed * w.passes / (1 - p), 0, RATE_MAX);
    if (r->rejected_good + r->rejected_bad > 0)
        ret->false_alarm = (float)within(w.good_rejected * (1 - w.passes) / p, 0, RATE_MAX);
    for (size_t i = 0; i < r->count; i++)
        shift[i] = shift_of(&r->experts[i], &w);
}

void check_record_adopt(struct check_record *r, const struct check_record *from)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < from->count; k++)
            if (str_equal(r->names[i], from->names[k]))
                r->experts[i] = from->experts[k];
    r->passed_good = from->passed_good;
    r->passed_bad = from->passed_bad;
    r->rejected_good = from->rejected_good;
    r->rejected_bad = from->rejected_bad;
    r->answers = from->answers;
}
