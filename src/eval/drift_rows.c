/* A data set and a model → rows of drift. */
#include "eval/drift_rows.h"

struct reading {
    const struct model *m;
    const struct dataset *d;
    struct drift_rows *ret;
    struct drift_row *rows;
    struct estimate *estimates;
    size_t columns[MODEL_EXPERTS_MAX]; /* of the model's experts in the data set; SIZE_MAX */
};

enum status drift_known_of(const struct model *m, struct arena *a, const struct drift_known **ret,
                           struct error *err)
{
    struct drift_known *known = ARENA_ARRAY(a, model_expert_count(m), struct drift_known);
    if (!known)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < model_expert_count(m); e++) {
        const struct model_expert *x = model_expert_at(m, e);
        known[e] = (struct drift_known){x->outcomes, x->calibration_error, x->length_log,
                                        x->length_log_sd};
    }
    *ret = known;
    return OK;
}

static void take_outcome(const struct reading *r, size_t e, const struct outcome *o)
{
    const struct estimate *x = &r->estimates[e];
    struct drift_input *in = &r->ret->input;
    r->rows[in->row_count++] = (struct drift_row){
        .question = in->question_count,
        .expert = e,
        .score = o->score,
        .estimated = x->quality,
        .estimated_sd = x->quality_sd,
        .tokens = o->tokens_known ? 1 + (double)o->output_tokens : 0,
        .estimated_tokens = 1 + (double)x->output_tokens,
        .usd = o->cost_known ? (double)o->cost_nano_usd / (double)NANO_PER_USD : 0,
        .estimated_usd =
            (double)model_cost_nano_usd(&r->d->experts[r->columns[e]].price, x) / NANO_PER_USD};
}

static enum status read_question(const struct reading *r, size_t q, struct features *f,
                                 struct error *err)
{
    bool any = false;
    for (size_t e = 0; e < model_expert_count(r->m); e++)
        any |= r->columns[e] != SIZE_MAX && dataset_outcome(r->d, q, r->columns[e])->known;
    if (!any)
        return OK;
    if (model_trained_on(r->m, r->d->queries[q].text_hash)) {
        r->ret->trained_on++;
        return OK;
    }
    enum status status = model_estimate_text(r->m, r->d->queries[q].prompt, f, r->estimates, err);
    for (size_t e = 0; status == OK && e < model_expert_count(r->m); e++) {
        const struct outcome *o =
            r->columns[e] == SIZE_MAX ? NULL : dataset_outcome(r->d, q, r->columns[e]);
        if (o && o->known)
            take_outcome(r, e, o);
    }
    r->ret->input.question_count++;
    return status;
}

enum status drift_rows_read(const struct model *m, const struct dataset *d, struct arena *a,
                            struct drift_rows *ret, struct error *err)
{
    size_t experts = model_expert_count(m), shared = 0;
    struct reading r = {.m = m, .d = d, .ret = ret};
    struct features f;
    *ret = (struct drift_rows){.input = {.expert_count = experts}};
    for (size_t e = 0; e < experts; e++) {
        r.columns[e] = dataset_expert_index(d, model_expert_at(m, e)->name);
        shared += r.columns[e] != SIZE_MAX;
    }
    ret->strangers = d->expert_count - shared;
    r.rows = ARENA_ARRAY(a, d->query_count * shared + 1, struct drift_row);
    r.estimates = ARENA_ARRAY(a, model_arm_count(m), struct estimate);
    ret->input.rows = r.rows;
    if (!r.rows || !r.estimates)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = drift_known_of(m, a, &ret->input.known, err);
    if (status == OK)
        status = features_init(&f, err);
    if (status != OK)
        return status;
    for (size_t q = 0; q < d->query_count && status == OK; q++)
        status = read_question(&r, q, &f, err);
    features_done(&f);
    return status;
}
