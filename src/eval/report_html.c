/* The page: its head, the order of its sections, and what they share. The sections are report_html_*.c, each of which
 * writes one whole <section> or nothing.
 *
 * Pure functions from a report to bytes in a buffer, any thread. No text from data is written here but by markup.c,
 * which escapes it. */
#include "eval/report_html.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "eval/report_html_int.h"

#define SHORT_NAME_CODE_POINTS 26

/* Which experts get a colour */

static double path_weight(const struct report *r, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++)
        sum += r->path[i].shares[column];
    return sum;
}

static bool has_slot(const struct page *p, size_t column)
{
    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slotted[i] == column)
            return true;
    return false;
}

/* The reference and the columns that answer most along the curve get the colours, cheapest first. Choosing by weight
 * and sorting by cost are two steps of one small selection; at most seven columns take part. */
static void slots_fill(struct page *p)
{
    const struct report *r = p->r;
    if (path_weight(r, r->reference) > 0)
        p->slotted[p->slot_count++] = r->reference;
    while (p->slot_count < PAGE_SLOTS) {
        size_t best = SIZE_MAX;
        for (size_t c = 0; c < r->columns; c++)
            if (!has_slot(p, c) && path_weight(r, c) > 0 &&
                (best == SIZE_MAX || path_weight(r, c) > path_weight(r, best)))
                best = c;
        if (best == SIZE_MAX)
            break;
        p->slotted[p->slot_count++] = best;
    }
    for (size_t i = 1; i < p->slot_count; i++) /* insertion sort of at most seven */
        for (size_t j = i; j > 0; j--) {
            size_t a = p->slotted[j - 1], b = p->slotted[j];
            if (r->experts[a].usd_per_1k <= r->experts[b].usd_per_1k)
                break;
            p->slotted[j - 1] = b;
            p->slotted[j] = a;
        }
    for (size_t c = 0; c < r->columns; c++) {
        p->slot[c] = PAGE_SLOTS;
        p->others = p->others || (!has_slot(p, c) && path_weight(r, c) > 0);
    }
    for (size_t i = 0; i < p->slot_count; i++)
        p->slot[p->slotted[i]] = (unsigned char)i;
}

/* What sections share */

const struct report_expert *page_reference(const struct page *p)
{
    return &p->r->experts[p->r->reference];
}

struct str page_short_name(const struct page *p, size_t column, char into[PAGE_NAME_BYTES])
{
    struct str name = p->r->experts[column].name;
    if (column >= p->r->expert_count) {
        snprintf(into, PAGE_NAME_BYTES, "P%zu", column - p->r->expert_count + 1);
        return str_from(into);
    }
    size_t at = 0, before_last = 0, count = 0;
    while (at < name.len && count < SHORT_NAME_CODE_POINTS) {
        before_last = at;
        utf8_next(name, &at);
        count++;
    }
    if (at == name.len && at < PAGE_NAME_BYTES)
        return name;
    if (before_last > PAGE_NAME_BYTES - sizeof("…"))
        return str_slice(name, 0, PAGE_NAME_BYTES / 2);
    memcpy(into, name.ptr, before_last);
    memcpy(into + before_last, "…", sizeof("…"));
    return str_from(into);
}

void page_key(const struct page *p, size_t column, struct buf *b)
{
    char text[PAGE_NAME_BYTES];
    buf_addf(b, "<span class=\"key\"><i class=\"sw b%d\"></i>", p->slot[column]);
    if (column >= p->r->expert_count) {
        buf_add_c(b, "<b>");
        markup_text(b, page_short_name(p, column, text));
        buf_add_c(b, "</b> ");
    }
    markup_text(b, p->r->experts[column].name);
    buf_add_c(b, "</span>");
}

static void key_brief(const struct page *p, size_t column, struct buf *b)
{
    char text[PAGE_NAME_BYTES];
    buf_addf(b, "<span class=\"key\"><i class=\"sw b%d\"></i>", p->slot[column]);
    markup_text(b, page_short_name(p, column, text));
    buf_add_c(b, "</span>");
}

void page_legend(const struct page *p, bool brief, struct buf *b)
{
    buf_add_c(b, "<ul class=\"legend\">\n");
    for (size_t i = 0; i < p->slot_count; i++) {
        buf_add_c(b, "<li>");
        (brief ? key_brief : page_key)(p, p->slotted[i], b);
        buf_add_c(b, "</li>\n");
    }
    if (p->others)
        buf_addf(b, "<li><span class=\"key\"><i class=\"sw b%d\"></i>all others</span></li>\n",
                 PAGE_SLOTS);
    buf_add_c(b, "</ul>\n");
}

/* Head and foot */

static void write_facts(const struct page *p, struct buf *b)
{
    buf_add_c(b, "<p class=\"facts\"><b>");
    markup_text(b, str_from(p->in->model));
    buf_add_c(b, "</b> on <b>");
    markup_text(b, str_from(p->in->dataset));
    buf_add_c(b, "</b> · ");
    markup_count(b, p->r->queries);
    buf_add_c(b, " queries");
    if (p->in->left_out) {
        buf_add_c(b, " · ");
        markup_count(b, p->in->left_out);
        buf_add_c(b, " left out, because for some expert no outcome is recorded");
    }
    buf_add_c(b, " · compared with <b>");
    markup_text(b, page_reference(p)->name);
    buf_add_c(b, "</b></p>\n");
}

static void write_warning(const struct page *p, struct buf *b)
{
    if (p->in->trained_on == 0)
        return;
    buf_add_c(b, "<p class=\"warn\"><b>These figures flatter the model:</b> ");
    markup_count(b, p->in->trained_on);
    buf_add_c(b, " of the ");
    markup_count(b, p->r->queries);
    buf_add_c(b, " queries were in its training set.</p>\n");
}

static void write_foot(const struct page *p, struct buf *b)
{
    buf_add_c(b,
              "<footer><h2>How this was measured</h2>\n<p>Predictions choose, recorded scores and "
              "recorded costs count; all calls of a plan are paid. The curve is every operating "
              "point of the lambda sweep; between two of them it is their mix. ");
    if (p->r->draws)
        buf_addf(b,
                 "± is one standard error: the spread over %zu bootstrap draws of the queries "
                 "(seed %" PRIu64 "), or the sample deviation where a figure is a plain mean. ",
                 p->r->draws, p->r->seed);
    buf_add_c(b,
              "USD are per 1,000 queries. <code>leeroo eval --decisions FILE</code> writes every "
              "call behind these figures, so that they can be computed again.</p></footer>\n");
}

void report_write_html(const struct report_page *in, struct buf *b)
{
    struct page p = {.in = in, .r = in->report};
    CHECK(in->report->columns <= PAGE_COLUMNS);
    slots_fill(&p);
    page_open(b, "leeroo eval", str_from(in->model), NULL);
    buf_add_c(b, "<header>");
    page_headline(&p, b);
    write_facts(&p, b);
    buf_add_c(b, "</header>\n");
    write_warning(&p, b);
    page_offers(&p, b);
    page_plane(&p, b);
    page_compare(&p, b);
    page_shares(&p, b);
    page_verified(&p, b);
    page_claims(&p, b);
    page_domains(&p, b);
    page_columns(&p, b);
    page_calibration(&p, b);
    write_foot(&p, b);
    page_close(b);
}
