/* The report as one page for a browser: no network, no script, every picture drawn as SVG. */
#pragma once

#include "base/buf.h"
#include "eval/report_detail.h"

struct report_page {
    const char *model, *dataset; /* as the command line names them */
    const struct eval_table *table;
    const struct report *report;
    const struct detail *detail;
    size_t left_out, trained_on;
    /* A second model on the same queries: */
    const char *compare_model; /* NULL: none */
    const struct report *compare;
};

/* A whole document. All text from data is escaped. */
void report_write_html(const struct report_page *p, struct buf *out);
