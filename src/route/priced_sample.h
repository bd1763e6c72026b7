/* A model's sample at the prices in force, by which policies are calibrated. */
#pragma once

#include "predict/model.h"

struct priced_sample {
    struct model_sample sample; /* its costs are the model's own where no price is another */
    float *own;
};

/* prices[model_expert_count]. ERR_MEMORY. The model must outlive it. */
NODISCARD enum status priced_sample_init(struct priced_sample *s, const struct model *m,
                                         const struct price *prices, struct error *err);
void priced_sample_done(struct priced_sample *s); /* zeros are fine */
