/* Tables of a training. A figure that is unknown is shown as such, an AUC that a coin might have in brackets. Columns
 * are as wide as the longest name that fits; widths are of characters, not bytes.
 *
 * Written for whichever stream the command gives, on its thread; nothing here decides what is printed. */
#include "print/train_output.h"

#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "print/lambda_advice.h"

#define NAME_WIDTH_MIN 24 /* of a table's first column */
#define NAME_WIDTH_MAX 80 /* longer names push their row to the right */

/* Neither costs nor tokens were recorded. (An expert that is free costs nothing, and that is known.) */
static bool cost_unknown(const struct trained *t, size_t e)
{
    const struct price *p = &t->parts.experts[e].price;
    return t->figures[e].mean_cost_usd == 0 &&
           (p->input_nano_usd_per_m > 0 || p->output_nano_usd_per_m > 0);
}

/* Columns on a screen: characters, not bytes. */
static int width_of(struct str s)
{
    int width = 0;
    for (size_t i = 0; i < s.len; i++)
        width += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return width;
}

static int wider(int width, struct str name)
{
    int of_name = width_of(name);
    return of_name > width && of_name <= NAME_WIDTH_MAX ? of_name : width;
}

static void print_name(FILE *out, struct str name, int width)
{
    int blanks = width - width_of(name);
    fprintf(out, "%.*s%*s", STR_FMT(name), blanks > 0 ? blanks : 0, "");
}

void train_print_experts(const struct trained *t, FILE *out)
{
    int width = NAME_WIDTH_MIN;
    for (size_t e = 0; e < t->experts; e++)
        width = wider(width, t->parts.experts[e].name);
    print_name(out, STR("expert"), width);
    fprintf(out, " %9s %9s %10s %7s %7s\n", "outcomes", "accuracy", "USD/1,000", "AUC", "ECE");
    for (size_t e = 0; e < t->experts; e++) {
        const struct train_figures *f = &t->figures[e];
        char cost[32] = "unknown";
        if (!cost_unknown(t, e))
            snprintf(cost, sizeof(cost), "%.4f", 1000 * f->mean_cost_usd);
        char auc[32];
        snprintf(auc, sizeof(auc), train_auc_is_doubtful(f) ? "(%.3f)" : "%.3f", f->auc);
        print_name(out, t->parts.experts[e].name, width);
        fprintf(out, " %9zu %7.1f %% %10s %7s %7.3f\n", f->known, 100 * f->accuracy, cost, auc,
                f->calibration_error);
    }
}

/* Twenty tosses of a coin have an AUC, too. */
void train_print_doubts(const struct trained *t, FILE *out)
{
    size_t doubtful = 0;
    for (size_t e = 0; e < t->experts; e++)
        doubtful += train_auc_is_doubtful(&t->figures[e]);
    if (!doubtful)
        return;
    fprintf(out, "leeroo train: warning: too few right or wrong answers to tell the AUC from that "
                 "of a coin (0.5):\n");
    for (size_t e = 0; e < t->experts; e++)
        if (train_auc_is_doubtful(&t->figures[e]))
            fprintf(out, "  %.*s %.2f +-%.2f\n", STR_FMT(t->parts.experts[e].name),
                    t->figures[e].auc, 2 * t->figures[e].auc_error);
}

static void print_share(FILE *out, double value)
{
    if (isnan(value))
        fprintf(out, " %9s", "-");
    else
        fprintf(out, " %7.1f %%", 100 * value);
}

/* Points: of accuracy, at equal cost. */
static void print_combinations(const struct trained_plans *p, int width, FILE *out)
{
    fputc('\n', out);
    print_name(out, STR("combination"), width);
    fprintf(out, " %9s %10s %9s\n", "agree", "right then", "points");
    for (size_t i = 0; i < p->combination_count; i++) {
        const struct plan_figures *f = &p->combinations[i];
        print_name(out, f->name, width);
        print_share(out, f->agreed);
        fputc(' ', out);
        print_share(out, f->right_when_agreed);
        fprintf(out, " %+9.2f\n", 100 * f->gain);
    }
}

/* What the search for plans found, and the arms that were kept. */
void train_print_plans(const struct trained *t, FILE *out)
{
    const struct trained_plans *p = &t->plans;
    int width = NAME_WIDTH_MIN;
    fprintf(out, "\n%zu combinations tried, %zu taken\n", p->candidate_count, p->combination_count);
    if (!p->combination_count)
        return;
    for (size_t i = 0; i < p->combination_count; i++)
        width = wider(width, p->combinations[i].name);
    for (size_t i = 0; i < p->set.count; i++)
        width = wider(width, p->figures[i].name);
    print_combinations(p, width, out);
    fputc('\n', out);
    print_name(out, STR("plan"), width);
    fprintf(out, " %9s %10s %6s %10s %9s\n", "accuracy", "USD/1,000", "calls", "last asked",
            "points");
    for (size_t i = 0; i < p->set.count; i++) {
        const struct plan_figures *f = &p->figures[i];
        print_name(out, f->name, width);
        fprintf(out, " %7.1f %% %10.4f %6.2f %8.1f %% %+9.2f\n", 100 * f->accuracy,
                1000 * f->cost_usd, f->calls, 100 * f->escalated, 100 * f->gain);
    }
}

static void print_gain(FILE *out, const char *where, double gain, double error)
{
    if (!isnan(gain))
        fprintf(out, ", %+.3f +-%.3f points %s", 100 * gain, 100 * error, where);
}

void train_print_late(const struct trained *t, FILE *out)
{
    for (size_t i = 0; i < t->late_count; i++) {
        const struct late_figures *f = &t->late[i];
        fprintf(out, "%s%.*s: %s", i ? "" : "\n", STR_FMT(f->name),
                f->left_out ? "left out, decisions gain nothing by it" : "kept");
        print_gain(out, "on held-out texts", f->known_gain, f->known_error);
        print_gain(out, "on unknown domains", f->fresh_gain, f->fresh_error);
        fputc('\n', out);
    }
}

static void add_late_json(const struct trained *t, struct buf *b)
{
    buf_add_c(b, ",\"late\":[");
    for (size_t i = 0; i < t->late_count; i++) {
        const struct late_figures *f = &t->late[i];
        const double numbers[] = {f->known_gain, f->known_error, f->fresh_gain, f->fresh_error};
        static const char *const names[] = {"known_gain", "known_gain_se", "unknown_gain",
                                            "unknown_gain_se"};
        buf_add_c(b, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(b, f->name);
        buf_addf(b, ",\"kept\":%s", f->left_out ? "false" : "true");
        for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
            buf_addf(b, ",\"%s\":", names[k]);
            json_write_double(b, numbers[k]);
        }
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void add_plans_json(const struct trained_plans *p, struct buf *b)
{
    buf_add_c(b, ",\"plans\":[");
    for (size_t i = 0; i < p->set.count; i++) {
        const struct plan_figures *f = &p->figures[i];
        buf_add_c(b, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(b, f->name);
        buf_add_c(b, ",\"accuracy\":");
        json_write_double(b, f->accuracy);
        buf_add_c(b, ",\"usd_per_1k\":");
        json_write_double(b, 1000 * f->cost_usd);
        buf_add_c(b, ",\"escalated\":");
        json_write_double(b, f->escalated);
        buf_add_c(b, ",\"calls\":");
        json_write_double(b, f->calls);
        buf_add_c(b, ",\"gain\":");
        json_write_double(b, f->gain);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

/* The members in the order of the object. */
enum status train_print_json(const struct trained *t, const struct lambda_points *lambdas,
                             const char *path, FILE *out, struct error *err)
{
    struct buf b;
    buf_init(&b, 16u << 20);
    buf_add_c(&b, "{\"model\":");
    json_write_string(&b, str_from(path));
    buf_addf(&b, ",\"queries\":%zu,\"experts\":[", t->queries);
    for (size_t e = 0; e < t->experts; e++) {
        const struct train_figures *f = &t->figures[e];
        buf_add_c(&b, e ? ",{\"name\":" : "{\"name\":");
        json_write_string(&b, t->parts.experts[e].name);
        buf_addf(&b, ",\"outcomes\":%zu,\"accuracy\":", f->known);
        json_write_double(&b, f->accuracy);
        buf_add_c(&b, ",\"usd_per_1k\":");
        if (cost_unknown(t, e))
            buf_add_c(&b, "null");
        else
            json_write_double(&b, 1000 * f->mean_cost_usd);
        buf_add_c(&b, ",\"auc\":");
        json_write_double(&b, f->auc);
        buf_add_c(&b, ",\"auc_se\":");
        json_write_double(&b, f->auc_error);
        buf_addf(&b, ",\"auc_doubtful\":%s", train_auc_is_doubtful(f) ? "true" : "false");
        buf_add_c(&b, ",\"calibration_error\":");
        json_write_double(&b, f->calibration_error);
        buf_add_char(&b, '}');
    }
    buf_add_char(&b, ']');
    add_plans_json(&t->plans, &b);
    if (t->late_count)
        add_late_json(t, &b);
    buf_add_char(&b, ',');
    lambda_advice_json(lambdas, &b);
    buf_add_c(&b, "}\n");
    return file_print(out, &b, err);
}
