/* What an evaluation found, for files and for people: see evaluate.h. */
#include "base/json.h"
#include "score/evaluate.h"

#include <math.h>

static void add_share(struct buf *out, const char *name, double value, bool known)
{
    buf_addf(out, ",\"%s\":", name);
    json_write_double(out, known ? value : NAN);
}

static void add_gaps(const struct evaluate_gap *gaps, const struct dataset *d, const char *name,
                     struct buf *out)
{
    const char *comma = "";
    buf_addf(out, ",\n \"%s\":[", name);
    for (size_t e = 0; e <= d->expert_count; e++) {
        if (gaps[e].count == 0)
            continue;
        buf_addf(out, "%s\n  {\"expert\":", comma);
        if (e < d->expert_count)
            json_write_string(out, d->experts[e].name);
        else
            buf_add(out, STR("null"));
        buf_addf(out, ",\"count\":%zu", gaps[e].count);
        add_share(out, "agreement", gaps[e].agreement, true);
        add_share(out, "bias", gaps[e].bias, true);
        buf_add_char(out, '}');
        comma = ",";
    }
    buf_add_char(out, ']');
}

void evaluate_write_json(const struct evaluate_figures *f, const struct dataset *data,
                         struct buf *out)
{
    buf_add(out, STR("{\"methods\":{"));
    for (size_t m = EVALUATE_UNSCORED + 1; m < EVALUATE_METHODS; m++) {
        buf_addf(out, "%s\n  \"%s\":{\"count\":%zu", m > 1 ? "," : "",
                 evaluate_method_name((enum evaluate_method)m), f->scored[m]);
        add_share(out, "confidence", f->confidence[m], f->scored[m] > 0);
        buf_add_char(out, '}');
    }
    buf_addf(out,
             "},\n \"unscored\":%zu,\"commands_refused\":%zu,\"checks_broken\":%zu,\"problem\":",
             f->scored[EVALUATE_UNSCORED], f->commands_refused, f->checks_broken);
    if (f->first_problem.len > 0)
        json_write_string(out, f->first_problem);
    else
        buf_add(out, STR("null"));
    buf_add(out, STR(",\n \"judges\":["));
    for (size_t j = 0; j < f->judge_count; j++) {
        buf_add_c(out, j ? ",\n  " : "\n  ");
        trust_write_json(&f->trust[j], data->experts[f->trust[j].expert].name, out);
    }
    buf_add_char(out, ']');
    add_gaps(f->judge_gap, data, "judge_against_references", out);
    add_gaps(f->consensus_gap, data, "consensus_against_references", out);
    buf_add(out, STR("}\n"));
}

static void add_gap_line(const struct evaluate_gap *gap, const char *what, struct buf *out)
{
    if (gap->count > 0)
        buf_addf(out, "%s: %.0f %% of %zu answers as the references have them, bias %+.2f\n", what,
                 100 * gap->agreement, gap->count, gap->bias);
}

/* References alone are what is expected, and no news. */
static bool is_told(const struct evaluate_figures *f)
{
    size_t others = f->scored[EVALUATE_UNSCORED];
    for (size_t m = EVALUATE_TEXT + 1; m < EVALUATE_METHODS; m++)
        others += f->scored[m];
    return others > 0;
}

/* One piece: a line for each thing that there is to say. */
void evaluate_write_text(const struct evaluate_figures *f, const struct dataset *data,
                         struct buf *out)
{
    const char *comma = "scored by";
    for (size_t m = EVALUATE_UNSCORED + 1; m < EVALUATE_METHODS && is_told(f); m++) {
        if (f->scored[m] == 0)
            continue;
        buf_addf(out, "%s %s %zu", comma, evaluate_method_name((enum evaluate_method)m),
                 f->scored[m]);
        comma = ",";
    }
    if (f->scored[EVALUATE_UNSCORED] > 0)
        buf_addf(out, "%s%zu answers have no score", comma[0] == ',' ? "; " : "",
                 f->scored[EVALUATE_UNSCORED]);
    if (comma[0] == ',' || f->scored[EVALUATE_UNSCORED] > 0)
        buf_add_char(out, '\n');
    for (size_t j = 0; j < f->judge_count; j++) {
        trust_write_text(&f->trust[j], data->experts[f->trust[j].expert].name, out);
        buf_add_char(out, '\n');
    }
    add_gap_line(&f->judge_gap[f->experts], "the judges' pairs", out);
    add_gap_line(&f->consensus_gap[f->experts], "the consensus", out);
    if (f->commands_refused > 0)
        buf_addf(out,
                 "%zu answers are scored by commands, which were not run: --allow-commands lets "
                 "them\n",
                 f->commands_refused);
    if (f->checks_broken > 0)
        buf_addf(out, "%zu answers could not be checked; the first: %.*s\n", f->checks_broken,
                 STR_FMT(f->first_problem));
}
