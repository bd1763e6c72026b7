/* The experts: what each was asked, how it did, and how well that was foreseen. */
#include <math.h>

#include "runpage/runpage_int.h"

/* Of the answers that something was expected of before they were bought. */
static const struct lesson_expert *lesson_of(const struct run_record *r, struct str name)
{
    size_t e = dataset_expert_index(r->data, name);
    return e == SIZE_MAX || r->lessons.experts[e].cells == 0 ? NULL : &r->lessons.experts[e];
}

/* One piece: a cell for each title. */
static void write_row(const struct run_record *r, const struct round_expert *e, struct buf *b)
{
    const struct lesson_expert *l = lesson_of(r, e->name);
    double n = l ? (double)l->cells : NAN;
    buf_addf(b, "<tr><th scope=\"row\" class=\"name\"><i class=\"sw b%zu\"></i>",
             runpage_slot(r, e->name));
    markup_text(b, e->name);
    if (e->left_out)
        buf_add_c(b, " <span class=\"soft\">(left out of the last round)</span>");
    buf_add_c(b, "</th>");
    runpage_cell_count(b, e->outcomes);
    runpage_cell_count(b, e->scored);
    runpage_cell_percent(b, e->mean_score);
    runpage_cell_percent(b, l ? l->expected / n : NAN);
    runpage_cell_points(b, l ? (l->scored - l->expected) / n : NAN);
    runpage_cell_percent(b, l && r->lessons.taught > 0 ? l->taught / r->lessons.taught : NAN);
    runpage_cell_usd(b, e->cost_nano_usd);
    buf_add_c(b, "<td>");
    markup_usd(b, e->outcomes ? 1000 * RUNPAGE_USD(e->cost_nano_usd) / (double)e->outcomes : NAN);
    buf_add_c(b, "</td></tr>\n");
}

void runpage_experts(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"expert",        "asked",  "scored",    "mean score, %",
                                         "expected, %",   "off by", "taught, %", "USD",
                                         "USD per 1,000", NULL};
    const struct round_file *last = run_record_last(r);
    page_section(
        b, "experts", "The experts",
        "Cells are bought where they teach something, so mean scores are not of the same "
        "questions. <em>Expected</em> is what was believed of the answers before they were "
        "bought; <em>taught</em> is the share of all lessons (below).");
    runpage_table(b, NULL, titles);
    for (size_t e = 0; e < last->expert_count; e++)
        write_row(r, &last->experts[e], b);
    runpage_table_end(b);
    page_section_end(b);
}
