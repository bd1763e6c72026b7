/* What to ask a newcomer, and what not. */
#pragma once

#include <stdio.h>

#include "enroll/asking_choice.h"

struct suggested {
    const struct dataset *d;
    struct enroll_questions q;
};

/* The query of a row of the questions. */
static inline const struct query *suggested_query(const struct suggested *s, size_t row)
{
    return &s->d->queries[s->q.rows.query[row]];
}

/* One JSON object. */
void suggested_print_json(const struct suggested *s, struct buf *out);
/* The first of those that seem broken, for a person; nothing where none does. */
void suggested_print_broken(const struct suggested *s, FILE *to);
