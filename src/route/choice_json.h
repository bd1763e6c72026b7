/* Members of /v1/route's answer that are a choice's own: whole, where decision_json.h keeps what fits. */
#pragma once

#include "route/pool_choice.h"

/* ,"turn_of": the expert that began the turn; null where none has, or it is gone. */
void choice_write_holder(const struct pool *p, const struct pool_choice *choice, struct buf *out);
/* What the request itself asked for, as far as ruled_out does not show it, and the bounds in force. */
void choice_write_bounds(const struct pool_choice *choice, struct buf *out);
/* ,"KEY":[...]: experts of the order from `from` to before `to`. */
void choice_write_order(const struct pool *p, const struct pool_choice *choice, const char *key,
                        size_t from, size_t to, struct buf *out);
