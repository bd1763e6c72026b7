/* One figure for a whole curve: the mean over the fractions of the reference's cost that a report was made for. */
#pragma once

#include "eval/report.h"

struct report_area {
    struct figure area; /* error: the spread over the report's draws; NaN without */
    double mix;         /* the best random mix of experts at the same costs */
};

/* Over the fractions at which both are known; NaN where there are none. */
struct report_area report_area(const struct report *r);
