/* Elements along an axis, taken over, left out, put in: see tensor_edit.h. A tensor is `outer` rows of `length`
 * elements of `inner` bytes; what happens to a row happens to all, so it is planned once, as runs of elements that
 * lie together, and then copied row by row. Bytes are moved, never read as numbers: what was written before is the
 * same afterwards to the last bit. For model_edit.c alone, which has checked that all parts fit. */
#include "train/tensor_edit.h"

#include <string.h>

#include "base/check.h"
#include "base/hash.h"

#define RUNS_MAX 640 /* each expert and each plan may be a run of its own */

struct layout {
    size_t outer, length, inner;
};

static struct layout layout_of(const struct model_tensor *t)
{
    struct safetensors_item one = t->item;
    one.rank = 1;
    one.shape[0] = 1;
    struct layout l = {1, t->item.shape[t->axis], safetensors_bytes(&one)};
    CHECK(t->axis < t->item.rank);
    for (size_t i = 0; i < t->item.rank; i++) {
        l.outer *= i < t->axis ? t->item.shape[i] : 1;
        l.inner *= i > t->axis ? t->item.shape[i] : 1;
    }
    return l;
}

/* Elements of a part before the edit; `at`: where it begins. */
static size_t part_length(const struct model_tensor *t, size_t part, const struct axis_edit *before,
                          const struct layout *l, size_t at)
{
    switch (t->parts[part].of) {
    case PART_EXPERTS:
    case PART_LEARNT:
        return before->experts;
    case PART_LISTED:
        return before->listed;
    case PART_PLANS:
        return before->plans;
    case PART_SHARED:
        return t->parts[part].count;
    case PART_PADDING:
        return l->length - at;
    case PART_END:
        break;
    }
    return 0;
}

static bool is_experts(enum tensor_part_of of)
{
    return of == PART_EXPERTS || of == PART_LISTED;
}

static size_t expert_parts(const struct model_tensor *t)
{
    size_t parts = 0;
    for (size_t k = 0; k < TENSOR_PARTS_MAX && t->parts[k].of != PART_END; k++)
        parts += is_experts(t->parts[k].of);
    return parts;
}

bool tensor_has_experts(const struct model_tensor *t)
{
    return expert_parts(t) > 0 || t->parts[0].of == PART_LEARNT;
}

size_t tensor_expert_bytes(const struct model_tensor *t)
{
    size_t parts = expert_parts(t);
    if (!parts)
        return 0;
    struct layout l = layout_of(t);
    return parts * l.outer * l.inner;
}

void tensor_expert_read(const struct model_tensor *t, const struct axis_edit *before, size_t expert,
                        size_t listed, unsigned char *into)
{
    struct layout l = layout_of(t);
    const unsigned char *bytes = t->item.bytes;
    size_t at = 0;
    for (size_t k = 0; k < TENSOR_PARTS_MAX && t->parts[k].of != PART_END; k++) {
        size_t element = at + (t->parts[k].of == PART_EXPERTS ? expert : listed);
        for (size_t row = 0; row < l.outer && is_experts(t->parts[k].of); row++) {
            CHECK(element < l.length);
            memcpy(into, bytes + (row * l.length + element) * l.inner, l.inner);
            into += l.inner;
        }
        at += part_length(t, k, before, &l, at);
    }
    CHECK(at == l.length);
}

/* Elements of a row after the edit: some of the old ones, some of an added expert, zeros. */
struct run {
    enum { RUN_OLD, RUN_ADDED, RUN_ZERO } from;
    size_t at; /* element, or offset of the added expert's rows in its slice */
    size_t count;
    size_t added; /* which */
};

struct runs {
    struct run runs[RUNS_MAX];
    size_t count, length; /* elements */
};

static void add_run(struct runs *r, struct run run)
{
    struct run *last = r->count ? &r->runs[r->count - 1] : NULL;
    r->length += run.count;
    if (last && run.from == RUN_OLD && last->from == RUN_OLD && last->at + last->count == run.at) {
        last->count += run.count;
    } else if (run.count) {
        CHECK(r->count < RUNS_MAX);
        r->runs[r->count++] = run;
    }
}

static void add_kept(struct runs *r, const bool *keeps, size_t at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!keeps || keeps[i])
            add_run(r, (struct run){.from = RUN_OLD, .at = at + i, .count = 1});
}

/* NULL: all stay. */
static const bool *kept_of(enum tensor_part_of of, const struct axis_edit *e)
{
    if (of == PART_EXPERTS || of == PART_LEARNT)
        return e->keeps_experts;
    return of == PART_LISTED ? e->keeps_listed : of == PART_PLANS ? e->keeps_plan : NULL;
}

static void plan_runs(const struct model_tensor *t, const struct axis_edit *e,
                      const struct layout *l, struct runs *r)
{
    size_t at = 0, expert_parts = 0;
    for (size_t k = 0; k < TENSOR_PARTS_MAX && t->parts[k].of != PART_END; k++) {
        enum tensor_part_of of = t->parts[k].of;
        size_t length = part_length(t, k, e, l, at), step = t->parts[k].count;
        if (of != PART_PADDING)
            add_kept(r, kept_of(of, e), at, length);
        else
            add_run(r, (struct run){.from = RUN_ZERO, .count = (step - r->length % step) % step});
        if (of == PART_LEARNT)
            add_run(r, (struct run){.from = RUN_ZERO, .count = e->added_count});
        for (size_t i = 0; i < e->added_count && is_experts(of); i++)
            add_run(r, (struct run){.from = RUN_ADDED,
                                    .at = expert_parts * l->outer * l->inner,
                                    .count = 1,
                                    .added = i});
        expert_parts += is_experts(of);
        at += length;
    }
    CHECK(at == l->length);
}

static void copy_row(const struct model_tensor *t, const struct axis_edit *e,
                     const struct layout *l, const struct runs *r, size_t row, unsigned char *to)
{
    const unsigned char *old = (const unsigned char *)t->item.bytes + row * l->length * l->inner;
    for (size_t i = 0; i < r->count; i++) {
        const struct run *run = &r->runs[i];
        size_t bytes = run->count * l->inner;
        if (run->from == RUN_OLD)
            memcpy(to, old + run->at * l->inner, bytes);
        else if (run->from == RUN_ADDED)
            memcpy(to, e->added[run->added].data + run->at + row * l->inner, bytes);
        else
            memset(to, 0, bytes);
        to += bytes;
    }
}

enum status tensor_edit(const struct model_tensor *t, const struct axis_edit *e, struct arena *a,
                        struct model_tensor *ret, struct error *err)
{
    *ret = *t;
    if (t->parts[0].of == PART_END)
        return OK;
    struct layout l = layout_of(t);
    struct runs r = {.count = 0};
    plan_runs(t, e, &l, &r);
    unsigned char *bytes = arena_array(a, l.outer * r.length + 1, l.inner);
    if (!bytes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t row = 0; row < l.outer; row++)
        copy_row(t, e, &l, &r, row, bytes + row * r.length * l.inner);
    ret->item.shape[t->axis] = r.length;
    ret->item.bytes = bytes;
    return OK;
}

uint64_t tensor_shared_hash(const struct model_tensor *t, const struct axis_edit *before,
                            uint64_t hash)
{
    const char *bytes = t->item.bytes;
    hash = hash64_mix(hash, hash64(str_from(t->item.name), 0));
    if (t->parts[0].of == PART_END)
        return hash64_mix(hash, hash64((struct str){bytes, safetensors_bytes(&t->item)}, 0));
    struct layout l = layout_of(t);
    size_t at = 0;
    for (size_t k = 0; k < TENSOR_PARTS_MAX && t->parts[k].of != PART_END; k++) {
        size_t length = part_length(t, k, before, &l, at);
        for (size_t row = 0; row < l.outer && t->parts[k].of == PART_SHARED; row++)
            hash = hash64_mix(hash, hash64((struct str){bytes + (row * l.length + at) * l.inner,
                                                        length * l.inner},
                                           row));
        at += length;
    }
    return hash64_mix(hash64_mix(hash, l.outer), l.inner);
}
