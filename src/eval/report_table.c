/* The report as tables for a person at a terminal: see report_write.h.
 *
 * Pure functions from a report to text in a buffer, any thread. Names stand last in a row, because they may be of any
 * length; widths are counted in columns, not bytes. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "eval/report_write.h"

#define TABLE_CURVE_STRIDE 10 /* of the kept points of the curve, every tenth is printed */
#define CELL_BYTES         32

/* "65.03 ±0.45", "-" for NaN; `scale` 100 for percent. */
static const char *cell(char into[CELL_BYTES], const struct figure *f, double scale, int decimals)
{
    if (isnan(f->value))
        snprintf(into, CELL_BYTES, "-");
    else if (isnan(f->error))
        snprintf(into, CELL_BYTES, "%.*f", decimals, f->value * scale);
    else
        snprintf(into, CELL_BYTES, "%.*f ±%.*f", decimals, f->value * scale, decimals,
                 f->error * scale);
    return into;
}

static const char *plain(char into[CELL_BYTES], double value, double scale, int decimals)
{
    return cell(into, &(struct figure){value, NAN}, scale, decimals);
}

/* Pads to `width` columns on the left; "±" is two bytes but one column. */
static void pad(struct buf *b, const char *text, size_t width)
{
    size_t columns = 0;
    for (const char *c = text; *c; c++)
        columns += ((unsigned char)*c & 0xC0) != 0x80;
    for (; columns < width; columns++)
        buf_add_char(b, ' ');
    buf_add_c(b, text);
}

static void row(struct buf *b, const char *name, struct str of, const struct figure *accuracy,
                double usd_per_1k)
{
    char text[CELL_BYTES];
    int width = (int)of.len < 32 ? (int)of.len : 32;
    buf_addf(b, "  %-12s%-32.*s", name, width, of.ptr);
    pad(b, cell(text, accuracy, 100, 2), 14);
    buf_addf(b, "%12.4f", usd_per_1k);
}

static void write_experts(const struct report *r, struct buf *b)
{
    char text[CELL_BYTES];
    buf_addf(b, "\n  %-44s%14s%12s%8s%8s\n", "expert", "accuracy %", "USD/1,000", "AUC", "ECE");
    for (size_t i = 0; i < r->expert_count; i++) {
        const struct report_expert *e = &r->experts[i];
        row(b, i == r->reference ? "reference" : "", e->name, &e->accuracy, e->usd_per_1k);
        pad(b, plain(text, e->auc, 1, 3), 8);
        pad(b, plain(text, e->ece, 1, 3), 8);
        buf_add_c(b, e->in_pool ? "\n" : "  not in the pool\n");
    }
}

/* Names last: they are long. */
static void write_plans(const struct report *r, struct buf *b)
{
    char text[CELL_BYTES];
    if (r->expert_count == r->columns)
        return;
    buf_addf(b, "\n  %14s%12s%8s%8s%13s  %s\n", "accuracy %", "USD/1,000", "AUC", "ECE",
             "asks last %", "plan");
    for (size_t i = r->expert_count; i < r->columns; i++) {
        const struct report_expert *e = &r->experts[i];
        buf_add_c(b, "  ");
        pad(b, cell(text, &e->accuracy, 100, 2), 14);
        buf_addf(b, "%12.4f", e->usd_per_1k);
        pad(b, plain(text, e->auc, 1, 3), 8);
        pad(b, plain(text, e->ece, 1, 3), 8);
        pad(b, plain(text, e->escalation, 100, 1), 13);
        buf_addf(b, "  %.*s\n", STR_FMT(e->name));
    }
}

static void write_baselines(const struct report *r, struct buf *b)
{
    buf_add_char(b, '\n');
    row(b, "best single", r->experts[r->best_single.expert].name, &r->best_single.accuracy,
        r->best_single.usd_per_1k);
    buf_add_char(b, '\n');
    row(b, "random mix", STR("every expert equally often"), &r->random_mix.accuracy,
        r->random_mix.usd_per_1k);
    buf_add_char(b, '\n');
    row(b, "oracle", STR("the cheapest right expert"), &r->oracle.accuracy, r->oracle.usd_per_1k);
    buf_add_char(b, '\n');
}

static void write_curve(const struct report *r, struct buf *b)
{
    char text[CELL_BYTES];
    double reference = r->experts[r->reference].usd_per_1k;
    buf_addf(b, "\n  %-12s%12s%14s%16s\n", "lambda", "USD/1,000", "% of cost", "accuracy %");
    for (size_t i = 0; i < r->curve_count; i++) {
        const struct report_curve_point *p = &r->curve[i];
        if (i % TABLE_CURVE_STRIDE != 0 && i + 1 != r->curve_count)
            continue;
        buf_addf(b, "  %-12.4g%12.4f", p->lambda, p->usd_per_1k);
        pad(b, plain(text, reference > 0 ? p->usd_per_1k / reference : NAN, 100, 1), 14);
        pad(b, plain(text, p->accuracy, 100, 2), 16);
        buf_add_char(b, '\n');
    }
}

static void write_at(const struct report *r, struct buf *b)
{
    char text[CELL_BYTES];
    buf_addf(b, "\n  %-12s%12s%16s%18s%16s%12s%12s\n", "% of cost", "USD/1,000", "accuracy %",
             "% of reference", "difference", "best mix", "lambda");
    for (size_t i = 0; i < r->at_count; i++) {
        const struct report_at *at = &r->at[i];
        buf_addf(b, "  %-12.1f%12.4f", at->fraction * 100, at->usd_per_1k);
        pad(b, cell(text, &at->accuracy, 100, 2), 16);
        pad(b, cell(text, &at->relative, 100, 2), 18);
        pad(b, cell(text, &at->difference, 100, 2), 16);
        pad(b, plain(text, at->mix, 100, 2), 12);
        if (isnan(at->spent_usd_per_1k))
            pad(b, "-", 12);
        else
            buf_addf(b, "%12.4g", at->cut.lambda);
        buf_add_char(b, '\n');
    }
}

static void write_matched(const struct report *r, struct buf *b)
{
    char text[CELL_BYTES];
    if (isnan(r->matched.value))
        buf_add_c(b, "\n  the reference is never matched");
    else
        buf_addf(b, "\n  the reference is matched at %s %% of its cost",
                 cell(text, &r->matched, 100, 1));
    if (r->draws)
        buf_addf(b, " (it is in %.0f %% of the bootstrap draws)", r->matched_share * 100);
    buf_add_char(b, '\n');
}

static void write_pair(const struct report *r, struct buf *b)
{
    char apgr[CELL_BYTES], cpt50[CELL_BYTES], cpt80[CELL_BYTES];
    buf_addf(b, "  APGR %s   CPT(50 %%) %s %%   CPT(80 %%) %s %%   of calls to %.*s\n",
             cell(apgr, &r->apgr, 1, 3), cell(cpt50, &r->cpt50, 100, 1),
             cell(cpt80, &r->cpt80, 100, 1), STR_FMT(r->experts[r->reference].name));
}

static void write_check(const struct verified_check *a, const struct verified_check *b,
                        struct buf *out)
{
    char price[CELL_BYTES];
    snprintf(price, sizeof(price), "%.6g", (double)a->price_nano_usd / NANO_PER_USD);
    buf_addf(out,
             "\n  verified plans: a check at %s USD, which passes %.1f %% of wrong answers and "
             "rejects\n  %.1f %% of right ones (%.1f and %.1f as seen from the other half)\n",
             price, 100 * (double)a->false_pass, 100 * (double)a->false_alarm,
             100 * (double)b->false_pass, 100 * (double)b->false_alarm);
}

static void write_verified_row(double usd_per_1k, const struct verified_point *p, struct buf *b)
{
    char text[CELL_BYTES];
    buf_addf(b, "%12.4f%10.2f", usd_per_1k, p->calls);
    pad(b, plain(text, p->checked, 100, 1), 12);
    pad(b, plain(text, p->passed, 100, 1), 12);
    pad(b, plain(text, p->wrong, 100, 2), 18);
    buf_add_char(b, '\n');
}

static void write_verified(const struct report *r, struct buf *b)
{
    const struct report_verified *v = r->verified;
    write_check(&v->believed[0], &v->believed[1], b);
    buf_addf(b, "\n  %-12s%12s%10s%12s%12s%18s\n", "% of cost", "USD/1,000", "calls", "checked %",
             "passed %", "wrong of them %");
    for (size_t i = 0; i < r->at_count; i++) {
        if (isnan(r->at[i].spent_usd_per_1k))
            continue;
        buf_addf(b, "  %-12.1f", r->at[i].fraction * 100);
        write_verified_row(r->at[i].usd_per_1k, &v->at[i], b);
    }
    buf_addf(b, "\n  the best single's accuracy (%.2f %% at $%.4g a query) is ", 100 * v->accuracy,
             v->single_usd);
    if (isnan(v->usd))
        buf_add_c(b, "never reached\n");
    else
        buf_addf(b, "reached at $%.4g: %.1f times cheaper,\n  by %.2f calls a query\n", v->usd,
                 v->single_usd / v->usd, v->matched.calls);
}

void report_write_table(const struct report *r, struct buf *b)
{
    buf_addf(b, "  %zu queries; ± is one standard error", r->queries);
    if (r->draws)
        buf_addf(b, " (%zu bootstrap draws, seed %" PRIu64 ")", r->draws, r->seed);
    buf_add_char(b, '\n');
    write_experts(r, b);
    write_plans(r, b);
    write_baselines(r, b);
    write_curve(r, b);
    write_at(r, b);
    write_matched(r, b);
    if (r->verified)
        write_verified(r, b);
    if (r->is_pair)
        write_pair(r, b);
}
