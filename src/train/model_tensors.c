/* Which tensors a model has, and what their parts belong to: the one list from which files are written, of a model
 * just trained and of one that is written again. It must name what model_load.c reads, with the same shapes; tests
 * write and read. Tensors point into the model, names into the arena of the caller, and nothing is copied: the model
 * must stay until the file is written. */
#include "train/model_tensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "train/source_kind.h"

struct listing {
    const struct model_parts *parts;
    struct arena *arena;
    struct model_tensor *tensors;
    size_t count;
    bool good; /* no name failed for want of memory */
};

static void add(struct listing *l, struct model_tensor t)
{
    CHECK(l->count < MODEL_TENSORS_MAX);
    l->good = l->good && t.item.name;
    l->tensors[l->count++] = t;
}

static void add_stack(struct listing *l)
{
    const struct predictor *p = &l->parts->predictor;
    size_t e = p->experts, slopes = LEVEL_SLOPES * p->source_count;
    add(l, (struct model_tensor){.item = {"stack.contrast", "F32", 1, {e}, p->contrast},
                                 .parts = {{PART_LEARNT, 0}}});
    add(l, (struct model_tensor){.item = {"stack.base", "F32", 1, {e + slopes}, p->base},
                                 .parts = {{PART_EXPERTS, 0}, {PART_SHARED, slopes}}});
    add(l,
        (struct model_tensor){
            .item = {"stack.calibration", "F32", 1, {CALIBRATION_SLOPES + 2 * e}, p->calibration},
            .parts = {{PART_SHARED, CALIBRATION_SLOPES}, {PART_EXPERTS, 0}, {PART_EXPERTS, 0}}});
    add(l, (struct model_tensor){.item = {"tokens", "F32", 2, {e, TOKEN_PARAMETERS}, p->tokens},
                                 .parts = {{PART_EXPERTS, 0}}});
    if (p->scripts)
        add(l, (struct model_tensor){.item = {"tokens.scripts", "F32", 2, {e, SCRIPTS}, p->scripts},
                                     .parts = {{PART_EXPERTS, 0}}});
    add(l, (struct model_tensor){.item = {"stack.spread", "F32", 1, {SPREAD_TERMS}, p->spread}});
    if (p->late_count)
        add(l, (struct model_tensor){
                   .item = {"stack.blend", "F32", 1, {BLEND_TERMS(p->late_count)}, p->blend}});
}

static void add_guard(struct listing *l)
{
    const struct guard *g = &l->parts->predictor.guard;
    size_t n = g->statistics;
    if (!g->kinds)
        return;
    add(l, (struct model_tensor){.item = {"guard.scale", "F32", 2, {2, n}, g->scale}});
    add(l, (struct model_tensor){.item = {"guard.whiten", "F32", 2, {n, n}, g->whiten}});
    add(l, (struct model_tensor){.item = {"guard.centre", "F32", 2, {g->kinds, n}, g->centre}});
    add(l, (struct model_tensor){.item = {"guard.limits", "F32", 1, {GUARD_LIMITS}, g->limits}});
    if (!g->few)
        return;
    add(l, (struct model_tensor){.item = {"guard.few", "F32", 1, {g->kinds}, g->few}});
    add(l,
        (struct model_tensor){.item = {"guard.of_kind",
                                       "F32",
                                       2,
                                       {g->kinds * GUARD_KIND_TERMS, l->parts->predictor.experts},
                                       g->of_kind},
                              .axis = 1,
                              .parts = {{PART_EXPERTS, 0}}});
}

static void add_forest(struct listing *l, const char *prefix, const struct forest *f,
                       enum tensor_part_of outputs)
{
    struct model_tensor leaves = {.item = {arena_printf(l->arena, "%s.leaves", prefix),
                                           "F32",
                                           3,
                                           {f->tree_count, TREE_LEAVES_MAX, f->experts},
                                           f->leaves},
                                  .axis = 2,
                                  .parts = {{outputs, f->experts}}};
    add(l, leaves);
    add(l, (struct model_tensor){.item = {arena_printf(l->arena, "%s.trees", prefix),
                                          "U8",
                                          2,
                                          {f->tree_count, sizeof(struct tree)},
                                          f->trees}});
}

static void add_sample(struct listing *l)
{
    const struct model_parts *p = l->parts;
    size_t arms = p->listed + p->plans.count;
    struct model_tensor t = {
        .item = {"sample.quality", "F32", 2, {p->sample, arms}, p->sample_quality},
        .axis = 1,
        .parts = {{PART_LISTED, 0}, {PART_PLANS, 0}}};
    add(l, t);
    t.item.name = "sample.cost_usd";
    t.item.bytes = p->sample_cost_usd;
    add(l, t);
    if (p->sample_text)
        add(l,
            (struct model_tensor){
                .item = {
                    "sample.text", "F32", 2, {p->sample, p->sample_text_width}, p->sample_text}});
    if (p->sample_hashes)
        add(l, (struct model_tensor){
                   .item = {"sample.text_hashes", "U64", 1, {p->sample}, p->sample_hashes}});
}

static void add_check(struct listing *l, size_t c)
{
    static const char *const stages[ESCALATION_STAGES] = {"before", "after"};
    const struct escalation *escalation = &l->parts->plans.escalations[c];
    add(l, (struct model_tensor){.item = {arena_printf(l->arena, "escalation.%zu.calibration", c),
                                          "F32",
                                          3,
                                          {ESCALATION_STAGES, escalation->members, 2},
                                          escalation->calibration}});
    for (size_t s = 0; s < ESCALATION_STAGES; s++) {
        const char *prefix = arena_printf(l->arena, "escalation.%zu.%s", c, stages[s]);
        if (!prefix) {
            l->good = false;
            return;
        }
        add_forest(l, prefix, &escalation->forests[s], PART_SHARED);
    }
}

/* rows[count] of `width` floats each, `stride` apart, in one piece. NULL: out of memory. */
static float *pack(const float *rows, size_t count, size_t width, size_t stride, struct arena *a)
{
    float *packed = ARENA_ARRAY(a, count * width, float);
    for (size_t i = 0; packed && i < count; i++)
        memcpy(packed + i * width, rows + i * stride, width * sizeof(*packed));
    return packed;
}

/* A table of a panel. */
static void add_panel_rows(struct listing *l, const char *name, const float *rows, size_t count,
                           size_t width, size_t stride)
{
    float *packed = pack(rows, count, width, stride, l->arena);
    l->good = l->good && packed;
    add(l, (struct model_tensor){.item = {name, "F32", 2, {count, width}, packed}});
}

static void add_panel(struct listing *l, size_t n)
{
    const struct panel *p = &l->parts->plans.panels[n];
    const char *prefix = arena_printf(l->arena, "panel.%zu.posterior", n);
    add(l, (struct model_tensor){.item = {arena_printf(l->arena, "panel.%zu.lambdas", n),
                                          "F32",
                                          1,
                                          {p->lambda_count},
                                          p->lambdas}});
    add_panel_rows(l, arena_printf(l->arena, "panel.%zu.hurdles", n), p->hurdles[0], p->members,
                   p->lambda_count, PANEL_LAMBDAS_MAX);
    add_panel_rows(l, arena_printf(l->arena, "panel.%zu.offsets", n), p->offsets[0], p->members,
                   p->members * p->lambda_count, PANEL_OUTPUTS_MAX);
    add_panel_rows(l, arena_printf(l->arena, "panel.%zu.votes", n), p->votes.weights[0][0],
                   2 * p->members, PANEL_TERMS(p->members), PANEL_TERMS_MAX);
    for (size_t i = 0; i <= p->members; i++) {
        l->good = l->good && prefix;
        if (!prefix)
            return;
        add_forest(l, prefix, i ? &p->values[i - 1] : &p->posterior, PART_SHARED);
        prefix = arena_printf(l->arena, "panel.%zu.values.%zu", n, i);
    }
}

static void add_plans(struct listing *l)
{
    const struct plan_set *set = &l->parts->plans;
    if (!set->count)
        return;
    add(l, (struct model_tensor){
               .item = {"plans.heads", "F32", 2, {set->count, PLAN_HEADS}, set->heads},
               .parts = {{PART_PLANS, 0}}});
    for (size_t c = 0; c < set->escalation_count; c++)
        if (set->escalations[c].members)
            add_check(l, c);
    bool sequential = false;
    for (size_t n = 0; n < set->panel_count; n++) {
        if (set->panels[n].members)
            add_panel(l, n);
        sequential |= set->panels[n].members > 0;
    }
    if (sequential)
        add(l, (struct model_tensor){
                   .item =
                       {"plans.panel_heads", "F32", 2, {set->count, PANEL_HEADS}, set->panel_heads},
                   .parts = {{PART_PLANS, 0}}});
}

static enum status add_sources(struct listing *l, struct error *err)
{
    const struct predictor *p = &l->parts->predictor;
    for (size_t i = 0; i < p->source_count + p->late_count; i++) {
        const struct source *s = &p->sources[i];
        const struct source_kind *kind = source_kind_named(str_from(s->ops->kind));
        if (!kind)
            return error_set(err, ERR_UNSUPPORTED, "sources of kind '%s' cannot be written",
                             s->ops->kind);
        struct model_tensor own[SOURCE_TENSORS_MAX];
        size_t count =
            kind->tensors(s, s->encoder == NOWHERE ? NULL : p->encoders[s->encoder], own);
        CHECK(count <= SOURCE_TENSORS_MAX);
        for (size_t k = 0; k < count; k++) {
            own[k].item.name = source_tensor_name(s, own[k].item.name, l->arena);
            add(l, own[k]);
        }
    }
    return OK;
}

/* Bytes of an element; rows keep their order within a width. */
static size_t width_of(const struct model_tensor *t)
{
    struct safetensors_item one = t->item;
    one.rank = 1;
    one.shape[0] = 1;
    return safetensors_bytes(&one);
}

static void order(const struct listing *l, struct model_tensor *ret)
{
    size_t n = 0;
    for (size_t width = sizeof(uint64_t); width > 0; width /= 2)
        for (size_t i = 0; i < l->count; i++)
            if (width_of(&l->tensors[i]) == width)
                ret[n++] = l->tensors[i];
    CHECK(n == l->count);
}

enum status model_tensors(const struct model_parts *p, struct arena *a, struct model_tensor *ret,
                          size_t *ret_count, struct error *err)
{
    struct listing l = {.parts = p,
                        .arena = a,
                        .tensors = ARENA_ARRAY(a, MODEL_TENSORS_MAX, struct model_tensor),
                        .good = true};
    if (!l.tensors)
        return error_set(err, ERR_MEMORY, "out of memory");
    add(&l, (struct model_tensor){
                .item = {"train.text_hashes", "U64", 1, {p->text_count}, p->text_hashes}});
    enum status status = add_sources(&l, err);
    if (status != OK)
        return status;
    add_stack(&l);
    add_guard(&l);
    add_forest(&l, "forest", &p->predictor.forest, PART_EXPERTS);
    add_sample(&l);
    add_plans(&l);
    if (!l.good)
        return error_set(err, ERR_MEMORY, "out of memory");
    order(&l, ret);
    *ret_count = l.count;
    return OK;
}
