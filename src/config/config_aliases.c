/* The section `aliases` of leeroo.yaml: other names for policies and experts. Read after both. */
#include "config/config_int.h"

#define PATTERN_BYTES_MAX 128

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '\\')
            return false;
    return s.len > 0 && s.len <= PATTERN_BYTES_MAX;
}

static enum status check_pattern(struct conf_reader *r, const struct yaml_tree *key,
                                 struct error *err)
{
    const struct config *c = r->context;
    struct str name = key->scalar;
    int shown = (int)(name.len < 60 ? name.len : 60);
    if (!is_plain(name))
        return conf_fail(r, key, err,
                         "an alias must be at most %d letters, digits and signs, with * for any "
                         "text, not '%.*s'",
                         PATTERN_BYTES_MAX, shown, name.ptr);
    if (str_equal(name, STR("leeroo")) || str_starts(name, STR("leeroo/")))
        return conf_fail(r, key, err,
                         "alias '%.*s' is what clients ask the router by; choose another", shown,
                         name.ptr);
    if (expert_index(c->experts, c->expert_count, name) != SIZE_MAX ||
        expert_index(c->embedders, c->embedder_count, name) != SIZE_MAX)
        return conf_fail(r, key, err,
                         "alias '%.*s' is an expert's name, which always wins; remove it", shown,
                         name.ptr);
    return OK;
}

static enum status find_target(struct conf_reader *r, const struct yaml_tree *node,
                               struct model_alias *a, struct error *err)
{
    const struct config *c = r->context;
    struct str name = node->kind == TREE_SCALAR ? node->scalar : STR("");
    a->policy = a->expert = SIZE_MAX;
    if (str_equal(name, STR("leeroo")))
        a->policy = c->default_policy;
    else if (str_starts(name, STR("leeroo/")))
        a->policy = config_policy_index(c, str_slice(name, 7, name.len));
    else
        a->expert = expert_index(c->experts, c->expert_count, name);
    if (a->policy != SIZE_MAX || a->expert != SIZE_MAX)
        return OK;
    return conf_fail(r, node, err,
                     "an alias must lead to leeroo, leeroo/POLICY or an expert that are listed "
                     "here, not to %s%.*s%s",
                     name.len ? "'" : "", (int)(name.len < 60 ? name.len : 60),
                     name.len ? name.ptr : "", name.len ? "'" : yaml_tree_kind_name(node));
}

enum status config_read_aliases(struct conf_reader *r, const struct yaml_tree *node,
                                struct error *err)
{
    struct config *c = r->context;
    if (!node)
        return OK;
    if (node->kind != TREE_MAP || node->count > CONFIG_ALIASES_MAX)
        return conf_fail(r, node, err,
                         "aliases must be a section of at most %d lines NAME: MODEL, not %s",
                         CONFIG_ALIASES_MAX, yaml_tree_kind_name(node));
    c->aliases = ARENA_ARRAY(c->arena, node->count, struct model_alias);
    if (!c->aliases)
        return config_no_memory(err);
    for (size_t i = 0; i < node->count; i++) {
        struct model_alias *a = &c->aliases[c->alias_count++];
        enum status status = check_pattern(r, &node->keys[i], err);
        if (status == OK)
            status = find_target(r, &node->items[i], a, err);
        if (status != OK)
            return status;
        a->pattern = node->keys[i].scalar;
    }
    return OK;
}
