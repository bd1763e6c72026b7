/* Models written again: see model_edit.h. The new file is planned on a copy of the model's parts, which says what
 * the metadata will be, and on its list of tensors, whose axes are edited one by one. The model itself is only read,
 * so that it may go on serving meanwhile; the work is done on the thread that calls, takes a copy of all weights in
 * memory, and is not for a thread that serves. Nothing here knows what a source is: tensors say what their parts
 * belong to. */
#include "train/model_edit.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "train/model_tensors.h"
#include "train/model_write.h"

#define ARENA_CAP ((size_t)8 << 30)

static bool is_plans(const struct model_tensor *t)
{
    return !strncmp(t->item.name, "plans.", 6) || !strncmp(t->item.name, "escalation.", 11) ||
           !strncmp(t->item.name, "panel.", 6);
}

static struct axis_edit unchanged(const struct model_parts *p)
{
    return (struct axis_edit){
        .experts = p->predictor.experts, .listed = p->listed, .plans = p->plans.count};
}

/* Taking an expert's parameters */

static enum status take_slice(const struct model_tensor *t, const struct model_parts *p,
                              size_t expert, struct arena *a, struct expert_slice *ret,
                              struct error *err)
{
    const struct axis_edit before = unchanged(p);
    *ret = (struct expert_slice){.tensor = t->item.name,
                                 .is_floats = !strcmp(t->item.dtype, "F32"),
                                 .bytes = tensor_expert_bytes(t)};
    ret->data = arena_alloc(a, ret->bytes + 1);
    if (!ret->data)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (ret->bytes)
        tensor_expert_read(t, &before, p->column[expert], expert, ret->data);
    return OK;
}

static uint64_t skeleton_of(const struct model_parts *p, const struct model_tensor *tensors,
                            size_t count)
{
    const struct axis_edit before = unchanged(p);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_plans(&tensors[i]))
            hash = tensor_shared_hash(&tensors[i], &before, hash);
    return hash;
}

enum status expert_parameters_take(const struct model *m, size_t expert, struct arena *a,
                                   struct expert_parameters *ret, struct error *err)
{
    const struct model_parts *p = model_parts(m);
    CHECK(expert < p->listed);
    struct model_tensor *tensors = ARENA_ARRAY(a, MODEL_TENSORS_MAX, struct model_tensor);
    struct expert_slice *slices = ARENA_ARRAY(a, MODEL_TENSORS_MAX, struct expert_slice);
    size_t count = 0;
    enum status status = tensors && slices ? model_tensors(p, a, tensors, &count, err)
                                           : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && status == OK; i++)
        status = take_slice(&tensors[i], p, expert, a, &slices[i], err);
    if (status != OK)
        return status;
    struct model_expert taken = p->experts[p->column[expert]];
    taken.name = arena_copy(a, taken.name);
    taken.since = taken.until = (struct str){0}; /* of this model */
    if (!taken.name.ptr)
        return error_set(err, ERR_MEMORY, "out of memory");
    *ret = (struct expert_parameters){taken, skeleton_of(p, tensors, count), slices, count};
    return OK;
}

static const struct expert_slice *slice_of(const struct expert_parameters *p, const char *tensor)
{
    for (size_t i = 0; i < p->slice_count; i++)
        if (!strcmp(p->slices[i].tensor, tensor))
            return &p->slices[i];
    return NULL;
}

float *expert_parameters_floats(const struct expert_parameters *p, const char *tensor,
                                size_t *ret_count)
{
    const struct expert_slice *s = slice_of(p, tensor);
    if (!s || !s->bytes || !s->is_floats)
        return NULL;
    *ret_count = s->bytes / sizeof(float);
    return (float *)s->data;
}

/* Planning the new file */

struct rewrite {
    const struct model_parts *old;
    const struct model_edit *edit;
    struct arena *arena;
    struct model_parts parts; /* of the new file, for its metadata */
    bool keeps_experts[EXPERTS_MAX], keeps_listed[EXPERTS_MAX], keeps_plan[PLANS_MAX];
    struct model_tensor tensors[MODEL_TENSORS_MAX];
    size_t count;
};

/* Of one that stood apart nothing hangs on its numbers once it is taken out. They stay, so that it is known who was
 * there, until its name comes again: whoever is enrolled anew each month would fill the file. */
static size_t drop_predecessors(struct rewrite *r)
{
    const struct model_parts *old = r->old;
    size_t kept = 0;
    bool gone[EXPERTS_MAX];
    for (size_t e = 0; e < old->predictor.experts; e++)
        gone[e] = old->experts[e].hidden;
    for (size_t i = 0; i < old->listed; i++)
        gone[old->column[i]] |= !r->keeps_listed[i];
    for (size_t e = 0; e < old->predictor.experts; e++) {
        r->keeps_experts[e] = true;
        for (size_t i = 0; i < r->edit->add_count && gone[e] && old->experts[e].apart; i++)
            if (str_equal(r->edit->add[i].expert.name, old->experts[e].name))
                r->keeps_experts[e] = false;
        kept += r->keeps_experts[e];
    }
    return kept;
}

static enum status choose_experts(struct rewrite *r, struct error *err)
{
    const struct model_edit *e = r->edit;
    size_t left = r->old->listed;
    for (size_t i = 0; i < r->old->listed; i++)
        r->keeps_listed[i] = true;
    for (size_t i = 0; i < e->remove_count; i++) {
        CHECK(e->remove[i] < r->old->listed);
        left -= r->keeps_listed[e->remove[i]];
        r->keeps_listed[e->remove[i]] = false;
    }
    if (left + e->add_count == 0)
        return error_set(err, ERR_INPUT, "a model without experts is none");
    if (drop_predecessors(r) + e->add_count > EXPERTS_MAX)
        return error_set(err, ERR_INPUT, "more than %d experts, with those taken out before",
                         EXPERTS_MAX);
    return OK;
}

static bool name_is_taken(const struct rewrite *r, struct str name)
{
    for (size_t e = 0; e < r->parts.predictor.experts; e++)
        if (!r->parts.experts[e].hidden && str_equal(r->parts.experts[e].name, name))
            return true;
    return false;
}

static enum status add_expert(struct rewrite *r, const struct expert_parameters *from,
                              uint64_t skeleton, struct error *err)
{
    if (from->skeleton != skeleton)
        return error_set(err, ERR_INPUT, "the parameters of '%.*s' are those of another model",
                         STR_FMT(from->expert.name));
    if (name_is_taken(r, from->expert.name))
        return error_set(err, ERR_INPUT, "the model has an expert '%.*s' already",
                         STR_FMT(from->expert.name));
    struct model_expert *to = &r->parts.experts[r->parts.predictor.experts++];
    *to = from->expert;
    to->apart = true;
    to->hidden = false;
    to->since = r->edit->today;
    to->until = (struct str){0};
    return OK;
}

/* The experts of the new file: those that were there, some hidden now, and those that are added. */
static enum status list_experts(struct rewrite *r, struct error *err)
{
    const struct model_parts *old = r->old;
    r->parts.experts = ARENA_ARRAY(r->arena, EXPERTS_MAX, struct model_expert);
    if (!r->parts.experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->parts.predictor.experts = 0;
    for (size_t e = 0, listed = 0; e < old->predictor.experts; e++) {
        struct model_expert is = old->experts[e];
        if (!is.hidden && !r->keeps_listed[listed++]) {
            is.hidden = true;
            is.until = r->edit->today;
        }
        if (r->keeps_experts[e])
            r->parts.experts[r->parts.predictor.experts++] = is;
    }
    uint64_t skeleton = skeleton_of(old, r->tensors, r->count);
    enum status status = OK;
    for (size_t i = 0; i < r->edit->add_count && status == OK; i++)
        status = add_expert(r, &r->edit->add[i], skeleton, err);
    if (status == OK)
        model_parts_list(&r->parts);
    return status;
}

/* Where a listed expert stands among those that are left. */
static size_t place_after(const struct rewrite *r, size_t listed)
{
    size_t place = 0;
    CHECK(r->keeps_listed[listed]);
    for (size_t i = 0; i < listed; i++)
        place += r->keeps_listed[i];
    return place;
}

/* Plans whose members are all left; an escalation or a panel that none of them uses goes, too. */
static void list_plans(struct rewrite *r)
{
    const struct plan_set *old = &r->old->plans;
    struct plan_set *set = &r->parts.plans;
    bool used[PLAN_ESCALATIONS_MAX] = {false}, used_panels[PLAN_PANELS_MAX] = {false};
    set->count = 0;
    for (size_t k = 0; k < old->count; k++) {
        struct plan p = old->plans[k];
        r->keeps_plan[k] = true;
        for (size_t i = 0; i < p.member_count; i++)
            r->keeps_plan[k] &= r->keeps_listed[p.members[i]];
        if (!r->keeps_plan[k])
            continue;
        for (size_t i = 0; i < p.member_count; i++)
            p.members[i] = place_after(r, p.members[i]);
        if (p.kind == PLAN_SEQUENTIAL)
            used_panels[old->escalation_of[k]] = true;
        else if (old->escalation_of[k] != NO_ESCALATION)
            used[old->escalation_of[k]] = true;
        set->escalation_of[set->count] = old->escalation_of[k];
        set->records[set->count] = old->records[k];
        set->plans[set->count++] = p;
    }
    for (size_t c = 0; c < set->escalation_count; c++)
        if (!used[c])
            set->escalations[c].members = 0;
    for (size_t n = 0; n < set->panel_count; n++)
        if (!used_panels[n])
            set->panels[n].members = 0;
}

/* Whether a tensor has nothing left to say in the new file. */
static bool is_dropped(const struct rewrite *r, const struct model_tensor *t)
{
    const struct plan_set *set = &r->parts.plans;
    size_t n;
    bool any = false;
    if (!is_plans(t))
        return false;
    for (size_t i = 0; i < set->panel_count; i++)
        any |= set->panels[i].members > 0;
    if (!set->count || (!any && !strcmp(t->item.name, "plans.panel_heads")))
        return true;
    if (sscanf(t->item.name, "panel.%zu.", &n) == 1)
        return !set->panels[n].members;
    return sscanf(t->item.name, "escalation.%zu.", &n) == 1 && !set->escalations[n].members;
}

static enum status edit_tensor(struct rewrite *r, struct model_tensor *t, struct error *err)
{
    const struct model_edit *e = r->edit;
    struct axis_edit edit = unchanged(r->old);
    struct expert_slice *added = ARENA_ARRAY(r->arena, e->add_count + 1, struct expert_slice);
    if (!added)
        return error_set(err, ERR_MEMORY, "out of memory");
    size_t bytes = tensor_expert_bytes(t);
    for (size_t i = 0; i < e->add_count && bytes > 0; i++) {
        const struct expert_slice *s = slice_of(&e->add[i], t->item.name);
        if (!s || s->bytes != bytes)
            return error_set(err, ERR_INPUT, "the parameters of '%.*s' lack '%s'",
                             STR_FMT(e->add[i].expert.name), t->item.name);
        added[i] = *s;
    }
    edit.keeps_experts = r->keeps_experts;
    edit.keeps_listed = r->keeps_listed;
    edit.keeps_plan = r->keeps_plan;
    edit.added = added;
    edit.added_count = tensor_has_experts(t) ? e->add_count : 0;
    return tensor_edit(t, &edit, r->arena, t, err);
}

static enum status edit_tensors(struct rewrite *r, struct error *err)
{
    size_t kept = 0;
    enum status status = OK;
    for (size_t i = 0; i < r->count && status == OK; i++) {
        if (is_dropped(r, &r->tensors[i]))
            continue;
        status = edit_tensor(r, &r->tensors[i], err);
        r->tensors[kept++] = r->tensors[i];
    }
    r->count = kept;
    return status;
}

/* Everything of the new file, but writing it. */
static enum status plan_rewrite(struct rewrite *r, struct error *err)
{
    enum status status = model_tensors(r->old, r->arena, r->tensors, &r->count, err);
    if (status == OK)
        status = choose_experts(r, err);
    if (status == OK)
        status = list_experts(r, err);
    if (status != OK)
        return status;
    list_plans(r);
    return edit_tensors(r, err);
}

/* To a file, or where `path` is NULL to `out`. */
static enum status rewrite(const struct model *m, const struct model_edit *edit, const char *path,
                           struct buf *out, struct error *err)
{
    static const struct model_edit nothing;
    struct arena *a = arena_create(ARENA_CAP);
    struct rewrite *r = a ? ARENA_NEW(a, struct rewrite) : NULL;
    enum status status;
    if (r) {
        *r = (struct rewrite){.old = model_parts(m), .edit = edit ? edit : &nothing, .arena = a};
        r->parts = *r->old;
        if (!r->parts.trained_by.len)
            r->parts.trained_by = r->edit->trained_by;
        status = plan_rewrite(r, err);
        if (status == OK)
            status = path ? model_tensors_write(&r->parts, r->tensors, r->count, path, err)
                          : model_tensors_bytes(&r->parts, r->tensors, r->count, out, err);
    } else {
        status = error_set(err, ERR_MEMORY, "out of memory");
    }
    arena_free(a);
    return status;
}

enum status model_rewrite(const struct model *m, const struct model_edit *edit, const char *path,
                          struct error *err)
{
    return rewrite(m, edit, path, NULL, err);
}

enum status model_rewrite_bytes(const struct model *m, const struct model_edit *edit,
                                struct buf *out, struct error *err)
{
    return rewrite(m, edit, NULL, out, err);
}
