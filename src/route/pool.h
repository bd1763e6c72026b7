/* The experts to choose among, together with the model that estimates them. Shared by all threads: immutable, but for
 * the budget of each policy, which has a lock of its own. pool_choice.h decides a request by it.
 *
 * Indices of experts are the settings'. An arm is an expert, with the same index, or behind those one of the
 * model's plans over such experts (predict/arm.h); the members of a plan are indices of the settings, too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "plan/budget_state.h"
#include "predict/model.h"
#include "route/pool_settings.h"

struct pool;

/* The settings are copied; what they point to, and the model, is not owned and must outlive the pool. ERR_NOT_FOUND: an
 * expert that the model cannot estimate, or a plan that it does not have; ERR_MEMORY. */
NODISCARD enum status pool_create(const struct pool_settings *settings, const struct model *model,
                                  struct pool **ret, struct error *err);
void pool_free(struct pool *p); /* NULL is fine */
const struct pool_settings *pool_settings(const struct pool *p);
const struct model *pool_model(const struct pool *p);
size_t pool_policy_index(const struct pool *p, struct str name); /* SIZE_MAX: there is none */
size_t pool_arm_count(const struct pool *p);
/* Of an expert a single. */
const struct plan *pool_arm_at(const struct pool *p, size_t arm);
/* What headers and logs call it: "single", or the plan's name in ASCII, "panel(a,b->c)". */
struct str pool_arm_label(const struct pool *p, size_t arm);
/* model_plan_verdict for an arm of the pool. */
void pool_plan_verdict(const struct pool *p, size_t arm, const struct plan_state *state,
                       struct plan_verdict *ret);

/* Tells a policy's budget what a request really cost, with the usual_usd of its choice. `policy` SIZE_MAX (an expert by
 * name) is fine. */
void pool_observe(struct pool *p, size_t policy, int64_t cost_nano_usd, double usual_usd);
struct pool_choice;
#define POOL_CHECKS_BYTES_MAX (1u << 20) /* of the file below */

/* What a policy's check has said of an expert's answer, which was right with probability `right` as far as was known
 * by the choice; and how good somebody says an answer was that has stood after it. Of a policy that does not verify
 * nothing happens. */
void pool_check_observe(struct pool *p, const struct pool_choice *c, size_t expert, bool passed,
                        double right);
void pool_check_feedback(struct pool *p, size_t policy, bool passed, double score);
bool pool_verifies(const struct pool *p); /* some policy does */
/* How often checks and feedback have been heard; 0 where no policy verifies. */
uint64_t pool_checks_heard(struct pool *p);
/* What was learnt of them as the text of a file, and taken up from one before the first request. */
void pool_checks_write(struct pool *p, struct buf *out);
NODISCARD enum status pool_checks_resume(struct pool *p, struct str text, const char *place,
                                         struct error *err);

/* The states of all budgets, in the order of the policies that have one; returns how many. `into` may be NULL. */
size_t pool_budgets(struct pool *p, struct budget_named *into);
/* Budgets with found[i] go on from the state budgets[i], in the order of pool_budgets. Before the first request. */
void pool_budgets_resume(struct pool *p, const struct budget_named *budgets, const bool *found);
/* Policies with the same name and the same USD share one budget with the policy of an earlier pool, whose requests may
 * still run, and go on with what their checks have said until now. Before the first request to p. */
void pool_budgets_share(struct pool *p, const struct pool *earlier);
