/* Escalation: the verdict between the calls of a plan whose first members are asked together, on whether to ask its
 * last member. From what was asked and answered so far comes the probability that each member's answer is right, hence
 * whether the last member is worth its price and, at the end, whose answer stands. Until the first are done there is
 * nothing to weigh: they are asked, and waited for.
 *
 * Two forests (predict/trees.h) on ESCALATION_FEATURES features: `before` the last member is asked and `after`. Each
 * output starts from the logit of the member's estimated quality. Of `before`, the last output is the probability that
 * the plan's final answer would be right if the last member were asked. */
#pragma once

#include "predict/arm.h"
#include "predict/trees.h"

#define ESCALATION_SLOT_FEATURES (5 + ANSWER_STATS)
#define ESCALATION_MEMBERS_MAX   3
/* Without how certain the members were of their answers, which stands behind all else: forests of older models, and
 * those learnt where nothing was known of it, look at these alone. */
#define ESCALATION_PLAIN_FEATURES (ESCALATION_MEMBERS_MAX * ESCALATION_SLOT_FEATURES + 6)
#define ESCALATION_FEATURES                                                                        \
    (ESCALATION_PLAIN_FEATURES + ESCALATION_MEMBERS_MAX * CERTAINTY_FEATURES)

enum escalation_stage { ESCALATION_BEFORE, ESCALATION_AFTER, ESCALATION_STAGES };

struct escalation {
    size_t members; /* outputs of both forests */
    struct forest forests[ESCALATION_STAGES];
    const float *calibration; /* [ESCALATION_STAGES × members × 2]: scale, offset */
};

/* features[ESCALATION_FEATURES] of what is known at this point; absent members and answers are zeros. */
void escalation_features(const struct plan *p, const struct plan_state *s, float *features);
/* logits[member_count]: of the members' estimated quality, where the forests start from. */
void escalation_base(const struct plan *p, const struct plan_state *s, float *logits);
/* calibration[members × 2] of one stage */
float escalation_calibrated(const float *calibration, size_t member, float logit);
/* trust[members] at the stage the state is in: `after` once the last member has been asked. */
void escalation_trust(const struct escalation *c, const struct plan *p, const struct plan_state *s,
                      float *trust);

/* The verdict of a learned escalation. */
void escalation_verdict(const struct escalation *c, const struct plan *p,
                        const struct plan_state *s, struct plan_verdict *ret);
/* The verdict when trust is known and the first members are done: goes on when (trust of the final answer − best trust
 * so far) exceeds gain_per_usd times the last member's cost; the most trusted answer stands; answers that agree share
 * their trust (v->trust becomes that). An answer of which it is unknown what it says stands only when that is so of
 * all. */
void escalation_decide(const struct plan *p, const struct plan_state *s, struct plan_verdict *v);
/* What asking the last member is expected to gain for each dollar it costs; v->trust is set. */
double escalation_gain_per_usd(const struct plan *p, const struct plan_state *s,
                               const struct plan_verdict *v);

/* PLAN_AGREE, without anything learned: goes on unless all first answers are known and agree, and as soon as one of
 * them is unknown. The last member's answer stands if it is known, else the first one that is. Trust is what was
 * estimated before. */
void escalation_agreement(const struct plan *p, const struct plan_state *s,
                          struct plan_verdict *ret);
