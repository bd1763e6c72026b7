/* YAML text → a plain tree of nodes that remember their place, so that every later complaint can name line and
 * column. Knows nothing of the keys. Anchors work; multiple documents, duplicate keys, non-scalar keys, cycles
 * and oversized trees are refused. The tree and its text live in the arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define YAML_TREE_DEPTH_MAX 16
#define YAML_TREE_NODES_MAX 65536 /* after anchors are expanded */

enum yaml_tree_kind { TREE_EMPTY, TREE_SCALAR, TREE_LIST, TREE_MAP };

struct yaml_tree {
    enum yaml_tree_kind kind;
    size_t line, column; /* 1-based */
    struct str scalar;   /* TREE_SCALAR */
    bool quoted;         /* so never a number, a boolean or null */
    size_t count;        /* of items; for a map of key-value pairs */
    const struct yaml_tree *items;
    const struct yaml_tree *keys; /* TREE_MAP: scalars */
};

NODISCARD enum status yaml_tree_parse(struct str text, const char *place, struct arena *a,
                                      const struct yaml_tree **ret, struct error *err);
/* "a list", for messages. */
const char *yaml_tree_kind_name(const struct yaml_tree *node);
