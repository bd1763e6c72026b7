/* Text → estimates: see model.h. */
#include "base/check.h"
#include "predict/model.h"

enum status model_encode(const struct model *m, struct str text, struct features *f,
                         struct error *err)
{
    return encode_text(model_encoder(m), text, f, err);
}

enum status model_estimate_text(const struct model *m, struct str text, struct features *f,
                                struct estimate *estimates, struct error *err)
{
    enum status status = model_encode(m, text, f, err);
    if (status == OK)
        model_estimate(m, f, estimates);
    return status;
}

/* The encoder that there is answers at once. */
enum status model_estimate_begin(const struct model *m, struct str text, struct features *f,
                                 struct estimate *estimates, estimate_done *done, void *arg,
                                 struct estimate_task **ret_task, struct error *err)
{
    CHECK(done && ret_task);
    (void)arg;
    return model_estimate_text(m, text, f, estimates, err);
}

void model_estimate_cancel(struct estimate_task *task)
{
    CHECK(!task);
}
