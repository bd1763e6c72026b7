/* Who steps in for an expert that was asked for by name: `fallbacks` of its entry. Read once all experts are, because
 * they may stand further down. */
#include "base/nearest.h"
#include "config/config_int.h"

static enum status unknown(struct conf_reader *r, const struct yaml_tree *item, struct error *err)
{
    const struct config *c = r->context;
    const char *names[CONFIG_EXPERTS_MAX];
    for (size_t i = 0; i < c->expert_count; i++) {
        names[i] = arena_printf(r->arena, "%.*s", STR_FMT(c->experts[i].name));
        if (!names[i])
            return config_no_memory(err);
    }
    const char *nearest = str_nearest(item->scalar, names, c->expert_count);
    return conf_fail(r, item, err, "fallbacks: no expert '%.*s' is listed under experts%s%s%s",
                     STR_FMT(item->scalar), nearest ? "; did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?" : "");
}

/* One piece: what is wrong with a name is told at its place. */
enum status config_read_fallbacks(struct conf_reader *r, const struct yaml_tree *node,
                                  size_t expert, struct error *err)
{
    struct config *c = r->context;
    if (!node)
        return OK;
    if (node->kind != TREE_LIST || node->count == 0)
        return conf_fail(r, node, err,
                         "fallbacks must be a list of experts, the first one first, not %s",
                         node->kind == TREE_LIST ? "an empty one" : yaml_tree_kind_name(node));
    size_t *list = ARENA_ARRAY(c->arena, node->count, size_t);
    if (!list)
        return config_no_memory(err);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_tree *item = &node->items[i];
        size_t index = expert_index(c->experts, c->expert_count, item->scalar);
        if (index == SIZE_MAX)
            return unknown(r, item, err);
        if (index == expert)
            return conf_fail(r, item, err, "fallbacks: '%.*s' cannot step in for itself",
                             STR_FMT(item->scalar));
        for (size_t k = 0; k < i; k++)
            if (list[k] == index)
                return conf_fail(r, item, err, "fallbacks: '%.*s' is listed twice",
                                 STR_FMT(item->scalar));
        list[i] = index;
    }
    c->experts[expert].fallbacks = list;
    c->experts[expert].fallback_count = node->count;
    return OK;
}
