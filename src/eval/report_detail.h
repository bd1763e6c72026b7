/* What a page shows beside the report's figures: domains at one operating point, and calibration. */
#pragma once

#include "eval/report.h"

/* A domain's queries at an operating point of the router. */
struct detail_domain {
    struct str name; /* empty: the queries without one */
    size_t queries;
    struct figure accuracy; /* errors by the sample deviation */
    double usd_per_1k;
    struct figure reference;
    double reference_usd_per_1k;
    struct figure difference; /* paired */
    double *shares;           /* [columns] */
};

/* One bin of a reliability diagram. */
struct detail_bin {
    size_t queries;
    double predicted, recorded; /* means; NaN in an empty bin */
};

struct detail {
    size_t at;                     /* of report->at: whose choices the domains show */
    struct detail_domain *domains; /* [domain_count] most queries first */
    size_t domain_count;
    struct detail_bin (*bins)[METRICS_ECE_BINS]; /* [columns]; outside the pool all empty */
};

/* domains[queries] of the table's rows. The operating point is the one nearest to half of the reference's cost that
 * has a policy; where none has, there are no domains. Everything lives in `a`. */
NODISCARD enum status detail_make(const struct eval_table *t, const struct report *r,
                                  const struct str *domains, struct arena *a, struct detail *ret,
                                  struct error *err);
