/* Which plans are worth having: see train_plans.h. The search is greedy over what was recorded: combinations first,
 * by a quick trial of each, then arms of those that were taken. Nothing is estimated from rows that it was learnt
 * on, or the search would take what it remembers for what is good. It runs on the thread of the training and draws
 * from its generator, so the order of the candidates is part of what a seed means. */
#include "train/train_plans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fit/fit.h"
#include "train/plan_screen.h"
#include "train/plan_value.h"

#define SCREEN_TREES   24 /* of a quick trial */
#define CANDIDATES_MAX 128
#define GAIN_MIN       0.0005 /* mean utility, for a combination to be taken */
#define GAIN_ERRORS    3      /* ... and so many standard errors, as the best of many is sought */
#define USABLE_MIN     100    /* rows a combination needs */
#define HEAD_RIDGE     20.0
#define NAME_MAX_BYTES (1u << 20)

/* Thresholds of an arm family, as shares of the training queries that ask the last member. */
static const float shares[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.65f, 0.8f};
#define SHARE_COUNT (sizeof(shares) / sizeof(shares[0]))
#define FAMILY_MAX  (SHARE_COUNT + 1)

/* One arm that may be taken. */
struct arm {
    struct plan plan;
    size_t course;
    float heads[PLAN_HEADS];
    struct plan_result *results; /* [rows] */
    struct estimate *estimates;  /* [rows] */
    struct plan_figures figures;
    bool taken;
};

struct search {
    const struct plan_rows *rows;
    const struct plan_options *options;
    struct arena *arena;
    struct plan candidates[CANDIDATES_MAX];
    size_t candidate_count;
    struct plan_course courses[PLAN_ESCALATIONS_MAX];
    double course_gains[PLAN_ESCALATIONS_MAX];
    size_t course_count;
    struct arm arms[PLAN_ESCALATIONS_MAX * FAMILY_MAX];
    size_t arm_count;
    struct trained_plans *out;
};

static struct str expert_name(const struct plan_rows *r, size_t e)
{
    return r->dataset->experts[r->expert[e]].name;
}

static enum status name_plan(const struct search *s, struct plan *p, struct error *err)
{
    struct str names[DATASET_EXPERTS_MAX];
    struct buf b;
    for (size_t e = 0; e < s->rows->experts; e++)
        names[e] = expert_name(s->rows, e);
    buf_init(&b, NAME_MAX_BYTES);
    plan_name_add(&b, p, names);
    enum status status = buf_status(&b, err);
    if (status == OK) {
        p->name = arena_copy(s->arena, buf_str(&b));
        status = p->name.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
    }
    buf_done(&b);
    return status;
}

/* Candidates */

static bool is_candidate(const struct search *s, const struct plan *p)
{
    for (size_t i = 0; i < s->candidate_count; i++) {
        const struct plan *c = &s->candidates[i];
        if (c->kind == p->kind &&
            !memcmp(c->members, p->members, p->member_count * sizeof(*p->members)))
            return true;
    }
    return false;
}

static enum status named_candidates(struct search *s, struct error *err)
{
    struct str names[DATASET_EXPERTS_MAX], rest = str_from(s->options->named);
    for (size_t e = 0; e < s->rows->experts; e++)
        names[e] = expert_name(s->rows, e);
    while (rest.len > 0) {
        struct plan p;
        struct str one = str_trim(str_split(&rest, ';'));
        if (!one.len)
            continue;
        enum status status = plan_parse(one, names, s->rows->experts, &p, err);
        if (status != OK)
            return status;
        if (is_candidate(s, &p))
            continue;
        if (s->candidate_count == PLAN_ESCALATIONS_MAX)
            return error_set(err, ERR_INPUT, "more than %d plans named", PLAN_ESCALATIONS_MAX);
        s->candidates[s->candidate_count++] = p;
    }
    return OK;
}

/* Combinations */

static enum status learn(struct search *s, const struct plan *p, size_t trees,
                         struct plan_course *ret, struct error *err)
{
    struct forest_options forest = s->options->forest;
    forest.trees = trees;
    return plan_course_learn(s->rows, p, &forest, s->options->rng, s->arena, ret, err);
}

static enum status take_course(struct search *s, const struct plan *p, double gain,
                               struct error *err)
{
    struct plan_course *c = &s->courses[s->course_count];
    enum status status = learn(s, p, s->options->forest.trees, c, err);
    if (status != OK)
        return status;
    s->course_gains[s->course_count++] = gain;
    if (c->usable_count >= USABLE_MIN)
        return OK;
    struct plan named = *p;
    named.rule = PLAN_AGREE;
    status = name_plan(s, &named, err);
    return status != OK
               ? status
               : error_set(err, ERR_INPUT,
                           "%.*s: only %zu queries have a score, a cost and a text of every "
                           "member; a plan wants at least %d",
                           STR_FMT(named.name), c->usable_count, USABLE_MIN);
}

/* Quick courses of all candidates, then the greedy choice among them. */
static enum status find_courses(struct search *s, struct plan_value *v, struct error *err)
{
    struct plan_course *quick = ARENA_ARRAY(s->arena, CANDIDATES_MAX, struct plan_course);
    bool used[CANDIDATES_MAX] = {false};
    enum status status = quick ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < s->candidate_count && status == OK; i++)
        status = learn(s, &s->candidates[i], SCREEN_TREES, &quick[i], err);
    while (status == OK && s->course_count < s->options->combinations_max) {
        size_t best = SIZE_MAX;
        double best_gain = GAIN_MIN;
        for (size_t i = 0; i < s->candidate_count; i++) {
            if (used[i] || quick[i].usable_count < USABLE_MIN)
                continue;
            double error, gain = plan_value_course_gain(v, s->rows, &quick[i], &error);
            if (gain > best_gain && gain > GAIN_ERRORS * error) {
                best_gain = gain;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        used[best] = true;
        plan_value_course_add(v, s->rows, &quick[best]);
        status = take_course(s, &s->candidates[best], best_gain, err);
    }
    for (size_t i = 0; quick && i < s->candidate_count; i++)
        plan_course_done(&quick[i]);
    return status;
}

static enum status named_courses(struct search *s, const struct plan_value *v, struct error *err)
{
    enum status status = named_candidates(s, err);
    for (size_t i = 0; i < s->candidate_count && status == OK; i++) {
        status = take_course(s, &s->candidates[i], 0, err);
        if (status == OK)
            s->course_gains[i] = plan_value_course_gain(v, s->rows, &s->courses[i], NULL);
    }
    return status;
}

/* Arms */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The threshold that a share of the usable rows exceeds. */
static float threshold_for(const struct search *s, const struct plan_course *c, float share,
                           float *sorted)
{
    size_t n = 0;
    for (size_t row = 0; row < s->rows->rows; row++)
        if (c->usable[row])
            sorted[n++] = c->gain_per_usd[row];
    qsort(sorted, n, sizeof(*sorted), compare_floats);
    size_t at = (size_t)((1 - share) * (float)n);
    return sorted[at < n ? at : n - 1];
}

/* What is believed of a plan's result: no more than of any member's. */
static float confidence_of(const struct search *s, const struct plan *p, size_t row)
{
    const struct plan_rows *r = s->rows;
    float least = 1;
    for (size_t i = 0; i < p->member_count; i++) {
        const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[p->members[i]]);
        float confidence = outcome_confidence(o);
        least = confidence < least ? confidence : least;
    }
    return least;
}

/* Logistic regression of `labels` (negative: unknown; NULL counts: each counts once) on the members' logits. */
static enum status fit_head(const struct search *s, const float *terms, const float *labels,
                            const float *counts, float *weights, struct error *err)
{
    static const double prior[ESCALATION_MEMBERS_MAX] = {0};
    return fit_shared_logistic(terms, labels, counts, s->rows->rows, 1, ESCALATION_MEMBERS_MAX,
                               prior, HEAD_RIDGE, weights, weights + 1, err);
}

static enum status fit_heads(const struct search *s, struct arm *arm, struct error *err)
{
    const struct plan_course *c = &s->courses[arm->course];
    size_t rows = s->rows->rows;
    float *terms = ARENA_ARRAY(s->arena, rows * ESCALATION_MEMBERS_MAX, float);
    float *good = ARENA_ARRAY(s->arena, rows, float), *asked = ARENA_ARRAY(s->arena, rows, float),
          *counts = ARENA_ARRAY(s->arena, rows, float);
    if (!terms || !good || !asked || !counts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t row = 0; row < rows; row++) {
        plan_set_terms(&arm->plan, s->rows->estimates + row * s->rows->experts,
                       terms + row * ESCALATION_MEMBERS_MAX);
        good[row] = c->usable[row] ? arm->results[row].score : -1;
        counts[row] = confidence_of(s, &arm->plan, row);
        asked[row] = c->usable[row] ? (float)arm->results[row].escalated : -1;
    }
    enum status status = fit_head(s, terms, good, counts, arm->heads, err);
    if (status == OK)
        status = fit_head(s, terms, asked, NULL, arm->heads + PLAN_HEAD, err);
    return status;
}

/* Runs the arm on every usable row; fills results, figures, share and the ratio of costs. */
static void run_arm(const struct search *s, struct arm *arm)
{
    const struct plan_rows *r = s->rows;
    const struct plan_course *c = &s->courses[arm->course];
    size_t last = arm->plan.members[arm->plan.member_count - 1];
    double score = 0, cost = 0, escalated = 0, last_cost = 0, escalated_cost = 0, n = 0;
    for (size_t row = 0; row < r->rows; row++) {
        if (!c->usable[row])
            continue;
        struct plan_result *result = &arm->results[row];
        *result = plan_course_result(r, c, &arm->plan, row);
        const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[last]);
        double paid = (double)o->cost_nano_usd / (double)NANO_PER_USD;
        score += (double)result->score;
        cost += (double)result->cost_usd;
        escalated += result->escalated;
        last_cost += paid;
        escalated_cost += result->escalated ? paid : 0;
        n++;
    }
    arm->plan.share = (float)(escalated / n);
    arm->plan.next_cost_ratio = 1;
    if (escalated > 0 && last_cost > 0)
        arm->plan.next_cost_ratio = (float)(escalated_cost / escalated / (last_cost / n));
    arm->figures = (struct plan_figures){.rows = (size_t)n,
                                         .accuracy = score / n,
                                         .cost_usd = cost / n,
                                         .escalated = escalated / n,
                                         .agreed = NAN,
                                         .right_when_agreed = NAN};
}

/* Of a panel: how often the first two agree, and are right then. */
static void note_agreement(const struct search *s, const struct plan_course *c,
                           struct plan_figures *f)
{
    const struct plan_rows *r = s->rows;
    double n = 0, agreed = 0, right = 0;
    for (size_t row = 0; row < r->rows; row++) {
        if (!c->usable[row])
            continue;
        const struct outcome *a = dataset_outcome(r->dataset, row, r->expert[c->plan.members[0]]),
                             *b = dataset_outcome(r->dataset, row, r->expert[c->plan.members[1]]);
        bool agree = a->answer_class && a->answer_class == b->answer_class;
        n++;
        agreed += agree;
        right += agree ? (double)a->score : 0;
    }
    f->agreed = agreed / n;
    f->right_when_agreed = agreed > 0 ? right / agreed : (double)NAN;
}

static void estimate_arm(const struct search *s, struct arm *arm)
{
    struct plan_set one = {.count = 1, .plans = {arm->plan}, .heads = arm->heads};
    for (size_t row = 0; row < s->rows->rows; row++)
        plan_set_estimate(&one, s->rows->estimates + row * s->rows->experts, &arm->estimates[row]);
}

/* Where few gains differ, thresholds fall together. */
static bool is_twin(const struct search *s, const struct arm *arm)
{
    for (size_t i = 0; i < s->arm_count; i++) {
        const struct plan *p = &s->arms[i].plan;
        if (s->arms[i].course == arm->course && p->rule == arm->plan.rule &&
            p->share == arm->plan.share)
            return true;
    }
    return false;
}

/* An arm is run before its heads are fitted, for they learn from what it did; a twin stops there. */
static enum status add_arm(struct search *s, size_t course, enum plan_rule rule, float share,
                           float *scratch, struct error *err)
{
    size_t rows = s->rows->rows;
    struct arm *arm = &s->arms[s->arm_count];
    *arm = (struct arm){.plan = s->courses[course].plan, .course = course};
    arm->plan.rule = rule;
    if (rule == PLAN_TRUST)
        arm->plan.gain_per_usd = threshold_for(s, &s->courses[course], share, scratch);
    arm->results = ARENA_ARRAY(s->arena, rows, struct plan_result);
    arm->estimates = ARENA_ARRAY(s->arena, rows, struct estimate);
    if (!arm->results || !arm->estimates)
        return error_set(err, ERR_MEMORY, "out of memory");
    run_arm(s, arm);
    if (is_twin(s, arm))
        return OK;
    enum status status = fit_heads(s, arm, err);
    if (status == OK)
        status = name_plan(s, &arm->plan, err);
    if (status != OK)
        return status;
    estimate_arm(s, arm);
    arm->figures.name = arm->plan.name;
    if (arm->plan.kind == PLAN_PANEL)
        note_agreement(s, &s->courses[course], &arm->figures);
    s->arm_count++;
    return OK;
}

static enum status make_arms(struct search *s, struct error *err)
{
    float *scratch = ARENA_ARRAY(s->arena, s->rows->rows, float);
    enum status status = scratch ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t c = 0; c < s->course_count && status == OK; c++) {
        if (s->courses[c].plan.kind == PLAN_PANEL)
            status = add_arm(s, c, PLAN_AGREE, 0, scratch, err);
        for (size_t k = 0; k < SHARE_COUNT && status == OK; k++)
            status = add_arm(s, c, PLAN_TRUST, shares[k], scratch, err);
    }
    return status;
}

/* The set */

static void keep_arm(struct search *s, size_t i, double gain)
{
    struct plan_set *set = &s->out->set;
    struct arm *arm = &s->arms[i];
    float *heads = (float *)set->heads + set->count * PLAN_HEADS;
    arm->taken = true;
    arm->figures.gain = gain;
    memcpy(heads, arm->heads, sizeof(arm->heads));
    set->escalation_of[set->count] =
        arm->plan.rule == PLAN_TRUST ? (uint8_t)arm->course : NO_ESCALATION;
    s->out->figures[set->count] = arm->figures;
    set->records[set->count] =
        (struct plan_record){arm->figures.accuracy, arm->figures.cost_usd, gain};
    set->plans[set->count++] = arm->plan;
}

static bool is_represented(const struct search *s, size_t course)
{
    for (size_t i = 0; i < s->arm_count; i++)
        if (s->arms[i].course == course && s->arms[i].taken)
            return true;
    return false;
}

/* A plan that was named is kept in some form, even where it gains nothing: the last places are for those that have none
 * yet. */
static bool may_take(const struct search *s, const struct arm *arm)
{
    size_t waiting = 0;
    for (size_t c = 0; s->options->named && c < s->course_count; c++)
        waiting += !is_represented(s, c);
    return !arm->taken &&
           (s->out->set.count + waiting < PLANS_MAX || !is_represented(s, arm->course));
}

/* The most useful first, while there is room. What an arm adds beside its sisters is within the noise, but thinning a
 * family out costs: keeping all seven thresholds gained .2 points at the expensive end (bench/quality.md). */
static void select_arms(struct search *s, struct plan_value *v)
{
    while (s->out->set.count < PLANS_MAX) {
        size_t best = SIZE_MAX;
        double best_gain = -INFINITY;
        for (size_t i = 0; i < s->arm_count; i++) {
            const struct arm *arm = &s->arms[i];
            if (!may_take(s, arm))
                continue;
            double gain =
                plan_value_gain(v, arm->estimates, arm->results, s->courses[arm->course].usable);
            if (gain > best_gain) {
                best_gain = gain;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        const struct arm *arm = &s->arms[best];
        plan_value_add(v, arm->estimates, arm->results, s->courses[arm->course].usable);
        keep_arm(s, best, best_gain);
    }
}

static enum status keep_courses(struct search *s, struct error *err)
{
    for (size_t c = 0; c < s->course_count; c++) {
        struct plan_figures *f = &s->out->combinations[c];
        struct plan named = s->courses[c].plan;
        named.rule = PLAN_AGREE; /* the name without a share */
        enum status status = name_plan(s, &named, err);
        if (status != OK)
            return status;
        for (size_t i = 0; i < s->arm_count; i++)
            if (s->arms[i].course == c && s->arms[i].plan.share <= 0.55f)
                *f = s->arms[i].figures;
        f->name = named.name;
        f->gain = s->course_gains[c];
        s->out->set.escalations[c] = s->courses[c].escalation;
    }
    s->out->set.escalation_count = s->course_count;
    s->out->combination_count = s->course_count;
    s->out->candidate_count = s->candidate_count;
    return OK;
}

static enum status run(struct search *s, struct error *err)
{
    struct plan_value v, arms;
    enum status status = plan_value_singles(s->rows, s->arena, &v, err);
    if (status == OK)
        status = plan_value_singles(s->rows, s->arena, &arms, err);
    if (status != OK)
        return status;
    if (s->options->named) {
        status = named_courses(s, &v, err);
    } else {
        s->candidate_count = plan_screen(s->rows, &v, s->candidates, CANDIDATES_MAX);
        status = find_courses(s, &v, err);
    }
    if (status == OK)
        status = make_arms(s, err);
    if (status != OK)
        return status;
    select_arms(s, &arms);
    return keep_courses(s, err);
}

enum status train_plans(const struct plan_rows *rows, const struct plan_options *options,
                        struct arena *a, struct trained_plans *ret, struct error *err)
{
    CHECK(options->combinations_max <= PLAN_ESCALATIONS_MAX);
    struct search *s = ARENA_NEW(a, struct search);
    struct trained_plans *out = ARENA_NEW(a, struct trained_plans);
    float *heads = ARENA_ARRAY(a, PLANS_MAX * PLAN_HEADS, float);
    if (!s || !out || !heads)
        return error_set(err, ERR_MEMORY, "out of memory");
    *s = (struct search){.rows = rows, .options = options, .arena = a, .out = out};
    out->set.heads = heads;
    enum status status = run(s, err);
    if (status == OK)
        *ret = *out;
    else
        for (size_t c = 0; c < s->course_count; c++)
            plan_course_done(&s->courses[c]);
    return status;
}

void trained_plans_done(struct trained_plans *t)
{
    for (size_t c = 0; c < t->set.escalation_count; c++)
        for (size_t s = 0; s < ESCALATION_STAGES; s++)
            forest_done(&t->set.escalations[c].forests[s]);
}
