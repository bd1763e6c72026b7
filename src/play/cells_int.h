/* Shared by the files of play/cells.h only: what the cells of a problem are worth. */
#pragma once

#include "play/cells.h"

struct cells_worth {
    float *
        cells; /* [questions × experts], of one expert's questions among each other: 1 on average */
    float *ties;                       /* [questions × experts], 0..1 */
    double experts[CELLS_EXPERTS_MAX]; /* what one more answer of each is worth; the most is 1 */
};

/* Lives in `a`. Where nothing is believed all is worth the same. */
NODISCARD enum status cells_worth(const struct cells_problem *p, struct arena *a,
                                  struct cells_worth *ret, struct error *err);
