/* Steps of the history as JSON (docs/admin.md). */
#pragma once

#include "base/buf.h"
#include "watch/history.h"

#define HISTORY_JSON_BYTES_MAX (8u << 20)

/* Takes milliseconds where there are many experts, so it is not for an event loop. */
void history_json_write(const struct history_rows *rows, struct buf *out);
