/* What outcomes of the known experts on the same questions tell of a newcomer's: how hard a question really was. */
#pragma once

#include "enroll/standing_terms.h"

/* targets[rows], weights[rows] of the newcomer's outcomes → adjusted, scaled. The known experts' surprise at a
 * question, which is none on average, is taken off as far as the newcomer shares it, by theta's estimates (a control
 * variate): outcomes then scatter less, and weigh more. Nothing changes where too few are known. */
void pairs_compare(const struct standing_terms *t, const struct seen *s, const double *targets,
                   const double *weights, const double *theta, const double *share,
                   double *adjusted, double *scaled);
