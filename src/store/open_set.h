/* Private to store/: the requests whose begin is in the journal and whose end is not: room is kept for those ends.
 * Ids are kept as 64-bit hashes. Not thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct open_set;

struct open_set *open_set_create(size_t limit);          /* NULL: no memory */
void open_set_free(struct open_set *s);                  /* NULL is fine */
bool open_set_add(struct open_set *s, struct str id);    /* false: it is full, or in it already */
bool open_set_remove(struct open_set *s, struct str id); /* false: it was not in it */
size_t open_set_count(const struct open_set *s);
size_t open_set_limit(const struct open_set *s);
