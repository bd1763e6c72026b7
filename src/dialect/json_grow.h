/* JSON values that grow piece by piece, as the deltas of a stream say them: texts are joined, members and items are
 * added. Private to those who collect answers. All values of one answer share a limit; once it is passed, or memory is
 * short, nothing grows any more, and `status` tells. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct grow { /* what all values of an answer share */
    size_t bytes_left;
    enum status status;
};

struct grown; /* a value; absent at first, which is not written */

struct grown *grown_create(struct grow *g); /* NULL: no memory */
void grown_free(struct grown *v);           /* NULL is fine */

/* Each may be called with NULL, which stands for what could not be made. */

/* The value becomes a copy. */
void grown_set(struct grow *g, struct grown *v, struct json_value value);
/* What a later piece says: text behind text, members into members, items behind items; an item with an `index` belongs
 * to the one that has it, and its type. Labels (role, type, id, index, format) are replaced, and null changes
 * nothing. */
void grown_join(struct grow *g, struct grown *v, struct json_value piece);
/* Text, the inside of a JSON string, behind what is there. */
void grown_append(struct grow *g, struct grown *v, struct str inside);
/* The member `key`, a raw key with its quotes; added, absent, where there is none. */
struct grown *grown_member(struct grow *g, struct grown *object, struct str key);
/* The item whose number is `index`; added, absent. -1: a new one. */
struct grown *grown_item(struct grow *g, struct grown *list, int64_t index);

/* The last item; NULL: there is none. */
struct grown *grown_last(struct grown *list);
/* `item` as a new one, whatever index it has. */
void grown_add(struct grow *g, struct grown *list, struct json_value item);

bool grown_is_set(const struct grown *v); /* neither absent nor null */
const struct grown *grown_find(const struct grown *object,
                               struct str key);         /* NULL: there is none */
const struct grown *grown_first(const struct grown *v); /* of members or items, absent ones too */
const struct grown *grown_next(const struct grown *v);
struct str grown_key(const struct grown *member); /* raw */
int64_t grown_index(const struct grown *item);    /* -1: it has none */
/* The inside of a text; empty for other values. */
struct str grown_inside(const struct grown *v);
void grown_write(const struct grown *v, struct buf *out);
/* The items of a list that came in pieces, "a,b,c", as one list. ERR_MEMORY in `out` where they cannot be kept. */
void grown_write_joined(struct str pieces, struct buf *out);
