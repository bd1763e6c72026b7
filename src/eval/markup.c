/* Escaping, cutting, and figures as people read them.
 *
 * Pure functions that append to a buffer, any thread. What comes from data goes through markup_text or markup_cut;
 * no page may write it by other ways. */
#include "eval/markup.h"

#include <math.h>
#include <stdio.h>

#define NONE         "–"
#define NUMBER_BYTES 64

static void add_code_point(struct buf *b, struct str raw, uint32_t code)
{
    if (code == '&')
        buf_add_c(b, "&amp;");
    else if (code == '<')
        buf_add_c(b, "&lt;");
    else if (code == '>')
        buf_add_c(b, "&gt;");
    else if (code == '"')
        buf_add_c(b, "&quot;");
    else if (code == '\'')
        buf_add_c(b, "&#39;");
    else if (code == 0xFFFD || code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xFFFE ||
             code == 0xFFFF)
        buf_add_c(b, "\xEF\xBF\xBD");
    else
        buf_add(b, raw);
}

void markup_text(struct buf *b, struct str s)
{
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t code = utf8_next(s, &at);
        add_code_point(b, str_slice(s, from, at), code);
    }
}

static bool is_blank(uint32_t code)
{
    return code == ' ' || code == '\n' || code == '\t' || code == '\r';
}

void markup_cut(struct buf *b, struct str text, size_t most)
{
    size_t count = 0;
    bool gap = false;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t code = utf8_next(text, &at);
        if (is_blank(code)) {
            gap = count > 0;
            continue;
        }
        if (count + gap + 1 > most) {
            buf_add_c(b, "…");
            return;
        }
        if (gap)
            buf_add_char(b, ' ');
        markup_text(b, str_slice(text, from, at));
        count += 1 + gap;
        gap = false;
    }
}

/* Digits with commas between groups of three before the point. */
static void add_grouped(struct buf *b, const char *digits)
{
    size_t whole = 0;
    while (digits[whole] >= '0' && digits[whole] <= '9')
        whole++;
    for (size_t i = 0; i < whole; i++) {
        if (i > 0 && (whole - i) % 3 == 0)
            buf_add_char(b, ',');
        buf_add_char(b, digits[i]);
    }
    buf_add_c(b, digits + whole);
}

void markup_usd(struct buf *b, double usd)
{
    char text[NUMBER_BYTES];
    if (!isfinite(usd)) {
        buf_add_c(b, NONE);
        return;
    }
    double size = fabs(usd);
    int decimals = size > 0 ? 2 - (int)floor(log10(size)) : 2;
    decimals = decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
    snprintf(text, sizeof(text), "%.*f", decimals, size);
    buf_add_c(b, usd < 0 ? "−$" : "$");
    add_grouped(b, text);
}

void markup_percent(struct buf *b, double share, int decimals)
{
    if (isfinite(share))
        buf_addf(b, "%.*f", decimals, 100 * share);
    else
        buf_add_c(b, NONE);
}

void markup_points(struct buf *b, double share, int decimals)
{
    char text[NUMBER_BYTES];
    if (!isfinite(share)) {
        buf_add_c(b, NONE);
        return;
    }
    snprintf(text, sizeof(text), "%.*f", decimals, fabs(100 * share));
    bool zero = true;
    for (const char *c = text; *c; c++)
        zero = zero && (*c == '0' || *c == '.');
    buf_add_c(b, zero ? "" : share < 0 ? "−" : "+");
    buf_add_c(b, text);
}

static void add_error(struct buf *b, double error, int decimals)
{
    if (isfinite(error))
        buf_addf(b, "<span class=\"se\"> ±%.*f</span>", decimals, 100 * error);
}

void markup_percent_se(struct buf *b, const struct figure *f, int decimals)
{
    markup_percent(b, f->value, decimals);
    if (isfinite(f->value))
        add_error(b, f->error, decimals);
}

void markup_points_se(struct buf *b, const struct figure *f, int decimals)
{
    markup_points(b, f->value, decimals);
    if (isfinite(f->value))
        add_error(b, f->error, decimals);
}

void markup_count(struct buf *b, size_t count)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof(text), "%zu", count);
    add_grouped(b, text);
}

void markup_lambda(struct buf *b, double lambda)
{
    if (isnan(lambda))
        buf_add_c(b, NONE);
    else if (isinf(lambda))
        buf_add_c(b, "∞");
    else
        buf_addf(b, "%.4g", lambda);
}
