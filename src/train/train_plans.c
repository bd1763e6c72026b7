/* Which plans are worth having: see train_plans.h. The search is greedy over what was recorded: combinations first,
 * by a quick trial of each, then arms of those that were taken. Nothing is estimated from rows that it was learnt
 * on, or the search would take what it remembers for what is good. It runs on the thread of the training and draws
 * from its generator, so the order of the candidates is part of what a seed means. */
#include "train/train_plans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "stage/panel_learn.h"
#include "train/plan_arm.h"
#include "train/plan_panel.h"
#include "train/plan_screen.h"

#define SCREEN_TREES   24 /* of a quick trial */
#define CANDIDATES_MAX 128
#define GAIN_MIN       0.0005 /* mean utility, for a combination to be taken */
#define GAIN_ERRORS    3      /* ... and so many standard errors, as the best of many is sought */
#define USABLE_MIN     100    /* rows a combination needs */
#define CALLS_MIN                                                                                  \
    1.05 /* mean number, where it is most, or a panel is no more than its first voice */
#define NAME_MAX_BYTES (1u << 20)

/* Thresholds of an arm family, as shares of the training queries that ask the last member. */
static const float shares[] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.65f, 0.8f};
#define SHARE_COUNT (sizeof(shares) / sizeof(shares[0]))
#define FAMILY_MAX  (SHARE_COUNT + 1)
static const size_t panel_voters[PLAN_PANELS_MAX] = {4, 6};
#define ARMS_MAX (PLAN_ESCALATIONS_MAX * FAMILY_MAX + PLAN_PANELS_MAX * PANEL_LAMBDAS_MAX)

struct search {
    const struct plan_rows *rows;
    const struct plan_options *options;
    struct arena *arena;
    struct plan candidates[CANDIDATES_MAX];
    size_t candidate_count;
    struct plan_course courses[PLAN_ESCALATIONS_MAX];
    double course_gains[PLAN_ESCALATIONS_MAX];
    size_t course_count;
    struct panel_course panels[PLAN_PANELS_MAX];
    double panel_gains[PLAN_PANELS_MAX];
    size_t panel_count;
    size_t panels_tried; /* by search */
    struct plan_arm arms[ARMS_MAX];
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

/* One piece, for a name is counted, compared and kept in one turn. */
static enum status named_candidates(struct search *s, struct error *err)
{
    struct str names[DATASET_EXPERTS_MAX], rest = str_from(s->options->named);
    size_t sequential = 0, others = 0;
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
        size_t *count = p.kind == PLAN_SEQUENTIAL ? &sequential : &others;
        size_t most = p.kind == PLAN_SEQUENTIAL ? PLAN_PANELS_MAX : PLAN_ESCALATIONS_MAX;
        if (*count == most)
            return error_set(err, ERR_INPUT, "more than %zu %s named", most,
                             p.kind == PLAN_SEQUENTIAL ? "sequential plans"
                                                       : "cascades and panels");
        ++*count;
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

static enum status too_few(struct search *s, const struct plan *p, size_t usable, struct error *err)
{
    struct plan named = *p;
    named.rule = PLAN_AGREE; /* the name without a share */
    enum status status = name_plan(s, &named, err);
    return status != OK
               ? status
               : error_set(err, ERR_INPUT,
                           "%.*s: only %zu queries have a score, a cost and a text of every "
                           "member; a plan wants at least %d",
                           STR_FMT(named.name), usable, USABLE_MIN);
}

static enum status take_course(struct search *s, const struct plan *p, double gain,
                               struct error *err)
{
    struct plan_course *c = &s->courses[s->course_count];
    enum status status = learn(s, p, s->options->forest.trees, c, err);
    if (status != OK)
        return status;
    s->course_gains[s->course_count++] = gain;
    return c->usable_count >= USABLE_MIN ? OK : too_few(s, p, c->usable_count, err);
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
            struct plan_worth w = plan_value_course(&quick[i]);
            double error, gain = plan_value_course_gain(v, s->rows, &w, &error);
            if (gain > best_gain && gain > GAIN_ERRORS * error) {
                best_gain = gain;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        used[best] = true;
        struct plan_worth w = plan_value_course(&quick[best]);
        plan_value_course_add(v, s->rows, &w);
        status = take_course(s, &s->candidates[best], best_gain, err);
    }
    for (size_t i = 0; quick && i < s->candidate_count; i++)
        plan_course_done(&quick[i]);
    return status;
}

/* A single expert as a combination: what always asking it did. */
struct always {
    size_t expert;
    bool *usable;
};

static struct plan_result always_at(const struct plan_rows *r, const void *course, double lambda,
                                    size_t row)
{
    const struct always *a = course;
    const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[a->expert]);
    (void)lambda;
    return (struct plan_result){
        .score = o->score, .cost_usd = (float)money_usd(o->cost_nano_usd), .asked = 1};
}

/* The same value, where an expert may be asked always, too. A panel learns whom to ask first, and where estimates tell
 * experts apart that are alike, or too little, that alone gains; it is no reason to ask for further voices. */
static enum status with_singles(const struct search *s, const struct plan_value *v,
                                struct plan_value *ret, struct error *err)
{
    const struct plan_rows *r = s->rows;
    size_t count = r->rows * PLAN_LAMBDAS;
    struct always always = {.usable = ARENA_ARRAY(s->arena, r->rows, bool)};
    *ret = *v;
    ret->kept = ARENA_ARRAY(s->arena, count, float);
    if (!ret->kept || !always.usable)
        return error_set(err, ERR_MEMORY, "out of memory");
    memcpy(ret->kept, v->kept, count * sizeof(*v->kept));
    for (; always.expert < r->experts; always.expert++) {
        for (size_t row = 0; row < r->rows; row++) {
            const struct outcome *o = dataset_outcome(r->dataset, row, r->expert[always.expert]);
            always.usable[row] = o->known && o->cost_known;
        }
        struct plan_worth w = {always.usable, always_at, &always};
        plan_value_course_add(ret, r, &w);
    }
    return OK;
}

/* A sequential plan over these voters, if it gains anything over singles; one that was named is taken anyway. Beside
 * cascades and panels, not after them: the choice among all their arms comes last. */
static enum status take_panel(struct search *s, const struct plan *p, const struct plan_value *v,
                              bool named, struct error *err)
{
    struct panel_course *c = &s->panels[s->panel_count];
    struct plan_value base;
    enum status status =
        panel_course_learn(s->rows, p, USABLE_MIN, s->options->rng, s->arena, c, err);
    if (status != OK)
        return status;
    if (c->usable_count < USABLE_MIN)
        return named ? too_few(s, p, c->usable_count, err) : OK;
    double error = 0, gain = 0;
    struct plan_worth w = panel_course_worth(c);
    status = with_singles(s, v, &base, err);
    if (status == OK)
        gain = plan_value_course_gain(&base, s->rows, &w, &error);
    bool worth_it = status == OK && gain >= GAIN_MIN && gain >= GAIN_ERRORS * error &&
                    panel_course_calls(c, s->rows->rows) >= CALLS_MIN;
    if (status != OK || (!named && !worth_it)) {
        panel_course_done(c);
        return status;
    }
    s->panel_gains[s->panel_count++] = gain;
    return OK;
}

static size_t usable_rows(const struct plan_rows *r, const struct plan *p)
{
    size_t n = 0;
    for (size_t row = 0; row < r->rows; row++)
        n += plan_row_is_usable(r, p, row);
    return n;
}

static struct plan without(const struct plan *p, size_t member)
{
    struct plan less = *p;
    less.member_count--;
    memmove(less.members + member, less.members + member + 1,
            (less.member_count - member) * sizeof(*less.members));
    return less;
}

/* A panel learns from rows on which all voters are known. Where there are too few, the voter goes without whom there
 * are most. */
static void drop_unknown(const struct plan_rows *r, struct plan *p)
{
    while (p->member_count > 2 && usable_rows(r, p) < USABLE_MIN) {
        size_t best = 0, most = 0;
        for (size_t i = 0; i < p->member_count; i++) {
            struct plan less = without(p, i);
            size_t usable = usable_rows(r, &less);
            if (usable > most) {
                most = usable;
                best = i;
            }
        }
        *p = without(p, best);
    }
}

/* Few voters and more: each wants its own rows, and with eight the learner has too few of each subset
 * (bench/panels.md), so that more are not always better. What both are worth beside each other is seen at the end. */
static enum status find_panels(struct search *s, const struct plan_value *v, struct error *err)
{
    enum status status = OK;
    size_t before = 0;
    for (size_t i = 0; i < PLAN_PANELS_MAX && status == OK; i++) {
        struct plan p = {.kind = PLAN_SEQUENTIAL};
        p.member_count = plan_screen_experts(s->rows, v, panel_voters[i], p.members);
        if (p.member_count < 2 || p.member_count == before)
            break;
        before = p.member_count;
        drop_unknown(s->rows, &p);
        s->panels_tried++;
        status = take_panel(s, &p, v, false, err);
    }
    return status;
}

static enum status named_courses(struct search *s, const struct plan_value *v, struct error *err)
{
    enum status status = named_candidates(s, err);
    for (size_t i = 0; i < s->candidate_count && status == OK; i++) {
        const struct plan *p = &s->candidates[i];
        if (p->kind == PLAN_SEQUENTIAL) {
            status = take_panel(s, p, v, true, err);
            continue;
        }
        status = take_course(s, p, 0, err);
        if (status != OK)
            break;
        struct plan_worth w = plan_value_course(&s->courses[s->course_count - 1]);
        s->course_gains[s->course_count - 1] = plan_value_course_gain(v, s->rows, &w, NULL);
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

/* Where few gains differ, thresholds fall together; sequential plans are one where they are called the same. */
static bool is_twin(const struct search *s, const struct plan_arm *arm)
{
    for (size_t i = 0; i < s->arm_count; i++) {
        const struct plan *p = &s->arms[i].plan;
        if (p->kind == PLAN_SEQUENTIAL
                ? str_equal(p->name, arm->plan.name)
                : s->arms[i].course == arm->course && p->kind == arm->plan.kind &&
                      p->rule == arm->plan.rule && p->share == arm->plan.share)
            return true;
    }
    return false;
}

/* An arm is run before its heads are fitted, for they learn from what it did; a twin stops there. */
static enum status add_arm(struct search *s, struct plan_arm *arm, struct error *err)
{
    plan_arm_sum(s->rows, arm);
    enum status status = name_plan(s, &arm->plan, err);
    if (status != OK || is_twin(s, arm))
        return status;
    arm->figures.name = arm->plan.name;
    if (arm->plan.kind == PLAN_PANEL)
        note_agreement(s, &s->courses[arm->course], &arm->figures);
    status = plan_arm_fit(s->rows, s->arena, arm, err);
    if (status == OK)
        s->arms[s->arm_count++] = *arm;
    return status;
}

static enum status add_course_arm(struct search *s, size_t course, enum plan_rule rule, float share,
                                  float *scratch, struct error *err)
{
    const struct plan_course *c = &s->courses[course];
    struct plan_arm arm = {.plan = c->plan, .course = course, .usable = c->usable};
    arm.plan.rule = rule;
    if (rule == PLAN_TRUST)
        arm.plan.gain_per_usd = threshold_for(s, c, share, scratch);
    enum status status = plan_arm_allocate(s->rows, s->arena, &arm, err);
    for (size_t row = 0; row < s->rows->rows && status == OK; row++)
        if (c->usable[row])
            arm.results[row] = plan_course_result(s->rows, c, &arm.plan, row);
    return status == OK ? add_arm(s, &arm, err) : status;
}

/* One for each lambda that the panel was learnt at, but those that ask nobody after the first. */
static enum status add_panel_arms(struct search *s, size_t panel, struct error *err)
{
    const struct panel_course *c = &s->panels[panel];
    enum status status = OK;
    for (size_t k = 0; k < c->panel.lambda_count && status == OK; k++) {
        struct plan_arm arm = {.plan = c->plan, .course = panel, .usable = c->usable};
        arm.plan.gain_per_usd = c->panel.lambdas[k];
        status = plan_arm_allocate(s->rows, s->arena, &arm, err);
        if (status != OK)
            return status;
        memcpy(arm.results, panel_course_results(c, s->rows->rows, k),
               s->rows->rows * sizeof(*arm.results));
        status = add_arm(s, &arm, err);
    }
    return status;
}

static enum status make_arms(struct search *s, struct error *err)
{
    float *scratch = ARENA_ARRAY(s->arena, s->rows->rows, float);
    enum status status = scratch ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t c = 0; c < s->course_count && status == OK; c++) {
        if (s->courses[c].plan.kind == PLAN_PANEL)
            status = add_course_arm(s, c, PLAN_AGREE, 0, scratch, err);
        for (size_t k = 0; k < SHARE_COUNT && status == OK; k++)
            status = add_course_arm(s, c, PLAN_TRUST, shares[k], scratch, err);
    }
    for (size_t p = 0; p < s->panel_count && status == OK; p++)
        status = add_panel_arms(s, p, err);
    return status;
}

/* The set */

static void keep_arm(struct search *s, size_t i, double gain)
{
    struct plan_set *set = &s->out->set;
    struct plan_arm *arm = &s->arms[i];
    bool learnt = arm->plan.rule == PLAN_TRUST;
    arm->taken = true;
    arm->figures.gain = gain;
    memcpy((float *)set->heads + set->count * PLAN_HEADS, arm->heads, sizeof(arm->heads));
    memcpy((float *)set->panel_heads + set->count * PANEL_HEADS, arm->panel_heads,
           sizeof(arm->panel_heads));
    set->escalation_of[set->count] = learnt ? (uint8_t)arm->course : NO_ESCALATION;
    s->out->figures[set->count] = arm->figures;
    set->records[set->count] =
        (struct plan_record){arm->figures.accuracy, arm->figures.cost_usd, gain};
    set->plans[set->count++] = arm->plan;
}

static bool is_of(const struct plan_arm *arm, bool sequential, size_t course)
{
    return arm->course == course && (arm->plan.kind == PLAN_SEQUENTIAL) == sequential;
}

static bool is_represented(const struct search *s, bool sequential, size_t course)
{
    for (size_t i = 0; i < s->arm_count; i++)
        if (is_of(&s->arms[i], sequential, course) && s->arms[i].taken)
            return true;
    return false;
}

/* A plan that was named is kept in some form, even where it gains nothing: the last places are for those that have none
 * yet. */
static bool may_take(const struct search *s, const struct plan_arm *arm)
{
    size_t waiting = 0;
    for (size_t c = 0; s->options->named && c < s->course_count; c++)
        waiting += !is_represented(s, false, c);
    for (size_t p = 0; s->options->named && p < s->panel_count; p++)
        waiting += !is_represented(s, true, p);
    return !arm->taken && (s->out->set.count + waiting < PLANS_MAX ||
                           !is_represented(s, arm->plan.kind == PLAN_SEQUENTIAL, arm->course));
}

/* The most useful first, while there is room. What an arm adds beside its sisters is within the noise, but thinning a
 * family out costs: keeping all seven thresholds gained .2 points at the expensive end (bench/quality.md). */
static void select_arms(struct search *s, struct plan_value *v)
{
    while (s->out->set.count < PLANS_MAX) {
        size_t best = SIZE_MAX;
        double best_gain = -INFINITY;
        for (size_t i = 0; i < s->arm_count; i++) {
            const struct plan_arm *arm = &s->arms[i];
            if (!may_take(s, arm))
                continue;
            double gain = plan_value_gain(v, arm->estimates, arm->results, arm->usable);
            if (gain > best_gain) {
                best_gain = gain;
                best = i;
            }
        }
        if (best == SIZE_MAX)
            break;
        const struct plan_arm *arm = &s->arms[best];
        plan_value_add(v, arm->estimates, arm->results, arm->usable);
        keep_arm(s, best, best_gain);
    }
}

/* A line of the table for a combination: of the arm that asks the last member about half the time, of a sequential plan
 * of the one that asks most. */
static enum status note_combination(struct search *s, const struct plan *p, size_t course,
                                    double gain, struct error *err)
{
    struct plan_figures *f = &s->out->combinations[s->out->combination_count++];
    struct plan named = *p;
    bool sequential = p->kind == PLAN_SEQUENTIAL;
    named.rule = PLAN_AGREE; /* the name without a share */
    enum status status = name_plan(s, &named, err);
    for (size_t i = 0; i < s->arm_count; i++) {
        const struct plan_arm *arm = &s->arms[i];
        if (is_of(arm, sequential, course) &&
            (sequential ? arm->figures.calls > f->calls : arm->plan.share <= 0.55f))
            *f = arm->figures;
    }
    f->name = named.name;
    f->gain = gain;
    return status;
}

static enum status keep_courses(struct search *s, struct error *err)
{
    struct plan_set *set = &s->out->set;
    enum status status = OK;
    for (size_t p = 0; p < s->panel_count && status == OK; p++) {
        set->panels[p] = s->panels[p].panel;
        status = note_combination(s, &s->panels[p].plan, p, s->panel_gains[p], err);
    }
    for (size_t c = 0; c < s->course_count && status == OK; c++) {
        set->escalations[c] = s->courses[c].escalation;
        status = note_combination(s, &s->courses[c].plan, c, s->course_gains[c], err);
    }
    set->escalation_count = s->course_count;
    set->panel_count = s->panel_count;
    s->out->candidate_count = s->candidate_count + s->panels_tried;
    return status;
}

static enum status run(struct search *s, struct error *err)
{
    struct plan_value v, alone, arms;
    enum status status = plan_value_singles(s->rows, s->arena, &v, err);
    if (status == OK)
        status = plan_value_singles(s->rows, s->arena, &alone, err);
    if (status == OK)
        status = plan_value_singles(s->rows, s->arena, &arms, err);
    if (status != OK)
        return status;
    if (s->options->named) {
        status = named_courses(s, &v, err);
    } else {
        s->candidate_count = plan_screen(s->rows, &v, s->candidates, CANDIDATES_MAX);
        status = find_courses(s, &v, err);
        if (status == OK)
            status = find_panels(s, &alone, err);
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
    float *heads = ARENA_ARRAY(a, PLANS_MAX * PLAN_HEADS, float),
          *panel_heads = ARENA_ARRAY(a, PLANS_MAX * PANEL_HEADS, float);
    if (!s || !out || !heads || !panel_heads)
        return error_set(err, ERR_MEMORY, "out of memory");
    *s = (struct search){.rows = rows, .options = options, .arena = a, .out = out};
    out->set.heads = heads;
    out->set.panel_heads = panel_heads;
    enum status status = run(s, err);
    if (status == OK)
        *ret = *out;
    for (size_t c = 0; c < s->course_count && status != OK; c++)
        plan_course_done(&s->courses[c]);
    for (size_t p = 0; p < s->panel_count && status != OK; p++)
        panel_course_done(&s->panels[p]);
    return status;
}

void trained_plans_done(struct trained_plans *t)
{
    for (size_t c = 0; c < t->set.escalation_count; c++)
        for (size_t s = 0; s < ESCALATION_STAGES; s++)
            forest_done(&t->set.escalations[c].forests[s]);
    for (size_t p = 0; p < t->set.panel_count; p++)
        panel_done(&t->set.panels[p]);
}
