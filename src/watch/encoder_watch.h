/* Encoders that answer late (reader/late.h), as metrics and as a line in the log when they do not. Any thread. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

#define ENCODER_NEWS_MS 60000

/* How the encoders that this process has opened have done so far. */
void encoder_watch_write(struct buf *out);
/* A decision went by without one of them: a line for each that was silent since the last line, at most one a minute.
 * `now_ms` is monotonic. */
void encoder_watch_silence(uint64_t now_ms);
