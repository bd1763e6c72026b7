/* `hosts` and `cors` of leeroo.yaml: by which names clients may call, and which web pages may. */
#include <stddef.h>
#include <string.h>

#include "config/config_int.h"

#define LIST_MAX 256
#define DAY_S    86400

typedef const char *mistake_fn(struct str text); /* what would be right; NULL: it is */

/* A list of texts, or one text alone. */
static enum status read_texts(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, mistake_fn *mistake,
                              struct config_texts *into, struct error *err)
{
    bool one = value->kind == TREE_SCALAR;
    size_t count = one ? 1 : value->count;
    if ((!one && value->kind != TREE_LIST) || count > LIST_MAX)
        return conf_fail(r, value, err, "%s must be a list of at most %d texts, not %s", row->key,
                         LIST_MAX, yaml_tree_kind_name(value));
    struct str *list = ARENA_ARRAY(r->arena, count + 1, struct str);
    if (!list)
        return config_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        const struct yaml_tree *item = one ? value : &value->items[i];
        const char *right = item->kind == TREE_SCALAR ? mistake(item->scalar) : "a text";
        if (right)
            return conf_fail(r, item, err, "%s: '%.*s' must be %s", row->key, STR_FMT(item->scalar),
                             right);
        list[i] = item->scalar;
    }
    *into = (struct config_texts){list, count};
    return OK;
}

static bool has_any(struct str text, const char *bytes)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(bytes, text.ptr[i]))
            return true;
    return false;
}

static const char *host_mistake(struct str host)
{
    return host.len == 0 || has_any(host, " \t/@,*")
               ? "a name like leeroo.example or leeroo.example:8080, without a scheme or path"
               : NULL;
}

static const char *origin_mistake(struct str origin)
{
    static const char right[] = "an origin like https://chat.example or http://localhost:5173, "
                                "without a slash at its end, or \"*\" for every page";
    size_t scheme = str_find(origin, STR("://"), 0);
    if (str_equal(origin, STR("*")) || str_equal(origin, STR("null")))
        return NULL;
    if (scheme == SIZE_MAX || scheme == 0 || scheme + 3 >= origin.len)
        return right;
    struct str host = str_slice(origin, scheme + 3, origin.len);
    struct str name = str_starts(host, STR("*.")) ? str_slice(host, 2, host.len) : host;
    return name.len == 0 || has_any(name, " \t/?#@,\\*") ? right : NULL;
}

enum status config_read_hosts(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    return read_texts(r, row, value, host_mistake, into, err);
}

static enum status read_origins(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    return read_texts(r, row, value, origin_mistake, into, err);
}

enum status config_read_cors(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    static const struct conf_row rows[] = {
        {"origins", read_origins, offsetof(struct config_cors, origins), true, 0, 0},
        {"max_age", conf_read_ms, offsetof(struct config_cors, max_age_ms), false, 0,
         DAY_S * 1000.0},
    };
    return conf_read_map(r, value, row->key, rows, sizeof(rows) / sizeof(rows[0]), into, NULL, err);
}
