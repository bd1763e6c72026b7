/* Models of libleeroo: loading one, and what it knows of its experts and arms. A model is immutable, so any thread may
 * ask; names are copied once, for the caller wants strings that end with a zero. What is filled in is no more than the
 * caller's struct has room for, by the size that it was built with; where that would leave out members of a plan, the
 * arm is refused instead. Nothing here decides. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_int.h"

static int model_names(struct leeroo_model *m, struct leeroo_error *err)
{
    for (size_t i = 0; i < model_arm_count(m->model); i++) {
        struct str name = model_arm_at(m->model, i)->name;
        m->names[i] = strndup(name.ptr, name.len);
        if (!m->names[i])
            return api_no_memory(err);
    }
    return LEEROO_OK;
}

int api_model_wrap(struct model *model, enum status status, const struct error *why,
                   struct leeroo_model **ret, struct leeroo_error *err)
{
    if (status != OK)
        return api_result(err, status, why);
    struct leeroo_model *m = calloc(1, sizeof(*m));
    if (!m) {
        model_free(model);
        return api_no_memory(err);
    }
    atomic_store(&m->holders, 1);
    m->model = model;
    int code = model_names(m, err);
    if (code == LEEROO_OK)
        *ret = m;
    else
        leeroo_model_free(m);
    return code;
}

int leeroo_model_load(const char *path, struct leeroo_model **ret, struct leeroo_error *err)
{
    struct model *model = NULL;
    struct error why;
    if (!path || !ret)
        return api_refuse(err, "no path to load a model from");
    locale_t before = api_locale_enter();
    enum status status = model_load(path, &model, &why);
    api_locale_leave(before);
    return api_model_wrap(model, status, &why, ret, err);
}

int leeroo_model_load_bytes(const void *bytes, size_t byte_count, struct leeroo_model **ret,
                            struct leeroo_error *err)
{
    struct model *model = NULL;
    struct error why;
    if (!bytes || !ret)
        return api_refuse(err, "no bytes to load a model from");
    locale_t before = api_locale_enter();
    enum status status = model_load_bytes(bytes, byte_count, &model, &why);
    api_locale_leave(before);
    return api_model_wrap(model, status, &why, ret, err);
}

struct leeroo_model *api_model_hold(const struct leeroo_model *m)
{
    struct leeroo_model *held = (struct leeroo_model *)m;
    atomic_fetch_add_explicit(&held->holders, 1, memory_order_relaxed);
    return held;
}

void leeroo_model_free(struct leeroo_model *model)
{
    if (!model || !api_release(&model->holders))
        return;
    for (size_t i = 0; i < MODEL_ARMS_MAX; i++)
        free(model->names[i]);
    model_free(model->model);
    free(model);
}

uint64_t leeroo_model_checksum(const struct leeroo_model *model)
{
    return model ? model_checksum(model->model) : 0;
}

size_t leeroo_model_expert_count(const struct leeroo_model *model)
{
    return model ? model_expert_count(model->model) : 0;
}

size_t leeroo_model_arm_count(const struct leeroo_model *model)
{
    return model ? model_arm_count(model->model) : 0;
}

const char *leeroo_model_arm_name(const struct leeroo_model *model, size_t arm)
{
    return arm < leeroo_model_arm_count(model) ? model->names[arm] : NULL;
}

size_t leeroo_model_arm_index(const struct leeroo_model *model, const char *name)
{
    for (size_t i = 0; name && i < leeroo_model_arm_count(model); i++)
        if (strcmp(model->names[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static int arm_kind(enum plan_kind kind)
{
    static const int kinds[] = {
        [PLAN_SINGLE] = LEEROO_SINGLE,
        [PLAN_CASCADE] = LEEROO_CASCADE,
        [PLAN_PANEL] = LEEROO_PANEL,
        [PLAN_SEQUENTIAL] = LEEROO_SEQUENTIAL,
    };
    return kinds[kind];
}

int leeroo_model_arm(const struct leeroo_model *model, size_t arm, struct leeroo_arm *into,
                     struct leeroo_error *err)
{
    if (!model || !into || arm >= leeroo_model_arm_count(model))
        return api_refuse(err, "the model has no arm %zu", arm);
    const struct plan *plan = model_arm_at(model->model, arm);
    struct leeroo_arm own = {.kind = arm_kind(plan->kind),
                             .learnt_rule = plan->kind != PLAN_SINGLE && plan->rule == PLAN_TRUST,
                             .member_count = plan->member_count};
    for (size_t k = 0; k < plan->member_count; k++)
        own.members[k] = plan->members[k];
    /* A caller that was built when plans had fewer members would read beyond its own. */
    size_t room = into->size > offsetof(struct leeroo_arm, members)
                      ? (into->size - offsetof(struct leeroo_arm, members)) / sizeof(size_t)
                      : 0;
    if (into->size && plan->member_count > room)
        return api_refuse(err, "struct leeroo_arm has room for %zu members, the plan has %zu", room,
                          plan->member_count);
    if (!api_struct_give(into, &own, sizeof(own)))
        return api_refuse(err, "struct leeroo_arm has no size");
    return LEEROO_OK;
}

int leeroo_model_expert(const struct leeroo_model *model, size_t expert, struct leeroo_expert *into,
                        struct leeroo_error *err)
{
    if (!model || !into || expert >= leeroo_model_expert_count(model))
        return api_refuse(err, "the model has no expert %zu", expert);
    const struct model_expert *x = model_expert_at(model->model, expert);
    const struct leeroo_expert own = {.input_nano_usd_per_m = x->price.input_nano_usd_per_m,
                                      .output_nano_usd_per_m = x->price.output_nano_usd_per_m,
                                      .accuracy = x->accuracy,
                                      .mean_cost_usd = x->mean_cost_usd,
                                      .tokens_per_character =
                                          model_tokens_per_character(model->model, expert)};
    if (!api_struct_give(into, &own, sizeof(own)))
        return api_refuse(err, "struct leeroo_expert has no size");
    return LEEROO_OK;
}
