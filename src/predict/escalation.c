/* What to do next while a plan runs: see escalation.h. Training, evaluation and the gateway call these functions on
 * the same kind of state and must get the same verdicts, so nothing here reads a clock, keeps anything or draws
 * lots; any thread may ask. The numbers may be forged: whatever they are, a verdict names a member and its trusts
 * are probabilities. */
#include "predict/escalation.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"
#include "base/money.h"

#define QUALITY_EDGE         1e-3f /* estimates are taken no nearer to 0 and 1 than this */
#define CHARACTERS_PER_TOKEN 4.0f

static float logit(float p)
{
    p = p < QUALITY_EDGE ? QUALITY_EDGE : p > 1 - QUALITY_EDGE ? 1 - QUALITY_EDGE : p;
    return logf(p / (1 - p));
}

void escalation_base(const struct plan *p, const struct plan_state *s, float *logits)
{
    for (size_t i = 0; i < p->member_count; i++)
        logits[i] = logit(s->members[i]->quality);
}

static void slot_features(const struct plan_state *s, size_t i, float *f)
{
    const struct plan_answer *a = &s->answers[i];
    f[0] = logit(s->members[i]->quality);
    if (!a->asked)
        return;
    f[1] = a->answer_class != 0;
    f[2] = a->stats[ANSWER_LOG_CHARACTERS] -
           log1pf(CHARACTERS_PER_TOKEN * s->members[i]->output_tokens);
    if (s->choice_count) {
        f[3] = a->answer_class;
        f[4] = a->answer_class == s->choice_count;
    }
    memcpy(f + 5, a->stats, sizeof(a->stats));
}

static float agree(const struct plan_state *s, size_t i, size_t k)
{
    const struct plan_answer *a = &s->answers[i], *b = &s->answers[k];
    return a->asked && b->asked && a->answer_class && a->answer_class == b->answer_class;
}

void escalation_features(const struct plan *p, const struct plan_state *s, float *features)
{
    memset(features, 0, ESCALATION_FEATURES * sizeof(*features));
    float mean = 0;
    for (size_t i = 0; i < p->member_count; i++) {
        slot_features(s, i, features + i * ESCALATION_SLOT_FEATURES);
        mean += features[i * ESCALATION_SLOT_FEATURES] / (float)p->member_count;
    }
    float *shared = features + ESCALATION_MEMBERS_MAX * ESCALATION_SLOT_FEATURES;
    shared[0] = log1pf(s->characters);
    shared[1] = (float)s->choice_count;
    shared[2] = agree(s, 0, 1);
    shared[3] = p->member_count > 2 ? agree(s, 0, 2) : 0;
    shared[4] = p->member_count > 2 ? agree(s, 1, 2) : 0;
    shared[5] = mean;
    for (size_t i = 0; i < p->member_count; i++)
        if (s->answers[i].asked)
            certainty_features(&s->answers[i].certainty,
                               features + ESCALATION_PLAIN_FEATURES + i * CERTAINTY_FEATURES);
}

static enum escalation_stage stage_of(const struct plan *p, const struct plan_state *s)
{
    return s->answers[p->member_count - 1].asked ? ESCALATION_AFTER : ESCALATION_BEFORE;
}

float escalation_calibrated(const float *calibration, size_t member, float logit)
{
    float t = fmath_sigmoid(calibration[2 * member] * logit + calibration[2 * member + 1]);
    return t >= 0 && t <= 1 ? t : 0; /* also a NaN out of a forged model */
}

void escalation_trust(const struct escalation *c, const struct plan *p, const struct plan_state *s,
                      float *trust)
{
    float features[ESCALATION_FEATURES], logits[ESCALATION_MEMBERS_MAX];
    enum escalation_stage stage = stage_of(p, s);
    CHECK(c->members == p->member_count && c->members <= ESCALATION_MEMBERS_MAX);
    escalation_features(p, s, features);
    escalation_base(p, s, logits);
    forest_predict(&c->forests[stage], features, logits);
    const float *calibration = c->calibration + (size_t)stage * c->members * 2;
    for (size_t i = 0; i < c->members; i++)
        trust[i] = escalation_calibrated(calibration, i, logits[i]);
}

/* Answers are preferred of which it is known what they say, then those that are there at all. */
static int standing(const struct plan_answer *a)
{
    return a->asked ? 1 + (a->answer_class != 0) : 0;
}

/* The most trusted answer among the first `count` members, of those that stand best. */
static size_t most_trusted(const struct plan_state *s, const float *trust, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        int better = standing(&s->answers[i]) - standing(&s->answers[best]);
        if (better ? better > 0 : trust[i] > trust[best])
            best = i;
    }
    return best;
}

double escalation_gain_per_usd(const struct plan *p, const struct plan_state *s,
                               const struct plan_verdict *v)
{
    size_t last = p->member_count - 1, best = most_trusted(s, v->trust, last);
    double kept = standing(&s->answers[best]) > 1 ? (double)v->trust[best] : 0;
    double cost = (double)s->members[last]->cost_nano_usd / (double)NANO_PER_USD;
    return ((double)v->trust[last] - kept) / fmax(cost, 1e-9);
}

/* Answers that agree are right or wrong together: each gets the mean of what its members are trusted. */
static void share_trust(const struct plan *p, const struct plan_state *s, float *trust)
{
    float shared[ESCALATION_MEMBERS_MAX];
    for (size_t i = 0; i < p->member_count; i++) {
        float sum = trust[i], count = 1;
        for (size_t k = 0; k < p->member_count; k++)
            if (k != i && agree(s, i, k) > 0) {
                sum += trust[k];
                count++;
            }
        shared[i] = sum / count;
    }
    memcpy(trust, shared, p->member_count * sizeof(*trust));
}

static uint8_t only(size_t member)
{
    return (uint8_t)(1u << member);
}

void escalation_decide(const struct plan *p, const struct plan_state *s, struct plan_verdict *v)
{
    size_t last = p->member_count - 1;
    v->ask = 0;
    v->winner = 0;
    if (last == 0)
        return;
    bool all_asked = s->answers[last].asked;
    share_trust(p, s, v->trust);
    v->winner = most_trusted(s, v->trust, all_asked ? p->member_count : last);
    if (!all_asked && escalation_gain_per_usd(p, s, v) > (double)p->gain_per_usd)
        v->ask = only(last);
}

/* Trust is what was estimated before any call. */
static void trust_estimates(const struct plan *p, const struct plan_state *s,
                            struct plan_verdict *v)
{
    for (size_t i = 0; i < p->member_count; i++)
        v->trust[i] = s->members[i]->quality;
}

static bool is_any_pending(const struct plan *p, const struct plan_state *s)
{
    bool pending = false;
    for (size_t i = 0; i < p->member_count; i++)
        pending |= s->answers[i].pending;
    return pending;
}

/* Those of the first members that nobody has been asked of yet. */
static uint8_t first_unasked(const struct plan *p, const struct plan_state *s)
{
    uint8_t set = 0;
    for (size_t i = 0; i < plan_first_count(p); i++)
        if (!s->answers[i].asked && !s->answers[i].pending)
            set |= only(i);
    return set;
}

void escalation_verdict(const struct escalation *c, const struct plan *p,
                        const struct plan_state *s, struct plan_verdict *ret)
{
    *ret = (struct plan_verdict){.ask = first_unasked(p, s)};
    ret->wait = !ret->ask && is_any_pending(p, s);
    if (ret->ask || ret->wait) {
        trust_estimates(p, s, ret);
        return;
    }
    escalation_trust(c, p, s, ret->trust);
    escalation_decide(p, s, ret);
}

/* The first member asked whose answer is known; when none is, the first asked. */
static size_t first_known(const struct plan *p, const struct plan_state *s)
{
    size_t best = 0;
    for (size_t i = 1; i < p->member_count; i++)
        if (standing(&s->answers[i]) > standing(&s->answers[best]))
            best = i;
    return best;
}

/* Whether the first answers that are there agree; one that is unknown agrees with none. While some are pending, those
 * that differ may still be joined by them, so they are waited for. */
static bool first_agree(const struct plan *p, const struct plan_state *s, bool pending)
{
    bool known = true, agree = true;
    size_t seen = SIZE_MAX;
    for (size_t i = 0; i < plan_first_count(p); i++) {
        if (!s->answers[i].asked)
            continue;
        known &= s->answers[i].answer_class != 0;
        if (seen != SIZE_MAX)
            agree &= s->answers[i].answer_class == s->answers[seen].answer_class;
        seen = i;
    }
    return known && (agree || pending);
}

void escalation_agreement(const struct plan *p, const struct plan_state *s,
                          struct plan_verdict *ret)
{
    size_t last = p->member_count - 1;
    *ret = (struct plan_verdict){.ask = first_unasked(p, s), .winner = first_known(p, s)};
    trust_estimates(p, s, ret);
    if (ret->ask || last == 0)
        return;
    if (s->answers[last].asked) {
        if (s->answers[last].answer_class)
            ret->winner = last;
        return;
    }
    bool pending = is_any_pending(p, s);
    if (!s->answers[last].pending && !first_agree(p, s, pending)) {
        ret->ask = only(last);
        ret->final = true;
        return;
    }
    ret->wait = pending;
}
