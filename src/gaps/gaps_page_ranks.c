/* The order of topics as bars: what a new expert would add, parted into what choosing better may get and what nobody
 * knows. Drawn twice, for wide and for narrow screens. */
#include <math.h>
#include <stdio.h>

#include "gaps/gaps_page_int.h"

#define ROW  44.0 /* pixels of a topic: its name, its bar below */
#define NAME 18.0
#define BAR  14.0

struct chart {
    struct svg_frame frame;
    struct svg_scale x;
    size_t rows;
};

static double most_added(const struct gaps_page *p, size_t rows)
{
    double most = 0;
    for (size_t t = 0; t < rows; t++) {
        const struct figure *f = &p->gaps->topics[t].adds;
        most = fmax(most, f->value + (isfinite(f->error) ? f->error : 0));
    }
    return most;
}

static struct chart chart_make(const struct gaps_page *p, double width)
{
    size_t rows = gaps_page_shown(p);
    double height = (double)rows * ROW + 54;
    struct chart c = {.frame = {width, height, 2, width - 46, 8, height - 46}, .rows = rows};
    c.x =
        (struct svg_scale){.high = most_added(p, rows), .from = c.frame.left, .to = c.frame.right};
    return c;
}

static void add_axis(const struct chart *c, const char *title, struct buf *b)
{
    struct svg_tick ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(&c->x, 5, ticks);
    for (size_t i = 0; i < n; i++) {
        double at = svg_at(&c->x, ticks[i].value);
        buf_addf(b,
                 "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                 "y=\"%.1f\" text-anchor=\"%s\">%g</text>\n",
                 at, c->frame.top, c->frame.bottom, at, c->frame.bottom + 17,
                 i ? "middle" : "start", ticks[i].value);
    }
    buf_addf(b, "<text class=\"axt\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", c->frame.left,
             c->frame.height - 6, title);
}

static void add_part(const struct chart *c, double from, double to, double y, int colour,
                     struct buf *b)
{
    double left = svg_at(&c->x, from), right = svg_at(&c->x, to);
    if (right > left)
        buf_addf(b, "<rect class=\"b%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%g\"/>",
                 colour, left, y, right - left, BAR);
}

static void add_row(const struct chart *c, const struct gaps_topic *t, size_t row, bool narrow,
                    struct buf *b)
{
    double top = c->frame.top + (double)row * ROW, y = top + NAME + 2, adds = t->adds.value;
    buf_addf(b, "<text class=\"lab%s\" x=\"%.1f\" y=\"%.1f\">%zu. ", t->sure ? " strong" : "",
             c->frame.left, top + NAME - 4, row + 1);
    gaps_page_name(b, t, narrow ? 42 : GAPS_PAGE_NAME);
    buf_add_c(b, "</text>");
    if (isnan(t->nobody)) {
        add_part(c, 0, adds, y, 7, b);
    } else {
        add_part(c, 0, t->nobody, y, 4, b);
        add_part(c, t->nobody, adds, y, 0, b);
    }
    double error = isfinite(t->adds.error) ? t->adds.error : 0;
    double low = svg_at(&c->x, fmax(adds - error, 0)), high = svg_at(&c->x, adds + error);
    buf_addf(
        b, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\">%.1f</text>\n",
        low, y + BAR / 2, high, high + 5, y + BAR - 3, adds);
}

static void add_chart(const struct gaps_page *p, const struct page_size *size, struct buf *b)
{
    struct chart c = chart_make(p, size->width);
    char id[32];
    snprintf(id, sizeof(id), "ranks-%s", size->css);
    svg_open(
        b, id, size->css, c.frame.width, c.frame.height, "What a new expert would add",
        "A bar for each topic, the longest first: right answers per 1,000 questions that a new "
        "expert would add.");
    add_axis(&c,
             size->narrow ? "right answers added per 1,000 questions"
                          : "right answers that a new expert would add, per 1,000 questions",
             b);
    for (size_t t = 0; t < c.rows; t++)
        add_row(&c, &p->gaps->topics[t], t, size->narrow, b);
    svg_close(b);
}

static void add_legend(const struct gaps *g, struct buf *b)
{
    buf_add_c(b, "<ul class=\"legend\">\n");
    if (g->all.compared) {
        page_legend_item(b, "<rect class=\"b4\" x=\"2\" y=\"2\" width=\"22\" height=\"10\"/>",
                         "nobody knows it: only a new expert gets it");
        page_legend_item(b, "<rect class=\"b0\" x=\"2\" y=\"2\" width=\"22\" height=\"10\"/>",
                         "another expert had it right: choosing better may get it");
    } else {
        page_legend_item(b, "<rect class=\"b7\" x=\"2\" y=\"2\" width=\"22\" height=\"10\"/>",
                         "expected to be missed");
    }
    page_legend_item(b, "<path class=\"axis\" d=\"M3 7H23\"/>", "one standard error");
    buf_add_c(b, "</ul>\n");
}

void gaps_page_ranks(const struct gaps_page *p, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 0, false}, {"narrow", 362, 0, true}};
    if (gaps_page_shown(p) == 0)
        return;
    page_section(
        b, "ranks", "What a new expert would add",
        "Topics in bold are gaps: less is achieved there than elsewhere, beyond chance. The "
        "others come behind them; they would add much because they are large.");
    buf_add_c(b, "<figure>\n");
    for (size_t i = 0; i < 2; i++)
        add_chart(p, &sizes[i], b);
    add_legend(p->gaps, b);
    buf_add_c(b, "</figure>\n");
    size_t more = p->gaps->topic_count - gaps_page_shown(p);
    if (more)
        buf_addf(b, "<p class=\"how\" style=\"margin-top:12px\">%zu more topic%s not shown.</p>\n",
                 more, more == 1 ? " is" : "s are");
    page_section_end(b);
}
