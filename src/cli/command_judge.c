/* leeroo judge: a data set's scores anew, from its texts, with one rule for all experts.
 *
 * Reading answers and scoring is src/judge; here are options, the table and the new data set, which appears under its
 * name only when it is whole (new_folder.h). One thread. Nothing but a data set is ever replaced, and never the one
 * that is read. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/new_folder.h"
#include "base/progress.h"
#include "base/screen.h"
#include "cli/commands.h"
#include "data/dataset_write.h"
#include "data/subset.h"
#include "judge/rescore_checks.h"
#include "setup/dataset_open.h"

#define JUDGE_OUTPUT_BYTES (16u << 20)

struct judge_command {
    const char *dataset, *output, *experts, *rule_name;
    enum judge_rule rule;
    bool force, quiet, json, allow_commands;
    size_t chosen[DATASET_EXPERTS_MAX], count;
    struct judge_figures figures[DATASET_EXPERTS_MAX];
    struct rescore_checks_figures checks;
    struct progress progress;
};

static void show_progress(size_t done, size_t total, void *arg)
{
    struct judge_command *c = arg;
    c->progress.total = total;
    progress_update(&c->progress, done);
}

static enum status parse_rule(struct judge_command *c, struct error *err)
{
    static const char *const names[] = {[JUDGE_AUTO] = "auto",
                                        [JUDGE_CHOICE] = "choice",
                                        [JUDGE_NUMBER] = "number",
                                        [JUDGE_TEXT] = "text"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(c->rule_name, names[i])) {
            c->rule = (enum judge_rule)i;
            return OK;
        }
    return error_set(err, ERR_USAGE, "--rule '%.60s': expected auto, choice, number or text",
                     c->rule_name);
}

static enum status choose(struct judge_command *c, const struct dataset *d, struct error *err)
{
    if (c->experts)
        return dataset_expert_list(d, c->experts, c->chosen, &c->count, err);
    c->count = d->expert_count;
    for (size_t e = 0; e < d->expert_count; e++)
        c->chosen[e] = e;
    return OK;
}

/* A share as a cell of the table; "-" where there is nothing to take a share of. */
static void add_share(struct buf *b, double share, size_t of)
{
    if (of > 0)
        buf_addf(b, " %8.2f %%", 100 * share);
    else
        buf_addf(b, " %10s", "-");
}

static void write_table(const struct judge_command *c, const struct dataset *d, struct buf *b)
{
    buf_addf(b, "%-32s %9s %10s %10s %10s %10s\n", "expert", "questions", "recorded", "judged",
             "agreement", "no answer");
    for (size_t i = 0; i < c->count; i++) {
        const struct judge_figures *f = &c->figures[i];
        buf_addf(b, "%-32.*s %9zu", STR_FMT(d->experts[f->expert].name), f->texts);
        add_share(b, f->recorded, f->compared);
        add_share(b, f->judged, f->scored);
        add_share(b, f->agreement, f->compared);
        add_share(b, f->texts ? (double)f->unanswered / (double)f->texts : 0, f->texts);
        buf_add_char(b, '\n');
    }
    buf_addf(b, "\nwrote %s\n", c->output);
}

static void add_figure(struct buf *b, const char *name, double share, size_t of)
{
    buf_addf(b, ",\"%s\":", name);
    if (of > 0)
        json_write_double(b, share);
    else
        buf_add_c(b, "null");
}

static void write_json(const struct judge_command *c, const struct dataset *d, struct buf *b)
{
    buf_add_c(b, "{\"dataset\":");
    json_write_string(b, str_from(c->dataset));
    buf_add_c(b, ",\"output\":");
    json_write_string(b, str_from(c->output));
    buf_addf(b, ",\"rule\":\"%s\",\"experts\":[", c->rule_name);
    for (size_t i = 0; i < c->count; i++) {
        const struct judge_figures *f = &c->figures[i];
        buf_add_c(b, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(b, d->experts[f->expert].name);
        buf_addf(b, ",\"questions\":%zu,\"scored\":%zu,\"unanswered\":%zu", f->texts, f->scored,
                 f->unanswered);
        add_figure(b, "recorded", f->recorded, f->compared);
        add_figure(b, "judged", f->judged, f->scored);
        add_figure(b, "agreement", f->agreement, f->compared);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "]}\n");
}

static enum status print(const struct judge_command *c, const struct dataset *d, struct error *err)
{
    struct buf b;
    buf_init(&b, JUDGE_OUTPUT_BYTES);
    if (c->json)
        write_json(c, d, &b);
    else if (!c->quiet)
        write_table(c, d, &b);
    return (c->json ? file_print : screen_print)(stdout, &b, err);
}

/* The data set of the chosen experts, complete with their texts. */
static enum status write_set(const struct judge_command *c, const struct dataset *d,
                             const char *path, struct error *err)
{
    struct dataset *part = NULL;
    enum status status = dataset_subset_experts(d, c->chosen, c->count, &part, err);
    if (status == OK) {
        part->has_answers = true;
        status = dataset_write(part, path, err);
    }
    for (size_t i = 0; i < c->count && status == OK; i++)
        status = responses_copy(c->dataset, path, part->experts[i].name, err);
    dataset_free(part);
    return status;
}

static enum status write_output(const struct judge_command *c, const struct dataset *d,
                                struct error *err)
{
    struct new_folder folder;
    enum status status = new_folder_begin(c->output, c->force, &folder, err);
    if (status != OK)
        return status;
    status = write_set(c, d, folder.temporary, err);
    if (status == OK)
        return new_folder_commit(&folder, err);
    new_folder_abort(&folder);
    return status;
}

static void warn_of_checks(const struct judge_command *c)
{
    if (c->checks.refused > 0)
        fprintf(stderr,
                "%zu answers are scored by commands, which were not run: --allow-commands lets "
                "them\n",
                c->checks.refused);
    if (c->checks.broken > 0)
        fprintf(stderr, "%zu answers could not be checked; the first: %s\n", c->checks.broken,
                c->checks.problem);
}

static enum status judge(struct judge_command *c, struct dataset **d, struct error *err)
{
    enum status status = new_folder_check(c->output, c->dataset, c->force, err);
    if (status == OK)
        status = dataset_open("judge", c->dataset, stderr, d, err);
    if (status == OK)
        status = choose(c, *d, err);
    if (status != OK)
        return status;
    progress_begin(&c->progress, "judging", 1);
    status = judge_rescore(*d, c->chosen, c->count, c->rule, show_progress, c, c->figures, err);
    if (status == OK)
        status = judge_rescore_checks(*d, c->chosen, c->count, c->allow_commands, c->figures,
                                      &c->checks, err);
    progress_end(&c->progress);
    if (status == OK)
        warn_of_checks(c);
    if (status == OK)
        status = write_output(c, *d, err);
    return status == OK ? print(c, *d, err) : status;
}

static const char usage_text[] =
    "Scores a data set anew from the experts' texts, by one rule for all of them. Recorded scores\n"
    "often were not: where a harness could not read an answer it counted it as wrong, and how "
    "often\n"
    "that happened differs from model to model.\n\n"
    "A query with choices is answered by a letter, any other by the number or the words behind\n"
    "\"answer is\" or in \\boxed{}, else by the last number. 1 when that is the query's answer, "
    "else 0,\n"
    "also when the text gives none or several to choose from. Costs and tokens stay as recorded.\n"
    "A query with a `check` (a pattern, a JSON schema, a command) is scored by that.\n"
    "Without a text, or without a known answer, a score is unknown. DATASET2 is a complete data "
    "set,\n"
    "texts included; its outcomes.csv has one more column, `answer`.\n\n"
    "  questions   texts that were read\n"
    "  recorded    mean recorded score, where there is one to compare with\n"
    "  judged      mean new score\n"
    "  agreement   share of questions where both say right, or both say wrong\n"
    "  no answer   share of texts from which no answer can be told\n\n"
    "  leeroo judge data/mmlu_pro -o data/mmlu_pro_judged\n"
    "  leeroo judge data/mmlu_pro -o data/pair --experts small,large --json\n";

/* One piece: the rows of the options point into its variables. */
static int judge_run(int argc, char **argv)
{
    struct judge_command c = {.rule_name = "auto"};
    const struct option_row rows[] = {
        {"--output", 'o', "DATASET2", "the directory to write (needed)", OPTION_STRING, &c.output,
         0, 0, NULL},
        {"--experts", 0, "NAME,...", "judge and write only these experts", OPTION_STRING,
         &c.experts, 0, 0, NULL},
        {"--rule", 0, "RULE", "auto (default), choice, number or text", OPTION_STRING, &c.rule_name,
         0, 0, NULL},
        {"--allow-commands", 0, NULL, "run the commands that questions name to check answers",
         OPTION_FLAG, &c.allow_commands, 0, 0, NULL},
        {"--force", 0, NULL, "replace DATASET2 when it is a data set already", OPTION_FLAG,
         &c.force, 0, 0, NULL},
        {"--quiet", 'q', NULL, "no table", OPTION_FLAG, &c.quiet, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a table", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"judge DATASET -o DATASET2 [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    struct dataset *d = NULL;
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1 || !c.output)
        status = error_set(&err, ERR_USAGE, "%s; `leeroo judge -h` explains",
                           count != 1 ? "expected one DATASET" : "say where to write: -o DATASET2");
    c.dataset = argv[0];
    if (status == OK)
        status = parse_rule(&c, &err);
    if (status == OK)
        status = judge(&c, &d, &err);
    dataset_free(d);
    return status == OK ? 0 : cli_fail("judge", &err);
}

const struct command judge_command = {"judge", "score a data set anew, from the experts' texts",
                                      judge_run};
