/* The check between the calls of a plan: what to do after the first answers. */
#pragma once

#include "predict/arm.h"

/* PLAN_AGREE, and what is left where nothing was learnt: go on unless all first answers can be told and agree. The last
 * member's answer stands if it can be told, else the first one that can. Trust is what was estimated before. */
void check_agreement(const struct plan *p, const struct plan_state *s, struct plan_verdict *ret);
