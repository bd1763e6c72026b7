/* leeroo export: recorded outcomes as training data for a language model that is to orchestrate.
 *
 * Reads options and the data set, has src/export write the rows, and says on standard error what is in them and what
 * was left out, so that rows may go to standard output. One thread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "data/input_file.h"
#include "data/subset.h"
#include "export/export.h"
#include "setup/dataset_open.h"

#define LABELS_SHOWN 12

struct export_command {
    const char *dataset, *output, *experts, *format, *subject;
    struct export_options o;
    bool lambda_given, budget_given, margin_given, pairs_given, quiet;
    struct progress progress;
};

static bool word_find(const char *word, const char *const *words, size_t count, size_t *ret)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(word, words[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static enum status read_words(struct export_command *c, struct error *err)
{
    static const char *const formats[] = {"sft", "dpo", "preference", "openai"};
    static const char *const subjects[] = {"routing", "answers"};
    size_t format = 0, subject = 0;
    if (!c->format)
        return error_set(err, ERR_USAGE, "say which --format: sft, dpo, preference or openai");
    if (!word_find(c->format, formats, 4, &format))
        return error_set(err, ERR_USAGE, "--format '%.100s': sft, dpo, preference or openai",
                         c->format);
    subject = format == EXPORT_SFT || format == EXPORT_DPO ? EXPORT_ROUTING : EXPORT_ANSWERS;
    if (c->subject && !word_find(c->subject, subjects, 2, &subject))
        return error_set(err, ERR_USAGE, "--of '%.100s': routing or answers", c->subject);
    c->o.format = (enum export_format)format;
    c->o.subject = (enum export_subject)subject;
    c->format = formats[format];
    c->subject = subjects[subject];
    return OK;
}

static enum status check_options(const struct export_command *c, struct error *err)
{
    bool pairs = c->o.format == EXPORT_DPO || c->o.format == EXPORT_PREFERENCE;
    if (c->lambda_given && c->budget_given)
        return error_set(err, ERR_USAGE, "--lambda and --budget exclude each other");
    if (!pairs && (c->pairs_given || c->margin_given))
        return error_set(err, ERR_USAGE, "--pairs and --margin go with dpo and preference");
    if (strcmp(c->output, "-") != 0 && dataset_holds(c->dataset, c->output))
        return error_set(err, ERR_USAGE, "%s is read here and would be written over", c->output);
    return OK;
}

static enum status open_data(const struct export_command *c, struct dataset **whole,
                             struct dataset **part, struct error *err)
{
    size_t chosen[DATASET_EXPERTS_MAX], count;
    enum status status = dataset_open("export", c->dataset, stderr, whole, err);
    if (status == OK && c->experts)
        status = dataset_expert_list(*whole, c->experts, chosen, &count, err);
    if (status == OK && c->experts)
        status = dataset_subset_experts(*whole, chosen, count, part, err);
    return status;
}

static void show_progress(size_t done, size_t total, void *arg)
{
    struct export_command *c = arg;
    c->progress.total = total;
    progress_update(&c->progress, done);
}

/* Summary */

static void print_labels(const struct dataset *d, const struct export_figures *f)
{
    bool shown[DATASET_EXPERTS_MAX] = {false};
    for (size_t n = 0; n < LABELS_SHOWN; n++) {
        size_t most = SIZE_MAX;
        for (size_t e = 0; e < d->expert_count; e++)
            if (!shown[e] && f->labels[e] > 0 &&
                (most == SIZE_MAX || f->labels[e] > f->labels[most]))
                most = e;
        if (most == SIZE_MAX)
            return;
        shown[most] = true;
        fprintf(stderr, "  %6.2f %%  %.*s\n", 100 * (double)f->labels[most] / (double)f->queries,
                STR_FMT(d->experts[most].name));
    }
    size_t rest = 0;
    for (size_t e = 0; e < d->expert_count; e++)
        rest += shown[e] ? 0 : f->labels[e];
    if (rest > 0)
        fprintf(stderr, "  %6.2f %%  others\n", 100 * (double)rest / (double)f->queries);
}

static void print_left_out(const struct export_figures *f)
{
    for (int i = 0; i < EXPORT_REASONS; i++)
        if (f->left_out[i] > 0)
            fprintf(stderr, "left out: %zu queries %s\n", f->left_out[i],
                    export_reason_text((enum export_reason)i));
    if (f->doubted > 0)
        fprintf(stderr, "left out: %zu scores that are believed less than --min-confidence\n",
                f->doubted);
    if (f->same_answers > 0)
        fprintf(stderr, "left out: %zu pairs whose answers are the same\n", f->same_answers);
}

static void print_summary(const struct export_command *c, const struct dataset *d,
                          const struct export_figures *f)
{
    fprintf(stderr, "%zu rows (%s, %s) of %zu of %zu queries\n", f->rows, c->format, c->subject,
            f->queries, d->query_count);
    fprintf(stderr, "best under lambda %.9g: mean score %.4f at %.6g USD per 1,000 queries\n",
            f->lambda, f->score, f->cost_usd_per_1k);
    print_labels(d, f);
    if (f->unsolved > 0)
        fprintf(
            stderr,
            "%zu of the queries nobody answered right: where all scores are alike, the cheapest "
            "is best (--solved leaves them out)\n",
            f->unsolved);
    print_left_out(f);
}

/* Said even where the summary is not wanted. */
static void warn(const struct export_command *c, const struct export_figures *f)
{
    if (c->o.format == EXPORT_OPENAI && f->rows < EXPORT_OPENAI_MIN)
        fprintf(stderr, "leeroo export: note: OpenAI takes no file of fewer than %d examples\n",
                EXPORT_OPENAI_MIN);
}

static enum status write_file(struct export_command *c, const struct dataset *d,
                              struct export_figures *figures, struct error *err)
{
    struct file_out out;
    enum status status = file_out_open(c->output, &out, err);
    if (status != OK)
        return status;
    progress_begin(&c->progress, "reading answers", 1);
    c->o.progress = show_progress;
    c->o.progress_arg = c;
    status = export_write(d, &c->o, out.stream, figures, err);
    progress_end(&c->progress);
    if (status == OK)
        return file_out_commit(&out, err);
    file_out_abort(&out);
    return status;
}

static enum status run(struct export_command *c, struct error *err)
{
    struct dataset *whole = NULL, *part = NULL;
    struct export_figures figures;
    enum status status = read_words(c, err);
    if (status == OK)
        status = check_options(c, err);
    if (status == OK)
        status = open_data(c, &whole, &part, err);
    const struct dataset *d = part ? part : whole;
    if (status == OK)
        status = write_file(c, d, &figures, err);
    if (status == OK) {
        if (!c->quiet)
            print_summary(c, d, &figures);
        warn(c, &figures);
    }
    dataset_free(part);
    dataset_free(whole);
    return status;
}

static const char usage_text[] =
    "Writes training data for a language model, one JSON object a line, from recorded outcomes.\n"
    "For each query the best expert is the one with the highest score - lambda * cost; ties go to\n"
    "the cheaper, and who was not asked, or at an unknown cost, is no candidate.\n\n"
    "  --of routing   whom to ask: the prompt is that of a language model as orchestrator, with\n"
    "                 the experts, their prices and the question; the label is the best one's "
    "letter\n"
    "  --of answers   what the best expert that was right (score 0.5 or more) answered, for a\n"
    "                 model that shall answer by itself; DATASET needs responses/\n\n"
    "  --format sft         TRL's prompt-completion: {\"prompt\", \"completion\"} (SFTTrainer)\n"
    "  --format dpo         TRL's preference: {\"prompt\", \"chosen\", \"rejected\"} (DPOTrainer)\n"
    "  --format preference  the same with the prompt inside: {\"chosen\", \"rejected\"} "
    "(RewardTrainer)\n"
    "  --format openai      {\"messages\"}: OpenAI's fine-tuning, and TRL's SFTTrainer\n\n"
    "All are conversational. sft and dpo are of routing unless --of says otherwise, preference "
    "and\n"
    "openai of answers. In pairs the best expert stands against those that are worth less by more\n"
    "than --margin, or its answer against answers that were wrong.\n\n"
    "Of queries with equal prompts the first stays. To keep some for measuring, divide the data "
    "set\n"
    "by `leeroo split` first. What is in the rows and what was left out is said on standard "
    "error.\n\n"
    "  leeroo export data/mmlu_pro --format sft --lambda 50 -o sft.jsonl\n"
    "  leeroo export data/mmlu_pro --format dpo --budget 1.50 --pairs 3 -o pairs.jsonl\n"
    "  leeroo export parts/train --format openai -o distil.jsonl\n";

/* One piece: the rows of the options point into its variables. */
static int export_run(int argc, char **argv)
{
    struct export_command c = {
        .output = "-",
        .o = {.confidence_min = EXPORT_CONFIDENCE, .margin = EXPORT_MARGIN, .pairs = 1}};
    const struct option_row rows[] = {
        {"--format", 0, "FORMAT", "sft, dpo, preference or openai (needed)", OPTION_STRING,
         &c.format, 0, 0, NULL},
        {"--of", 0, "WHAT", "routing or answers", OPTION_STRING, &c.subject, 0, 0, NULL},
        {"--output", 'o', "FILE", "the rows; - is standard output (default)", OPTION_STRING,
         &c.output, 0, 0, NULL},
        {"--lambda", 0, "L", "in quality per USD (0: the best, whatever it costs)", OPTION_DOUBLE,
         &c.o.lambda, 0, 1e18, &c.lambda_given},
        {"--budget", 0, "USD", "the least lambda with which the best cost this per 1,000 queries",
         OPTION_DOUBLE, &c.o.budget_usd_per_1k, 1e-9, INFINITY, &c.budget_given},
        {"--experts", 0, "NAME,...", "choose among these only", OPTION_STRING, &c.experts, 0, 0,
         NULL},
        {"--solved", 0, NULL, "leave out queries that nobody answered right", OPTION_FLAG,
         &c.o.solved, 0, 0, NULL},
        {"--pairs", 0, "N", "of a query at most, drawn where there are more (1)", OPTION_COUNT,
         &c.o.pairs, 1, DATASET_EXPERTS_MAX, &c.pairs_given},
        {"--margin", 0, "M", "by which the other of a pair must be worse (0.05)", OPTION_DOUBLE,
         &c.o.margin, 0, 1e18, &c.margin_given},
        {"--min-confidence", 0, "C", "scores believed less are unknown (0.5)", OPTION_DOUBLE,
         &c.o.confidence_min, 0, 1, NULL},
        {"--seed", 0, "N", "of the draw of pairs (0)", OPTION_SEED, &c.o.seed, 0, 0, NULL},
        {"--quiet", 'q', NULL, "no summary", OPTION_FLAG, &c.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"export DATASET --format FORMAT [-o FILE] [options]", usage_text,
                                rows, sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1)
        status = error_set(&err, ERR_USAGE, "expected one DATASET; `leeroo export -h` explains");
    c.dataset = argv[0];
    if (status == OK)
        status = run(&c, &err);
    return status == OK ? 0 : cli_fail("export", &err);
}

const struct command export_command = {"export", "training data for a language model that routes",
                                       export_run};
