/* Records as spans in OTLP's JSON: one for the request, and below it one for each call. A body is a head, the spans of
 * any number of records, and a tail. */
#pragma once

#include "base/buf.h"
#include "watch/record.h"

/* Appends a record's spans, a comma before each but the first in `out`. r->trace is there. Returns how many. */
size_t otlp_write_spans(const struct record *r, struct buf *out);
void otlp_write_head(struct str service_name, struct buf *out);
void otlp_write_tail(struct buf *out);
