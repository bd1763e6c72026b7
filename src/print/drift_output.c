/* Drift in words: a row for each expert that there is anything of, the surest first; then, of those that have drifted,
 * what it takes to learn them anew and the commands that do it. Figures that are not known are a dash, in JSON null.
 *
 * It prints what src/eval/drift.c has found and finds nothing by itself. One thread; nothing is kept. */
#include "print/drift_output.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"
#include "base/screen.h"

#define OUTPUT_BYTES_MAX (8u << 20)
#define NAME_WIDTH_MIN   8
#define ENROL_MIN        50 /* outcomes that an expert can be learnt by, as `leeroo enroll -h` says */
#define P_SHOWN_MIN      1e-99 /* below it there is no room for the exponent */

static bool is_told(const struct drift_expert *x)
{
    return x->rows > 0;
}

static bool has_drifted(const struct drift_expert *x)
{
    return x->quality.drifted || x->length.drifted;
}

/* Of 200 calls, as they cost now; 0: unknown. */
static double enrol_usd(const struct drift_told *t, size_t e)
{
    double usd = t->found[e].usd;
    return DRIFT_ENROL * (usd == usd ? usd : model_expert_at(t->m, e)->mean_cost_usd);
}

static double surest(const struct drift_expert *x)
{
    double a = x->quality.p == x->quality.p ? x->quality.p : 2;
    double b = x->length.p == x->length.p ? x->length.p : 2;
    return a < b ? a : b;
}

/* Those that there is something of, the surest to have drifted first; by insertion, for they are few. */
static size_t put_in_order(const struct drift_told *t, size_t *order)
{
    size_t n = 0;
    for (size_t e = 0; e < t->input->expert_count; e++) {
        if (!is_told(&t->found[e]))
            continue;
        size_t at = n++;
        for (; at > 0 && surest(&t->found[e]) < surest(&t->found[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = e;
    }
    return n;
}

/* Table */

static int name_width(const struct drift_told *t)
{
    size_t width = NAME_WIDTH_MIN;
    for (size_t e = 0; e < t->input->expert_count; e++) {
        size_t len = utf8_count(model_expert_at(t->m, e)->name);
        width = is_told(&t->found[e]) && len > width ? len : width;
    }
    return (int)width;
}

static const char *verdict(const struct drift_expert *x)
{
    if (x->quality.drifted)
        return x->quality.difference < 0 ? "worse than expected" : "better than expected";
    if (x->length.drifted)
        return x->length.difference > 0 ? "longer answers" : "shorter answers";
    if (x->basis == DRIFT_TOO_FEW)
        return "too few outcomes to say";
    return x->basis == DRIFT_NOTHING ? "nothing to compare with" : "as expected";
}

static void add_change(struct buf *b, const struct drift_test *t)
{
    if (t->error > 0)
        buf_addf(b, "  %+6.1f ± %4.1f", 100 * t->difference, 100 * t->error);
    else
        buf_addf(b, "  %13s", "-");
}

static void add_row(const struct drift_told *t, size_t e, int width, struct buf *b)
{
    const struct drift_expert *x = &t->found[e];
    struct str name = model_expert_at(t->m, e)->name;
    double p = surest(x);
    buf_addf(b, "%.*s%*s  %8zu  %7.1f %%  %7.1f %%", STR_FMT(name), width - (int)utf8_count(name),
             "", x->rows, 100 * x->estimated, 100 * x->score);
    add_change(b, &x->quality);
    add_change(b, &x->length);
    if (p < P_SHOWN_MIN)
        buf_addf(b, "  %6s", "<1e-99");
    else if (p <= 1)
        buf_addf(b, "  %6.2g", p);
    else
        buf_addf(b, "  %6s", "-");
    buf_addf(b, "  %s\n", verdict(x));
}

/* What it takes to ask it anew. */
static void add_asking(const struct drift_told *t, size_t e, struct buf *b)
{
    struct str name = model_expert_at(t->m, e)->name;
    double usd = enrol_usd(t, e);
    buf_addf(b, "learning it anew takes %d outcomes", DRIFT_ENROL);
    if (usd > 0)
        buf_addf(b, ", about %.2g USD", usd);
    buf_addf(b, ":\n");
    buf_addf(b,
             "  leeroo enroll %s --expert %.*s --replace --suggest %d --from QUERIES "
             "-o ask.jsonl\n",
             t->model, STR_FMT(name), DRIFT_ENROL);
    buf_addf(b, "  leeroo collect ask.jsonl -c leeroo.yaml --experts %.*s -o new\n", STR_FMT(name));
    buf_addf(b, "  leeroo enroll %s --expert %.*s --replace new\n", t->model, STR_FMT(name));
}

static void add_mend(const struct drift_told *t, size_t e, struct buf *b)
{
    struct str name = model_expert_at(t->m, e)->name;
    const struct drift_expert *x = &t->found[e];
    buf_addf(b, "\n%.*s: compared with %s", STR_FMT(name), drift_basis_name(x->basis));
    if (x->usd_ratio == x->usd_ratio)
        buf_addf(b, "; a call costs %.0f ± %.0f %% of what is expected", 100 * x->usd_ratio,
                 100 * x->usd_ratio_error);
    buf_add_char(b, '\n');
    if (t->dataset && x->rows >= ENROL_MIN)
        buf_addf(b,
                 "by its %zu outcomes here it can be learnt anew at once:\n"
                 "  leeroo enroll %s --expert %.*s --replace %s\n",
                 x->rows, t->model, STR_FMT(name), t->dataset);
    add_asking(t, e, b);
}

static void write_table(const struct drift_told *t, struct buf *b)
{
    size_t order[MODEL_EXPERTS_MAX], drifted = 0;
    int width = name_width(t);
    CHECK(t->input->expert_count <= MODEL_EXPERTS_MAX);
    size_t count = put_in_order(t, order);
    buf_addf(b, "%-*s  %8s  %9s  %9s  %13s  %13s  %6s\n", width, "expert", "outcomes", "expected",
             "recorded", "drift, points", "length, %", "p");
    for (size_t i = 0; i < count; i++) {
        add_row(t, order[i], width, b);
        drifted += has_drifted(&t->found[order[i]]);
    }
    if (t->trained_on)
        buf_addf(b, "%zu questions were left out: the model has learnt from them\n", t->trained_on);
    if (t->input->feedback)
        buf_add_c(b, "scores are feedback, of requests that this expert was chosen for\n");
    buf_addf(b,
             "%zu of %zu %s drifted; if none had, any would be called so in one look out of %.0f\n",
             drifted, count, drifted == 1 ? "has" : "have", 1 / t->input->alpha);
    for (size_t i = 0; i < count; i++)
        if (has_drifted(&t->found[order[i]]))
            add_mend(t, order[i], b);
}

/* JSON */

static void add_number(struct buf *b, const char *key, double value)
{
    buf_addf(b, ",\"%s\":", key);
    json_write_double(b, value);
}

static void add_test(struct buf *b, const char *key, const struct drift_test *t)
{
    const bool known = t->error > 0;
    buf_addf(b, ",\"%s\":{\"drifted\":%s", key, t->drifted ? "true" : "false");
    add_number(b, "difference", known ? t->difference : (double)NAN);
    add_number(b, "error", known ? t->error : (double)NAN);
    add_number(b, "floor", t->floor);
    add_number(b, "p", t->p);
    buf_add_char(b, '}');
}

static void write_expert(const struct drift_told *t, size_t e, struct buf *b)
{
    const struct drift_expert *x = &t->found[e];
    buf_add_c(b, "{\"expert\":");
    json_write_string(b, model_expert_at(t->m, e)->name);
    buf_addf(b, ",\"drifted\":%s,\"compared_with\":", has_drifted(x) ? "true" : "false");
    json_write_string(b, str_from(drift_basis_name(x->basis)));
    buf_addf(b, ",\"outcomes\":%zu,\"earlier\":%zu", x->rows, x->earlier);
    add_number(b, "expected", x->estimated);
    add_number(b, "recorded", x->score);
    add_test(b, "quality", &x->quality);
    add_test(b, "length", &x->length);
    add_number(b, "usd_ratio", x->usd_ratio);
    add_number(b, "usd_ratio_error", x->usd_ratio_error);
    buf_addf(b, ",\"enroll\":{\"outcomes\":%d", DRIFT_ENROL);
    add_number(b, "usd", enrol_usd(t, e) > 0 ? enrol_usd(t, e) : (double)NAN);
    buf_add_c(b, "}}");
}

static void write_json(const struct drift_told *t, struct buf *b)
{
    size_t order[MODEL_EXPERTS_MAX];
    CHECK(t->input->expert_count <= MODEL_EXPERTS_MAX);
    size_t count = put_in_order(t, order);
    buf_add_c(b, "{\"model\":");
    json_write_string(b, str_from(t->model));
    buf_addf(b, ",\"feedback\":%s,\"trained_on\":%zu", t->input->feedback ? "true" : "false",
             t->trained_on);
    add_number(b, "alpha", t->input->alpha);
    buf_add_c(b, ",\"experts\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? "," : "");
        write_expert(t, order[i], b);
    }
    buf_add_c(b, "]}\n");
}

enum status drift_print(const struct drift_told *t, bool json, FILE *to, struct error *err)
{
    struct buf b;
    buf_init(&b, OUTPUT_BYTES_MAX);
    (json ? write_json : write_table)(t, &b);
    return (json ? file_print : screen_print)(to, &b, err);
}
