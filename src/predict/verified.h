/* Verified plans: experts are asked one after another, each answer is held to a check that is not learnt (a test, a
 * schema, a service), and the first that passes answers.
 *
 * What is believed: expert i is right with probability p_i(u) = σ(a_i + s·u), where u ~ N(0, 1) is common to all
 * experts (a question is harder or easier than its text tells) and a_i is such that the mean of p_i(u) is the estimated
 * quality. So every answer that is rejected makes the others less likely to be right, too. A check passes a wrong
 * answer with probability false_pass and rejects a right one with probability false_alarm.
 *
 * Plans are found one change after the other: somebody is asked in some place, goes for somebody else, or is left out;
 * each time whatever adds most expected quality per USD. For independent experts and a perfect check that is Weitzman's
 * rule (1979, "Optimal search for the best alternative"): the order of p / (cost + price of the check), in which asking
 * one more is worth it while p > lambda times that. With a check that errs, or few places, cheap weak experts that were
 * worth a question at first make room for better ones, for what they pass wrongly is never asked again. The plans on
 * the way, from the cheapest to the best, do not hang on lambda: they are arms like all others, and a policy, whether
 * it has a lambda, a budget, a floor or a cap, chooses among them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "predict/arm.h"
#include "predict/shared_factor.h"

#define VERIFIED_SHARED_SD   1.0f /* s, where nothing was learnt of it */
#define VERIFIED_EXPERTS_MAX SHARED_EXPERTS_MAX

struct verified_check {
    float false_pass;       /* P(it passes | the answer is wrong), 0..1 */
    float false_alarm;      /* P(it rejects | the answer is right), 0..1 */
    int64_t price_nano_usd; /* expected, of one check */
};

struct verified_terms {
    struct verified_check check;
    float shared_sd; /* s above */
    /* [count] added to the log-odds of each expert's estimated quality: what checks have said of it lately; or NULL. */
    const float *shift;
};

#define VERIFIED_PLANS_MAX 10

struct verified_plan {
    size_t member_count,
        members[PLAN_MEMBERS_MAX]; /* experts, in the order in which they are asked */
    struct estimate estimate; /* quality of what stands, costs with all checks, asked[] by place */
};

/* plans[] over experts[count <= VERIFIED_EXPERTS_MAX] with use[i] (NULL: all), of at most `most` members each and never
 * more than PLAN_MEMBERS_MAX, from the cheapest to the best: both their quality and what is weighed of their costs
 * rise. Returns how many: one or more, unless nobody may be asked or nobody could be right. Any numbers are fine. */
size_t verified_plans(const struct verified_terms *t, const struct estimate *experts,
                      const bool *use, size_t count, size_t most,
                      struct verified_plan plans[VERIFIED_PLANS_MAX]);

/* What to do next in a verified plan whose members stand in the order in which they are asked: ask the next when the
 * last was rejected or has failed, wait for an answer or its check, else let one stand: whichever passed; where the
 * check was down, the answer that it could not judge; where none has passed, the one most likely to be right all the
 * same. ret->trust: probability that each member's answer is right, given what the check has said. No failure. */
void verified_verdict(const struct verified_terms *t, const struct plan *p,
                      const struct plan_state *s, struct plan_verdict *ret);
