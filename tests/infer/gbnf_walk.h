/* A random text of a grammar in GBNF, as an independent reader of what infer/schema_grammar.h writes: one rule a
 * line, literals, classes, groups, alternatives, repetitions. */
#pragma once

#include "base/buf.h"
#include "base/rng.h"
#include "base/str.h"

enum gbnf_walk {
    GBNF_TEXT,   /* it is in `out` */
    GBNF_DEEP,   /* this walk did not come to an end */
    GBNF_BROKEN, /* what is there is no grammar, or names a rule that is not there */
};

/* From the rule `root` on. */
enum gbnf_walk gbnf_walk(struct str grammar, struct str root, struct rng *rng, struct buf *out);
