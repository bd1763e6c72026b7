/* What bench_paper prints: for a person a table for each pool, or everything as JSON. One thread; everything is
 * appended to the caller's buffer, which the caller prints. The figures are taken as they were measured
 * (paper_measure.c); nothing here measures, and nothing here reads a file. Columns
 * are counted in characters, because "±" has two bytes. */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "paper.h"

#define TEXT_COLUMNS 100
#define CELL_BYTES   64

static void add_usd(struct buf *b, double usd)
{
    buf_addf(b, usd < 0.1 ? "%.4f" : usd < 10 ? "%.3f" : "%.2f", usd);
}

/* Padded to `columns`: printf counts bytes, and "±" has two. */
static void add_cell(struct buf *b, const char *text, size_t columns)
{
    struct str s = str_from(text);
    size_t shown = 0;
    for (size_t at = 0; at < s.len; shown++)
        utf8_next(s, &at);
    buf_add(b, s);
    for (; shown < columns; shown++)
        buf_add_char(b, ' ');
}

/* Words in lines of TEXT_COLUMNS, each after `indent` blanks. */
static void add_wrapped(struct buf *b, struct str text, size_t indent)
{
    size_t column = 0;
    while (text.len > 0) {
        struct str word = str_split(&text, ' ');
        if (str_starts(text, STR("%"))) { /* stays with its number */
            struct str sign = str_split(&text, ' ');
            word.len = (size_t)(sign.ptr + sign.len - word.ptr);
        }
        if (column > 0 && column + 1 + word.len > TEXT_COLUMNS) {
            buf_add_char(b, '\n');
            column = 0;
        }
        if (column > 0)
            buf_add_char(b, ' ');
        for (size_t i = 0; column == 0 && i < indent; i++)
            buf_add_char(b, ' ');
        column += column == 0 ? indent + word.len : 1 + word.len;
        buf_add(b, word);
    }
    buf_add_char(b, '\n');
}

static void figure_text(const struct figure *f, bool relative, char text[CELL_BYTES])
{
    const char *unit = relative ? "%" : "points";
    if (isnan(f->value))
        snprintf(text, CELL_BYTES, "-");
    else if (isnan(f->error))
        snprintf(text, CELL_BYTES, relative ? "%.1f %s" : "%+.1f %s", 100 * f->value, unit);
    else
        snprintf(text, CELL_BYTES, relative ? "%.1f ± %.1f %s" : "%+.1f ± %.1f %s", 100 * f->value,
                 100 * f->error, unit);
}

static const char *verdict(const struct paper_claim *c)
{
    if (c->within_error)
        return c->reproduced ? "reproduced, within error" : "not reproduced, within error";
    return c->reproduced ? "reproduced" : "not reproduced";
}

/* Why a claim fails, from the numbers. */
static void reason(const struct paper_result *r, enum report_claim which, struct buf *b)
{
    const struct paper_claim *c = &r->claims[which];
    struct figure f = paper_figure(c, which);
    if (isnan(f.value)) {
        buf_addf(b, "no policy is that cheap: the cheapest expert costs %.0f %% of the reference",
                 100 * r->cheapest_usd_per_1k / r->reference_usd_per_1k);
        return;
    }
    if (!isnan(c->mix))
        buf_addf(b, "%.1f %% of the answers are right, %.1f %% with blind mixing; ",
                 100 * c->accuracy, 100 * c->mix);
    buf_addf(b,
             "others than the reference answer %.0f %% of the questions, which wins %.1f %% and "
             "loses %.1f %%; whoever knew who is right could win %.1f %%",
             100 * c->why.elsewhere, 100 * c->why.won, 100 * c->why.lost, 100 * c->why.could_win);
}

static void add_claim(const struct paper_result *r, enum report_claim which, struct buf *b)
{
    const struct paper_claim *c = &r->claims[which];
    const struct paper_says *says = &paper_says[which];
    struct figure f = paper_figure(c, which);
    char text[CELL_BYTES];
    buf_add_c(b, "  ");
    add_cell(b, says->claim, 37);
    add_cell(b, says->figure, 13);
    figure_text(&f, says->relative, text);
    add_cell(b, text, 19);
    if (r->plans) {
        figure_text(&c->singles, says->relative, text);
        add_cell(b, text, 19);
    }
    buf_add_c(b, verdict(c));
    buf_add_char(b, '\n');
    if (c->reproduced)
        return;
    struct buf why;
    buf_init(&why, 4096);
    reason(r, which, &why);
    add_wrapped(b, buf_str(&why), 6);
    buf_done(&why);
}

void paper_write_head(struct buf *b)
{
    buf_addf(b,
             "The claims of the Leeroo paper (arXiv 2401.13979) on recorded outcomes.\n"
             "%d-fold cross-validation by text: every question is routed by a model that never saw "
             "it.\nCosts are recorded tokens at list prices; every call of a plan is paid.\n"
             "±: one standard error, by the bootstrap over the questions. A claim is reproduced "
             "when its\nfigure reaches 0, 5 points, 98 %% or 0; within error: two errors might "
             "turn the verdict.\n",
             PAPER_FOLDS);
}

static void add_pool(const struct paper_result *r, struct buf *b)
{
    const struct paper_pool *p = r->pool;
    buf_addf(b, "\n%.*s: %zu experts%s against %.*s\n", STR_FMT(p->name), r->experts,
             r->plans ? " and plans over them" : "", STR_FMT(r->reference));
    add_wrapped(b, p->why, 2);
    buf_addf(b, "  %.*s, %s scores: %zu questions, %zu without an outcome of every expert\n",
             STR_FMT(p->dataset), p->rescored ? "rescored" : "recorded", r->queries, r->left_out);
    buf_addf(b, "  reference %.1f ± %.1f %% at ", 100 * r->reference_accuracy.value,
             100 * r->reference_accuracy.error);
    add_usd(b, r->reference_usd_per_1k);
    buf_addf(b, " USD per 1,000; best of the others %.*s, %.1f ± %.1f %%\n\n", STR_FMT(r->other),
             100 * r->other_accuracy.value, 100 * r->other_accuracy.error);
}

void paper_write_text(const struct paper_result *r, struct buf *b)
{
    add_pool(r, b);
    buf_add_c(b, "  ");
    add_cell(b, "against the reference", 37);
    add_cell(b, "paper", 13);
    add_cell(b, "here", 19);
    if (r->plans)
        add_cell(b, "without plans", 19);
    buf_add_c(b, "verdict\n");
    for (int i = 0; i < REPORT_CLAIMS; i++)
        if (r->pool->claims[i])
            add_claim(r, i, b);
}

void paper_write_sum(const struct paper_result *results, size_t count, struct buf *b)
{
    buf_add_char(b, '\n');
    for (int i = 0; i < REPORT_CLAIMS; i++) {
        size_t tried = 0, held = 0, close = 0;
        for (size_t k = 0; k < count; k++) {
            tried += results[k].pool->claims[i];
            held += results[k].pool->claims[i] && results[k].claims[i].reproduced;
            close += results[k].pool->claims[i] && results[k].claims[i].within_error;
        }
        if (tried == 0)
            continue;
        add_cell(b, paper_says[i].claim, 39);
        buf_addf(b, "reproduced on %zu of %zu pools", held, tried);
        if (close > 0)
            buf_addf(b, "; %zu of all within error", close);
        buf_add_char(b, '\n');
    }
}

/* JSON */

static void json_number(struct buf *b, const char *key, double value)
{
    buf_addf(b, ",\"%s\":", key);
    json_write_double(b, value);
}

static void json_text(struct buf *b, const char *key, struct str value)
{
    buf_addf(b, ",\"%s\":", key);
    json_write_string(b, value);
}

static void json_figure(struct buf *b, const char *key, const struct figure *f)
{
    buf_addf(b, ",\"%s\":{\"value\":", key);
    json_write_double(b, f->value);
    json_number(b, "error", f->error);
    buf_add_char(b, '}');
}

/* One piece: the members of the object in their order. */
static void json_claim(const struct paper_result *r, enum report_claim which, struct buf *b)
{
    const struct paper_claim *c = &r->claims[which];
    const struct paper_says *says = &paper_says[which];
    struct buf why;
    buf_addf(b, "{\"claim\":\"%s\"", paper_claim_names[which]);
    json_text(b, "says", str_from(says->claim));
    json_text(b, "paper", str_from(says->figure));
    json_text(b, "judged_by", str_from(says->relative ? "relative" : "difference"));
    json_number(b, "bar", says->bar);
    json_number(b, "accuracy", c->accuracy);
    json_figure(b, "difference", &c->difference);
    json_figure(b, "relative", &c->relative);
    if (r->plans)
        json_figure(b, "without_plans", &c->singles);
    json_number(b, "blind_mix", c->mix);
    json_number(b, "elsewhere", c->why.elsewhere);
    json_number(b, "won", c->why.won);
    json_number(b, "lost", c->why.lost);
    json_number(b, "could_win", c->why.could_win);
    buf_addf(b, ",\"reproduced\":%s,\"within_error\":%s", c->reproduced ? "true" : "false",
             c->within_error ? "true" : "false");
    buf_init(&why, 4096);
    reason(r, which, &why);
    if (!c->reproduced)
        json_text(b, "reason", buf_str(&why));
    buf_done(&why);
    buf_add_char(b, '}');
}

/* One piece: the members of the object in their order. */
static void json_result(const struct paper_result *r, struct buf *b)
{
    const struct paper_pool *p = r->pool;
    buf_add_c(b, "{\"name\":");
    json_write_string(b, p->name);
    json_text(b, "dataset", p->dataset);
    json_text(b, "why", p->why);
    buf_addf(b, ",\"scores\":\"%s\",\"plans\":%s,\"queries\":%zu,\"left_out\":%zu,\"experts\":[",
             p->rescored ? "rescored" : "recorded", r->plans ? "true" : "false", r->queries,
             r->left_out);
    for (size_t i = 0; i < p->experts->count; i++) {
        buf_add_c(b, i ? "," : "");
        json_write_string(b, p->experts->items[i].scalar);
    }
    buf_add_char(b, ']');
    json_text(b, "reference", r->reference);
    json_figure(b, "reference_accuracy", &r->reference_accuracy);
    json_number(b, "reference_usd_per_1k", r->reference_usd_per_1k);
    json_text(b, "best_other", r->other);
    json_figure(b, "best_other_accuracy", &r->other_accuracy);
    buf_add_c(b, ",\"claims\":[");
    bool first = true;
    for (int i = 0; i < REPORT_CLAIMS; i++) {
        if (!p->claims[i])
            continue;
        buf_add_c(b, first ? "" : ",");
        json_claim(r, i, b);
        first = false;
    }
    buf_add_c(b, "]}");
}

void paper_write_json(const struct paper_result *results, size_t count, struct buf *b)
{
    buf_addf(b, "{\"folds\":%d,\"pools\":[", PAPER_FOLDS);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? "," : "");
        json_result(&results[i], b);
    }
    buf_add_c(b, "]}\n");
}
