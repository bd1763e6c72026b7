/* Decisions about texts in JSON: what `leeroo route` prints a line, and libleeroo says of a decision. */
#pragma once

#include "route/text_router.h"

/* Without its closing brace, so that more may follow. `id` NULL: none. */
void text_json_decision(const struct text_policy *p, const struct str *id, const struct decision *d,
                        struct buf *out);
/* For a text which nobody can be asked for: the plan is "none". */
void text_json_refusal(const struct str *id, double lambda, struct buf *out);
/* The member "estimates" of the arms in use: {NAME: [quality, cost in USD]}. */
void text_json_estimates(const struct text_policy *p, const struct estimate *estimates,
                         struct buf *out);
/* The members of POST /v1/route that `leeroo route` leaves out, but for those of a gateway: members, plans, fallbacks,
 * ruled_out, floor, max_cost_usd, model_checksum. */
void text_json_reasons(const struct text_policy *p, const struct estimate *estimates,
                       const struct decision *d, struct buf *out);
