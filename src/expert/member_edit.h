/* Members of a request that an expert is not to see, or knows by another name: the last thing that is done to a body,
 * so that the names are those of the expert's own API, whatever the client speaks. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "dialect/dropped.h"

struct member_edit {
    struct str name;
    struct str as; /* ptr NULL: it is left out */
};

/* The object `body` with its members renamed or left out. A member is not renamed into one that is there already, but
 * left out. ERR_INPUT: it is no object; ERR_MEMORY, ERR_TOO_LARGE. */
NODISCARD enum status member_edit_body(const struct member_edit *edits, size_t count,
                                       struct str body, struct buf *out, struct error *err);
/* Adds the members of `object` that are left out. */
void member_edit_dropped(const struct member_edit *edits, size_t count, struct json_value object,
                         struct dropped *d);
