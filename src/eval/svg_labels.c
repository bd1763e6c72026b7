/* Labels beside points: each takes the best free place among rings of candidates around its point. */
#include <math.h>

#include "eval/svg.h"

#define RINGS          5
#define RING_PX        9.0
#define DIRECTIONS     12
#define LEADER_PX      16.0 /* farther than this from its point a label gets a line */
#define GAP_PX         4.0  /* between two labels side by side */
#define COST_OBSTACLE  4.0
#define COST_CROSSING  6.0 /* the line to the point runs over another label */
#define LEADER_SAMPLES 8
#define COST_RING      3.0
#define COST_DIRECTION 0.3

double svg_text_width(struct str s, double font_px)
{
    double ems = 0;
    for (size_t at = 0; at < s.len;) {
        uint32_t code = utf8_next(s, &at);
        bool narrow = code == 'i' || code == 'l' || code == '.' || code == ',' || code == '-' ||
                      code == 'j' || code == 't' || code == 'f' || code == '(' || code == ')';
        bool wide = code == 'm' || code == 'w' || code == 'M' || code == 'W' || code > 0x2E7F;
        ems += code > 0x2E7F ? 1.05 : wide ? 0.87 : narrow ? 0.38 : 0.6;
    }
    return ems * font_px;
}

static bool overlap(struct svg_box a, struct svg_box b)
{
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

static bool inside(struct svg_box a, struct svg_box area)
{
    return a.x0 >= area.x0 && a.x1 <= area.x1 && a.y0 >= area.y0 && a.y1 <= area.y1;
}

/* The text's box at direction d (0: to the right, counter-clockwise) of a ring of this radius. */
static struct svg_box candidate(const struct svg_label *l, double radius, size_t d, double font_px)
{
    double angle = 2 * acos(-1) * (double)d / DIRECTIONS;
    double cx = l->x + radius * cos(angle), cy = l->y - radius * sin(angle);
    /* the box leans away from the point, whole to the side and half above */
    double x0 = cx - l->width * (1 - cos(angle)) / 2;
    double half = 0.58 * font_px, y = cy - half * sin(angle);
    return (struct svg_box){x0, y - half, x0 + l->width, y + half};
}

struct places {
    const struct svg_box *obstacles, *taken;
    size_t obstacle_count, taken_count;
    struct svg_box area;
};

/* Labels under the line from the label's point to its box. */
static size_t crossings(const struct places *p, const struct svg_label *l, struct svg_box box)
{
    size_t n = 0;
    double to_x = fmin(fmax(l->x, box.x0), box.x1), to_y = box.y0 > l->y ? box.y0 : box.y1;
    for (size_t s = 1; s < LEADER_SAMPLES; s++) {
        double share = (double)s / LEADER_SAMPLES;
        double x = l->x + share * (to_x - l->x), y = l->y + share * (to_y - l->y);
        for (size_t i = 0; i < p->taken_count; i++)
            n += overlap((struct svg_box){x, y, x + 1, y + 1}, p->taken[i]);
    }
    return n;
}

/* How bad a box is; infinite where it must not be. */
static double badness(const struct places *p, const struct svg_label *l, struct svg_box box,
                      size_t ring, size_t direction)
{
    double cost = COST_RING * (double)ring + (direction ? COST_DIRECTION : 0);
    if (!inside(box, p->area))
        return INFINITY;
    struct svg_box roomy = {box.x0 - GAP_PX, box.y0, box.x1 + GAP_PX, box.y1};
    for (size_t i = 0; i < p->taken_count; i++)
        if (overlap(roomy, p->taken[i]))
            return INFINITY;
    for (size_t i = 0; i < p->obstacle_count; i++)
        if (overlap(box, p->obstacles[i]))
            cost += COST_OBSTACLE;
    if (RING_PX * (double)(ring + 1) > LEADER_PX && crossings(p, l, box))
        cost += COST_CROSSING;
    return cost;
}

static void place(struct svg_label *l, const struct places *p, double font_px,
                  struct svg_box *ret_box)
{
    double best = INFINITY, best_radius = 0;
    l->placed = false;
    for (size_t ring = 0; ring < RINGS; ring++)
        for (size_t d = 0; d < DIRECTIONS; d++) {
            double radius = RING_PX * (double)(ring + 1);
            struct svg_box box = candidate(l, radius, d, font_px);
            double cost = badness(p, l, box, ring, d);
            if (cost >= best)
                continue;
            best = cost;
            best_radius = radius;
            *ret_box = box;
            l->placed = true;
        }
    if (!l->placed)
        return;
    l->text_x = ret_box->x0;
    l->text_y = (ret_box->y0 + ret_box->y1) / 2;
    l->leader = best_radius > LEADER_PX;
}

void svg_labels_place(struct svg_label *labels, size_t count, const struct svg_box *obstacles,
                      size_t obstacle_count, struct svg_box area, double font_px)
{
    struct svg_box taken[SVG_LABELS_MAX];
    struct places p = {obstacles, taken, obstacle_count, 0, area};
    for (size_t i = 0; i < count; i++) {
        labels[i].placed = false;
        if (p.taken_count == SVG_LABELS_MAX)
            continue;
        place(&labels[i], &p, font_px, &taken[p.taken_count]);
        p.taken_count += labels[i].placed;
    }
}
