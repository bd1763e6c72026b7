/* The model's sample as it is, or a copy of it with other costs. */
#include "route/priced_sample.h"

#include <stdlib.h>

enum status priced_sample_init(struct priced_sample *s, const struct model *m,
                               const struct price *prices, struct error *err)
{
    *s = (struct priced_sample){.sample = model_sample(m)};
    if (!s->sample.rows || !model_sample_is_repriced(m, prices))
        return OK;
    s->own = calloc(s->sample.rows * s->sample.arms, sizeof(*s->own));
    if (!s->own)
        return error_set(err, ERR_MEMORY, "out of memory for a policy");
    model_sample_price(m, prices, s->own);
    s->sample.cost_usd = s->own;
    return OK;
}

void priced_sample_done(struct priced_sample *s)
{
    free(s->own);
    *s = (struct priced_sample){0};
}
