/* What of a request an expert is not to see, and what it calls otherwise: `drop` and `rename` of its entry. What a
 * request cannot be without, and the limits that max_cost is held by, may not be dropped. */
#include "config/config_int.h"

#include <string.h>

#include "expert/member_set.h"

bool config_member_is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '\\')
            return false;
    return s.len > 0 && s.len <= MEMBER_NAME_MAX;
}

static bool is_one_of(struct str name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(name, str_from(names[i])))
            return true;
    return false;
}

static enum status check_name(struct conf_reader *r, const char *key, const struct yaml_tree *at,
                              struct error *err)
{
    static const char *const needed[] = {"model", "messages", "input", "stream"};
    if (at->kind != TREE_SCALAR || !config_member_is_plain(at->scalar))
        return conf_fail(r, at, err, "%s: a parameter's name is up to %d plain characters", key,
                         MEMBER_NAME_MAX);
    if (is_one_of(at->scalar, needed, 4))
        return conf_fail(r, at, err, "%s: no request goes without %.*s", key, STR_FMT(at->scalar));
    return OK;
}

/* One piece: all that can be wrong with one edit beside another. */
static enum status add(struct conf_reader *r, const char *key, const struct yaml_tree *at,
                       struct member_edit edit, struct expert *e, struct error *err)
{
    struct member_edit *more = ARENA_ARRAY(r->arena, e->edit_count + 1, struct member_edit);
    if (!more)
        return config_no_memory(err);
    for (size_t i = 0; i < e->edit_count; i++) {
        if (str_equal(e->edits[i].name, edit.name))
            return conf_fail(r, at, err, "%s: '%.*s' is dropped or renamed already; keep one", key,
                             STR_FMT(edit.name));
        if (edit.as.ptr && e->edits[i].as.ptr && str_equal(e->edits[i].as, edit.as))
            return conf_fail(r, at, err, "%s: two parameters would be called '%.*s'", key,
                             STR_FMT(edit.as));
        more[i] = e->edits[i];
    }
    more[e->edit_count] = edit;
    e->edits = more;
    e->edit_count++;
    return OK;
}

enum status config_read_drop(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    static const char *const limits[] = {"max_tokens", "max_completion_tokens",
                                         "max_output_tokens"};
    enum status status = OK;
    if (value->kind != TREE_LIST || value->count == 0)
        return conf_fail(r, value, err, "%s must be a list of parameters such as [temperature]",
                         row->key);
    for (size_t i = 0; status == OK && i < value->count; i++) {
        const struct yaml_tree *item = &value->items[i];
        status = check_name(r, row->key, item, err);
        if (status == OK && is_one_of(item->scalar, limits, 3))
            status = conf_fail(r, item, err,
                               "%s: max_cost is held by %.*s; give its other name in limit_name "
                               "or rename",
                               row->key, STR_FMT(item->scalar));
        if (status == OK)
            status = add(r, row->key, item, (struct member_edit){.name = item->scalar}, into, err);
    }
    return status;
}

enum status config_read_rename(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    enum status status = OK;
    if (value->kind != TREE_MAP || value->count == 0)
        return conf_fail(r, value, err,
                         "%s must be a section such as {max_tokens: max_completion_tokens}",
                         row->key);
    for (size_t i = 0; status == OK && i < value->count; i++) {
        const struct yaml_tree *from = &value->keys[i], *to = &value->items[i];
        status = check_name(r, row->key, from, err);
        if (status == OK)
            status = check_name(r, row->key, to, err);
        if (status == OK)
            status =
                add(r, row->key, from, (struct member_edit){from->scalar, to->scalar}, into, err);
    }
    return status;
}
