/* The report as one JSON object, for programs: see report_write.h. A figure that does not exist is null, never absent,
 * so that every report has the same members.
 *
 * Pure functions from a report to bytes in a buffer, any thread. Members may be added; their names and units are relied
 * upon and must not change. */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "eval/report_write.h"

static void key(struct buf *b, const char *name)
{
    buf_addf(b, "\"%s\": ", name);
}

static void number(struct buf *b, const char *name, double value)
{
    key(b, name);
    json_write_double(b, value); /* null for NaN */
}

static void more(struct buf *b, const char *name, double value)
{
    buf_add_c(b, ", ");
    number(b, name, value);
}

/* "NAME": value, "NAME_se": error */
static void figure(struct buf *b, const char *name, const struct figure *f)
{
    more(b, name, f->value);
    buf_addf(b, ", \"%s_se\": ", name);
    json_write_double(b, f->error);
}

/* Columns from..to-1. */
static void write_columns(const struct report *r, const char *name, size_t from, size_t to,
                          struct buf *b)
{
    key(b, name);
    buf_add_char(b, '[');
    for (size_t i = from; i < to; i++) {
        const struct report_expert *e = &r->experts[i];
        buf_add_c(b, i > from ? ",\n  {\"name\": " : "\n  {\"name\": ");
        json_write_string(b, e->name);
        buf_addf(b, ", \"in_pool\": %s", e->in_pool ? "true" : "false");
        figure(b, "accuracy", &e->accuracy);
        more(b, "usd_per_1k", e->usd_per_1k);
        more(b, "auc", e->auc);
        more(b, "ece", e->ece);
        if (i >= r->expert_count)
            more(b, "escalation", e->escalation);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "],\n ");
}

static void write_baseline(const struct report *r, const char *name,
                           const struct report_baseline *base, bool named, struct buf *b)
{
    key(b, name);
    buf_add_char(b, '{');
    if (named) {
        buf_add_c(b, "\"expert\": ");
        json_write_string(b, r->experts[base->expert].name);
        buf_add_c(b, ", ");
    }
    number(b, "accuracy", base->accuracy.value);
    more(b, "accuracy_se", base->accuracy.error);
    more(b, "usd_per_1k", base->usd_per_1k);
    buf_add_char(b, '}');
}

static void write_baselines(const struct report *r, struct buf *b)
{
    buf_add_c(b, "\"baselines\": {");
    write_baseline(r, "oracle", &r->oracle, false, b);
    buf_add_c(b, ",\n  ");
    write_baseline(r, "best_single", &r->best_single, true, b);
    buf_add_c(b, ",\n  ");
    write_baseline(r, "random_mix", &r->random_mix, false, b);
    buf_add_c(b, "},\n ");
}

static void write_curve(const struct report *r, struct buf *b)
{
    buf_addf(b, "\"sweep_steps\": %zu,\n \"curve\": [", r->steps);
    for (size_t i = 0; i < r->curve_count; i++) {
        const struct report_curve_point *p = &r->curve[i];
        buf_add_c(b, i ? ",\n  {" : "\n  {");
        number(b, "lambda", p->lambda);
        more(b, "usd_per_1k", p->usd_per_1k);
        more(b, "accuracy", p->accuracy);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "],\n ");
}

/* The columns that answer at all. */
static void write_shares(const struct report *r, const double *shares, struct buf *b)
{
    const char *separator = ", \"shares\": {";
    for (size_t i = 0; i < r->columns; i++) {
        if (!(shares[i] > 0))
            continue;
        buf_add_c(b, separator);
        json_write_string(b, r->experts[i].name);
        buf_add_c(b, ": ");
        json_write_double(b, shares[i]);
        separator = ", ";
    }
    buf_add_c(b, separator[2] == '"' ? ", \"shares\": {}" : "}");
}

static void write_at(const struct report *r, struct buf *b)
{
    buf_add_c(b, "\"at_cost\": [");
    for (size_t i = 0; i < r->at_count; i++) {
        const struct report_at *at = &r->at[i];
        buf_add_c(b, i ? ",\n  {" : "\n  {");
        number(b, "fraction", at->fraction);
        more(b, "usd_per_1k", at->usd_per_1k);
        figure(b, "accuracy", &at->accuracy);
        more(b, "spent_usd_per_1k", at->spent_usd_per_1k);
        more(b, "lambda", isnan(at->spent_usd_per_1k) ? NAN : at->cut.lambda);
        figure(b, "relative", &at->relative);
        figure(b, "difference", &at->difference);
        more(b, "best_mix", at->mix);
        write_shares(r, at->shares, b);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "],\n ");
}

static void write_keeps(const struct report *r, struct buf *b)
{
    buf_add_c(b, "\"keeps\": [");
    for (size_t i = 0; i < REPORT_KEEPS; i++) {
        const struct report_keep *k = &r->keeps[i];
        buf_add_c(b, i ? ",\n  {" : "\n  {");
        number(b, "share", k->share);
        figure(b, "fraction", &k->fraction);
        more(b, "usd_per_1k", k->usd_per_1k);
        more(b, "accuracy", k->accuracy);
        more(b, "lambda", k->lambda);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "],\n ");
}

static void write_pair(const struct report *r, struct buf *b)
{
    key(b, "pair");
    if (!r->is_pair) {
        buf_add_c(b, "null,\n ");
        return;
    }
    buf_add_c(b, "{\"strong\": ");
    json_write_string(b, r->experts[r->reference].name);
    buf_add_c(b, ", \"weak\": ");
    json_write_string(b, r->experts[r->weak].name);
    figure(b, "apgr", &r->apgr);
    figure(b, "cpt50", &r->cpt50);
    figure(b, "cpt80", &r->cpt80);
    buf_add_c(b, "},\n ");
}

static void write_point(const struct verified_point *p, struct buf *b)
{
    number(b, "calls", p->calls);
    more(b, "checked", p->checked);
    more(b, "passed", p->passed);
    more(b, "wrong_of_passed", p->wrong);
    more(b, "check_down", p->down);
    buf_add_char(b, '}');
}

static void write_believed(const struct report_verified *v, struct buf *b)
{
    number(b, "check_usd", (double)v->believed[0].price_nano_usd / NANO_PER_USD);
    buf_add_c(b, ", \"believed\": [");
    for (size_t i = 0; i < 2; i++) {
        buf_add_c(b, i ? ", {" : "{");
        number(b, "false_pass", (double)v->believed[i].false_pass);
        more(b, "false_alarm", (double)v->believed[i].false_alarm);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "],\n  ");
}

static void write_verified_at(const struct report *r, struct buf *b)
{
    const char *separator = "\n   {";
    buf_add_c(b, "\"at_cost\": [");
    for (size_t i = 0; i < r->at_count; i++) {
        if (isnan(r->at[i].spent_usd_per_1k))
            continue;
        buf_add_c(b, separator);
        number(b, "fraction", r->at[i].fraction);
        buf_add_c(b, ", ");
        write_point(&r->verified->at[i], b);
        separator = ",\n   {";
    }
    buf_add_c(b, "],\n  ");
}

static void write_verified(const struct report *r, struct buf *b)
{
    const struct report_verified *v = r->verified;
    key(b, "verified");
    if (!v) {
        buf_add_c(b, "null,\n ");
        return;
    }
    buf_add_char(b, '{');
    write_believed(v, b);
    write_verified_at(r, b);
    buf_add_c(b, "\"best_single\": {");
    number(b, "accuracy", v->accuracy);
    more(b, "usd", v->single_usd);
    more(b, "reached_at_usd", v->usd);
    more(b, "times_cheaper", v->single_usd / v->usd);
    buf_add_c(b, ", ");
    write_point(&v->matched, b);
    buf_add_c(b, "},\n ");
}

void report_write_json(const struct report *r, struct buf *b)
{
    buf_addf(b, "\"queries\": %zu, \"reference\": ", r->queries);
    json_write_string(b, r->experts[r->reference].name);
    buf_add_c(b, ",\n ");
    write_columns(r, "experts", 0, r->expert_count, b);
    write_columns(r, "plans", r->expert_count, r->columns, b);
    write_baselines(r, b);
    write_curve(r, b);
    write_at(r, b);
    buf_add_c(b, "\"matched\": {");
    number(b, "fraction", r->matched.value);
    more(b, "fraction_se", r->matched.error);
    more(b, "share_of_draws", r->matched_share);
    buf_add_c(b, "},\n ");
    write_keeps(r, b);
    write_pair(r, b);
    write_verified(r, b);
    buf_addf(b, "\"bootstrap\": {\"draws\": %zu, \"seed\": %" PRIu64 "}", r->draws, r->seed);
}
