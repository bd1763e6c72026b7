/* Which kinds of sources can be learnt. */
#include "train/source_kind.h"

#define REGISTERED_MAX 8

static const struct source_kind *const rows[] = {
    &linear_kind, &groups_kind, &difficulty_kind, &dense_kind, &opinion_kind,
};

/* What a program added, before it had threads. */
static const struct source_kind *registered[REGISTERED_MAX];
static size_t registered_count;

const struct source_kind *source_kind_named(struct str kind)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_equal(kind, str_from(rows[i]->ops->kind)))
            return rows[i];
    for (size_t i = 0; i < registered_count; i++)
        if (str_equal(kind, str_from(registered[i]->ops->kind)))
            return registered[i];
    return NULL;
}

enum status source_kind_register(const struct source_kind *k, struct error *err)
{
    if (registered_count == REGISTERED_MAX)
        return error_set(err, ERR_INPUT, "more than %d kinds of sources", REGISTERED_MAX);
    enum status status = source_ops_register(k->ops, err);
    if (status == OK)
        registered[registered_count++] = k;
    return status;
}
