/* The section `ledger` of leeroo.yaml: where requests are written down. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config_int.h"

#define JOURNAL_MIN   (1u << 20)
#define JOURNAL_MAX   (1u << 30)
#define DAY_MS        INT64_C(86400000)
#define KEEP_DAYS_MAX 36500

struct raw_ledger {
    size_t journal_bytes;
    int64_t keep_ms;
    const struct yaml_tree *store;
};

static bool is_url(struct str s)
{
    return str_starts(s, STR("postgresql://")) || str_starts(s, STR("postgres://"));
}

/* Whether the variable of "env:NAME" is there. */
static bool is_set(struct str text)
{
    char name[128];
    snprintf(name, sizeof(name), "%.*s", STR_FMT(str_slice(text, 4, text.len)));
    return getenv(name);
}

/* A URL may hold a password, so it comes from the environment; the others are paths. */
static enum status read_store(struct conf_reader *r, const struct yaml_tree *node, const char **ret,
                              struct error *err)
{
    const struct conf_row row = {"store", conf_read_str, 0, false, 0, 0};
    struct str text = {0};
    enum status status = conf_read_str(r, &row, node, &text, err);
    if (status != OK)
        return status;
    if (is_url(text))
        return conf_fail(r, node, err,
                         "store must be env:NAME, the name of an environment variable that holds "
                         "the URL; URLs may hold passwords and are never written in the file");
    if (!str_starts(text, STR("env:")))
        return config_join_path(r, text, ret, err);
    if (r->without_secrets && !is_set(text))
        return OK;
    struct conf_reader strict = *r;
    strict.without_secrets = false;
    status = conf_read_secret(&strict, &row, node, &text, err);
    if (status != OK)
        return status;
    if (!is_url(text))
        return conf_fail(r, node, err, "store: %.*s must hold a postgresql:// URL",
                         STR_FMT(node->scalar));
    *ret = text.ptr;
    return OK;
}

static enum status place_journal(struct conf_reader *r, const struct yaml_tree *node,
                                 struct error *err)
{
    struct config *c = r->context;
    const char *path = NULL;
    if (c->state_dir)
        path = arena_printf(c->arena, "%s/ledger.journal", c->state_dir);
    else if (!is_url(str_from(c->ledger.store)))
        path = arena_printf(c->arena, "%s.journal", c->ledger.store);
    else
        return conf_fail(r, node, err,
                         "a ledger in PostgreSQL needs a state_dir, for the journal in which rows "
                         "wait while the database is away");
    if (!path)
        return config_no_memory(err);
    c->ledger.journal_path = path;
    return OK;
}

/* "90d", "12w": days, because anything shorter is a slip of the pen. */
static enum status read_keep(struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, void *into, struct error *err)
{
    struct str text = value->kind == TREE_SCALAR ? value->scalar : STR("");
    char unit = text.len > 1 ? text.ptr[text.len - 1] : '\0';
    int64_t number = 0;
    if ((unit != 'd' && unit != 'w') ||
        str_to_int64(str_slice(text, 0, text.len - 1), &number) != OK || number < 1 ||
        number > KEEP_DAYS_MAX)
        return conf_fail(r, value, err,
                         "%s must be how long requests stay, at least a day: 90d, 12w; without it "
                         "they stay for ever",
                         row->key);
    *(int64_t *)into = number * (unit == 'w' ? 7 : 1) * DAY_MS;
    return OK;
}

/* One piece: the rows, and what follows from state_dir where they say nothing. */
enum status config_read_ledger(struct conf_reader *r, const struct yaml_tree *node,
                               struct error *err)
{
    static const struct conf_row rows[] = {
        {"store", config_read_node, offsetof(struct raw_ledger, store), false, 0, 0},
        {"keep", read_keep, offsetof(struct raw_ledger, keep_ms), false, 0, 0},
        {"journal", conf_read_bytes, offsetof(struct raw_ledger, journal_bytes), false, JOURNAL_MIN,
         JOURNAL_MAX},
    };
    struct config *c = r->context;
    struct raw_ledger raw = {0};
    enum status status = OK;
    if (node)
        status =
            conf_read_map(r, node, "ledger", rows, sizeof(rows) / sizeof(rows[0]), &raw, NULL, err);
    if (status != OK)
        return status;
    c->ledger.journal_bytes = raw.journal_bytes;
    c->ledger.keep_ms = raw.keep_ms;
    if (raw.store && raw.store->kind == TREE_SCALAR && str_equal(raw.store->scalar, STR("none")))
        return OK;
    if (raw.store)
        status = read_store(r, raw.store, &c->ledger.store, err);
    else if (c->state_dir)
        c->ledger.store = arena_printf(c->arena, "%s/ledger.sqlite", c->state_dir);
    if (status == OK && !raw.store && c->state_dir && !c->ledger.store)
        status = config_no_memory(err);
    return status == OK && c->ledger.store ? place_journal(r, node, err) : status;
}
