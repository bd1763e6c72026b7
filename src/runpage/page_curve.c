/* The learning curve: what the orchestrator is worth over what was spent, with its error, beside the best mix of
 * single experts and the prior, each measured on the questions that the round knew.
 *
 * Pure functions from a run to SVG and a table in a buffer, any thread. Drawn twice, for wide screens and for narrow
 * ones. */
#include <math.h>
#include <stdio.h>

#include "runpage/runpage_int.h"

#define DOT_PX 4.5
#define CAP_PX 4.0
#define ROOM   0.08
#define LEAST  0.02 /* of room above and below */

struct plot {
    const struct run_record *r;
    struct svg_frame f;
    struct svg_scale x, y;
};

static void widen(double *low, double *high, double value)
{
    *low = fmin(*low, value); /* fmin and fmax ignore a NaN */
    *high = fmax(*high, value);
}

static void plot_init(struct plot *c, const struct run_record *r, const struct page_size *s)
{
    double low = NAN, high = NAN, usd = RUNPAGE_USD(run_record_last(r)->spent_all_nano_usd);
    for (size_t k = 0; k < r->round_count; k++) {
        const struct round_file *f = &r->rounds[k];
        double error = isnan(f->area_error) ? 0 : f->area_error;
        widen(&low, &high, f->area - error);
        widen(&low, &high, f->area + error);
        widen(&low, &high, f->area - f->gain_mix);
        widen(&low, &high, f->area_prior);
    }
    double room = fmax(LEAST, ROOM * (high - low));
    c->r = r;
    c->f = (struct svg_frame){s->width, s->height, 50, s->width - 14, 30, s->height - 46};
    c->x = (struct svg_scale){0, usd > 0 ? 1.04 * usd : 1, c->f.left, c->f.right, false};
    c->y =
        (struct svg_scale){fmax(0, low - room), fmin(1, high + room), c->f.bottom, c->f.top, false};
}

static double spent(const struct round_file *f)
{
    return RUNPAGE_USD(f->spent_all_nano_usd);
}

/* The first round with an area of the prior says what was believed before any money was spent. */
static const struct round_file *round_zero(const struct run_record *r)
{
    for (size_t k = 0; k < r->round_count; k++)
        if (!isnan(r->rounds[k].area_prior))
            return &r->rounds[k];
    return NULL;
}

static double area_of(const struct round_file *f)
{
    return f->area;
}

static double mix_of(const struct round_file *f)
{
    return f->area - f->gain_mix;
}

static double prior_of(const struct round_file *f)
{
    return f->area_prior;
}

/* A line through what is known; with `zero` it begins at no money. */
static void draw_line(const struct plot *c, const char *css,
                      double (*value)(const struct round_file *), const double *zero, struct buf *b)
{
    bool started = false;
    buf_addf(b, "<path class=\"%s\" d=\"", css);
    if (zero)
        svg_path_point(b, &started, svg_at(&c->x, 0), svg_at(&c->y, *zero));
    for (size_t k = 0; k < c->r->round_count; k++) {
        const struct round_file *f = &c->r->rounds[k];
        if (!isnan(value(f)))
            svg_path_point(b, &started, svg_at(&c->x, spent(f)), svg_at(&c->y, value(f)));
    }
    if (!started)
        buf_add_c(b, "M0 0");
    buf_add_c(b, "\"/>\n");
}

static void draw_error(const struct plot *c, const struct round_file *f, struct buf *b)
{
    double x = svg_at(&c->x, spent(f));
    double low = svg_at(&c->y, fmax(c->y.low, f->area - f->area_error));
    double high = svg_at(&c->y, fmin(c->y.high, f->area + f->area_error));
    buf_addf(b, "<path class=\"err\" d=\"M%.1f %.1fV%.1fM%.1f %.1fh%.1fM%.1f %.1fh%.1f\"/>\n", x,
             low, high, x - CAP_PX, low, 2 * CAP_PX, x - CAP_PX, high, 2 * CAP_PX);
}

static bool is_published(const struct round_file *f)
{
    return str_equal(f->publication, STR("first")) || str_equal(f->publication, STR("published"));
}

static void draw_round(const struct plot *c, const struct round_file *f, struct buf *b)
{
    if (isnan(f->area))
        return;
    if (!isnan(f->area_error))
        draw_error(c, f, b);
    buf_addf(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>round %zu: ",
             is_published(f) ? "dot" : "hollow", svg_at(&c->x, spent(f)), svg_at(&c->y, f->area),
             DOT_PX, f->round);
    markup_percent(b, f->area, 1);
    buf_add_c(b, " %</title></circle>\n");
}

static void draw(const struct run_record *r, const struct page_size *s, struct buf *b)
{
    struct plot c;
    char id[32];
    const struct round_file *zero = round_zero(r);
    plot_init(&c, r, s);
    snprintf(id, sizeof(id), "curve-%s", s->css);
    svg_open(b, id, s->css, s->width, s->height, "The learning curve",
             "Area of the orchestrator, of the best mix of experts and of the prior over the money "
             "spent, round by round. The table below has the same figures.");
    svg_axis_percent(b, &c.f, &c.y, s->narrow ? 5 : 7, "area");
    svg_axis_cost(b, &c.f, &c.x, s->narrow ? 4 : 8, "USD spent");
    draw_line(&c, "mix", mix_of, NULL, b);
    draw_line(&c, "prior", prior_of, NULL, b);
    draw_line(&c, "curve", area_of, zero ? &zero->area_prior : NULL, b);
    for (size_t k = 0; k < r->round_count; k++)
        draw_round(&c, &r->rounds[k], b);
    svg_close(b);
}

static void write_legend(struct buf *b)
{
    buf_add_c(b, "<ul class=\"legend\">\n");
    page_legend_item(b, "<path class=\"curve\" d=\"M1 7H25\"/>",
                     "the orchestrator, from the prior on");
    page_legend_item(b, "<path class=\"err\" d=\"M13 1V13M9 1h8M9 13h8\"/>",
                     "± one standard error");
    page_legend_item(b, "<circle class=\"dot\" cx=\"13\" cy=\"7\" r=\"5\"/>", "published");
    page_legend_item(b, "<circle class=\"hollow\" cx=\"13\" cy=\"7\" r=\"5\"/>", "not published");
    page_legend_item(b, "<path class=\"mix\" d=\"M1 7H25\"/>", "best random mix of experts");
    page_legend_item(b, "<path class=\"prior\" d=\"M1 7H25\"/>", "the prior, without any outcomes");
    buf_add_c(b, "</ul>\n");
}

/* One piece: a cell for each title. */
static void write_row(const struct round_file *f, struct buf *b)
{
    const struct figure area = {f->area, f->area_error};
    buf_addf(b, "<tr><th scope=\"row\">%zu</th>", f->round);
    runpage_cell_count(b, f->questions_new);
    runpage_cell_count(b, f->cells);
    runpage_cell_usd(b, f->spent_nano_usd);
    runpage_cell_usd(b, f->spent_all_nano_usd);
    runpage_cell_count(b, f->validation);
    buf_add_c(b, "<td>");
    markup_percent_se(b, &area, 1);
    buf_add_c(b, "</td>");
    runpage_cell_percent(b, f->area - f->gain_mix);
    runpage_cell_points(b, f->gain_mix);
    runpage_cell_percent(b, f->area_prior);
    runpage_cell_points(b, f->gain_last);
    runpage_cell_percent(b, f->doubt);
    buf_add_c(b, "<td class=\"l\">");
    markup_text(b, f->publication);
    buf_add_c(b, "</td></tr>\n");
}

static void write_table(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {
        "round",       "questions", "answers",  "USD",       "USD in all", "validation", "area, %",
        "best mix, %", "over mix",  "prior, %", "over last", "doubt, %",   "<model",     NULL};
    size_t from = r->round_count > RUNPAGE_ROWS ? r->round_count - RUNPAGE_ROWS : 0;
    runpage_table(b, from > 0 ? "The last rounds; the others are in their folders." : NULL, titles);
    for (size_t k = from; k < r->round_count; k++)
        write_row(&r->rounds[k], b);
    runpage_table_end(b);
}

void runpage_curve(const struct run_record *r, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 400, false}, {"narrow", 420, 340, true}};
    bool measured = false;
    for (size_t k = 0; k < r->round_count; k++)
        measured = measured || !isnan(r->rounds[k].area);
    page_section(b, "curve", "The learning curve",
                 "Quality for money, over what was spent to learn it. Each round measures on the "
                 "validation questions that it knows by then, all three lines on the same ones: "
                 "the distance between them counts more than the way of any one.");
    if (measured) {
        buf_add_c(b, "<figure>");
        for (size_t i = 0; i < 2; i++)
            draw(r, &sizes[i], b);
        write_legend(b);
        buf_add_c(b, "</figure>\n");
    }
    write_table(r, b);
    page_section_end(b);
}
