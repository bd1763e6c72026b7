/* The lines of a request's head, or of its trailers, beside the parser that reads them: finds what that parser takes
 * and other readers take otherwise, so that nobody can hide a header from one of two. Looks at the bytes as they were
 * sent, in any cuts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct http_lines {
    bool in_request_line;
    char before; /* the byte before the next; '\n' where a line begins */
    uint8_t blanks;
};

void http_lines_begin(struct http_lines *l, bool trailers);
/* NULL: nothing is wrong so far; else a sentence. */
const char *http_lines_check(struct http_lines *l, struct str bytes);
