/* Pieces of HTML and SVG: text from data is escaped here and nowhere else, figures are written for people. */
#pragma once

#include "base/buf.h"
#include "eval/report.h"

/* Escaped for text and for attribute values in double quotes; what is no UTF-8, and control bytes, become U+FFFD. */
void markup_text(struct buf *b, struct str s);
/* The text in one line of at most `most` code points, escaped, with "…" where it was cut. */
void markup_cut(struct buf *b, struct str text, size_t most);
/* "$6.48", "$0.0408", "$1,234": three digits; "–" for NaN. */
void markup_usd(struct buf *b, double usd);
/* "71.4" of 0.714; "–" for NaN. */
void markup_percent(struct buf *b, double share, int decimals);
/* "+1.2", "−0.8" (a real minus sign) of 0.012 and −0.008; "–" for NaN. */
void markup_points(struct buf *b, double share, int decimals);
/* The same two with <span class="se"> ±0.3</span> behind where there is an error. */
void markup_percent_se(struct buf *b, const struct figure *f, int decimals);
void markup_points_se(struct buf *b, const struct figure *f, int decimals);
/* "9,558" */
void markup_count(struct buf *b, size_t count);
/* A policy's lambda, four digits: "11.55", "0". */
void markup_lambda(struct buf *b, double lambda);
