/* What to do between the calls of a sequential panel: see panel.h. Training, evaluation and the gateway call the same
 * functions on the same kind of state and must get the same verdicts, so nothing here reads a clock, keeps anything or
 * draws lots; any thread may ask. Subsets share one forest because eight members have 255 of them, most of which no
 * training set has enough of: a slot of features for each member says whether it was asked, and trees do the rest.
 * The naive vote is a feature among others: it takes voters for independent, which they are not. The weighted vote is
 * what trees start from; where they had to find it by themselves they were short of it (bench/panels.md). */
#include "predict/panel.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/fmath.h"

#define EDGE                 1e-3f /* probabilities are taken no nearer to 0 and 1 than this */
#define CHARACTERS_PER_TOKEN 4.0f
#define VOTE_WEIGHT          0.6f    /* of one voter's log-odds: voters err together */
#define OPEN_CHOICES         10.0f   /* an open question counts as one of so many */
#define NO_ANSWER            (-8.0f) /* stands for the vote's logit where there is none */
#define NOT_ASKED            (-9.0f)

static float logit(float p)
{
    p = p > EDGE ? p : EDGE; /* a NaN, too */
    p = p < 1 - EDGE ? p : 1 - EDGE;
    return logf(p / (1 - p));
}

static bool is_asked(const struct panel_state *s, size_t i)
{
    return s->asked >> i & 1;
}

static bool is_known(const struct panel_state *s, size_t i)
{
    return is_asked(s, i) && s->member[i].answer_class != 0;
}

static bool agree(const struct panel_state *s, size_t i, size_t k)
{
    return is_known(s, i) && is_known(s, k) &&
           s->member[i].answer_class == s->member[k].answer_class;
}

/* The naive vote: how many members say what member i says (itself included; 0: nothing known), and the probability of
 * that answer, with one place for all answers that nobody gave. */
static void vote(const struct panel_state *s, float *share, float *size)
{
    float odds[PANEL_MEMBERS_MAX] = {0}, weight[PANEL_MEMBERS_MAX], total = 0, distinct = 0;
    float choices = s->choice_count ? fmaxf((float)s->choice_count, 3) : OPEN_CHOICES;
    for (size_t i = 0; i < s->members; i++)
        weight[i] = VOTE_WEIGHT * (logit(s->member[i].quality) + logf(choices - 1));
    for (size_t i = 0; i < s->members; i++) {
        float score = 0;
        size[i] = 0;
        for (size_t k = 0; k < s->members; k++)
            if (agree(s, i, k)) {
                size[i]++;
                score += weight[k];
            }
        if (size[i] > 0) {
            odds[i] = fmath_exp(score);
            total += odds[i] / size[i];
            distinct += 1 / size[i];
        }
    }
    for (size_t i = 0; i < s->members; i++)
        share[i] = size[i] > 0 ? odds[i] / (total + fmaxf(choices - distinct, 0.5f)) : 0;
}

/* How much longer than expected an answer is, as a logarithm. */
static float length_ratio(const struct panel_member *m)
{
    return m->stats[ANSWER_LOG_CHARACTERS] - log1pf(CHARACTERS_PER_TOKEN * m->output_tokens);
}

static void slot_features(const struct panel_state *s, size_t i, float share, float size, float *f)
{
    const struct panel_member *m = &s->member[i];
    f[0] = logit(m->quality);
    f[3] = size > 0 ? logit(share) : NO_ANSWER;
    if (!is_asked(s, i))
        return;
    f[1] = 1 + size;
    f[4] = s->choice_count && m->answer_class == s->choice_count;
    if (!m->stats)
        return;
    f[2] = length_ratio(m);
    memcpy(f + 5, m->stats, ANSWER_STATS * sizeof(*f));
}

/* The vote's best answer, and the best of those that are another. */
static void best_two(const struct panel_state *s, const float *share, float *first, float *second)
{
    size_t best = 0;
    for (size_t i = 1; i < s->members; i++)
        if (share[i] > share[best])
            best = i;
    *first = share[best];
    *second = 0;
    for (size_t i = 0; i < s->members; i++)
        if (!agree(s, i, best))
            *second = fmaxf(*second, share[i]);
}

/* One piece: slots, what all share, and behind these what later models know, in the order that trees name them by. */
void panel_features(const struct panel_state *s, float *features)
{
    float share[PANEL_MEMBERS_MAX] = {0}, size[PANEL_MEMBERS_MAX] = {0}, mean = 0, most = 0,
          distinct = 0;
    CHECK(s->members >= 1);
    CHECK(s->members <= PANEL_MEMBERS_MAX);
    memset(features, 0, PANEL_FEATURES(s->members) * sizeof(*features));
    vote(s, share, size);
    for (size_t i = 0; i < s->members; i++) {
        float *slot = features + i * PANEL_SLOT_FEATURES;
        slot_features(s, i, share[i], size[i], slot);
        mean += slot[0] / (float)s->members;
        most = fmaxf(most, size[i]);
        distinct += size[i] > 0 ? 1 / size[i] : 0;
    }
    float *shared = features + s->members * PANEL_SLOT_FEATURES;
    shared[0] = log1pf(s->characters);
    shared[1] = (float)s->choice_count;
    shared[2] = (float)__builtin_popcount(s->asked);
    shared[3] = most;
    best_two(s, share, &shared[4], &shared[5]);
    shared[6] = mean;
    shared[7] = distinct;
    for (size_t i = 0; i < s->members; i++)
        if (is_asked(s, i))
            certainty_features(&s->member[i].certainty, features +
                                                            PANEL_PLAIN_FEATURES(s->members) +
                                                            i * CERTAINTY_FEATURES);
}

/* The weighted vote */

struct terms {
    struct panel_term *at;
    size_t count;
};

static void term(struct terms *t, size_t index, float value)
{
    t->at[t->count++] = (struct panel_term){(uint32_t)index, value};
}

/* What the member itself says, and what is asked. */
static void own_terms(const struct panel_state *s, size_t m, struct terms *t)
{
    const struct panel_member *member = &s->member[m];
    float choices = s->choice_count ? (float)s->choice_count : OPEN_CHOICES;
    term(t, 0, 1);
    if (is_known(s, m))
        term(t, 1, 1);
    if (is_asked(s, m) && member->stats)
        term(t, 2, length_ratio(member));
    if (is_known(s, m) && member->answer_class == s->choice_count)
        term(t, 3, 1);
    term(t, 4, logf(choices));
    term(t, 5, log1pf(s->characters));
}

/* What another says of the member's answer. */
static void voice_terms(const struct panel_state *s, size_t m, size_t i, float logit_i,
                        struct terms *t)
{
    size_t at = 6 + s->members + 3 * i;
    if (i == m || !is_known(s, i))
        return;
    if (is_known(s, m) && !agree(s, m, i)) {
        term(t, at + 2, 1);
        return;
    }
    term(t, at, 1);
    term(t, at + 1, logit_i);
}

size_t panel_vote_terms(const struct panel_state *s, size_t m, struct panel_term *terms)
{
    struct terms t = {terms, 0};
    size_t pair = 6 + 4 * s->members;
    own_terms(s, m, &t);
    for (size_t i = 0; i < s->members; i++) {
        float own = logit(s->member[i].quality);
        bool against = i != m && is_known(s, i) && !agree(s, i, m);
        term(&t, 6 + i, own);
        voice_terms(s, m, i, own, &t);
        for (size_t k = 0; k < i; k++, pair += 2)
            if (against && k != m && is_known(s, k) && !agree(s, k, m))
                term(&t, pair + !agree(s, i, k), 1);
    }
    return t.count;
}

void panel_start(const struct panel_votes *v, const struct panel_state *s, float *logits)
{
    struct panel_term terms[PANEL_TERMS_MAX];
    for (size_t m = 0; m < s->members; m++) {
        if (!s->asked) {
            logits[m] = logit(s->member[m].quality);
            continue;
        }
        const float *weights = v->weights[m][is_asked(s, m)];
        size_t count = panel_vote_terms(s, m, terms);
        logits[m] = 0;
        for (size_t k = 0; k < count; k++)
            logits[m] += terms[k].value * weights[terms[k].index];
    }
}

/* Answers are preferred of which it is known what they say, then those that are there at all. */
static int standing(const struct panel_state *s, size_t i)
{
    return is_asked(s, i) ? 1 + is_known(s, i) : 0;
}

void panel_posterior(const struct panel_state *s, const float *logits, struct panel_verdict *v)
{
    float own[PANEL_MEMBERS_MAX];
    size_t best = 0;
    for (size_t i = 0; i < s->members; i++) {
        own[i] = fmath_sigmoid(logits[i]);
        own[i] = own[i] >= 0 && own[i] <= 1 ? own[i] : 0; /* also a NaN out of a forged model */
    }
    for (size_t i = 0; i < s->members; i++) {
        float sum = 0, count = 0;
        for (size_t k = 0; k < s->members; k++)
            if (k == i || agree(s, i, k)) {
                sum += own[k];
                count++;
            }
        v->trust[i] = sum / count;
    }
    for (size_t i = 1; i < s->members; i++) {
        int better = standing(s, i) - standing(s, best);
        if (better ? better > 0 : v->trust[i] > v->trust[best])
            best = i;
    }
    v->winner = s->asked ? best : s->members;
    v->top = s->asked && is_known(s, best) ? v->trust[best] : 0;
}

/* One pass over the members fills their slots, the bases and what all share. */
void panel_value_features(const struct panel_state *s, const struct panel_verdict *v, float *f,
                          float *base)
{
    float second = 0, most = 0, unasked = 0;
    memset(f, 0, PANEL_VALUES(s->members) * sizeof(*f));
    for (size_t i = 0; i < s->members; i++) {
        float *slot = f + i * PANEL_VALUE_SLOT, size = 0;
        bool asked = is_asked(s, i);
        slot[0] = !asked ? -1 : is_known(s, i) ? v->trust[i] : 0;
        slot[1] = asked ? NOT_ASKED : logit(v->trust[i]);
        slot[2] = logit(s->member[i].quality);
        for (size_t k = 0; k < s->members; k++)
            size += agree(s, i, k);
        most = fmaxf(most, size);
        if (is_known(s, i) && !agree(s, i, v->winner))
            second = fmaxf(second, v->trust[i]);
        if (!asked)
            unasked = fmaxf(unasked, v->trust[i]);
        base[i] = s->asked && !asked ? panel_output_of(fmaxf(v->trust[i] - v->top, 0) / 2) : 0;
    }
    float *shared = f + s->members * PANEL_VALUE_SLOT;
    shared[0] = v->top;
    shared[1] = second;
    shared[2] = v->top - second;
    shared[3] = (float)s->choice_count;
    shared[4] = log1pf(s->characters);
    shared[5] = (float)__builtin_popcount(s->asked);
    shared[6] = unasked;
    shared[7] = most;
}

float panel_gain_of(float output)
{
    float p = fmath_sigmoid(output);
    return p >= 0 && p <= 1 ? 2 * p - 1 : -1;
}

float panel_output_of(float gain)
{
    return logit((gain + 1) / 2);
}

void panel_gains(const struct panel *p, const struct panel_state *s, const struct panel_verdict *v,
                 float *gains)
{
    float features[PANEL_VALUES_MAX], base[PANEL_MEMBERS_MAX];
    size_t done = (size_t)__builtin_popcount(s->asked);
    CHECK(done < p->members);
    panel_value_features(s, v, features, base);
    for (size_t i = 0; i < p->members; i++)
        for (size_t k = 0; k < p->lambda_count; k++)
            gains[i * p->lambda_count + k] = base[i] + p->offsets[done][i * p->lambda_count + k];
    forest_predict(&p->values[done], features, gains);
    for (size_t i = 0; i < p->members * p->lambda_count; i++) {
        bool closed = !done && isinf(p->hurdles[0][i % p->lambda_count]);
        gains[i] = closed ? 0 : panel_gain_of(gains[i]);
    }
}

/* The knot below lambda, and how far it is from there to the next one; beyond either end it is the end. */
static size_t knot_below(const struct panel *p, double lambda, double *ret_part)
{
    size_t k = 0;
    *ret_part = 0;
    while (k + 1 < p->lambda_count && (double)p->lambdas[k + 1] <= lambda)
        k++;
    if (k + 1 < p->lambda_count && lambda > (double)p->lambdas[k])
        *ret_part =
            (lambda - (double)p->lambdas[k]) / ((double)p->lambdas[k + 1] - (double)p->lambdas[k]);
    return k;
}

static double between(const float *at, size_t knot, double part)
{
    return part > 0 ? (1 - part) * (double)at[knot] + part * (double)at[knot + 1]
                    : (double)at[knot];
}

/* Where either knot says never, the nearer one counts. */
static double hurdle_between(const float *at, size_t knot, double part)
{
    if (part > 0 && (isinf(at[knot]) || isinf(at[knot + 1])))
        return (double)at[part < 0.5 ? knot : knot + 1];
    return between(at, knot, part);
}

/* Before any call the gains are over the member's own answer, which its estimate is worth; somebody is asked even
 * where nobody seems worth it. Equal gains go to the cheaper. */
void panel_choose(const struct panel *p, const struct panel_state *s, const float *gains,
                  double lambda, struct panel_verdict *v)
{
    double part, best = 0;
    v->worth = 0;
    size_t knot = knot_below(p, lambda, &part), next = SIZE_MAX;
    CHECK(__builtin_popcount(s->asked) < PANEL_MEMBERS_MAX);
    double hurdle = hurdle_between(p->hurdles[__builtin_popcount(s->asked)], knot, part);
    for (size_t i = 0; i < s->members; i++) {
        v->gain[i] = -INFINITY;
        if (is_asked(s, i) || s->barred >> i & 1)
            continue;
        double gain = between(gains + i * p->lambda_count, knot, part) -
                      lambda * s->member[i].cost_usd +
                      (s->asked ? 0 : (double)s->member[i].quality);
        v->gain[i] = (float)gain;
        if (s->asked && gain > hurdle)
            v->worth |= (uint8_t)(1u << i);
        if (next == SIZE_MAX || gain > best ||
            (gain == best && s->member[i].cost_usd < s->member[next].cost_usd)) {
            next = i;
            best = gain;
        }
    }
    v->ask = 0;
    if (next != SIZE_MAX && (!s->asked || best > hurdle))
        v->ask = (uint8_t)(1u << next);
    if (!s->asked)
        v->worth = v->ask;
}

void panel_verdict(const struct panel *p, const struct panel_state *s, double lambda,
                   struct panel_verdict *ret)
{
    float features[PANEL_FEATURES_MAX], logits[PANEL_MEMBERS_MAX], gains[PANEL_OUTPUTS_MAX];
    struct panel_verdict v = {0};
    CHECK(p->members == s->members);
    panel_start(&p->votes, s, logits);
    if (s->asked) {
        panel_features(s, features);
        forest_predict(&p->posterior, features, logits);
    }
    panel_posterior(s, logits, &v);
    for (size_t i = 0; i < s->members; i++)
        v.gain[i] = -INFINITY;
    if ((s->asked | s->barred) != (1u << s->members) - 1) {
        panel_gains(p, s, &v, gains);
        panel_choose(p, s, gains, lambda, &v);
    }
    *ret = v;
}
