/* The only file that sees libyaml. We walk libyaml's document ourselves rather than through libcyaml's schema: its log
 * names a line and a back-trace, but cannot suggest the key that was meant, nor give the place of mistakes that are
 * found later (an expert that the model does not know).
 *
 * Pure functions of the text and the caller's arena, any thread. The text is not trusted: depth and nodes are limited,
 * anchors count as often as they are used, and libyaml's document is gone before the tree is returned. */
#include "config/yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "base/check.h"

struct walk {
    yaml_document_t *document;
    const char *place;
    struct arena *arena;
    size_t nodes;
};

static enum status walk_node(struct walk *w, int id, size_t depth, struct yaml_tree *into,
                             struct error *err);

static enum status out_of_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory while reading the configuration");
}

static bool is_null(struct str s)
{
    return s.len == 0 || str_equal(s, STR("~")) || str_equal(s, STR("null"));
}

static enum status walk_scalar(struct walk *w, const yaml_node_t *node, struct yaml_tree *into,
                               struct error *err)
{
    struct str text = {(const char *)node->data.scalar.value, node->data.scalar.length};
    into->quoted = node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    into->kind = !into->quoted && is_null(text) ? TREE_EMPTY : TREE_SCALAR;
    into->scalar = arena_copy(w->arena, text);
    return into->scalar.ptr ? OK : out_of_memory(err);
}

static enum status walk_list(struct walk *w, const yaml_node_t *node, size_t depth,
                             struct yaml_tree *into, struct error *err)
{
    const yaml_node_item_t *from = node->data.sequence.items.start;
    size_t count = (size_t)(node->data.sequence.items.top - from);
    struct yaml_tree *items = ARENA_ARRAY(w->arena, count + 1, struct yaml_tree);
    if (!items)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        enum status status = walk_node(w, from[i], depth + 1, &items[i], err);
        if (status != OK)
            return status;
    }
    CHECK(into->kind == TREE_EMPTY);
    into->kind = TREE_LIST;
    into->items = items;
    into->count = count;
    return OK;
}

static enum status check_key(const struct walk *w, const struct yaml_tree *keys, size_t index,
                             struct error *err)
{
    const struct yaml_tree *key = &keys[index];
    if (key->kind != TREE_SCALAR)
        return error_set_at(err, ERR_INPUT, w->place, key->line, key->column,
                            "a key must be a word, not %s", yaml_tree_kind_name(key));
    for (size_t i = 0; i < index; i++)
        if (str_equal(keys[i].scalar, key->scalar))
            return error_set_at(err, ERR_INPUT, w->place, key->line, key->column,
                                "'%.*s' is given twice (first on line %zu); keep one",
                                STR_FMT(key->scalar), keys[i].line);
    return OK;
}

static enum status walk_map(struct walk *w, const yaml_node_t *node, size_t depth,
                            struct yaml_tree *into, struct error *err)
{
    const yaml_node_pair_t *from = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - from);
    struct yaml_tree *keys = ARENA_ARRAY(w->arena, count + 1, struct yaml_tree);
    struct yaml_tree *items = ARENA_ARRAY(w->arena, count + 1, struct yaml_tree);
    if (!keys || !items)
        return out_of_memory(err);
    for (size_t i = 0; i < count; i++) {
        enum status status = walk_node(w, from[i].key, depth + 1, &keys[i], err);
        if (status == OK)
            status = check_key(w, keys, i, err);
        if (status == OK)
            status = walk_node(w, from[i].value, depth + 1, &items[i], err);
        if (status != OK)
            return status;
    }
    CHECK(into->kind == TREE_EMPTY);
    into->kind = TREE_MAP;
    into->keys = keys;
    into->items = items;
    into->count = count;
    return OK;
}

static enum status walk_node(struct walk *w, int id, size_t depth, struct yaml_tree *into,
                             struct error *err)
{
    const yaml_node_t *node = yaml_document_get_node(w->document, id);
    if (!node)
        return error_set(err, ERR_INPUT, "%s: damaged YAML document", w->place);
    into->line = node->start_mark.line + 1;
    into->column = node->start_mark.column + 1;
    if (depth > YAML_TREE_DEPTH_MAX || ++w->nodes > YAML_TREE_NODES_MAX)
        return error_set_at(err, ERR_TOO_LARGE, w->place, into->line, into->column,
                            "nested too deeply or too large once anchors are expanded");
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return walk_scalar(w, node, into, err);
    case YAML_SEQUENCE_NODE:
        return walk_list(w, node, depth, into, err);
    case YAML_MAPPING_NODE:
        return walk_map(w, node, depth, into, err);
    case YAML_NO_NODE:
        break;
    }
    return error_set(err, ERR_INPUT, "%s: damaged YAML document", w->place);
}

/* Bytes that are no text, in the line where they stand. */
static enum status encoding_error(const yaml_parser_t *p, struct str text, const char *place,
                                  struct error *err)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < p->problem_offset && i < text.len; i++) {
        column = text.ptr[i] == '\n' ? 1 : column + 1;
        line += text.ptr[i] == '\n';
    }
    const char *mend = utf8_mend(text);
    return error_set_at(err, ERR_INPUT, place, line, column, "%s; %s", p->problem,
                        mend ? mend : "take the character out");
}

/* Whether the line, counted from 0, is indented by a tab. */
static bool has_tab(struct str text, size_t line)
{
    size_t at = 0;
    for (; at < text.len && line > 0; at++)
        line -= text.ptr[at] == '\n';
    while (at < text.len && text.ptr[at] == ' ')
        at++;
    return at < text.len && text.ptr[at] == '\t';
}

static enum status syntax_error(const yaml_parser_t *p, struct str text, const char *place,
                                struct error *err)
{
    const char *problem = p->problem ? p->problem : "unknown problem";
    size_t line = p->problem_mark.line;
    if (p->error == YAML_MEMORY_ERROR)
        return out_of_memory(err);
    if (p->error == YAML_READER_ERROR)
        return encoding_error(p, text, place, err);
    if (has_tab(text, line))
        return error_set_at(err, ERR_INPUT, place, line + 1, p->problem_mark.column + 1,
                            "a tab indents this line; YAML wants blanks");
    error_set_at(err, ERR_INPUT, place, line + 1, p->problem_mark.column + 1, "not valid YAML: %s",
                 problem);
    if (p->context)
        error_mend(err, "%s that begins on line %zu", p->context, p->context_mark.line + 1);
    if (!strncmp(problem, "did not find expected '-'", 25) ||
        !strcmp(problem, "did not find expected key"))
        error_mend(err, "the lines of one section begin at the same column");
    if (!strcmp(problem, "mapping values are not allowed in this context"))
        error_mend(err,
                   "a value with ': ' in it wants quotes, and a line above may lack its colon");
    return ERR_INPUT;
}

static enum status refuse_second(yaml_parser_t *p, struct str text, const char *place,
                                 struct error *err)
{
    yaml_document_t more;
    if (!yaml_parser_load(p, &more))
        return syntax_error(p, text, place, err);
    const yaml_node_t *root = yaml_document_get_root_node(&more);
    enum status status = OK;
    if (root)
        status = error_set_at(err, ERR_INPUT, place, root->start_mark.line + 1, 0,
                              "a second YAML document; one file holds one configuration");
    yaml_document_delete(&more);
    return status;
}

static enum status walk_document(yaml_document_t *document, const char *place, struct arena *a,
                                 const struct yaml_tree **ret, struct error *err)
{
    struct yaml_tree *root = ARENA_NEW(a, struct yaml_tree);
    if (!root)
        return out_of_memory(err);
    root->line = root->column = 1;
    struct walk walk = {document, place, a, 0};
    if (yaml_document_get_root_node(document)) {
        enum status status = walk_node(&walk, 1, 0, root, err);
        if (status != OK)
            return status;
    }
    *ret = root;
    return OK;
}

/* A byte order mark: libyaml refuses it where it is told the encoding. */
static struct str without_mark(struct str text)
{
    return str_starts(text, STR("\xef\xbb\xbf")) ? str_slice(text, 3, text.len) : text;
}

/* In one piece: parser and document must be gone on every way out. */
enum status yaml_tree_parse(struct str text, const char *place, struct arena *a,
                            const struct yaml_tree **ret, struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return out_of_memory(err);
    text = without_mark(text);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    const struct yaml_tree *root = NULL;
    enum status status;
    if (!yaml_parser_load(&parser, &document)) {
        status = syntax_error(&parser, text, place, err);
    } else {
        status = walk_document(&document, place, a, &root, err);
        if (status == OK && root->kind != TREE_EMPTY)
            status = refuse_second(&parser, text, place, err);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    if (status == OK)
        *ret = root;
    return status;
}

const char *yaml_tree_kind_name(const struct yaml_tree *node)
{
    switch (node->kind) {
    case TREE_EMPTY:
        return "nothing";
    case TREE_SCALAR:
        return "a single value";
    case TREE_LIST:
        return "a list";
    case TREE_MAP:
        return "a section";
    }
    return "?";
}
