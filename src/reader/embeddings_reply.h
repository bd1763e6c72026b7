/* What an endpoint for embeddings answers: {"data":[{"index":0,"embedding":[…]},…]}, as rows. Nothing in it is trusted:
 * every text must have one vector, all of one width, of finite numbers. Pure; any thread. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* rows [count × *width]; *width 0: not known yet, then it is at most `width_max` and becomes known. Items may come in
 * any order; items without an index are taken as they come. ERR_UPSTREAM says what is wrong. */
NODISCARD enum status embeddings_reply_rows(struct str body, size_t count, size_t width_max,
                                            size_t *width, float *rows, struct error *err);
