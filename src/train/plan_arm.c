/* Arms of plans: see plan_arm.h. What an arm did is known row by row before anything is fitted; the heads learn from it
 * what to expect of the arm on a text that nobody was asked yet. A head is a logistic regression on the logits of the
 * members' estimates alone, for that is all that a decision has; a sequential plan has one for each member. Functions
 * over arrays of the caller's arena, on the thread of the training. */
#include "train/plan_arm.h"

#include <math.h>
#include <string.h>

#include "fit/fit.h"

#define HEAD_RIDGE 20.0

enum status plan_arm_allocate(const struct plan_rows *r, struct arena *a, struct plan_arm *arm,
                              struct error *err)
{
    arm->results = ARENA_ARRAY(a, r->rows, struct plan_result);
    arm->estimates = ARENA_ARRAY(a, r->rows, struct estimate);
    return arm->results && arm->estimates ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static const struct outcome *outcome_of(const struct plan_rows *r, const struct plan_arm *arm,
                                        size_t row, size_t member)
{
    return dataset_outcome(r->dataset, row, r->expert[arm->plan.members[member]]);
}

/* What is believed of a plan's result: no more than of any member's. */
static float confidence_of(const struct plan_rows *r, const struct plan_arm *arm, size_t row)
{
    float least = 1;
    for (size_t i = 0; i < arm->plan.member_count; i++) {
        float confidence = outcome_confidence(outcome_of(r, arm, row, i));
        least = confidence < least ? confidence : least;
    }
    return least;
}

/* Sums */

struct member_sums {
    double paid, asked, paid_asked; /* USD on all rows; rows on which it was asked; USD there */
};

static void sum_member(const struct plan_rows *r, const struct plan_arm *arm, size_t row, size_t i,
                       struct member_sums *s)
{
    double paid = money_usd(outcome_of(r, arm, row, i)->cost_nano_usd);
    bool asked = arm->results[row].asked >> i & 1;
    s->paid += paid;
    s->asked += asked;
    s->paid_asked += asked ? paid : 0;
}

/* Mean cost where it was asked, as a ratio of its mean cost on all queries. */
static float cost_ratio(const struct member_sums *s, double rows)
{
    return s->asked > 0 && s->paid > 0 ? (float)(s->paid_asked / s->asked / (s->paid / rows)) : 1;
}

/* One pass over the rows for all that is told of an arm. */
void plan_arm_sum(const struct plan_rows *r, struct plan_arm *arm)
{
    struct member_sums members[PLAN_MEMBERS_MAX] = {{0}};
    size_t last = arm->plan.member_count - 1;
    double score = 0, cost = 0, calls = 0, n = 0;
    for (size_t row = 0; row < r->rows; row++) {
        if (!arm->usable[row])
            continue;
        for (size_t i = 0; i <= last; i++)
            sum_member(r, arm, row, i, &members[i]);
        score += (double)arm->results[row].score;
        cost += (double)arm->results[row].cost_usd;
        calls += __builtin_popcount(arm->results[row].asked);
        n++;
    }
    if (arm->plan.kind == PLAN_SEQUENTIAL) {
        arm->plan.calls = (float)(calls / n);
        for (size_t i = 0; i <= last; i++)
            arm->plan.cost_ratio[i] = cost_ratio(&members[i], n);
    } else {
        arm->plan.share = (float)(members[last].asked / n);
        arm->plan.next_cost_ratio = cost_ratio(&members[last], n);
    }
    arm->figures = (struct plan_figures){.rows = (size_t)n,
                                         .accuracy = score / n,
                                         .cost_usd = cost / n,
                                         .calls = calls / n,
                                         .escalated = members[last].asked / n,
                                         .agreed = NAN,
                                         .right_when_agreed = NAN};
}

/* Heads */

/* What the heads are fitted on. */
struct head_rows {
    size_t rows, terms;
    float *x;      /* [rows × terms] logits of the members' estimated quality */
    float *labels; /* [rows] negative: unknown */
    float *counts; /* [rows] */
};

static enum status fit_head(const struct head_rows *h, const float *counts, float *weights,
                            struct error *err)
{
    static const double prior[PLAN_MEMBERS_MAX] = {0};
    return fit_shared_logistic(h->x, h->labels, counts, h->rows, 1, h->terms, prior, HEAD_RIDGE,
                               weights, weights + 1, err);
}

/* Of whether member i is asked. */
static enum status fit_asked(const struct plan_arm *arm, struct head_rows *h, size_t i,
                             float *weights, struct error *err)
{
    for (size_t row = 0; row < h->rows; row++)
        h->labels[row] = arm->usable[row] ? (float)(arm->results[row].asked >> i & 1) : -1;
    return fit_head(h, NULL, weights, err);
}

static enum status make_rows(const struct plan_rows *r, const struct plan_arm *arm, struct arena *a,
                             struct head_rows *ret, struct error *err)
{
    struct head_rows h = {
        r->rows, arm->plan.kind == PLAN_SEQUENTIAL ? PLAN_MEMBERS_MAX : ESCALATION_MEMBERS_MAX,
        NULL, ARENA_ARRAY(a, r->rows, float), ARENA_ARRAY(a, r->rows, float)};
    h.x = ARENA_ARRAY(a, h.rows * h.terms, float);
    if (!h.x || !h.labels || !h.counts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t row = 0; row < h.rows; row++) {
        float x[PLAN_MEMBERS_MAX];
        plan_set_terms(&arm->plan, r->estimates + row * r->experts, x);
        memcpy(h.x + row * h.terms, x, h.terms * sizeof(*x));
        h.labels[row] = arm->usable[row] ? arm->results[row].score : -1;
        h.counts[row] = confidence_of(r, arm, row);
    }
    *ret = h;
    return OK;
}

static enum status fit_heads(const struct plan_rows *r, struct arena *a, struct plan_arm *arm,
                             struct error *err)
{
    struct head_rows h = {0};
    bool sequential = arm->plan.kind == PLAN_SEQUENTIAL;
    enum status status = make_rows(r, arm, a, &h, err);
    if (status == OK)
        status = fit_head(&h, h.counts, sequential ? arm->panel_heads : arm->heads, err);
    if (status == OK && !sequential)
        status = fit_asked(arm, &h, arm->plan.member_count - 1, arm->heads + PLAN_HEAD, err);
    for (size_t i = 0; sequential && i < arm->plan.member_count && status == OK; i++)
        status = fit_asked(arm, &h, i, arm->panel_heads + (1 + i) * PANEL_HEAD, err);
    return status;
}

enum status plan_arm_fit(const struct plan_rows *r, struct arena *a, struct plan_arm *arm,
                         struct error *err)
{
    enum status status = fit_heads(r, a, arm, err);
    if (status != OK)
        return status;
    struct plan_set one = {
        .count = 1, .plans = {arm->plan}, .heads = arm->heads, .panel_heads = arm->panel_heads};
    for (size_t row = 0; row < r->rows; row++)
        plan_set_estimate(&one, r->estimates + row * r->experts, &arm->estimates[row]);
    return OK;
}
