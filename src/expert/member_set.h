/* Members that an expert is always asked with, whatever the client says: the `parameters` of its entry. They are part
 * of what the expert is, as its model is: two efforts of one model are two experts, with outcomes of their own. They
 * join a body after everything else, so that their names are those of the expert's own API. */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "dialect/dropped.h"

#define MEMBER_SET_BYTES_MAX (64u << 10) /* of the text of `set` */
#define MEMBER_NAME_MAX      64          /* of plain characters each, on every level */

/* `body` with the members of `set`, both objects. An object joins the body's object of that name member by member,
 * unless both have a `type` and the types differ; anything else replaces what is there. Names of the body's members
 * that had another value go to `lost`. */
void member_set_write(struct json_value set, struct json_value body, struct buf *out,
                      struct dropped *lost);
