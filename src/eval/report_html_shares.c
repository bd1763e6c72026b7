/* Which experts answer what along the curve, as a stack of shares over cost. */
#include <math.h>
#include <stdio.h>

#include "eval/report_html_int.h"

#define IN_BAND_PX     19.0 /* a band at least this thick has its name in it */
#define IN_BAND_FONT   12.0
#define IN_BAND_BOLD   1.1 /* wider than plain text */
#define IN_BAND_POINTS 5   /* places on either side over which it must be that thick */

/* Share of layer `layer` at place i; the layer behind the slots is all the others. */
static double layer_share(const struct page *p, size_t i, size_t layer)
{
    const double *shares = p->r->path[i].shares;
    if (layer < p->slot_count)
        return shares[p->slotted[layer]];
    double sum = 0;
    for (size_t c = 0; c < p->r->columns; c++)
        sum += p->slot[c] == PAGE_SLOTS ? shares[c] : 0;
    return sum;
}

static double layer_bottom(const struct page *p, size_t i, size_t layer)
{
    double sum = 0;
    for (size_t l = 0; l < layer; l++)
        sum += layer_share(p, i, l);
    return fmin(sum, 1);
}

static void layer_path(const struct page *p, const struct svg_scale *x, const struct svg_scale *y,
                       size_t layer, struct buf *b)
{
    bool started = false;
    buf_addf(b, "<path class=\"sep b%zu\" d=\"", layer < p->slot_count ? layer : PAGE_SLOTS);
    for (size_t i = 0; i < 2 * REPORT_PATH_POINTS; i++) {
        bool back = i >= REPORT_PATH_POINTS;
        size_t at = back ? 2 * REPORT_PATH_POINTS - 1 - i : i;
        double share = layer_bottom(p, at, back ? layer : layer + 1);
        svg_path_point(b, &started, svg_at(x, p->r->path[at].usd_per_1k), svg_at(y, share));
    }
    buf_add_c(b, "z\"><title>");
    if (layer < p->slot_count)
        markup_text(b, p->r->experts[p->slotted[layer]].name);
    else
        buf_add_c(b, "all others");
    buf_add_c(b, "</title></path>\n");
}

/* The least thickness around place i. */
static double thickness(const struct page *p, size_t i, size_t layer)
{
    double least = 1;
    for (size_t j = i - IN_BAND_POINTS; j <= i + IN_BAND_POINTS; j++)
        least = fmin(least, layer_share(p, j, layer));
    return least;
}

static void layer_name(const struct page *p, const struct svg_frame *f, const struct svg_scale *x,
                       const struct svg_scale *y, size_t layer, struct buf *b)
{
    char text[PAGE_NAME_BYTES];
    size_t best = IN_BAND_POINTS;
    for (size_t i = IN_BAND_POINTS; i < REPORT_PATH_POINTS - IN_BAND_POINTS; i++)
        if (thickness(p, i, layer) > thickness(p, best, layer))
            best = i;
    if (thickness(p, best, layer) * (f->bottom - f->top) < IN_BAND_PX)
        return;
    struct str name = page_short_name(p, p->slotted[layer], text);
    double half = svg_text_width(name, IN_BAND_FONT) * IN_BAND_BOLD / 2 + 5;
    double at = svg_at(x, p->r->path[best].usd_per_1k);
    double middle = layer_bottom(p, best, layer) + layer_share(p, best, layer) / 2;
    if (2 * half > f->right - f->left)
        return;
    buf_addf(b, "<text class=\"inband\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">",
             fmin(fmax(at, f->left + half), f->right - half), svg_at(y, middle) + 4);
    markup_text(b, name);
    buf_add_c(b, "</text>\n");
}

static void shares_draw(const struct page *p, const struct page_size *s, struct buf *b)
{
    const struct report_path_point *path = p->r->path;
    struct svg_frame f = {s->width, s->height, 50, s->width - 14, 30, s->height - 46};
    struct svg_scale x = svg_scale_cost(path[0].usd_per_1k, path[REPORT_PATH_POINTS - 1].usd_per_1k,
                                        f.left, f.right);
    struct svg_scale y = {0, 1, f.bottom, f.top, false};
    if (path[REPORT_PATH_POINTS - 1].usd_per_1k > path[0].usd_per_1k) {
        x.low = path[0].usd_per_1k; /* the stack fills its frame */
        x.high = path[REPORT_PATH_POINTS - 1].usd_per_1k;
    }
    char id[32];
    snprintf(id, sizeof(id), "shares-%s", s->css);
    svg_open(
        b, id, s->css, s->width, s->height, "Who answers along the curve",
        "Shares of the queries that each expert or plan answers, stacked, over the cost of the "
        "policy.");
    svg_axis_percent(b, &f, &y, s->narrow ? 4 : 5, "share of queries");
    svg_axis_cost(b, &f, &x, s->narrow ? 5 : 10,
                  x.log ? "USD per 1,000 queries (logarithmic)" : "USD per 1,000 queries");
    for (size_t layer = 0; layer < p->slot_count + p->others; layer++)
        layer_path(p, &x, &y, layer, b);
    for (size_t layer = 0; layer < p->slot_count; layer++)
        layer_name(p, &f, &x, &y, layer, b);
    svg_close(b);
}

void page_shares(const struct page *p, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 360, false}, {"narrow", 420, 340, true}};
    if (p->r->steps == 0)
        return; /* one policy for all lambdas: nothing happens along it */
    page_section(
        b, "shares", "Who answers",
        "What share of the queries each expert or plan answers, as the policy may spend more "
        "from left to right. Cheap ones lie at the bottom.");
    buf_add_c(b, "<figure>");
    for (size_t i = 0; i < 2; i++)
        shares_draw(p, &sizes[i], b);
    page_legend(p, false, b);
    buf_add_c(b, "</figure>\n");
    page_section_end(b);
}
