/* Private to admin/: decisions of the ledger as figures of whoever made them. Pure: what was estimated for a request is
 * read out of its decision (route/decision_json.h), and decided anew by decide() at other lambdas. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "plan/decide.h"

#define CURVE_DECISIONS_MAX 400
#define CURVE_ESTIMATES_MAX 16 /* a decision keeps no more */
#define CURVE_BINS          10

struct curve_decision {
    struct estimate estimates[CURVE_ESTIMATES_MAX]; /* quality and cost alone */
    bool eligible[CURVE_ESTIMATES_MAX];             /* it could have served the request */
    bool is_plan[CURVE_ESTIMATES_MAX];
    size_t count;
};

struct curve_bin {
    size_t count;
    double predicted, observed; /* sums */
};

struct curve {
    struct curve_decision *decisions; /* [CURVE_DECISIONS_MAX] */
    size_t count, of_model;           /* of_model: decided by the model `checksum` */
    int64_t from_ms, to_ms;
    uint64_t checksum;
    struct curve_bin calibration[CURVE_BINS], doubt[CURVE_BINS];
};

/* `checksum`: of the model in force. ERR_MEMORY. */
NODISCARD enum status curve_init(struct curve *c, uint64_t checksum, struct arena *a,
                                 struct error *err);
/* One that has no estimates, or nobody who could serve it, is passed over, and so are those beyond the limit. */
void curve_add_decision(struct curve *c, struct str decision, int64_t begin_ms);
/* How good an answer was said to be, beside what was predicted of it: of a single expert's answer its own estimate, of
 * a plan's the decision's. */
void curve_add_score(struct curve *c, struct str decision, struct str plan, struct str expert,
                     double quality, double score);

/* ,"curve":[...],"calibration":[...],"doubt":[...],"basis":{...} */
void curve_write(const struct curve *c, struct buf *out);
