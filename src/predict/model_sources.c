/* Which kinds of sources there are. */
#include "predict/model_source.h"

#define REGISTERED_MAX 8

static const struct source_ops *const rows[] = {
    &linear_source, &groups_source, &difficulty_source, &dense_source, &opinion_source,
};

/* What a program added, before it had threads. */
static const struct source_ops *registered[REGISTERED_MAX];
static size_t registered_count;

const struct source_ops *source_ops_named(struct str kind)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_equal(kind, str_from(rows[i]->kind)))
            return rows[i];
    for (size_t i = 0; i < registered_count; i++)
        if (str_equal(kind, str_from(registered[i]->kind)))
            return registered[i];
    return NULL;
}

enum status source_ops_register(const struct source_ops *ops, struct error *err)
{
    if (source_ops_named(str_from(ops->kind)))
        return error_set(err, ERR_INPUT, "there is a source of kind '%s' already", ops->kind);
    if (registered_count == REGISTERED_MAX)
        return error_set(err, ERR_INPUT, "more than %d kinds of sources", REGISTERED_MAX);
    registered[registered_count++] = ops;
    return OK;
}

const char *source_tensor_name(const struct source *s, const char *suffix, struct arena *a)
{
    return arena_printf(a, "source.%.*s.%s", STR_FMT(s->name), suffix);
}
