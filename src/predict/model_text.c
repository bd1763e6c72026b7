/* Text → estimates: see model.h. On the thread that asks, but for what an encoder does elsewhere. */
#include <stdlib.h>

#include "base/check.h"
#include "predict/model.h"

enum status model_encode(const struct model *m, struct str text, struct features *f,
                         struct error *err)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(m, &encoders);
    return features_encode(f, encoders, count, text, err);
}

enum status model_estimate_text(const struct model *m, struct str text, struct features *f,
                                struct estimate *estimates, struct error *err)
{
    enum status status = model_encode(m, text, f, err);
    if (status == OK)
        model_estimate(m, f, estimates);
    return status;
}

struct estimate_task {
    const struct model *model;
    struct features *features;
    struct estimate *estimates;
    struct features_task *encoding; /* NULL: it has ended */
    estimate_done *done;
    void *arg;
};

static void encoded(enum status status, const struct error *err, void *arg)
{
    struct estimate_task t = *(struct estimate_task *)arg;
    CHECK(t.encoding);
    free(arg);
    if (status == OK)
        model_estimate(t.model, t.features, t.estimates);
    t.done(status, err, t.arg);
}

enum status model_estimate_begin(const struct model *m, struct str text, struct features *f,
                                 struct estimate *estimates, estimate_done *done, void *arg,
                                 struct estimate_task **ret_task, struct error *err)
{
    CHECK(done && ret_task);
    const struct encoder *const *encoders;
    size_t count = model_encoders(m, &encoders);
    struct estimate_task *t = malloc(sizeof(*t));
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    *t = (struct estimate_task){m, f, estimates, NULL, done, arg};
    enum status status = features_begin(f, encoders, count, text, encoded, t, &t->encoding, err);
    if (status == AGAIN) {
        *ret_task = t;
        return AGAIN;
    }
    free(t);
    if (status == OK)
        model_estimate(m, f, estimates);
    return status;
}

void model_estimate_cancel(struct estimate_task *t)
{
    if (!t)
        return;
    features_cancel(t->encoding);
    free(t);
}
