/* Small helpers to draw charts as SVG: scales, ticks, axes, and labels that keep out of each other's way.
 *
 * Lengths are pixels of the viewBox. Colours and fonts come from classes of the page's style sheet. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define SVG_TICKS_MAX 40

/* Data low..high drawn at from..to (from may be the larger: axes that point up). */
struct svg_scale {
    double low, high, from, to;
    bool log;
};

/* An axis that holds low..high with some room; logarithmic when `low` is positive and `high` many times larger. */
struct svg_scale svg_scale_cost(double low, double high, double from, double to);
double svg_at(const struct svg_scale *s, double value);
/* The data value of a pixel. */
double svg_value(const struct svg_scale *s, double at);

struct svg_tick {
    double value;
    bool major; /* has a label */
};
/* About `wanted` labelled ticks at round values. ticks[SVG_TICKS_MAX]; returns how many. */
size_t svg_ticks(const struct svg_scale *s, size_t wanted, struct svg_tick *ticks);

/* The room that a chart draws in. */
struct svg_frame {
    double width, height;
    double left, right, top, bottom; /* edges of the plot area */
};

/* <svg> with a title and a description for readers who cannot see it; `id` must be unique in the page. */
void svg_open(struct buf *b, const char *id, const char *css, double width, double height,
              const char *title, const char *description);
void svg_close(struct buf *b);
/* Grid, tick labels and titles; costs along x, shares in percent along y. */
void svg_axis_cost(struct buf *b, const struct svg_frame *f, const struct svg_scale *x,
                   size_t wanted, const char *title);
void svg_axis_percent(struct buf *b, const struct svg_frame *f, const struct svg_scale *y,
                      size_t wanted, const char *title);
/* "M x y L x y ..." one point at a time; opens with the first. */
void svg_path_point(struct buf *b, bool *started, double x, double y);

/* Labels */

#define SVG_LABELS_MAX    80
#define SVG_OBSTACLES_MAX 640

struct svg_box {
    double x0, y0, x1, y1;
};

struct svg_label {
    double x, y;           /* of the point it names */
    double text_x, text_y; /* out: where the text starts, at half its height */
    double width;          /* of the text */
    bool placed;           /* out */
    bool leader;           /* out: far enough for a line to the point */
};

/* An estimate of a text's width at the charts' font size, rather too much than too little. */
double svg_text_width(struct str s, double font_px);
/* Finds places inside `area` for labels[count], the first ones first: never over each other, and over obstacles
 * (curves, points; as small boxes) only when there is no better place near. One without a place is left out. */
void svg_labels_place(struct svg_label *labels, size_t count, const struct svg_box *obstacles,
                      size_t obstacle_count, struct svg_box area, double font_px);
