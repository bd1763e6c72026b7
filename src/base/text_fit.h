/* Text for a screen of some width: nothing is cut, no word is broken, and what fits stays as it is.
 *
 * Paragraphs are what stands between empty lines. A line with two blanks or more between words is a row of a table; the
 * rows of one paragraph are one table. Widths are of columns: wide characters take two, escapes (ESC [ ... m) none. */
#pragma once

#include "base/buf.h"

enum text_fit_how {
    TEXT_FIT_TABLES, /* what a command prints: gaps between columns shrink, then the last column wraps */
    TEXT_FIT_HELP, /* -h: lines of a paragraph are filled anew, commands go on behind a backslash */
};

/* Appends the text; width 0: as it is. */
void text_fit(struct str text, size_t width, enum text_fit_how how, struct buf *out);
/* Columns that a text without line ends takes. */
size_t text_columns(struct str text);
