/* Recorded outcomes, and what a model expects of them, as rows that drift is looked for in. */
#pragma once

#include "data/dataset.h"
#include "eval/drift.h"
#include "predict/model.h"

struct drift_rows {
    struct drift_input
        input;         /* experts are the model's; feedback and alpha are the caller's to set */
    size_t trained_on; /* questions that were left out, for the model has learnt from them */
    size_t strangers;  /* experts of the data set that the model does not know */
};

/* What the model says of its experts: known[model_expert_count], in `a`. ERR_MEMORY. */
NODISCARD enum status drift_known_of(const struct model *m, struct arena *a,
                                     const struct drift_known **ret, struct error *err);
/* Of all known outcomes of the model's experts on questions that it was not trained on. Everything is in `a`.
 * ERR_MEMORY, or what an encoder fails with. */
NODISCARD enum status drift_rows_read(const struct model *m, const struct dataset *d,
                                      struct arena *a, struct drift_rows *ret, struct error *err);
