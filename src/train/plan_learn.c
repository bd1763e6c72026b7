/* One escalation learnt by cross-validation: see plan_learn.h. `after` is learnt first, for what `before` is to
 * tell, would the final answer be right, is what `after` decides. Every verdict on a row comes from forests that
 * never saw it; so do the verdicts that arms are measured by. Scratch for a stage is an arena that goes with the
 * call; what is kept is the caller's. One thread, and the generator of the whole training. */
#include "train/plan_learn.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "fit/fit.h"

#define PLATT_RIDGE 100.0

static const struct outcome *outcome_of(const struct plan_rows *r, size_t row, size_t expert)
{
    return dataset_outcome(r->dataset, row, r->expert[expert]);
}

static const struct answer_cell *answer_of(const struct plan_rows *r, size_t row, size_t expert)
{
    return &r->answers->cells[row * r->dataset->expert_count + r->expert[expert]];
}

void plan_row_state(const struct plan_rows *r, const struct plan *p, size_t row, bool all,
                    struct plan_state *ret)
{
    *ret = (struct plan_state){.characters = r->characters[row],
                               .choice_count = r->dataset->queries[row].choice_count};
    for (size_t i = 0; i < p->member_count; i++) {
        ret->members[i] = &r->estimates[row * r->experts + p->members[i]];
        if (!all && i >= plan_first_count(p))
            continue;
        ret->answers[i].asked = true;
        ret->answers[i].answer_class = outcome_of(r, row, p->members[i])->answer_class;
        ret->answers[i].certainty = answer_of(r, row, p->members[i])->certainty;
        memcpy(ret->answers[i].stats, answer_of(r, row, p->members[i])->stats,
               sizeof(ret->answers[i].stats));
    }
}

bool plan_row_is_usable(const struct plan_rows *r, const struct plan *p, size_t row)
{
    for (size_t i = 0; i < p->member_count; i++) {
        const struct outcome *o = outcome_of(r, row, p->members[i]);
        if (!o->known || !o->cost_known || !answer_of(r, row, p->members[i])->present)
            return false;
    }
    return true;
}

/* Scratch of learning one stage; all [rows × ...]. */
struct stage {
    float *features, *base, *targets, *weights, *logits;
    uint32_t *order;
    size_t width; /* features of a row */
};

static size_t width_of(const struct plan_rows *r, const struct plan *p)
{
    for (size_t row = 0; row < r->rows; row++)
        for (size_t i = 0; i < p->member_count; i++)
            if (answer_of(r, row, p->members[i])->certainty.known)
                return ESCALATION_FEATURES;
    return ESCALATION_PLAIN_FEATURES; /* trees draw some of all, and may not draw what says nothing */
}

static enum status stage_allocate(struct stage *s, const struct plan_rows *r, size_t members,
                                  struct arena *a, struct error *err)
{
    s->features = ARENA_ARRAY(a, r->rows * ESCALATION_FEATURES, float);
    s->base = ARENA_ARRAY(a, r->rows * members, float);
    s->targets = ARENA_ARRAY(a, r->rows * members, float);
    s->weights = ARENA_ARRAY(a, r->rows * members, float);
    s->logits = ARENA_ARRAY(a, r->rows * members, float);
    s->order = ARENA_ARRAY(a, r->rows, uint32_t);
    bool good = s->features && s->base && s->targets && s->weights && s->logits && s->order;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static void stage_fill(struct stage *s, const struct plan_rows *r, const struct plan_course *c,
                       bool all)
{
    size_t members = c->plan.member_count;
    for (size_t row = 0; row < r->rows; row++) {
        float features[ESCALATION_FEATURES];
        struct plan_state state;
        plan_row_state(r, &c->plan, row, all, &state);
        escalation_features(&c->plan, &state, features);
        memcpy(s->features + row * s->width, features, s->width * sizeof(*features));
        escalation_base(&c->plan, &state, s->base + row * members);
        for (size_t i = 0; i < members; i++) {
            size_t who = !all && i == members - 1 ? c->final[row] : i;
            const struct outcome *o = outcome_of(r, row, c->plan.members[who]);
            s->targets[row * members + i] = c->usable[row] ? o->score : -1;
            s->weights[row * members + i] = outcome_confidence(o);
        }
    }
}

static size_t rows_of(const struct plan_rows *r, const struct plan_course *c, unsigned fold,
                      bool inside, uint32_t *order)
{
    size_t n = 0;
    for (size_t row = 0; row < r->rows; row++)
        if (c->usable[row] && (r->folds[row] == fold) == inside)
            order[n++] = (uint32_t)row;
    return n;
}

/* Learns on the other folds, writes the held-out logits of this one. */
static enum status learn_fold(const struct stage *s, const struct plan_rows *r,
                              const struct plan_course *c, const struct tree_bins *bins,
                              unsigned fold, const struct forest_options *options, struct rng *rng,
                              struct forest *forest, struct error *err)
{
    size_t before = forest->tree_count, members = forest->experts;
    size_t count = rows_of(r, c, fold, false, s->order);
    enum status status = forest_train(bins, s->base, s->targets, s->weights, s->order, count,
                                      options, 1.0f / (float)r->fold_count, rng, forest, err);
    if (status != OK)
        return status;
    struct forest fresh = {.tree_count = forest->tree_count - before,
                           .experts = members,
                           .trees = forest->trees + before,
                           .leaves = forest->leaves + before * TREE_LEAVES_MAX * members};
    for (size_t row = 0; row < r->rows; row++) {
        if (r->folds[row] != fold)
            continue;
        float corrections[ESCALATION_MEMBERS_MAX] = {0};
        forest_predict(&fresh, s->features + row * s->width, corrections);
        for (size_t i = 0; i < members; i++)
            s->logits[row * members + i] =
                s->base[row * members + i] + corrections[i] * (float)r->fold_count;
    }
    return OK;
}

static enum status learn_stage(struct stage *s, const struct plan_rows *r, struct plan_course *c,
                               enum escalation_stage stage, const struct forest_options *options,
                               struct rng *rng, float *calibration, struct error *err)
{
    size_t members = c->plan.member_count;
    struct forest *forest = &c->escalation.forests[stage];
    struct tree_bins *bins = NULL;
    forest->experts = members;
    stage_fill(s, r, c, stage == ESCALATION_AFTER);
    enum status status = tree_bins_create(s->features, r->rows, s->width, &bins, err);
    for (unsigned fold = 0; fold < r->fold_count && status == OK; fold++)
        status = learn_fold(s, r, c, bins, fold, options, rng, forest, err);
    tree_bins_free(bins);
    for (size_t i = 0; i < members && status == OK; i++)
        fit_platt(s->logits, s->targets, s->weights, r->rows, members, i, PLATT_RIDGE,
                  &calibration[2 * i], &calibration[2 * i + 1]);
    return status;
}

/* Held-out trust of a row from its held-out logits. */
static void row_trust(const struct stage *s, const float *calibration, size_t members, size_t row,
                      float *trust)
{
    for (size_t i = 0; i < members; i++)
        trust[i] = escalation_calibrated(calibration, i, s->logits[row * members + i]);
}

/* Whose answers stand, with and without the last member. */
static void note_verdicts(const struct stage *s, const struct plan_rows *r, struct plan_course *c,
                          enum escalation_stage stage, const float *calibration)
{
    for (size_t row = 0; row < r->rows; row++) {
        struct plan_state state;
        struct plan_verdict v = {.winner = 0};
        plan_row_state(r, &c->plan, row, stage == ESCALATION_AFTER, &state);
        row_trust(s, calibration, c->plan.member_count, row, v.trust);
        escalation_decide(&c->plan, &state, &v);
        if (stage == ESCALATION_AFTER) {
            c->final[row] = (uint8_t)v.winner;
        } else {
            c->kept[row] = (uint8_t)v.winner;
            c->gain_per_usd[row] = (float)escalation_gain_per_usd(&c->plan, &state, &v);
        }
    }
}

static enum status course_allocate(struct plan_course *c, const struct plan_rows *r,
                                   struct arena *a, float **calibration, struct error *err)
{
    c->usable = ARENA_ARRAY(a, r->rows, bool);
    c->gain_per_usd = ARENA_ARRAY(a, r->rows, float);
    c->kept = ARENA_ARRAY(a, r->rows, uint8_t);
    c->final = ARENA_ARRAY(a, r->rows, uint8_t);
    *calibration = ARENA_ARRAY(a, (size_t)ESCALATION_STAGES * c->plan.member_count * 2, float);
    c->escalation =
        (struct escalation){.members = c->plan.member_count, .calibration = *calibration};
    bool good = c->usable && c->gain_per_usd && c->kept && c->final && *calibration;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* The two stages in their order; what the later one learns from, the earlier one notes. */
enum status plan_course_learn(const struct plan_rows *r, const struct plan *plan,
                              const struct forest_options *options, struct rng *rng,
                              struct arena *a, struct plan_course *ret, struct error *err)
{
    struct plan_course c = {.plan = *plan};
    struct stage s = {.width = 0};
    float *calibration = NULL;
    size_t members = plan->member_count;
    c.plan.rule = PLAN_TRUST;
    struct arena *scratch = arena_create((size_t)4 << 30);
    enum status status = scratch ? course_allocate(&c, r, a, &calibration, err)
                                 : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = stage_allocate(&s, r, members, scratch, err);
    for (size_t row = 0; row < r->rows && status == OK; row++) {
        c.usable[row] = plan_row_is_usable(r, &c.plan, row);
        c.usable_count += c.usable[row];
    }
    s.width = width_of(r, &c.plan);
    static const enum escalation_stage order[] = {ESCALATION_AFTER, ESCALATION_BEFORE};
    for (size_t k = 0; k < 2 && status == OK; k++) {
        float *at = calibration + (size_t)order[k] * members * 2;
        status = learn_stage(&s, r, &c, order[k], options, rng, at, err);
        if (status == OK)
            note_verdicts(&s, r, &c, order[k], at);
    }
    arena_free(scratch);
    if (status == OK)
        *ret = c;
    else
        plan_course_done(&c);
    return status;
}

void plan_course_done(struct plan_course *c)
{
    for (size_t s = 0; s < ESCALATION_STAGES; s++)
        forest_done(&c->escalation.forests[s]);
}

static bool arm_escalates(const struct plan_rows *r, const struct plan_course *c,
                          const struct plan *arm, size_t row)
{
    struct plan_state state;
    struct plan_verdict v;
    if (arm->rule == PLAN_TRUST)
        return c->gain_per_usd[row] > arm->gain_per_usd;
    plan_row_state(r, arm, row, false, &state);
    escalation_agreement(arm, &state, &v);
    return v.ask != 0;
}

static size_t arm_winner(const struct plan_rows *r, const struct plan_course *c,
                         const struct plan *arm, size_t row, bool escalated)
{
    struct plan_state state;
    struct plan_verdict v;
    if (arm->rule == PLAN_TRUST)
        return escalated ? c->final[row] : c->kept[row];
    plan_row_state(r, arm, row, escalated, &state);
    escalation_agreement(arm, &state, &v);
    return v.winner;
}

struct plan_result plan_course_result(const struct plan_rows *r, const struct plan_course *c,
                                      const struct plan *arm, size_t row)
{
    CHECK(c->usable[row]);
    struct plan_result ret = {.asked = 0};
    bool escalates = arm_escalates(r, c, arm, row);
    size_t winner = arm_winner(r, c, arm, row, escalates), asked = arm->member_count;
    ret.score = outcome_of(r, row, arm->members[winner])->score;
    if (!escalates)
        asked = plan_first_count(arm);
    ret.asked = (uint8_t)((1u << asked) - 1);
    for (size_t i = 0; i < asked; i++)
        ret.cost_usd += (float)((double)outcome_of(r, row, arm->members[i])->cost_nano_usd /
                                (double)NANO_PER_USD);
    return ret;
}
