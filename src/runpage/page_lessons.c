/* The questions that taught most, with what was expected of each answer and what came. */
#include <math.h>

#include "runpage/runpage_int.h"

#define TEXT_MAX   280 /* characters of a question that are shown */
#define DOMAIN_MAX 60
#define CELLS_MAX  4 /* answers to one question that are shown */

static void write_answer(const struct run_record *r, const struct lesson_cell *c, struct buf *b)
{
    const struct outcome *o = dataset_outcome(r->data, c->query, c->expert);
    struct str expert = r->data->experts[c->expert].name;
    buf_addf(b, "<td class=\"l ex\"><i class=\"sw b%zu\"></i>", runpage_slot(r, expert));
    markup_text(b, expert);
    buf_addf(b, "</td><td>%u</td>", c->round);
    runpage_cell_percent(b, (double)c->expected);
    runpage_cell_percent(b, (double)o->score);
    runpage_cell_points(b, (double)c->moved);
}

static void write_question(const struct query *q, size_t rows, struct buf *b)
{
    buf_addf(b, "<th scope=\"rowgroup\" class=\"q\" rowspan=\"%zu\">", rows);
    runpage_cut(b, q->text, TEXT_MAX);
    buf_add_c(b, "<br /><span class=\"soft\">");
    runpage_cut(b, q->id, DOMAIN_MAX);
    if (q->domain.len > 0) {
        buf_add_c(b, " · ");
        runpage_cut(b, q->domain, DOMAIN_MAX);
    }
    buf_add_c(b, "</span></th>");
}

static void write_lesson(const struct run_record *r, const struct lesson *l, struct buf *b)
{
    size_t rows = l->cell_count < CELLS_MAX ? l->cell_count : CELLS_MAX;
    double most = r->lessons.shown[0].taught;
    for (size_t i = 0; i < rows; i++) {
        buf_add_c(b, "<tr>");
        if (i == 0)
            write_question(&r->data->queries[l->cells[0].query], rows, b);
        write_answer(r, &l->cells[i], b);
        if (i == 0)
            buf_addf(b,
                     "<td rowspan=\"%zu\"><span class=\"bar\" aria-hidden=\"true\"><i class=\"b0\" "
                     "style=\"width:%.1f%%\"></i></span><span class=\"vh\">%.2f</span></td>",
                     rows, 100 * l->taught / most, l->taught / most);
        buf_add_c(b, "</tr>\n");
    }
}

void runpage_lessons(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"question",  "expert",   "round",  "expected, %",
                                         "scored, %", "moves by", "taught", NULL};
    const struct lessons *l = &r->lessons;
    if (l->shown_count == 0 || l->shown[0].taught <= 0)
        return;
    page_section(
        b, "lessons", "The questions that taught most",
        "An answer teaches as much as it may change decisions: how near its expert came, "
        "there, to winning or losing, times the square of how far the answer moves what is "
        "believed of it (its surprise, by Bayes’ rule, in points). Validation questions are "
        "never learnt from and are not here.");
    runpage_table(b, NULL, titles);
    for (size_t i = 0; i < l->shown_count && l->shown[i].taught > 0; i++)
        write_lesson(r, &l->shown[i], b);
    runpage_table_end(b);
    buf_add_c(b, "<p class=\"how\">Of ");
    markup_count(b, l->questions);
    buf_add_c(b, " questions with ");
    markup_count(b, l->cells);
    buf_add_c(b, " answers that were learnt from.</p>\n");
    page_section_end(b);
}
