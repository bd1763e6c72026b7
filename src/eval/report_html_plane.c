/* The cost-accuracy plane: every expert and plan, the learned curve with its error, and what has to be beaten.
 *
 * Pure functions from a report to SVG in a buffer, any thread. The plane is drawn twice, for wide and for narrow
 * screens, with the same functions and another size; labels are placed last, when it is known what is in their way. */
#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "eval/baseline.h"
#include "eval/report_html_int.h"

#define FONT_PX      12.0
#define MARK_PX      5.5
#define RING_PX      9.5 /* around the reference */
#define MIX_POINTS   96
#define MIX_BOX_PX   3.0
#define CURVE_BOX_PX 5.0
#define LABELS_WIDE  60 /* of points, at most */

struct plane {
    const struct page *p;
    struct svg_frame f;
    struct svg_scale x, y;
    bool narrow;
    struct svg_label labels[SVG_LABELS_MAX];
    struct str names[SVG_LABELS_MAX];
    char texts[SVG_LABELS_MAX][PAGE_NAME_BYTES];
    bool strong[SVG_LABELS_MAX];
    size_t label_count;
    struct svg_box obstacles[SVG_OBSTACLES_MAX];
    size_t obstacle_count;
};

struct range {
    double low, high;
};

static void range_add(struct range *r, double value)
{
    r->low = fmin(r->low, value); /* fmin and fmax ignore a NaN */
    r->high = fmax(r->high, value);
}

static void ranges(const struct page *p, struct range *cost, struct range *accuracy)
{
    const struct report *r = p->r;
    *cost = *accuracy = (struct range){NAN, NAN};
    for (size_t c = 0; c < r->columns; c++) {
        range_add(cost, r->experts[c].usd_per_1k);
        range_add(accuracy, r->experts[c].accuracy.value);
    }
    range_add(cost, r->oracle.usd_per_1k);
    range_add(accuracy, r->oracle.accuracy.value);
    const struct report *both[] = {r, p->in->compare};
    for (size_t m = 0; m < 2 && both[m]; m++)
        for (size_t i = 0; i < REPORT_PATH_POINTS; i++) {
            range_add(cost, both[m]->path[i].usd_per_1k);
            range_add(accuracy, both[m]->path[i].accuracy.value);
        }
}

static void plane_init(struct plane *pl, const struct page *p, const struct page_size *s)
{
    struct range cost, accuracy;
    ranges(p, &cost, &accuracy);
    double room = fmax(0.02, 0.08 * (accuracy.high - accuracy.low));
    pl->p = p;
    pl->narrow = s->narrow;
    pl->f = (struct svg_frame){s->width, s->height, 50, s->width - 14, 30, s->height - 46};
    pl->x = svg_scale_cost(cost.low, cost.high, pl->f.left, pl->f.right);
    pl->y = (struct svg_scale){fmax(0, accuracy.low - room), fmin(1, accuracy.high + room),
                               pl->f.bottom, pl->f.top, false};
}

/* Things in the way of labels, and labels */

static void obstacle(struct plane *pl, double x, double y, double half)
{
    if (pl->obstacle_count < SVG_OBSTACLES_MAX)
        pl->obstacles[pl->obstacle_count++] =
            (struct svg_box){x - half, y - half, x + half, y + half};
}

static void label(struct plane *pl, double x, double y, struct str name, bool strong)
{
    if (pl->label_count == SVG_LABELS_MAX)
        return;
    double width = svg_text_width(name, FONT_PX) * (strong ? 1.08 : 1);
    pl->names[pl->label_count] = name;
    pl->strong[pl->label_count] = strong;
    pl->labels[pl->label_count++] = (struct svg_label){.x = x, .y = y, .width = width};
}

static void labels_draw(struct plane *pl, struct buf *b)
{
    struct svg_box area = {pl->f.left + 2, pl->f.top - 4, pl->f.right, pl->f.bottom - 2};
    svg_labels_place(pl->labels, pl->label_count, pl->obstacles, pl->obstacle_count, area, FONT_PX);
    for (size_t i = 0; i < pl->label_count; i++) {
        const struct svg_label *l = &pl->labels[i];
        if (!l->placed)
            continue;
        if (l->leader) {
            double to_x = fmin(fmax(l->x, l->text_x), l->text_x + l->width);
            double to_y = l->text_y + (l->text_y > l->y ? -5 : 5);
            buf_addf(b, "<path class=\"lead\" d=\"M%.1f %.1fL%.1f %.1f\"/>", l->x, l->y, to_x,
                     to_y);
        }
        buf_addf(b, "<text class=\"lab%s\" x=\"%.1f\" y=\"%.1f\">", pl->strong[i] ? " strong" : "",
                 l->text_x, l->text_y + 4);
        markup_text(b, pl->names[i]);
        buf_add_c(b, "</text>\n");
    }
}

/* Curves */

static void band_draw(const struct plane *pl, const struct report *r, struct buf *b)
{
    bool started = false;
    if (r->draws == 0)
        return;
    buf_add_c(b, "<path class=\"band\" d=\"");
    for (size_t i = 0; i < 2 * REPORT_PATH_POINTS; i++) {
        bool back = i >= REPORT_PATH_POINTS;
        const struct report_path_point *at = &r->path[back ? 2 * REPORT_PATH_POINTS - 1 - i : i];
        double edge = at->accuracy.value + (back ? -1 : 1) * at->accuracy.error;
        if (isfinite(edge))
            svg_path_point(b, &started, svg_at(&pl->x, at->usd_per_1k), svg_at(&pl->y, edge));
    }
    buf_add_c(b, "\"/>\n");
}

static void curve_draw(struct plane *pl, const struct report *r, const char *css, struct buf *b)
{
    bool started = false;
    buf_addf(b, "<path class=\"%s\" d=\"", css);
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++) {
        const struct report_path_point *at = &r->path[i];
        if (isnan(at->accuracy.value))
            continue;
        double x = svg_at(&pl->x, at->usd_per_1k), y = svg_at(&pl->y, at->accuracy.value);
        svg_path_point(b, &started, x, y);
        obstacle(pl, x, y, CURVE_BOX_PX);
    }
    buf_add_c(b, "\"/>\n");
}

/* Invisible dots along the curve that say their figures when pointed at. */
static void curve_hints(const struct plane *pl, const struct report *r, struct buf *b)
{
    for (size_t i = 0; i < REPORT_PATH_POINTS; i++) {
        const struct report_path_point *at = &r->path[i];
        if (isnan(at->accuracy.value))
            continue;
        buf_addf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"7\" fill=\"transparent\"><title>",
                 svg_at(&pl->x, at->usd_per_1k), svg_at(&pl->y, at->accuracy.value));
        markup_percent(b, at->accuracy.value, 1);
        buf_add_c(b, " % for ");
        markup_usd(b, at->usd_per_1k);
        buf_add_c(b, " per 1,000, lambda ");
        markup_lambda(b, at->cut.lambda);
        buf_add_c(b, "</title></circle>");
    }
}

static void mix_draw(struct plane *pl, struct buf *b)
{
    const struct report *r = pl->p->r;
    bool started = false;
    buf_add_c(b, "<path class=\"mix\" d=\"");
    for (size_t i = 0; i <= MIX_POINTS; i++) {
        double at = pl->x.from + (pl->x.to - pl->x.from) * (double)i / MIX_POINTS;
        double usd = svg_value(&pl->x, at);
        double accuracy = baseline_mix_at(pl->p->in->table, r->experts, usd);
        if (isnan(accuracy))
            continue;
        svg_path_point(b, &started, at, svg_at(&pl->y, accuracy));
        obstacle(pl, at, svg_at(&pl->y, accuracy), MIX_BOX_PX);
    }
    buf_add_c(b, "\"/>\n");
}

/* Points */

static void hint(struct buf *b, struct str name, double accuracy, double usd_per_1k)
{
    buf_add_c(b, "<title>");
    markup_text(b, name);
    buf_add_c(b, ": ");
    markup_percent(b, accuracy, 1);
    buf_add_c(b, " % for ");
    markup_usd(b, usd_per_1k);
    buf_add_c(b, " per 1,000</title>");
}

static void column_draw(struct plane *pl, size_t column, struct buf *b)
{
    const struct page *p = pl->p;
    const struct report_expert *e = &p->r->experts[column];
    double x = svg_at(&pl->x, e->usd_per_1k), y = svg_at(&pl->y, e->accuracy.value);
    const char *hollow = e->in_pool ? "" : " hollow";
    if (column == p->r->reference)
        buf_addf(b, "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/>", x, y, RING_PX);
    buf_addf(b, "<g class=\"mark b%d%s\">", p->slot[column], hollow);
    hint(b, e->name, e->accuracy.value, e->usd_per_1k);
    if (column >= p->r->expert_count)
        buf_addf(b, "<path d=\"M%.1f %.1fl7 7l-7 7l-7 -7z\"/>", x, y - 7);
    else
        buf_addf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/>", x, y, MARK_PX);
    buf_add_c(b, "</g>\n");
    obstacle(pl, x, y, column == p->r->reference ? RING_PX + 1 : MARK_PX + 1);
}

static void baseline_draw(struct plane *pl, const struct report_baseline *base, const char *shape,
                          const char *name, struct buf *b)
{
    double x = svg_at(&pl->x, base->usd_per_1k), y = svg_at(&pl->y, base->accuracy.value);
    buf_addf(b, "<g class=\"mark inkfill\" transform=\"translate(%.1f %.1f)\">", x, y);
    hint(b, str_from(name), base->accuracy.value, base->usd_per_1k);
    buf_addf(b, "<path d=\"%s\"/></g>\n", shape);
    obstacle(pl, x, y, MARK_PX + 2);
    label(pl, x, y, str_from(name), false);
}

static void column_label(struct plane *pl, size_t column)
{
    const struct report_expert *e = &pl->p->r->experts[column];
    char *text = pl->texts[pl->label_count < SVG_LABELS_MAX ? pl->label_count : 0];
    if (pl->label_count < SVG_LABELS_MAX)
        label(pl, svg_at(&pl->x, e->usd_per_1k), svg_at(&pl->y, e->accuracy.value),
              page_short_name(pl->p, column, text), column == pl->p->r->reference);
}

/* The reference and the columns that answer get their labels first; on narrow screens no others get one. */
static void column_labels(struct plane *pl)
{
    const struct page *p = pl->p;
    column_label(pl, p->r->reference);
    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slotted[i] != p->r->reference)
            column_label(pl, p->slotted[i]);
    for (size_t c = 0; c < p->r->columns && !(pl->narrow && p->r->columns > PAGE_SLOTS); c++)
        if (p->slot[c] == PAGE_SLOTS && c != p->r->reference && pl->label_count < LABELS_WIDE)
            column_label(pl, c);
}

static void points_draw(struct plane *pl, struct buf *b)
{
    const struct report *r = pl->p->r;
    for (size_t c = 0; c < r->columns; c++)
        if (pl->p->slot[c] == PAGE_SLOTS)
            column_draw(pl, c, b);
    for (size_t i = 0; i < pl->p->slot_count; i++)
        column_draw(pl, pl->p->slotted[i], b);
    baseline_draw(pl, &r->oracle, "M0 -8L7 5H-7z", "oracle", b);
    baseline_draw(pl, &r->random_mix, "M-6 -2h4v-4h4v4h4v4h-4v4h-4v-4h-4z", "random expert", b);
    column_labels(pl);
}

static void plane_draw(const struct page *p, const struct page_size *s, struct buf *b)
{
    struct plane plane = {0}, *pl = &plane;
    plane_init(pl, p, s);
    char id[32];
    snprintf(id, sizeof(id), "plane-%s", s->css);
    svg_open(
        b, id, s->css, s->width, s->height, "Cost and accuracy",
        "Cost per 1,000 queries along x, share of right answers along y: the learned curve, every "
        "expert and plan, the best random mix of experts, the oracle. The tables below hold the "
        "same figures.");
    svg_axis_percent(b, &pl->f, &pl->y, s->narrow ? 6 : 8, "accuracy");
    svg_axis_cost(b, &pl->f, &pl->x, s->narrow ? 5 : 10,
                  pl->x.log ? "USD per 1,000 queries (logarithmic)" : "USD per 1,000 queries");
    band_draw(pl, p->r, b);
    mix_draw(pl, b);
    if (p->in->compare)
        curve_draw(pl, p->in->compare, "two", b);
    curve_draw(pl, p->r, "curve", b);
    points_draw(pl, b);
    labels_draw(pl, b);
    curve_hints(pl, p->r, b);
    svg_close(b);
}

/* Legend */

/* One item for each mark that the plane shows, in the order in which a reader meets them. */
static void legend_draw(const struct page *p, struct buf *b)
{
    buf_add_c(b, "<ul class=\"legend\">\n");
    page_legend_item(b, "<path class=\"curve\" d=\"M1 7H25\"/>",
                     "this model, lambda from high to 0");
    if (p->r->draws)
        page_legend_item(b, "<path class=\"band\" d=\"M1 1H25V13H1z\"/>", "± one standard error");
    if (p->in->compare) {
        buf_add_c(b, "<li><svg viewBox=\"0 0 26 14\" aria-hidden=\"true\"><path class=\"two\" "
                     "d=\"M1 7H25\"/></svg>");
        markup_text(b, str_from(p->in->compare_model));
        buf_add_c(b, "</li>\n");
    }
    page_legend_item(b, "<path class=\"mix\" d=\"M1 7H25\"/>", "best random mix of single experts");
    page_legend_item(b, "<circle class=\"b0\" cx=\"13\" cy=\"7\" r=\"5\"/>",
                     "expert, coloured as below");
    if (p->r->columns > p->slot_count)
        page_legend_item(b, "<circle class=\"b7\" cx=\"13\" cy=\"7\" r=\"5\"/>",
                         "answers little or nothing");
    if (!page_reference(p)->in_pool)
        page_legend_item(b, "<circle class=\"hollow\" cx=\"13\" cy=\"7\" r=\"5\"/>",
                         "not in the pool");
    page_legend_item(b, "<circle class=\"ring\" cx=\"13\" cy=\"7\" r=\"6\"/>", "the reference");
    if (p->r->columns > p->r->expert_count)
        page_legend_item(b, "<path class=\"b0\" d=\"M13 0l7 7l-7 7l-7 -7z\"/>",
                         "plan: P1, P2, … are named below");
    page_legend_item(b, "<path class=\"inkfill\" d=\"M13 1L19 12H7z\"/>",
                     "oracle: the cheapest right expert, known beforehand");
    buf_add_c(b, "</ul>\n");
}

void page_plane(const struct page *p, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 540, false}, {"narrow", 420, 460, true}};
    page_section(b, "plane", "Cost and accuracy",
                 "Up and to the left is better. The curve is what this model does as lambda falls: "
                 "it has to lie above the dotted line, which is what tossing coins between single "
                 "experts gives for the same money.");
    buf_add_c(b, "<figure>");
    for (size_t i = 0; i < 2; i++)
        plane_draw(p, &sizes[i], b);
    legend_draw(p, b);
    buf_add_c(b, "</figure>\n");
    page_section_end(b);
}
