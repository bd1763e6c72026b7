/* The questions that taught most, with what was expected of each answer and what came. */
#include <math.h>
#include <stdlib.h>

#include "runpage/runpage_int.h"

#define SHOWN       12  /* questions, and domains */
#define DOMAINS_MAX 256 /* that are told apart */
#define TEXT_MAX    280 /* characters of a question that are shown */
#define DOMAIN_MAX  60
#define CELLS_MAX   4 /* answers to one question that are shown */

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
    markup_cut(b, q->text, TEXT_MAX);
    buf_add_c(b, "<br /><span class=\"soft\">");
    markup_cut(b, q->id, DOMAIN_MAX);
    if (q->domain.len > 0) {
        buf_add_c(b, " · ");
        markup_cut(b, q->domain, DOMAIN_MAX);
    }
    buf_add_c(b, "</span></th>");
}

static void write_lesson(const struct run_record *r, const struct lesson *l, struct buf *b)
{
    size_t rows = l->cell_count < CELLS_MAX ? l->cell_count : CELLS_MAX;
    double most = r->lessons.all[0].taught;
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

/* Domains */

struct domain {
    struct str name;
    size_t questions, cells;
    double taught;
};

static int by_taught(const void *a, const void *b)
{
    const struct domain *x = a, *y = b;
    if (x->taught > y->taught || x->taught < y->taught)
        return x->taught > y->taught ? -1 : 1;
    return str_compare(x->name, y->name);
}

/* One too many counts as the last. */
static size_t find_domains(const struct run_record *r, struct domain domains[DOMAINS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < r->lessons.questions; i++) {
        const struct lesson *l = &r->lessons.all[i];
        struct str name = r->data->queries[l->cells[0].query].domain;
        size_t at = 0;
        while (at < count && !str_equal(domains[at].name, name))
            at++;
        if (at == DOMAINS_MAX)
            at--;
        if (at == count)
            domains[count++] = (struct domain){.name = name};
        domains[at].questions++;
        domains[at].cells += l->cell_count;
        domains[at].taught += l->taught;
    }
    qsort(domains, count, sizeof(*domains), by_taught);
    return count;
}

static void write_domains(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"domain", "questions", "answers", "taught, %", NULL};
    struct domain domains[DOMAINS_MAX];
    size_t count = find_domains(r, domains);
    if (count < 2)
        return;
    runpage_table(b, count > SHOWN ? "The domains that taught most" : NULL, titles);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        buf_add_c(b, "<tr><th scope=\"row\">");
        if (domains[i].name.len > 0)
            markup_cut(b, domains[i].name, DOMAIN_MAX);
        else
            buf_add_c(b, "<span class=\"soft\">(none)</span>");
        buf_add_c(b, "</th>");
        runpage_cell_count(b, domains[i].questions);
        runpage_cell_count(b, domains[i].cells);
        runpage_cell_percent(b, domains[i].taught / r->lessons.taught);
        buf_add_c(b, "</tr>\n");
    }
    runpage_table_end(b);
}

void runpage_lessons(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"question",  "<expert",  "round",   "expected, %",
                                         "scored, %", "moves by", "<taught", NULL};
    const struct lessons *l = &r->lessons;
    if (l->questions == 0 || l->all[0].taught <= 0)
        return;
    page_section(
        b, "lessons", "The questions that taught most",
        "An answer teaches as much as it may change decisions: how near its expert came, "
        "there, to winning or losing, times the square of how far the answer moves what is "
        "believed of it (its surprise, by Bayes’ rule, in points). Validation questions are "
        "never learnt from and are not here.");
    runpage_table(b, NULL, titles);
    for (size_t i = 0; i < l->questions && i < SHOWN && l->all[i].taught > 0; i++)
        write_lesson(r, &l->all[i], b);
    runpage_table_end(b);
    buf_add_c(b, "<p class=\"how\">");
    markup_count(b, l->questions);
    buf_add_c(b, " questions with ");
    markup_count(b, l->cells);
    buf_add_c(b, " answers were learnt from.</p>\n");
    write_domains(r, b);
    page_section_end(b);
}
