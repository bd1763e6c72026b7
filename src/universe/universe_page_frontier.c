/* The frontier: what the best set achieves for a number of members and for a cost, every candidate alone, and, where
 * sets were routed, what routing achieves with the one that was taken.
 *
 * Pure functions from figures to SVG in a buffer, any thread. The chart is drawn twice, for wide and for narrow
 * screens, with the same functions and another size; labels are placed last, when it is known what is in their way. */
#include <math.h>
#include <stdio.h>

#include "universe/universe_page_int.h"

#define FONT_PX    12.0
#define MARK_PX    4.5
#define SET_PX     6.5
#define RING_PX    11.0
#define LINE_BOXES 8 /* in the way of labels, from one set to the next */

struct chart {
    const struct universe_page *p;
    struct svg_frame f;
    struct svg_scale x, y;
    bool narrow;
    struct svg_label labels[SVG_LABELS_MAX];
    struct str names[SVG_LABELS_MAX];
    bool strong[SVG_LABELS_MAX];
    size_t label_count;
    struct svg_box obstacles[SVG_OBSTACLES_MAX];
    size_t obstacle_count;
};

static double at_x(const struct chart *c, int64_t nano_usd)
{
    return svg_at(&c->x, candidate_usd(nano_usd));
}

static bool dominated(const struct universe *u, size_t candidate)
{
    return u->uses[candidate].dominated_by != SIZE_MAX;
}

/* The cheapest and the dearest thing drawn, and the least score. What costs nothing has no place on a logarithm. */
static void chart_begin(struct chart *c, const struct universe_page *p, const struct page_size *s)
{
    const struct universe *u = p->u;
    double low = INFINITY, high = 0, least = u->all;
    for (size_t i = 0; i < u->c->count; i++) {
        if (!candidate_cost_known(u->c, i))
            continue;
        double usd = candidate_usd(u->c->cost_nano_usd[i]);
        low = fmin(low, usd);
        high += usd;
        least = fmin(least, u->c->score[i]);
    }
    c->p = p;
    c->narrow = s->narrow;
    c->f = (struct svg_frame){s->width, s->height, 50, s->width - 14, 30, s->height - 46};
    c->x = svg_scale_cost(low, high, c->f.left, c->f.right);
    c->y = (struct svg_scale){fmax(0, least - 0.04), fmin(1, u->all + 0.05), c->f.bottom, c->f.top,
                              false};
}

static void obstacle(struct chart *c, double x, double y, double half)
{
    if (c->obstacle_count < SVG_OBSTACLES_MAX)
        c->obstacles[c->obstacle_count++] =
            (struct svg_box){x - half, y - half, x + half, y + half};
}

static void label(struct chart *c, double x, double y, struct str name, bool strong)
{
    if (c->label_count == SVG_LABELS_MAX)
        return;
    double width = svg_text_width(name, FONT_PX) * (strong ? 1.08 : 1);
    c->names[c->label_count] = name;
    c->strong[c->label_count] = strong;
    c->labels[c->label_count++] = (struct svg_label){.x = x, .y = y, .width = width};
}

static void labels_draw(struct chart *c, struct buf *b)
{
    struct svg_box area = {c->f.left + 2, c->f.top - 4, c->f.right, c->f.bottom - 2};
    svg_labels_place(c->labels, c->label_count, c->obstacles, c->obstacle_count, area, FONT_PX);
    for (size_t i = 0; i < c->label_count; i++) {
        const struct svg_label *l = &c->labels[i];
        if (!l->placed)
            continue;
        buf_addf(b, "<text class=\"lab%s\" x=\"%.1f\" y=\"%.1f\">", c->strong[i] ? " strong" : "",
                 l->text_x, l->text_y + 4);
        markup_text(b, c->names[i]);
        buf_add_c(b, "</text>\n");
    }
}

static void hint(struct buf *b, double score, int64_t nano_usd)
{
    buf_add_c(b, ": ");
    markup_percent(b, score, 1);
    buf_add_c(b, " % for ");
    markup_usd(b, candidate_usd(nano_usd));
    buf_add_c(b, " per 1,000</title>");
}

/* Candidates alone */

static void candidate_draw(struct chart *c, size_t i, struct buf *b)
{
    const struct universe *u = c->p->u;
    if (!candidate_cost_known(u->c, i))
        return;
    double x = at_x(c, u->c->cost_nano_usd[i]), y = svg_at(&c->y, u->c->score[i]);
    const char *colour = u->uses[i].member ? "b4" : dominated(u, i) ? "hollow" : "b7";
    buf_addf(b, "<g class=\"mark %s\"><title>", colour);
    markup_text(b, candidate_name(u->c, i));
    hint(b, u->c->score[i], u->c->cost_nano_usd[i]);
    buf_addf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/></g>\n", x, y, MARK_PX);
    obstacle(c, x, y, MARK_PX + 1);
}

static void candidate_label(struct chart *c, size_t i)
{
    const struct universe *u = c->p->u;
    if (candidate_cost_known(u->c, i))
        label(c, at_x(c, u->c->cost_nano_usd[i]), svg_at(&c->y, u->c->score[i]),
              candidate_name(u->c, i), false);
}

static void candidates_draw(struct chart *c, struct buf *b)
{
    const struct universe *u = c->p->u;
    for (size_t i = 0; i < u->c->count; i++)
        if (!u->uses[i].member)
            candidate_draw(c, i, b);
    for (size_t i = 0; i < u->s.set.count; i++)
        candidate_draw(c, u->s.set.members[i], b);
    for (size_t i = 0; i < u->s.set.count && i < (c->narrow ? 3 : 8); i++)
        candidate_label(c, u->s.set.members[i]);
    for (size_t i = 0; i < u->c->count && !c->narrow; i++)
        if (!u->uses[i].member && !dominated(u, i))
            candidate_label(c, i);
}

/* Sets */

static void set_title(const struct chart *c, const struct frontier_point *at, struct buf *b)
{
    buf_addf(b, "<title>%zu: ", at->count);
    universe_page_names(c->p, at->members, at->count, b);
    hint(b, at->achieves, at->cost_nano_usd);
}

static void line_obstacles(struct chart *c, const struct frontier_point *from,
                           const struct frontier_point *to)
{
    for (int i = 0; i <= LINE_BOXES; i++) {
        double part = (double)i / LINE_BOXES;
        double x = (1 - part) * at_x(c, from->cost_nano_usd) + part * at_x(c, to->cost_nano_usd);
        double y = (1 - part) * svg_at(&c->y, from->achieves) + part * svg_at(&c->y, to->achieves);
        obstacle(c, x, y, MARK_PX);
    }
}

static void by_cost_draw(struct chart *c, struct buf *b)
{
    const struct universe *u = c->p->u;
    bool started = false;
    if (!u->by_cost_count)
        return;
    buf_add_c(b, "<path class=\"curve\" d=\"");
    for (size_t i = 0; i < u->by_cost_count; i++) {
        const struct frontier_point *at = &u->by_cost[i];
        double x = at_x(c, at->cost_nano_usd), y = svg_at(&c->y, at->achieves);
        svg_path_point(b, &started, x, y);
        if (i)
            line_obstacles(c, &u->by_cost[i - 1], at);
    }
    buf_add_c(b, "\"/>\n");
    for (size_t i = 0; i < u->by_cost_count; i++) {
        const struct frontier_point *at = &u->by_cost[i];
        buf_add_c(b, "<g class=\"mark inkfill\">");
        set_title(c, at, b);
        buf_addf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/></g>\n", at_x(c, at->cost_nano_usd),
                 svg_at(&c->y, at->achieves));
    }
}

/* Where costs are not known, the number has no place either. */
static void by_number_draw(struct chart *c, struct buf *b)
{
    const struct universe *u = c->p->u;
    for (size_t i = 0; i < u->by_number_count; i++) {
        const struct frontier_point *at = &u->by_number[i];
        if (at->cost_nano_usd >= CANDIDATE_COST_UNKNOWN)
            continue;
        double x = at_x(c, at->cost_nano_usd), y = svg_at(&c->y, at->achieves);
        buf_add_c(b, "<g class=\"mark b0\">");
        set_title(c, at, b);
        buf_addf(b, "<path d=\"M%.1f %.1fl%g %gl-%g %gl-%g -%gz\"/></g>\n", x, y - SET_PX, SET_PX,
                 SET_PX, SET_PX, SET_PX, SET_PX, SET_PX);
        obstacle(c, x, y, SET_PX);
    }
}

static void chosen_draw(struct chart *c, struct buf *b)
{
    const struct universe *u = c->p->u;
    if (u->s.set.cost_nano_usd >= CANDIDATE_COST_UNKNOWN)
        return;
    double x = at_x(c, u->s.set.cost_nano_usd), y = svg_at(&c->y, u->covers);
    buf_addf(b, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/>\n", x, y, RING_PX);
    obstacle(c, x, y, RING_PX);
    label(c, x, y, STR("this set"), true);
}

static void routed_draw(struct chart *c, struct buf *b)
{
    const struct universe_routed *r = c->p->routed;
    bool started = false;
    if (!r)
        return;
    buf_add_c(b, "<path class=\"two\" d=\"");
    for (size_t i = 0; i < UNIVERSE_BUDGETS; i++) {
        double x = svg_at(&c->x, r->usd_per_1k[i]), y = svg_at(&c->y, r->score[i]);
        if (x < c->f.left || y > c->f.bottom)
            continue;
        svg_path_point(b, &started, x, y);
        obstacle(c, x, y, 3);
    }
    buf_add_c(b, "\"/>\n");
}

/* One piece: what is drawn later lies on what is drawn before, and labels come last. */
static void chart_draw(const struct universe_page *p, const struct page_size *s, struct buf *b)
{
    struct chart chart = {0}, *c = &chart;
    chart_begin(c, p, s);
    char id[32];
    snprintf(id, sizeof(id), "frontier-%s", s->css);
    svg_open(b, id, s->css, s->width, s->height, "The frontier of sets",
             "Cost per 1,000 questions along x, mean score along y: the best set for each cost and "
             "for each number of members by coverage, every candidate alone, the set that was "
             "chosen. The tables below hold the same figures.");
    svg_axis_percent(b, &c->f, &c->y, s->narrow ? 6 : 8, "score, or coverage of a set");
    svg_axis_cost(b, &c->f, &c->x, s->narrow ? 4 : 10,
                  c->x.log ? "USD per 1,000 questions, all asked (logarithmic)"
                           : "USD per 1,000 questions, all asked");
    by_cost_draw(c, b);
    routed_draw(c, b);
    chosen_draw(c, b);
    candidates_draw(c, b);
    by_number_draw(c, b);
    labels_draw(c, b);
    svg_close(b);
}

static void legend_draw(const struct universe_page *p, struct buf *b)
{
    buf_add_c(b, "<ul class=\"legend\">\n");
    page_legend_item(b,
                     "<path class=\"curve\" d=\"M1 7H25\"/><circle class=\"mark inkfill\" "
                     "cx=\"13\" cy=\"7\" r=\"4\"/>",
                     "the best set that its cost allows");
    page_legend_item(b, "<path class=\"b0\" d=\"M13 1l6 6l-6 6l-6 -6z\"/>",
                     "the best set of 1, 2, … members");
    page_legend_item(b, "<circle class=\"ring\" cx=\"13\" cy=\"7\" r=\"6\"/>", "the set chosen");
    page_legend_item(b, "<circle class=\"b4\" cx=\"13\" cy=\"7\" r=\"5\"/>", "a member alone");
    page_legend_item(b, "<circle class=\"b7\" cx=\"13\" cy=\"7\" r=\"5\"/>", "a candidate alone");
    page_legend_item(b, "<circle class=\"hollow\" cx=\"13\" cy=\"7\" r=\"5\"/>", "dominated");
    if (p->routed)
        page_legend_item(b, "<path class=\"two\" d=\"M1 7H25\"/>",
                         "the set chosen, routed, by what routing spends");
    buf_add_c(b, "</ul>\n");
}

/* The tables behind the chart */

static void point_row(const struct universe_page *p, const struct frontier_point *at, struct buf *b)
{
    buf_addf(b, "<tr><td>%zu</td><td>", at->count);
    markup_percent(b, at->achieves, 1);
    buf_addf(b,
             "%s</td><td><span class=\"bar\" aria-hidden=\"true\"><i class=\"b0\" "
             "style=\"width:%.1f%%\"></i></span></td><td>",
             at->proved ? "" : " <span class=\"soft\">(not proved)</span>", 100 * at->achieves);
    markup_usd(b, candidate_usd(at->cost_nano_usd));
    buf_add_c(b, "</td><td class=\"l members\">");
    universe_page_names(p, at->members, at->count, b);
    buf_add_c(b, "</td></tr>\n");
}

static void points_table(const struct universe_page *p, const struct frontier_point *points,
                         size_t count, struct buf *b)
{
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">members</th>"
                 "<th scope=\"col\">covers, %</th><th></th><th scope=\"col\">USD per<br />1,000"
                 "</th><th scope=\"col\" class=\"l\">who</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++)
        point_row(p, &points[i], b);
    buf_add_c(b, "</tbody></table></div>\n");
}

void universe_page_frontier(const struct universe_page *p, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 520, false}, {"narrow", 420, 440, true}};
    if (!p->u->by_cost_count)
        return;
    page_section(b, "frontier", "What a set achieves for its cost",
                 "Up and to the left is better. Sets stand at what asking all their members "
                 "everything costs, and at what they cover: what routing would achieve if it "
                 "always knew whom to ask.");
    buf_add_c(b, "<figure>");
    for (size_t i = 0; i < 2; i++)
        chart_draw(p, &sizes[i], b);
    legend_draw(p, b);
    buf_add_c(b, "</figure>\n<details><summary>The best sets by cost</summary>");
    points_table(p, p->u->by_cost, p->u->by_cost_count, b);
    buf_add_c(b, "</details>\n");
    page_section_end(b);
}

void universe_page_number(const struct universe_page *p, struct buf *b)
{
    page_section(b, "number", "What a set achieves by its number",
                 "The best set of so many members, whatever it costs. Sets need not hold one "
                 "another: who is best in a small one may not be wanted in a large one.");
    points_table(p, p->u->by_number, p->u->by_number_count, b);
    page_section_end(b);
}
