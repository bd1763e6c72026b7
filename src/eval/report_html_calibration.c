/* Reliability diagrams: what was predicted against what came, an expert each. */
#include <math.h>
#include <stdio.h>

#include "eval/report_html_int.h"

#define SIDE       220.0
#define LEFT       34.0
#define RIGHT      212.0
#define TOP        22.0
#define BOTTOM     188.0
#define HIST_PX    26.0 /* of the largest bin */
#define SHOWN_MAX  9    /* diagrams that are not folded away */
#define DOT_PX_MIN 2.0
#define DOT_PX_MAX 6.0

static double at_x(double share)
{
    return LEFT + share * (RIGHT - LEFT);
}

static double at_y(double share)
{
    return BOTTOM - share * (BOTTOM - TOP);
}

static size_t largest(const struct detail_bin *bins)
{
    size_t most = 1;
    for (size_t i = 0; i < METRICS_ECE_BINS; i++)
        most = bins[i].queries > most ? bins[i].queries : most;
    return most;
}

static void axes_draw(struct buf *b)
{
    for (int i = 0; i <= 2; i++) {
        double share = i / 2.0;
        buf_addf(b,
                 "<path class=\"grid\" d=\"M%.1f %.1fH%.1fM%.1f %.1fV%.1f\"/>"
                 "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%d</text>"
                 "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%d</text>\n",
                 LEFT, at_y(share), RIGHT, at_x(share), TOP, BOTTOM, LEFT - 5, at_y(share) + 4,
                 50 * i, at_x(share), BOTTOM + 15, i == 2 ? "end" : "middle", 50 * i);
    }
    buf_addf(b,
             "<path class=\"diag\" d=\"M%.1f %.1fL%.1f %.1f\"/><text class=\"tick\" x=\"%.1f\" "
             "y=\"%.1f\" text-anchor=\"middle\">predicted, %%</text><text class=\"tick\" x=\"2\" "
             "y=\"10\">recorded, %%</text>\n",
             at_x(0), at_y(0), at_x(1), at_y(1), (LEFT + RIGHT) / 2, BOTTOM + 29);
}

static void bin_draw(const struct detail_bin *bin, size_t index, size_t most, struct buf *b)
{
    double n = (double)bin->queries, width = (RIGHT - LEFT) / METRICS_ECE_BINS;
    if (bin->queries == 0)
        return;
    double tall = HIST_PX * n / (double)most;
    buf_addf(b, "<rect class=\"hist\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
             LEFT + width * (double)index + 0.5, BOTTOM - tall, width - 1, tall);
    double error = sqrt(fmax(0, bin->recorded * (1 - bin->recorded)) / n);
    double x = at_x(bin->predicted), y = at_y(bin->recorded);
    double high = fmin(1, bin->recorded + error), low = fmax(0, bin->recorded - error);
    if (high > low)
        buf_addf(b, "<path class=\"whisk\" d=\"M%.1f %.1fV%.1f\"/>", x, at_y(high), at_y(low));
    double radius = fmax(DOT_PX_MIN, DOT_PX_MAX * sqrt(n / (double)most));
    buf_addf(b, "<circle class=\"b0\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>", x, y, radius);
    markup_count(b, bin->queries);
    buf_addf(b, " queries: predicted %.1f %%, recorded %.1f %%</title></circle>\n",
             100 * bin->predicted, 100 * bin->recorded);
}

static void diagram(const struct page *p, size_t column, struct buf *b)
{
    const struct report_expert *e = &p->r->experts[column];
    const struct detail_bin *bins = p->in->detail->bins[column];
    char id[32], text[PAGE_NAME_BYTES];
    snprintf(id, sizeof(id), "cal-%zu", column);
    buf_add_c(b, "<figure><figcaption><b title=\"");
    markup_text(b, e->name);
    buf_add_c(b, "\">");
    if (column >= p->r->expert_count) {
        markup_text(b, page_short_name(p, column, text));
        buf_add_char(b, ' ');
    }
    markup_text(b, e->name);
    buf_addf(b, "</b><span class=\"soft\">ECE %.3f</span></figcaption>\n", e->ece);
    svg_open(
        b, id, "cal", SIDE, SIDE, "Calibration",
        "Predicted probability of a good answer along x, recorded share of good answers along y; "
        "on the diagonal they agree. Bars are the number of queries.");
    axes_draw(b);
    for (size_t i = 0; i < METRICS_ECE_BINS; i++)
        bin_draw(&bins[i], i, largest(bins), b);
    svg_close(b);
    buf_add_c(b, "</figure>\n");
}

void page_calibration(const struct page *p, struct buf *b)
{
    size_t shown = 0;
    page_section(
        b, "calibration", "Calibration",
        "Queries in 15 bins by the predicted probability of a good answer; a dot is what was "
        "recorded for a bin, larger for more queries, with one standard error. On the "
        "diagonal prediction and record agree; bars show where the queries are.");
    buf_add_c(b, "<div class=\"cals\">\n");
    for (size_t c = 0; c < p->r->columns; c++) {
        if (!p->r->experts[c].in_pool)
            continue;
        if (shown++ == SHOWN_MAX)
            buf_add_c(b, "</div><details><summary>all the others</summary><div class=\"cals\">\n");
        diagram(p, c, b);
    }
    buf_add_c(b, shown > SHOWN_MAX ? "</div></details>\n" : "</div>\n");
    page_section_end(b);
}
