/* The universe as one HTML page: the frontier of sets, what each member is for by domain, whom dropping would cost
 * what, who is dominated. In the frame and palette of eval/page.h. */
#pragma once

#include "base/buf.h"
#include "universe/routed_finals.h"
#include "universe/universe.h"

#define UNIVERSE_BUDGETS 40

/* What routing achieves with the set. */
struct universe_routed {
    const struct routed_choice *choice;
    const struct routed_figures *figures;
    bool plans;
    double usd_per_1k[UNIVERSE_BUDGETS], score[UNIVERSE_BUDGETS]; /* at ascending budgets */
};

struct universe_page {
    const char *dataset;      /* as the command line names it */
    const struct universe *u; /* made with frontier */
    const struct universe_options *rules;
    const struct universe_routed *routed; /* NULL: chosen by coverage */
};

/* Fills usd_per_1k and score from what an eighth of the budget pays to what the set costs. */
NODISCARD enum status universe_routed_fill(struct routed *r, struct universe_routed *routed,
                                           struct error *err);
void universe_write_html(const struct universe_page *p, struct buf *b);
