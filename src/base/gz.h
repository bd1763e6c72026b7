/* Lines of plain and gzip files alike (told apart by their first bytes, not their names), and gzip in memory.
 * The only owner of zlib. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#define LINE_BYTES_MAX (16u << 20)

struct line_reader;

/* Opens `path`; where it does not exist and `path`.gz does, opens that. ERR_NOT_FOUND, ERR_IO. "-" is stdin. */
NODISCARD enum status line_reader_open(const char *path, struct line_reader **ret,
                                       struct error *err);
void line_reader_close(struct line_reader *r);
/* For files whose one line is all of them: lines of up to so many bytes, in the place of LINE_BYTES_MAX. */
void line_reader_allow(struct line_reader *r, size_t bytes);
/* The next line without its line end (\n or \r\n); valid until the next call. CLOSED at the end;
 * ERR_CORRUPT for damaged gzip; ERR_TOO_LARGE for a line over LINE_BYTES_MAX, or what is allowed. */
NODISCARD enum status line_reader_next(struct line_reader *r, struct str *line, struct error *err);
size_t line_reader_number(const struct line_reader *r); /* of the last line given, 1-based */
const char *
line_reader_path(const struct line_reader *r); /* the file really opened, for messages */

/* Inflates all members of `gzip` and appends their content to `into`. ERR_TOO_LARGE once that would pass the limit of
 * `into`; no more than the limit is ever inflated. ERR_CORRUPT unless `gzip` is complete gzip members and nothing else.
 * ERR_MEMORY. */
NODISCARD enum status gz_inflate(struct str gzip, struct buf *into, struct error *err);
