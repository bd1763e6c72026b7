/* Sequential panels: up to eight experts asked one after the other, until another answer is not worth its price.
 *
 * After each answer two forests (predict/trees.h) are walked, each shared by all subsets of the members:
 *
 *   posterior   for every member the probability that its answer is right, asked or not, given all answers so far.
 *               Before any call it is what the estimates say. Then it starts from a weighted vote: a logistic
 *               regression for each member, by who agrees with whom. Members that agree get the mean of theirs.
 *   values      one for each number of answers so far. What the final answer gains over the one that would stand now
 *               if member e were asked next and the best was done from there on, less lambda times what that costs
 *               after e, at each of a few lambdas (score per USD). Before the first call, over e's own answer.
 *
 * Between two lambdas the gain is interpolated. Nothing here knows plans, experts or requests: a member is its
 * estimate, its price and its answer. Pure functions; the numbers may be forged, so whatever they are a verdict names
 * members, and trusts are probabilities. How both are learnt: stage/panel_learn.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/certainty.h"
#include "encode/answer_stats.h"
#include "predict/trees.h"

#define PANEL_MEMBERS_MAX   8
#define PANEL_LAMBDAS_MAX   12
#define PANEL_SLOT_FEATURES (5 + ANSWER_STATS)
/* Of the posterior's forest; PLAIN: without how certain the members were of their answers, which stands behind all
 * else. Forests of older models, and those learnt where nothing was known of it, look at those alone. */
#define PANEL_PLAIN_FEATURES(m) ((m)*PANEL_SLOT_FEATURES + 8)
#define PANEL_FEATURES(m)       (PANEL_PLAIN_FEATURES(m) + (m)*CERTAINTY_FEATURES)
#define PANEL_VALUE_SLOT        3
#define PANEL_VALUES(m)         ((m)*PANEL_VALUE_SLOT + 8) /* of the values' forests */
#define PANEL_FEATURES_MAX      PANEL_FEATURES(PANEL_MEMBERS_MAX)
#define PANEL_VALUES_MAX        PANEL_VALUES(PANEL_MEMBERS_MAX)
#define PANEL_OUTPUTS_MAX       (PANEL_MEMBERS_MAX * PANEL_LAMBDAS_MAX)
#define PANEL_TERMS(m)          (6 + 4 * (m) + (m) * ((m)-1)) /* of the vote, for one member */
#define PANEL_TERMS_MAX         PANEL_TERMS(PANEL_MEMBERS_MAX)

/* One member and what it said. */
struct panel_member {
    float quality;       /* estimated before any call, 0..1 */
    float output_tokens; /* expected */
    double cost_usd;     /* expected, of asking it */
    uint16_t
        answer_class; /* 0: unknown what it says; equal classes agree. Counts where it was asked */
    const float *stats; /* [ANSWER_STATS]; NULL: no text (it failed). Counts where it was asked */
    struct certainty certainty; /* likewise */
};

struct panel_state {
    size_t members;
    uint8_t asked;         /* bit i: member i has answered, or failed */
    uint8_t barred;        /* bit i: member i can not be asked */
    float characters;      /* of the prompt */
    uint32_t choice_count; /* 0: an open question */
    struct panel_member member[PANEL_MEMBERS_MAX];
};

/* The weighted vote: who is right, as log-odds, is a sum over what there is of these terms of the state.
 *
 *   0  1                                   6 + i         logit of member i's estimated quality
 *   1  it is known what the member says    6 + m + 3i    i agrees with it, or, where that is unknown, it is known
 *   2  how much longer than expected it is               what i says; then the same times i's logit
 *   3  it takes the last choice            8 + m + 3i    i says something else
 *   4  log of the number of choices        6 + 4m + 2p   the pair p of others agrees on something else
 *   5  log of the prompt's characters      7 + 4m + 2p   ... says two other things
 *
 * of m members; the pairs are (0, 1), (0, 2), (1, 2), (0, 3) ... */
struct panel_votes {
    float weights[PANEL_MEMBERS_MAX][2][PANEL_TERMS_MAX]; /* not asked; asked */
};

/* One term that is there. */
struct panel_term {
    uint32_t index;
    float value;
};

/* The learnt part; points into a model. */
struct panel {
    size_t members, lambda_count;
    float lambdas[PANEL_LAMBDAS_MAX]; /* ascending, score per USD, > 0 */
    /* hurdles[answers so far][lambda]: gains no larger than this are not worth a call (learnt; INFINITY: never).
     * hurdles[0] are 0, or INFINITY where the panel is not worth more than the best single: what going on after the
     * first answer may gain is left out there. */
    float hurdles[PANEL_MEMBERS_MAX][PANEL_LAMBDAS_MAX];
    /* offsets[answers so far][member × lambda]: added to where the values' outputs start from */
    float offsets[PANEL_MEMBERS_MAX][PANEL_OUTPUTS_MAX];
    struct panel_votes votes;
    struct forest posterior;                 /* members outputs */
    struct forest values[PANEL_MEMBERS_MAX]; /* by answers so far; members × lambdas outputs */
};

struct panel_verdict {
    uint8_t ask; /* bit of the member to ask next; 0: the winner's answer stands */
    uint8_t
        worth; /* bits of all that are worth their price as the next; before any call as `ask` */
    size_t winner; /* of those asked; members when nobody was */
    float
        top; /* probability that the winner's answer is right; 0 where it is unknown what it says */
    float
        trust[PANEL_MEMBERS_MAX]; /* probability that each member's answer is right, asked or not */
    float gain
        [PANEL_MEMBERS_MAX]; /* utility of asking each next, over stopping; -INFINITY: can not be asked */
};

/* features[PANEL_FEATURES(members)] of the posterior's forest. */
void panel_features(const struct panel_state *s, float *features);
/* terms[PANEL_TERMS_MAX] of the vote on one member; returns how many there are. */
size_t panel_vote_terms(const struct panel_state *s, size_t member, struct panel_term *terms);
/* logits[members]: where the posterior's forest starts from. Nobody was asked: the estimates. */
void panel_start(const struct panel_votes *v, const struct panel_state *s, float *logits);
/* The posterior over the members' answers: logits[members] of the forest → trust, winner and top. Agreeing members
 * share the mean of their probabilities; a known answer wins before an unknown one, whatever it is trusted. */
void panel_posterior(const struct panel_state *s, const float *logits, struct panel_verdict *ret);
/* features[PANEL_VALUES(members)] of the values' forests, and base[members]: where their outputs start from at every
 * lambda, before the offsets. */
void panel_value_features(const struct panel_state *s, const struct panel_verdict *v,
                          float *features, float *base);
/* The gain behind an output of the values' forests, -1..1, and back. */
float panel_gain_of(float output);
float panel_output_of(float gain);
/* gains[members × lambdas]: over stopping, before the price of the member asked next; outputs likewise. */
void panel_gains(const struct panel *p, const struct panel_state *s, const struct panel_verdict *v,
                 float *gains);
/* Utility of asking each next from gains at knot `k`, with the price of the call: ret->gain and ret->ask. */
void panel_choose(const struct panel *p, const struct panel_state *s, const float *gains,
                  double lambda, struct panel_verdict *ret);

/* What to do next at `lambda` (>= 0). Before any call somebody is always asked, unless all are barred. */
void panel_verdict(const struct panel *p, const struct panel_state *s, double lambda,
                   struct panel_verdict *ret);
