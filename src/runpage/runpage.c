/* The page of a run: reads it, writes the sections in order, and puts the page under its name when it is whole.
 *
 * What is shared by the sections is here, too: cells of tables, colours. One thread. All text from files goes through
 * eval/markup.h; what is written without it are figures and constants. */
#include "runpage/runpage.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "runpage/runpage_int.h"

#define RECORD_BYTES_MAX (UINT64_C(8) << 30)

static const char *const more_style[] = {
    ".q{white-space:normal;overflow-wrap:anywhere;min-width:16em;max-width:36em;font-weight:400;"
    "text-align:left}\n",
    ".verdict.bad{color:var(--warn)}.verdict.ok{color:var(--s2)}\n",
    ".prior{stroke:var(--s4);stroke-width:1.6;fill:none;stroke-dasharray:7 4}"
    ".err{stroke:var(--accent);stroke-width:1.2;fill:none;opacity:.55}"
    ".dot{fill:var(--accent);stroke:var(--card);stroke-width:1.4}\n",
    "@media (max-width:640px){.q{min-width:12em}.ex{white-space:normal;overflow-wrap:anywhere;"
    "min-width:9em}}\n",
    "@media print{#lessons,#questions,#money,#curve{break-inside:auto}}\n",
    NULL,
};

/* Cells */

void runpage_cell_count(struct buf *b, size_t count)
{
    buf_add_c(b, "<td>");
    markup_count(b, count);
    buf_add_c(b, "</td>");
}

void runpage_cell_usd(struct buf *b, int64_t nano_usd)
{
    buf_add_c(b, "<td>");
    markup_usd(b, RUNPAGE_USD(nano_usd));
    buf_add_c(b, "</td>");
}

void runpage_cell_percent(struct buf *b, double share)
{
    buf_add_c(b, "<td>");
    markup_percent(b, share, 1);
    buf_add_c(b, "</td>");
}

void runpage_cell_points(struct buf *b, double share)
{
    buf_add_c(b, "<td>");
    markup_points(b, share, 1);
    buf_add_c(b, "</td>");
}

void runpage_table(struct buf *b, const char *caption, const char *const *titles)
{
    buf_add_c(b, "<div class=\"scroll\"><table>");
    if (caption)
        buf_addf(b, "<caption>%s</caption>", caption);
    buf_add_c(b, "<thead><tr>");
    for (size_t i = 0; titles[i]; i++) {
        bool over_words = titles[i][0] == '<';
        buf_add_c(b, over_words ? "<th scope=\"col\" class=\"l\">" : "<th scope=\"col\">");
        markup_text(b, str_from(titles[i] + over_words));
        buf_add_c(b, "</th>");
    }
    buf_add_c(b, "</tr></thead>\n<tbody>\n");
}

void runpage_table_end(struct buf *b)
{
    buf_add_c(b, "</tbody></table></div>\n");
}

/* Colours */

size_t runpage_slot(const struct run_record *r, struct str expert)
{
    const struct round_file *last = run_record_last(r);
    for (size_t e = 0; e < last->expert_count && e < RUNPAGE_SLOTS; e++)
        if (str_equal(last->experts[e].name, expert))
            return e;
    return RUNPAGE_SLOTS;
}

/* The page */

static void write_foot(struct buf *b)
{
    buf_add_c(b,
              "<footer><h2>How this was measured</h2>\n<p>An eighth of the questions, by the hash "
              "of their text, is kept for validation: no model of any round has learnt from "
              "them. The area is the mean quality there over what may be spent, from a tenth of "
              "the best expert's cost to all of it. Costs are what the answers cost. All that "
              "this page says is made of the files in its folder: <code>round-K/round.json</code>, "
              "<code>round-K/cells.csv</code>, and the data set.</p></footer>\n");
}

void runpage_render(const struct run_record *r, struct buf *b)
{
    page_open(b, "leeroo play", str_from(r->folder), more_style);
    runpage_headline(r, b);
    runpage_curve(r, b);
    runpage_money(r, b);
    runpage_experts(r, b);
    runpage_trust(r, b);
    runpage_lessons(r, b);
    runpage_questions(r, b);
    write_foot(b);
    page_close(b);
}

static enum status put(const char *folder, const struct buf *b, struct error *err)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/report.html", folder) >= (int)sizeof(path))
        return error_set(err, ERR_INPUT, "%s: too long a path", folder);
    return file_write(path, b, err);
}

enum status runpage_write(const char *run_folder, struct error *err)
{
    struct run_record r = {0};
    struct dataset *data = NULL;
    struct buf b;
    struct arena *a = arena_create(RECORD_BYTES_MAX);
    buf_init(&b, RUNPAGE_BYTES_MAX);
    enum status status = a ? run_record_read(run_folder, a, &r, &data, err)
                           : error_set(err, ERR_MEMORY, "out of memory for the report");
    if (status == OK && r.round_count > 0) {
        runpage_render(&r, &b);
        status = put(run_folder, &b, err);
    }
    buf_done(&b);
    dataset_free(data);
    arena_free(a);
    return status;
}
