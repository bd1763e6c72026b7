/* Where a newcomer lies among the known experts, in numbers; see enroll.h. */
#pragma once

#include "enroll/seen.h"

/* Its logit on a text: offset + Σ weights_e · logit of known expert e + Σ groups_g · posterior of group g. */
struct standing {
    double weights[MODEL_EXPERTS_MAX], groups[LINEAR_GROUPS_MAX], offset;
    double sample_offset;            /* where the group is not known */
    double share[MODEL_EXPERTS_MAX]; /* of experts of its level; they sum to 1, none is negative */
    double accuracy, accuracy_sd;    /* over the model's sample */
    double caution;                  /* its logits are to be estimated so much lower */
};

/* targets and weights [seen.rows]: of rows that count; a weight of 0 does not. */
NODISCARD enum status standing_find(const struct model *m, const struct enroll_belief *belief,
                                    const struct seen *seen, const double *targets,
                                    const double *weights, struct arena *a, struct standing *ret,
                                    struct error *err);
