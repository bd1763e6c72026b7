/* The check between the calls of a plan: from what was asked and answered so far, the probability that each member's
 * answer is right, hence whether the last member is worth its price and, at the end, whose answer stands.
 *
 * Two forests (predict/trees.h) on CHECK_FEATURES features: `before` the last member is asked and `after`. Each output
 * starts from the logit of the member's estimated quality. Of `before`, the last output is the probability that the
 * plan's final answer would be right if the last member were asked. */
#pragma once

#include "predict/arm.h"
#include "predict/trees.h"

#define CHECK_SLOT_FEATURES (5 + ANSWER_STATS)
#define CHECK_FEATURES      (PLAN_MEMBERS_MAX * CHECK_SLOT_FEATURES + 6)

enum check_stage { CHECK_BEFORE, CHECK_AFTER, CHECK_STAGES };

struct check {
    size_t members; /* outputs of both forests */
    struct forest forests[CHECK_STAGES];
    const float *calibration; /* [CHECK_STAGES × members × 2]: scale, offset */
};

/* features[CHECK_FEATURES] of what is known at this point; absent members and answers are zeros. */
void check_features(const struct plan *p, const struct plan_state *s, float *features);
/* logits[member_count]: of the members' estimated quality, where the forests start from. */
void check_base(const struct plan *p, const struct plan_state *s, float *logits);
/* calibration[members × 2] of one stage */
float check_calibrated(const float *calibration, size_t member, float logit);
/* trust[members] at the stage the state is in: `after` once the last member has been asked. */
void check_trust(const struct check *c, const struct plan *p, const struct plan_state *s,
                 float *trust);

/* The verdict of a learned check. */
void check_verdict(const struct check *c, const struct plan *p, const struct plan_state *s,
                   struct plan_verdict *ret);
/* The verdict when trust is known: goes on when (trust of the final answer − best trust so far) exceeds gain_per_usd
 * times the last member's cost; the most trusted answer stands; answers that agree share their trust (v->trust becomes
 * that). An answer that cannot be told stands only when none
 * can. */
void check_decide(const struct plan *p, const struct plan_state *s, struct plan_verdict *v);
/* What asking the last member is expected to gain for each dollar it costs; v->trust is set. */
double check_gain_per_usd(const struct plan *p, const struct plan_state *s,
                          const struct plan_verdict *v);

/* PLAN_AGREE, without anything learned: goes on unless all first answers can be told and agree. The last member's
 * answer stands if it can be told, else the first one that can. Trust is what was estimated before. */
void check_agreement(const struct plan *p, const struct plan_state *s, struct plan_verdict *ret);
