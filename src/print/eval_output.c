/* The figures of one or two models as table, JSON and page.
 *
 * What is measured, and how each figure is spelled, is in src/eval; here it goes to standard output and to files. With
 * two models each is a block of its own, and the JSON has the second beside the first. A file is written whole and then
 * renamed, or not at all. */
#include "print/eval_output.h"

#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/screen.h"
#include "eval/report_html.h"
#include "eval/report_write.h"

/* ---- JSON */

static void measured_json(const struct eval_measured *m, struct buf *out)
{
    buf_add_c(out, "\"model\": ");
    if (m->folds)
        buf_addf(out, "null, \"folds\": %zu", m->folds);
    else
        json_write_string(out, str_from(m->model));
    buf_addf(out, ",\n \"left_out\": %zu, \"trained_on\": %zu, ", m->set.left_out,
             m->set.trained_on);
    report_write_json(&m->report, out);
}

static void compare_json(const struct eval_outputs *o, struct buf *out)
{
    const struct report *a = &o->first->report, *b = &o->second->report;
    buf_add_c(out, ",\n \"compare\": {");
    measured_json(o->second, out);
    buf_add_c(out, ",\n \"difference\": [");
    for (size_t i = 0; i < a->at_count; i++) {
        struct figure f = report_difference(a, b, i);
        buf_add_c(out, i ? ",\n  {\"fraction\": " : "\n  {\"fraction\": ");
        json_write_double(out, a->at[i].fraction);
        buf_add_c(out, ", \"accuracy\": ");
        json_write_double(out, f.value);
        buf_add_c(out, ", \"accuracy_se\": ");
        json_write_double(out, f.error);
        buf_add_char(out, '}');
    }
    buf_add_c(out, "]}");
}

static void write_json(const struct eval_outputs *o, struct buf *out)
{
    buf_add_c(out, "{\"dataset\": ");
    json_write_string(out, str_from(o->dataset));
    buf_add_c(out, ", ");
    measured_json(o->first, out);
    if (o->second)
        compare_json(o, out);
    buf_add_c(out, "}\n");
}

/* ---- tables */

/* "71.38", "-" */
static void add_percent(struct buf *out, double share, int width)
{
    if (isnan(share))
        buf_addf(out, "%*s", width, "-");
    else
        buf_addf(out, "%*.2f", width, 100 * share);
}

static void add_signed(struct buf *out, const struct figure *f)
{
    if (isnan(f->value))
        buf_add_c(out, "           -");
    else
        buf_addf(out, "%+12.2f", 100 * f->value);
    if (!isnan(f->value) && !isnan(f->error))
        buf_addf(out, " ±%.2f", 100 * f->error);
}

static void compare_table(const struct eval_outputs *o, struct buf *out)
{
    const struct report *a = &o->first->report, *b = &o->second->report;
    buf_addf(out,
             "\n  compared with %s on the same queries, accuracy %%\n\n  %-12s%12s%12s%12s%12s\n",
             o->second->model, "% of cost", "USD/1,000", "first", "second", "difference");
    for (size_t i = 0; i < a->at_count; i++) {
        struct figure difference = report_difference(a, b, i);
        buf_addf(out, "  %-12.1f%12.4f", a->at[i].fraction * 100, a->at[i].usd_per_1k);
        add_percent(out, a->at[i].accuracy.value, 12);
        add_percent(out, b->at[i].accuracy.value, 12);
        add_signed(out, &difference);
        buf_add_char(out, '\n');
    }
    buf_addf(out, "  %-24s", "matched, % of cost");
    add_percent(out, a->matched.value, 12);
    add_percent(out, b->matched.value, 12);
    buf_add_char(out, '\n');
}

static void write_table(const struct eval_outputs *o, struct buf *out)
{
    buf_addf(out, "%s on %s\n", o->first->model, o->dataset);
    report_write_table(&o->first->report, out);
    if (o->second)
        compare_table(o, out);
    if (o->first->set.left_out)
        buf_addf(out, "  %zu queries are left out: for some expert no outcome is recorded\n",
                 o->first->set.left_out);
}

enum status eval_print(const struct eval_outputs *o, FILE *to, struct error *err)
{
    struct buf out;
    buf_init(&out, EVAL_OUTPUT_BYTES);
    (o->json ? write_json : write_table)(o, &out);
    return (o->json ? file_print : screen_print)(to, &out, err);
}

/* ---- page */

static enum status page_make(const struct eval_outputs *o, struct arena *a, struct buf *out,
                             struct error *err)
{
    const struct eval_measured *m = o->first;
    struct detail detail;
    struct str *domains = ARENA_ARRAY(a, m->report.queries, struct str);
    if (!domains)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < m->report.queries; q++)
        domains[q] = o->d->queries[m->set.query_index[q]].domain;
    enum status status = detail_make(&m->set.table, &m->report, domains, a, &detail, err);
    if (status != OK)
        return status;
    const struct report_page page = {.model = m->model,
                                     .dataset = o->dataset,
                                     .table = &m->set.table,
                                     .report = &m->report,
                                     .detail = &detail,
                                     .left_out = m->set.left_out,
                                     .trained_on = m->set.trained_on,
                                     .compare_model = o->second ? o->second->model : NULL,
                                     .compare = o->second ? &o->second->report : NULL};
    report_write_html(&page, out);
    return buf_status(out, err);
}

enum status eval_write_page(const struct eval_outputs *o, struct arena *a, const char *path,
                            struct error *err)
{
    struct buf out;
    buf_init(&out, EVAL_OUTPUT_BYTES);
    enum status status = page_make(o, a, &out, err);
    if (status == OK)
        status = file_write(path, &out, err);
    buf_done(&out);
    return status;
}
