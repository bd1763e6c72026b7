/* The parts of the page. Internal to report_html*.c. */
#pragma once

#include "eval/markup.h"
#include "eval/page.h"
#include "eval/report_html.h"
#include "eval/svg.h"

#define PAGE_SLOTS    7 /* colours for columns of their own; all others share one more */
#define PAGE_SLOT_ALL (PAGE_SLOTS + 1)
#define PAGE_COLUMNS  (MODEL_ARMS_MAX + 1 + VERIFIED_PLANS_MAX)

struct page {
    const struct report_page *in;
    const struct report *r;
    unsigned char slot[PAGE_COLUMNS]; /* of a column's colour; PAGE_SLOTS: the others' */
    size_t slotted[PAGE_SLOTS];       /* the columns with a colour, cheapest first */
    size_t slot_count;
    bool others; /* some column without a colour answers somewhere along the curve */
};

/* Sections, each a whole <section>; one that has nothing to show writes nothing. */
void page_headline(const struct page *p, struct buf *b);
void page_offers(const struct page *p, struct buf *b);
void page_plane(const struct page *p, struct buf *b);
void page_compare(const struct page *p, struct buf *b);
void page_shares(const struct page *p, struct buf *b);
void page_verified(const struct page *p, struct buf *b);
void page_claims(const struct page *p, struct buf *b);
void page_domains(const struct page *p, struct buf *b);
void page_columns(const struct page *p, struct buf *b);
void page_calibration(const struct page *p, struct buf *b);

/* A column's name for a picture: an expert's, shortened, or "P1" of a plan. Unescaped; lives in `into`. */
#define PAGE_NAME_BYTES 64
struct str page_short_name(const struct page *p, size_t column, char into[PAGE_NAME_BYTES]);
/* The same, escaped, behind its colour. */
void page_key(const struct page *p, size_t column, struct buf *b);
/* A list of the colours and the columns that have them; `brief`: plans as "P1". */
void page_legend(const struct page *p, bool brief, struct buf *b);
/* The reference's report row. */
const struct report_expert *page_reference(const struct page *p);
