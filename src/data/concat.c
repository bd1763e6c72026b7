/* Several data sets as one: experts united by name, queries one after the other. */
#include <string.h>

#include "base/check.h"
#include "data/dataset_int.h"

static struct dataset_price price_of(const struct dataset *d, size_t expert)
{
    return d->prices ? d->prices[expert] : (struct dataset_price){.basis = PRICE_GIVEN};
}

/* A price that is given stands before one that was found in costs, and that before none. */
static enum status expert_unite(struct dataset *d, const struct dataset *part, size_t expert,
                                struct error *err)
{
    const struct dataset_expert *e = &part->experts[expert];
    struct dataset_price price = price_of(part, expert);
    size_t at = dataset_expert_index(d, e->name);
    if (at == SIZE_MAX) {
        if (d->expert_count == DATASET_EXPERTS_MAX)
            return error_set(err, ERR_TOO_LARGE, "more than %d experts in all",
                             DATASET_EXPERTS_MAX);
        d->prices[d->expert_count] = price;
        d->experts[d->expert_count++] = *e;
        return OK;
    }
    if (price.basis == PRICE_GIVEN && d->prices[at].basis == PRICE_GIVEN &&
        !price_equal(&d->experts[at].price, &e->price))
        return error_set(err, ERR_INPUT,
                         "%.*s/experts.csv: '%.*s' has another price than in "
                         "the data sets before",
                         STR_FMT(part->path), STR_FMT(e->name));
    if (price.basis < d->prices[at].basis) {
        d->prices[at] = price;
        d->experts[at].price = e->price;
    }
    return OK;
}

static enum status concat_experts(struct dataset *d, struct dataset *const *parts, size_t count,
                                  struct error *err)
{
    d->experts = ARENA_ARRAY(d->arena, DATASET_EXPERTS_MAX, struct dataset_expert);
    d->prices = ARENA_ARRAY(d->arena, DATASET_EXPERTS_MAX, struct dataset_price);
    if (!d->experts || !d->prices)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t p = 0; p < count; p++)
        for (size_t e = 0; e < parts[p]->expert_count; e++) {
            enum status status = expert_unite(d, parts[p], e, err);
            if (status != OK)
                return status;
        }
    return OK;
}

static void copy_outcomes(struct dataset *d, const struct dataset *part, size_t first)
{
    for (size_t e = 0; e < part->expert_count; e++) {
        size_t to = dataset_expert_index(d, part->experts[e].name);
        CHECK(to < d->expert_count);
        for (size_t q = 0; q < part->query_count; q++)
            d->outcomes[(first + q) * d->expert_count + to] = *dataset_outcome(part, q, e);
    }
}

static enum status concat_queries(struct dataset *d, struct dataset *const *parts, size_t count,
                                  struct error *err)
{
    size_t total = 0;
    bool outcomes = true;
    d->has_answers = count > 0;
    for (size_t p = 0; p < count; p++) {
        total += parts[p]->query_count;
        d->has_answers = d->has_answers && parts[p]->has_answers;
        outcomes = outcomes && (parts[p]->outcomes || parts[p]->query_count == 0);
    }
    d->queries = ARENA_ARRAY(d->arena, total, struct query);
    if (outcomes)
        d->outcomes = ARENA_ARRAY(d->arena, total * d->expert_count, struct outcome);
    if (total > 0 && (!d->queries || (outcomes && d->expert_count && !d->outcomes)))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t p = 0; p < count; p++) {
        if (parts[p]->query_count > 0)
            memcpy(d->queries + d->query_count, parts[p]->queries,
                   parts[p]->query_count * sizeof(struct query));
        if (outcomes)
            copy_outcomes(d, parts[p], d->query_count);
        d->query_count += parts[p]->query_count;
    }
    return OK;
}

enum status dataset_concat(struct dataset *const *parts, size_t count, struct dataset **ret,
                           struct error *err)
{
    struct dataset *d = NULL;
    enum status status = dataset_create("the data sets", &d, err);
    if (status != OK)
        return status;
    status = concat_experts(d, parts, count, err);
    if (status == OK)
        status = concat_queries(d, parts, count, err);
    if (status != OK) {
        dataset_free(d);
        return status;
    }
    *ret = d;
    return OK;
}
