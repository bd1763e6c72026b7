/* What a newcomer's logit is made of: the terms of enroll.h, and what is believed of their coefficients. Shared by the
 * files of this folder that learn them and that say what to ask. */
#pragma once

#include "enroll/seen.h"

/* The known experts' logits on the model's sample of held-out estimates, and what they are on average. Terms: offset,
 * slope on the level, a deviation for each expert, groups; each but the first two less its mean. */
struct standing_terms {
    size_t known, groups, count, rows; /* rows: of the sample */
    double mean[MODEL_EXPERTS_MAX];    /* of an expert's logits in the sample */
    double level[MODEL_EXPERTS_MAX];   /* logit of its accuracy there */
    double group_mean[LINEAR_GROUPS_MAX];
    double *x;      /* [seen.rows × count] */
    double *sample; /* [rows × count], where the group is not known: as if it were like all */
};

/* Lives in `a`. ERR_MEMORY. */
NODISCARD enum status standing_make(const struct model *m, const struct seen *s, struct arena *a,
                                    struct standing_terms *ret, struct error *err);
/* share[known]: how much of each expert is in a newcomer of that accuracy; they sum to 1. */
void standing_share(const struct standing_terms *t, const struct enroll_belief *belief,
                    double accuracy, double *share);
/* mean[count], precision[count] of the coefficients before any outcome. */
void standing_believe(const struct standing_terms *t, const struct enroll_belief *belief,
                      const double *share, double *mean, double *precision);
/* Mean quality over the sample. */
double standing_accuracy(const struct standing_terms *t, const double *theta);
/* theta · x of a row's terms. */
double standing_logit(const struct standing_terms *t, const double *theta, const double *x);
