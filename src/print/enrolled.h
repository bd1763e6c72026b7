/* What an enrolment has learnt, and what the decisions become. */
#pragma once

#include "enroll/enroll.h"
#include "prior/prior.h"

struct enrolled {
    const struct model *into, *after; /* what it joined; the same with it, as the last expert */
    const struct enroll_newcomer *newcomer;
    const struct enroll_figures *figures;
    const struct prior_place *place; /* before its outcomes */
    bool replaced;                   /* it was known, and is enrolled anew */
    size_t plans_gone;               /* of what it was: only training makes new ones */
    const char *path;                /* of the file that was written */
    bool in_place;                   /* the one before is PATH.previous */
};

/* For a person. */
void enrolled_print(const struct enrolled *e, struct buf *out);
/* One JSON object. */
void enrolled_print_json(const struct enrolled *e, struct buf *out);
