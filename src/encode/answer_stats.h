/* Statistics of an answer's text, by which an escalation learns when to trust it: a long detour, an expert that talks
 * of "the closest option" or finds none, is less often right. One pass, no allocation. */
#pragma once

#include "base/str.h"

enum answer_stat {
    ANSWER_LOG_CHARACTERS,
    ANSWER_LOG_LINES,
    ANSWER_DIGIT_SHARE,
    ANSWER_LOG_EQUALS,
    ANSWER_LOG_TURNS,     /* however, but, wait, actually, mistake */
    ANSWER_LOG_CLOSEST,   /* closest, nearest, most likely, approximately, assume */
    ANSWER_LOG_NONE,      /* none of, not listed, not among, cannot, unable, unclear */
    ANSWER_LOG_CERTAIN,   /* therefore, thus, hence, clearly */
    ANSWER_LOG_FORMULAS,  /* $ and backslashes */
    ANSWER_LOG_LAST_LINE, /* characters of the last line */
    ANSWER_STATS
};

/* stats[ANSWER_STATS]; "LOG" is ln(1 + count). Of a longer text than ANSWER_STATS_BYTES_MAX the end counts. */
#define ANSWER_STATS_BYTES_MAX 65536
void answer_stats(struct str text, float *stats);
