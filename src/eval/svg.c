/* Scales, ticks and axes of the charts: see svg.h. Labels are svg_labels.c.
 *
 * Pure functions that append to a buffer, any thread. They know lengths in pixels and CSS classes but nothing of
 * reports; titles and descriptions are escaped here. */
#include "eval/svg.h"

#include <math.h>
#include <stdio.h>

#include "eval/markup.h"

#define LOG_RATIO 8 /* a high end this many times the low one: logarithmic */

struct svg_scale svg_scale_cost(double low, double high, double from, double to)
{
    struct svg_scale s = {.from = from, .to = to, .log = low > 0 && high >= LOG_RATIO * low};
    if (s.log) {
        double room = pow(high / low, 0.05);
        s.low = low / room;
        s.high = high * room;
        return s;
    }
    double room = high > low ? 0.06 * (high - low) : high > 0 ? 0.5 * high : 1;
    s.low = low - room < 0.3 * high ? 0 : low - room;
    s.high = high + room;
    return s;
}

double svg_at(const struct svg_scale *s, double value)
{
    double share = s->log ? log(fmax(value, s->low * 1e-3) / s->low) / log(s->high / s->low)
                          : (value - s->low) / (s->high - s->low);
    return s->from + share * (s->to - s->from);
}

double svg_value(const struct svg_scale *s, double at)
{
    double share = (at - s->from) / (s->to - s->from);
    return s->log ? s->low * pow(s->high / s->low, share) : s->low + share * (s->high - s->low);
}

/* Ticks */

/* Whether m (1..9) of a decade has a label when a decade is to have about `per_decade`. */
static bool decade_major(int m, double per_decade)
{
    if (per_decade >= 3)
        return m == 1 || m == 2 || m == 5;
    if (per_decade >= 1.6)
        return m == 1 || m == 3;
    return m == 1;
}

static size_t ticks_log(const struct svg_scale *s, size_t wanted, struct svg_tick *ticks)
{
    double decades = log10(s->high / s->low), per_decade = (double)wanted / decades;
    int first = (int)floor(log10(s->low)), last = (int)ceil(log10(s->high));
    size_t n = 0;
    for (int d = first; d <= last; d++)
        for (int m = 1; m <= 9 && n < SVG_TICKS_MAX; m++) {
            double value = m * pow(10, d);
            bool major = decade_major(m, per_decade);
            if (value >= s->low && value <= s->high * (1 + 1e-9) && (major || decades < 4))
                ticks[n++] = (struct svg_tick){value, major};
        }
    return n;
}

static double round_step(double rough)
{
    double power = pow(10, floor(log10(rough))), m = rough / power;
    return power * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

size_t svg_ticks(const struct svg_scale *s, size_t wanted, struct svg_tick *ticks)
{
    if (s->log)
        return ticks_log(s, wanted, ticks);
    double step = round_step((s->high - s->low) / (double)wanted);
    size_t n = 0;
    double first = ceil(s->low / step - 1e-9);
    for (; n < SVG_TICKS_MAX; n++) {
        double at = (first + (double)n) * step;
        if (at > s->high + 1e-9 * step)
            break;
        ticks[n] = (struct svg_tick){at + 0.0, true}; /* no -0 */
    }
    return n;
}

/* Drawing */

void svg_open(struct buf *b, const char *id, const char *css, double width, double height,
              const char *title, const char *description)
{
    buf_addf(b,
             "<svg class=\"%s\" viewBox=\"0 0 %g %g\" role=\"img\" aria-labelledby=\"%s-t %s-d\" "
             "xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"%s-t\">",
             css, width, height, id, id, id);
    markup_text(b, str_from(title));
    buf_addf(b, "</title><desc id=\"%s-d\">", id);
    markup_text(b, str_from(description));
    buf_add_c(b, "</desc>\n");
}

void svg_close(struct buf *b)
{
    buf_add_c(b, "</svg>\n");
}

void svg_path_point(struct buf *b, bool *started, double x, double y)
{
    buf_addf(b, "%s%.1f %.1f", *started ? " L" : "M", x, y);
    *started = true;
}

/* A price on an axis: no digit too many. */
static void add_tick_usd(struct buf *b, double usd)
{
    if (usd > 0 && usd < 1e-6) {
        buf_addf(b, "$%.0e", usd);
        return;
    }
    buf_addf(b, "$%.10g", usd);
}

static void axis_title_x(struct buf *b, const struct svg_frame *f, const char *title)
{
    buf_addf(b, "<text class=\"axt\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
             (f->left + f->right) / 2, f->height - 6);
    markup_text(b, str_from(title));
    buf_add_c(b, "</text>\n");
}

void svg_axis_cost(struct buf *b, const struct svg_frame *f, const struct svg_scale *x,
                   size_t wanted, const char *title)
{
    struct svg_tick ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(x, wanted, ticks);
    for (size_t i = 0; i < n; i++) {
        double at = svg_at(x, ticks[i].value);
        buf_addf(b, "<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/>", ticks[i].major ? "grid" : "minor",
                 at, f->top, f->bottom);
        if (!ticks[i].major)
            continue;
        buf_addf(b, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", at,
                 f->bottom + 17);
        add_tick_usd(b, ticks[i].value);
        buf_add_c(b, "</text>\n");
    }
    axis_title_x(b, f, title);
}

void svg_axis_percent(struct buf *b, const struct svg_frame *f, const struct svg_scale *y,
                      size_t wanted, const char *title)
{
    struct svg_tick ticks[SVG_TICKS_MAX];
    size_t n = svg_ticks(y, wanted, ticks);
    for (size_t i = 0; i < n; i++) {
        double at = svg_at(y, ticks[i].value);
        buf_addf(b,
                 "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                 "y=\"%.1f\" text-anchor=\"end\">%.10g %%</text>\n",
                 f->left, at, f->right, f->left - 7, at + 4, 100 * ticks[i].value);
    }
    buf_addf(b, "<text class=\"axt\" x=\"%.1f\" y=\"%.1f\">", 2.0, f->top - 12);
    markup_text(b, str_from(title));
    buf_add_c(b, "</text>\n");
}
