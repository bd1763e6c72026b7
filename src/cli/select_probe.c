/* leeroo select --probe: see select_probe.h. It is `leeroo collect` that asks only what can still change the choice;
 * options and help are here, the race is src/probe's, asking and scoring are play_setup.c's and src/play's. */
#include "cli/select_probe.h"

#include <stdio.h>
#include <string.h>

#include "cli/play_setup.h"

#define PROBE_MEMBERS 5

static const char usage_text[] =
    "Finds the K experts of leeroo.yaml that are worth having, when nobody has outcomes yet: asks "
    "all of\n"
    "them a few questions, then only what can still change the choice, and ends when nothing is "
    "likely\n"
    "to, or with the money. QUERIES is a file of questions (JSON lines as in queries.jsonl) or a "
    "data\n"
    "set; each has an \"answer\" or a \"check\", or --teacher or --judge stands in.\n\n"
    "What is counted is coverage: the mean over questions of the best score that a member has. On\n"
    "MMLU-Pro, 33 candidates, it finds sets within a point of the best for 5 % of what asking all\n"
    "everything costs; with 2 %, mostly.\n\n"
    "--spend is a cap to the cent: a call is made only when the most that it may cost still fits, "
    "with\n"
    "everything in flight counted. RUN (probe-DATE-TIME by default) is a data set at any moment. "
    "Killed,\n"
    "`leeroo select --probe --out RUN` goes on, and pays for no answer twice; with more money or "
    "another\n"
    "-k, too. --max-cost limits what a set costs instead of its number, or as well.\n\n"
    "  leeroo select --probe questions.jsonl --spend 5 --dry-run\n"
    "  leeroo select --probe questions.jsonl -k 4 --spend 5 --out data/probe\n"
    "  leeroo train data/probe -o leeroo-model.safetensors\n"
    "  leeroo play data/probe --spend 10\n";

bool select_probe_wanted(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--probe") == 0)
            return true;
    return false;
}

/* One piece: the rows of the options point into its variables. */
int select_probe(int argc, char **argv)
{
    bool probe = false;
    const char *max_cost = NULL;
    struct play_setup c = {.command = "select --probe",
                           .everything = true,
                           .rounds = 1,
                           .has_rounds = true,
                           .members = PROBE_MEMBERS};
    const struct option_row rows[] = {
        {"--probe", 0, NULL, "ask the experts of the configuration", OPTION_FLAG, &probe, 0, 0,
         NULL},
        {"--questions", 0, "FILE", "the same as QUERIES; may be repeated", OPTION_LIST,
         &c.questions, 0, 0, NULL},
        {"--count", 'k', "K", "members of the set (5; with --max-cost: no limit)", OPTION_COUNT,
         &c.members, 1, DATASET_EXPERTS_MAX, &c.has_members},
        {"--max-cost", 0, "USD", "of the set: at most so much for 1,000 questions to each member",
         OPTION_STRING, &max_cost, 0, 0, NULL},
        {"--spend", 0, "USD", "the most that all of it may cost (needed)", OPTION_DOUBLE,
         &c.spend_usd, 0, PLAY_SPEND_MAX, &c.has_spend},
        {"--out", 'o', "RUN", "the run to make, or to go on with (probe-DATE-TIME)", OPTION_STRING,
         &c.folder, 0, 0, NULL},
        {"--seed", 0, "N", "of the order of questions (1)", OPTION_SEED, &c.seed, 0, 0,
         &c.has_seed},
        {"--json", 0, NULL, "one JSON object instead of tables", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"select --probe QUERIES... --spend USD [-k K] [options]",
                                usage_text, rows, sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = play_setup_parse(&c, &usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if ((size_t)count + c.questions.count > OPTION_LIST_MAX ||
        ((size_t)count + c.questions.count == 0 && !c.folder)) {
        fprintf(stderr, "leeroo select --probe: name the questions: a file or a data set, at most "
                        "16; `leeroo select --probe -h` explains\n");
        return 2;
    }
    if (max_cost && (money_parse_usd(str_from(max_cost), &c.cost_max_nano_usd) != OK ||
                     c.cost_max_nano_usd == 0)) {
        fprintf(stderr,
                "leeroo select --probe: --max-cost %s: expected USD per 1,000 questions above 0, "
                "\"2.50\"\n",
                max_cost);
        return 2;
    }
    if (max_cost && !c.has_members) {
        c.members = DATASET_EXPERTS_MAX;
        c.has_members = true;
    }
    for (int i = 0; i < count; i++)
        c.questions.items[c.questions.count++] = argv[i];
    return play_setup_run(&c);
}
