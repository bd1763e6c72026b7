/* JSON values as trees of small nodes: a text or another plain value is a buffer, an object or a list has children in
 * the order of their coming. A tree belongs to one call and its thread. Depth is bounded by json_parse, which every
 * piece has passed, so recursion is; all bytes and nodes count against one limit, so a tree is. Used by the forms of
 * answers, and by nothing that reads requests. */
#include "dialect/json_grow.h"

#include <stdlib.h>

#define JOINED_GROWTH 64 /* what the smallest pieces need beside their bytes */
#define JOINED_SPARE  8192

#define NODE_BYTES   64   /* that a node counts for, beside its text */
#define SEARCHED_MAX 1024 /* members of an object, and items of a list that have an index */

struct grown {
    enum json_type type;
    struct buf text; /* of a string its inside, of an object or list nothing, else the value */
    struct buf key;  /* of a member */
    int64_t index;   /* of an item */
    size_t searched; /* children that are found by key or index */
    struct grown *first, *last, *next;
};

static bool pay(struct grow *g, size_t bytes)
{
    if (g->status == OK && bytes > g->bytes_left)
        g->status = ERR_TOO_LARGE;
    if (g->status != OK)
        return false;
    g->bytes_left -= bytes;
    return true;
}

struct grown *grown_create(struct grow *g)
{
    struct grown *v = pay(g, NODE_BYTES) ? calloc(1, sizeof(*v)) : NULL;
    if (!v) {
        g->status = g->status == OK ? ERR_MEMORY : g->status;
        return NULL;
    }
    buf_init(&v->text, SIZE_MAX / 2); /* g is the limit */
    buf_init(&v->key, SIZE_MAX / 2);
    v->index = -1;
    return v;
}

static void clear(struct grown *v)
{
    while (v->first) {
        struct grown *next = v->first->next;
        grown_free(v->first);
        v->first = next;
    }
    v->last = NULL;
    v->searched = 0;
    buf_clear(&v->text);
    v->type = JSON_NONE;
}

void grown_free(struct grown *v)
{
    if (!v)
        return;
    clear(v);
    buf_done(&v->text);
    buf_done(&v->key);
    free(v);
}

static void add_bytes(struct grow *g, struct buf *into, struct str bytes)
{
    if (!pay(g, bytes.len))
        return;
    buf_add(into, bytes);
    if (into->status != OK)
        g->status = into->status;
}

static struct grown *add_child(struct grow *g, struct grown *v)
{
    struct grown *child = grown_create(g);
    if (!child)
        return NULL;
    if (v->last)
        v->last->next = child;
    else
        v->first = child;
    v->last = child;
    return child;
}

/* Becomes an empty one, unless it is one already. */
static void become(struct grown *v, enum json_type type)
{
    if (v->type == type)
        return;
    clear(v);
    v->type = type;
}

/* Finding one among many takes a while, and what has more of them is no answer. */
static bool count_searched(struct grow *g, struct grown *v)
{
    if (++v->searched > SEARCHED_MAX && g->status == OK)
        g->status = ERR_TOO_LARGE;
    return g->status == OK;
}

struct grown *grown_member(struct grow *g, struct grown *object, struct str key)
{
    if (!object)
        return NULL;
    become(object, JSON_OBJECT);
    for (struct grown *at = object->first; at; at = at->next)
        if (str_equal(buf_str(&at->key), key))
            return at;
    struct grown *member = count_searched(g, object) ? add_child(g, object) : NULL;
    if (member)
        add_bytes(g, &member->key, key);
    return member;
}

/* An absent type is any. */
static bool has_type(const struct grown *item, struct json_value type)
{
    struct str known = grown_inside(grown_find(item, STR("\"type\"")));
    return known.len == 0 || type.type != JSON_STRING ||
           str_equal(known, str_slice(type.raw, 1, type.raw.len - 1));
}

static struct grown *find_item(struct grow *g, struct grown *list, int64_t index,
                               struct json_value type)
{
    if (!list)
        return NULL;
    become(list, JSON_ARRAY);
    for (struct grown *at = list->first; at && index >= 0; at = at->next)
        if (at->index == index && has_type(at, type))
            return at;
    struct grown *item = index < 0 || count_searched(g, list) ? add_child(g, list) : NULL;
    if (item)
        item->index = index;
    return item;
}

struct grown *grown_item(struct grow *g, struct grown *list, int64_t index)
{
    return find_item(g, list, index, (struct json_value){0});
}

void grown_append(struct grow *g, struct grown *v, struct str inside)
{
    if (!v)
        return;
    become(v, JSON_STRING);
    add_bytes(g, &v->text, inside);
}

/* Joining */

static bool is_label(struct str key)
{
    static const struct str labels[] = {STR_INIT("\"role\""), STR_INIT("\"type\""),
                                        STR_INIT("\"id\""), STR_INIT("\"index\""),
                                        STR_INIT("\"format\"")};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (str_equal(key, labels[i]))
            return true;
    return false;
}

static void join_members(struct grow *g, struct grown *v, struct json_value piece)
{
    struct json_iter it = json_iter_begin(piece);
    struct json_value key, item;
    become(v, JSON_OBJECT);
    while (g->status == OK && json_object_next(&it, &key, &item))
        grown_join(g, grown_member(g, v, key.raw), item);
}

static void join_items(struct grow *g, struct grown *v, struct json_value piece)
{
    struct json_iter it = json_iter_begin(piece);
    struct json_value item;
    become(v, JSON_ARRAY);
    while (g->status == OK && json_array_next(&it, &item)) {
        int64_t index = -1;
        if (json_to_int64(json_get(item, "index"), &index) != OK || index < 0)
            index = -1;
        grown_join(g, find_item(g, v, index, json_get(item, "type")), item);
    }
}

void grown_join(struct grow *g, struct grown *v, struct json_value piece)
{
    if (!v || piece.type == JSON_NONE || (piece.type == JSON_NULL && v->type != JSON_NONE))
        return;
    if (piece.type == JSON_OBJECT) {
        join_members(g, v, piece);
    } else if (piece.type == JSON_ARRAY) {
        join_items(g, v, piece);
    } else if (piece.type == JSON_STRING) {
        struct str inside = str_slice(piece.raw, 1, piece.raw.len - 1);
        if (is_label(buf_str(&v->key)) && inside.len > 0)
            clear(v);
        grown_append(g, v, inside);
    } else {
        clear(v);
        v->type = piece.type;
        add_bytes(g, &v->text, piece.raw);
    }
}

void grown_set(struct grow *g, struct grown *v, struct json_value value)
{
    if (!v)
        return;
    clear(v);
    grown_join(g, v, value);
}

struct grown *grown_last(struct grown *list)
{
    return list ? list->last : NULL;
}

void grown_add(struct grow *g, struct grown *list, struct json_value item)
{
    grown_join(g, grown_item(g, list, -1), item);
}

/* Reading */

bool grown_is_set(const struct grown *v)
{
    return v && v->type != JSON_NONE && v->type != JSON_NULL;
}

const struct grown *grown_find(const struct grown *object, struct str key)
{
    const struct grown *at = object && object->type == JSON_OBJECT ? object->first : NULL;
    while (at && !str_equal(buf_str(&at->key), key))
        at = at->next;
    return at;
}

const struct grown *grown_first(const struct grown *v)
{
    return v ? v->first : NULL;
}

const struct grown *grown_next(const struct grown *v)
{
    return v->next;
}

struct str grown_key(const struct grown *member)
{
    return buf_str(&member->key);
}

int64_t grown_index(const struct grown *item)
{
    return item->index;
}

struct str grown_inside(const struct grown *v)
{
    return v && v->type == JSON_STRING ? buf_str(&v->text) : STR("");
}

static void write_children(const struct grown *v, struct buf *out)
{
    bool first = true;
    for (const struct grown *at = v->first; at; at = at->next) {
        if (at->type == JSON_NONE)
            continue;
        if (!first)
            buf_add_char(out, ',');
        first = false;
        if (v->type == JSON_OBJECT) {
            buf_add(out, buf_str(&at->key));
            buf_add_char(out, ':');
        }
        grown_write(at, out);
    }
}

void grown_write(const struct grown *v, struct buf *out)
{
    static const char opens[] = {[JSON_STRING] = '"', [JSON_ARRAY] = '[', [JSON_OBJECT] = '{'};
    static const char closes[] = {[JSON_STRING] = '"', [JSON_ARRAY] = ']', [JSON_OBJECT] = '}'};
    if (!v || v->type == JSON_NONE) {
        buf_add_c(out, "null");
        return;
    }
    if (opens[v->type])
        buf_add_char(out, opens[v->type]);
    buf_add(out, buf_str(&v->text));
    write_children(v, out);
    if (closes[v->type])
        buf_add_char(out, closes[v->type]);
}

void grown_write_joined(struct str pieces, struct buf *out)
{
    struct grow grow = {.bytes_left = JOINED_GROWTH * pieces.len + JOINED_SPARE};
    struct grown *joined = grown_create(&grow);
    struct json_value list;
    struct buf text;
    buf_init(&text, pieces.len + 2);
    buf_addf(&text, "[%.*s]", STR_FMT(pieces));
    if (json_parse(buf_str(&text), "pieces", 1, &list, NULL) == OK)
        grown_join(&grow, joined, list);
    grown_write(joined, out);
    if (grow.status != OK || text.status != OK)
        out->status = ERR_MEMORY;
    buf_done(&text);
    grown_free(joined);
}
