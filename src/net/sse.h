/* Server-sent events, incremental: bytes in any cuts → events (WHATWG HTML §9.2: \n, \r\n and \r line ends,
 * multi-line data joined by \n, comments skipped). A line over SSE_EVENT_BYTES_MAX is ERR_TOO_LARGE. */
#pragma once

#include "base/buf.h"

#define SSE_EVENT_BYTES_MAX (4u << 20)

struct sse_event {
    struct str event; /* "" unless named */
    struct str data;
};

struct sse_parser {
    struct buf line, data, name;
    bool skip_lf, has_data, at_start;
};

void sse_init(struct sse_parser *p);
void sse_done(struct sse_parser *p);
/* Calls on_event for every complete event in arrival order; slices are valid during the call only. */
NODISCARD enum status sse_feed(struct sse_parser *p, struct str bytes,
                               void (*on_event)(const struct sse_event *, void *), void *arg,
                               struct error *err);
/* There are no more bytes: an event whose blank line is missing is told after all. */
void sse_end(struct sse_parser *p, void (*on_event)(const struct sse_event *, void *), void *arg);
/* Appends "data: ...\n\n" (one data line per line of `data`). */
void sse_write(struct buf *out, struct str data);
