/* What all pages share that Leeroo writes: one file each, which fetches nothing and runs nothing, in light and dark,
 * for narrow screens and for paper. */
#pragma once

#include "base/buf.h"

/* A chart is drawn twice, for wide and for narrow screens; the style sheet shows one of them. */
struct page_size {
    const char *css; /* "wide", "narrow" */
    double width, height;
    bool narrow;
};

extern const char *const page_style[]; /* pieces of the style sheet; NULL ends them */

/* From the document's first line to <main>; `title` is text. `more_style` [..., NULL] is added to the style sheet;
 * NULL: none. */
void page_open(struct buf *b, const char *kind, struct str title, const char *const *more_style);
void page_close(struct buf *b);
/* <section id><h2>title</h2><p>text</p>; close with page_section_end. `text` is markup. */
void page_section(struct buf *b, const char *id, const char *title, const char *text);
void page_section_end(struct buf *b);
/* An item of a chart's legend: the drawing in a box of 26 by 14, and what it means, both markup. */
void page_legend_item(struct buf *b, const char *drawing, const char *text);
