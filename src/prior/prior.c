/* Models over experts without outcomes: see prior.h. The base model is read from the bytes compiled in for each call,
 * in some milliseconds and an arena of the call; nothing is kept between calls, so any thread may call. Its weights
 * are used where they lie until they are copied into the model that comes back. It must not know where experts come
 * from: configurations are read elsewhere. */
#include "prior/prior.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "prior/assemble.h"
#include "prior/base_file.h"
#include "prior/prior_int.h"

#define ARENA_CAP ((size_t)64 << 20)

const char *prior_basis_name(enum prior_basis basis)
{
    static const char *const names[] = {
        [PRIOR_NAME] = "name", [PRIOR_LIKE] = "like", [PRIOR_PRICE] = "price"};
    return names[basis];
}

enum status prior_base(struct arena **ret_arena, struct base **ret, struct error *err)
{
    struct arena *a = arena_create(ARENA_CAP);
    struct base *b = a ? ARENA_NEW(a, struct base) : NULL;
    enum status status = b ? base_read(base_shipped(), "the base model", a, b, err)
                           : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK) {
        *ret_arena = a;
        *ret = b;
    } else {
        arena_free(a);
    }
    return status;
}

/* "12 outcomes, from where its price places it" */
static void say_words(const struct placed *p, struct prior_place *ret)
{
    char from[PRIOR_NAME_MAX + 40];
    if (p->basis == PRIOR_PRICE)
        snprintf(from, sizeof(from), "by price");
    else
        snprintf(from, sizeof(from), "as %s%s", ret->known,
                 p->basis == PRIOR_LIKE ? " (like)" : " (by name)");
    if (p->outcomes)
        snprintf(ret->words, sizeof(ret->words), "placed %s, moved by %zu outcome%s of its own",
                 from, p->outcomes, p->outcomes == 1 ? "" : "s");
    else
        snprintf(ret->words, sizeof(ret->words), "no outcomes yet: placed %s", from);
}

void prior_place_fill(const struct base *b, const struct placed *p, struct prior_place *ret)
{
    *ret = (struct prior_place){.basis = p->basis, .outcomes = p->outcomes};
    if (p->known)
        snprintf(ret->known, sizeof(ret->known), "%.*s", STR_FMT(p->known->name));
    place_accuracy(b, p, &ret->accuracy, &ret->accuracy_sd);
    say_words(p, ret);
}

static enum status check(const struct prior_expert *experts, size_t count, struct error *err)
{
    if (count == 0 || count > MODEL_EXPERTS_MAX)
        return error_set(err, ERR_INPUT, "%zu experts; a model has 1 to %d", count,
                         MODEL_EXPERTS_MAX);
    for (size_t e = 0; e < count; e++)
        for (size_t other = 0; other < e; other++)
            if (str_equal(experts[e].name, experts[other].name))
                return error_set(err, ERR_INPUT, "two experts are named '%.*s'",
                                 STR_FMT(experts[e].name));
    return OK;
}

enum status prior_place_all(const struct base *b, const struct prior_expert *experts, size_t count,
                            struct placed *placed, struct arena *scratch, struct error *err)
{
    enum status status = OK;
    for (size_t e = 0; e < count && status == OK; e++)
        status = place_first(b, &experts[e], scratch, &placed[e], err);
    return status == OK ? place_by_outcomes(b, experts, count, placed, scratch, err) : status;
}

enum status prior_model_of(const struct base *b, const struct prior_expert *experts, size_t count,
                           struct model **ret, struct prior_place *places, struct error *err)
{
    enum status status = check(experts, count, err);
    if (status != OK)
        return status;
    struct arena *scratch = arena_create(ARENA_CAP);
    struct placed *placed = scratch ? ARENA_ARRAY(scratch, count, struct placed) : NULL;
    status = placed ? prior_place_all(b, experts, count, placed, scratch, err)
                    : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = assemble_model(b, experts, placed, count, ret, err);
    for (size_t e = 0; e < count && status == OK; e++)
        prior_place_fill(b, &placed[e], &places[e]);
    arena_free(scratch);
    return status;
}

enum status prior_model(const struct prior_expert *experts, size_t count, struct model **ret,
                        struct prior_place *places, struct error *err)
{
    struct arena *a;
    struct base *b;
    enum status status = prior_base(&a, &b, err);
    if (status != OK)
        return status;
    status = prior_model_of(b, experts, count, ret, places, err);
    arena_free(a);
    return status;
}

bool prior_knows(struct str name)
{
    struct arena *a;
    struct base *b;
    if (prior_base(&a, &b, NULL) != OK)
        return false;
    bool knows = place_find(b, name, a) != NULL;
    arena_free(a);
    return knows;
}

enum status prior_provenance(struct arena *into, struct str *ret, struct error *err)
{
    struct arena *a;
    struct base *b;
    enum status status = prior_base(&a, &b, err);
    if (status != OK)
        return status;
    struct str copy = arena_copy(into, b->provenance);
    arena_free(a);
    if (!copy.ptr)
        return error_set(err, ERR_MEMORY, "out of memory");
    *ret = copy;
    return OK;
}
