/* leeroo collect: every expert on every question, scored: a data set. It is `leeroo play` without the choosing and the
 * learning; the work is play_setup.c's and src/play's. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/play_setup.h"

static const char usage_text[] =
    "Asks every expert of leeroo.yaml every question, scores the answers, and keeps it all as a "
    "data\n"
    "set to train and measure on. QUERIES is a file of questions (JSON lines as in queries.jsonl, "
    "or one\n"
    "a line) or a data set.\n\n"
    "--spend is a cap to the cent: a call is made only when the most that it may cost still fits, "
    "with\n"
    "everything in flight counted. Ended at any moment, also by a cap, the same command goes on "
    "where\n"
    "it was, and pays for no answer twice. --dry-run says before what it will cost.\n\n"
    "--experts asks only those: a newcomer, what `leeroo enroll --suggest` wrote for it. A teacher "
    "and\n"
    "judges need not be among them.\n\n"
    "  leeroo collect questions.jsonl -o data/mine --dry-run\n"
    "  leeroo collect questions.jsonl -o data/mine --spend 10\n"
    "  leeroo train data/mine -o leeroo-model.safetensors\n"
    "  leeroo collect ask.jsonl --experts new-70b -o data/new\n";

/* One piece: the rows of the options point into its variables. */
static int run_collect(int argc, char **argv)
{
    struct play_setup c = {
        .command = "collect", .everything = true, .rounds = 1, .has_rounds = true};
    const struct option_row rows[] = {
        {"--output", 'o', "DATASET", "the data set to make, or to go on with (needed)",
         OPTION_STRING, &c.folder, 0, 0, NULL},
        {"--experts", 0, "NAME,...", "ask only these of the configuration", OPTION_STRING,
         &c.experts, 0, 0, NULL},
        {"--spend", 0, "USD", "the most that all of it may cost (no cap)", OPTION_DOUBLE,
         &c.spend_usd, 0, PLAY_SPEND_MAX, &c.has_spend},
    };
    const struct usage usage = {"collect QUERIES... -o DATASET [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = play_setup_parse(&c, &usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count == 0 || count > OPTION_LIST_MAX || !c.folder) {
        fprintf(stderr, "leeroo collect: %s; `leeroo collect -h` explains\n",
                c.folder ? "name the questions: a file or a data set, at most 16"
                         : "say where to: -o DATASET");
        return 2;
    }
    for (int i = 0; i < count; i++)
        c.questions.items[c.questions.count++] = argv[i];
    return play_setup_run(&c);
}

const struct command collect_command = {"collect", "every expert on every question, scored",
                                        run_collect};
