/* leeroo play: questions, answers, scores, a model, within a sum of money. Options and help; the work is play_setup.c's
 * and src/play's. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/play_setup.h"
#include "play/questions.h"
#include "play/run.h"

static const char usage_text[] =
    "Makes an orchestrator's training data by itself: asks the experts of leeroo.yaml questions, "
    "scores\n"
    "what they answer, learns, and asks on where that is worth its price. Each round says:\n\n"
    "  area       mean quality at a tenth to all of the best expert's cost, on questions kept for "
    "it\n"
    "  over mix   what of it is gained over the best random mix of experts, in points\n"
    "  over last  and over the round before, on the same questions\n"
    "  doubt      how far the estimates may lie off, on average\n\n"
    "--spend is a cap to the cent: a call is made only when the most that it may cost still fits, "
    "with\n"
    "everything in flight counted. Each round may spend twice what the one before may.\n\n"
    "RUN_DIR (play-DATE-TIME by default) is a data set at any moment. Killed, a run goes on with\n"
    "`leeroo play RUN_DIR`: with the same settings, and what was answered is not paid again.\n\n"
    "Questions come from files, from an expert that makes them up, from what the gateway has kept, "
    "and\n"
    "from the sandbox, in any mix. Where none is named, the dearest expert makes them up, and what "
    "was\n"
    "kept is asked.\n\n"
    "With --redis other machines take calls of the run, each with keys of its own; the money stays "
    "here.\n\n"
    "  leeroo play --spend 2.00\n"
    "  leeroo play --questions questions.jsonl --spend 2.00\n"
    "  leeroo play --generate gpt-4o-mini --protect data/exam --spend 5\n"
    "  leeroo play --questions data/mmlu --spend 5 --dry-run\n"
    "  leeroo play play-20260101-120000 --spend 4.00\n"
    "  leeroo play --questions questions.jsonl --spend 20 --redis redis://10.0.0.5\n"
    "  leeroo play --join redis://10.0.0.5 --workers 32          on each of the others\n";

/* One piece: the rows of the options point into its variables. */
static int run_play(int argc, char **argv)
{
    struct play_setup c = {.command = "play"};
    const struct option_row rows[] = {
        {"--spend", 0, "USD", "the most that the whole run may cost (needed)", OPTION_DOUBLE,
         &c.spend_usd, 0, PLAY_SPEND_MAX, &c.has_spend},
        {"--rounds", 0, "N", "rounds of asking and learning (5)", OPTION_COUNT, &c.rounds, 1,
         RUN_ROUNDS_MAX, &c.has_rounds},
        {"--questions", 0, "FILE",
         "questions: JSON lines, one a line, or a data set; may be repeated", OPTION_LIST,
         &c.questions, 0, 0, NULL},
        {"--generate", 0, "EXPERT", "an expert that makes questions up; may be repeated",
         OPTION_LIST, &c.generators, 0, 0, NULL},
        {"--domain", 0, "NAME", "what it makes questions up about; may be repeated", OPTION_LIST,
         &c.domains, 0, 0, NULL},
        {"--from", 0, "ledger", "what the gateway has kept (`keep`), and what users said of it",
         OPTION_STRING, &c.from, 0, 0, NULL},
        {"--sandbox", 0, NULL, "built-in questions with known answers", OPTION_FLAG, &c.sandbox, 0,
         0, NULL},
        {"--new", 0, "N", "questions made up for each round (100)", OPTION_COUNT,
         &c.round_questions, 0, QUESTIONS_ROUND_MAX, &c.has_questions},
        {"--protect", 0, "DATASET", "ask nothing that is in it; may be repeated", OPTION_LIST,
         &c.protect, 0, 0, NULL},
        {"--join", 0, "URL", "make calls for another machine's run, which has --redis",
         OPTION_STRING, &c.join, 0, 0, NULL},
        {"--run", 0, "NAME", "which run to join, where there are several", OPTION_STRING, &c.run, 0,
         0, NULL},
        {"--seed", 0, "N", "of everything random (1)", OPTION_SEED, &c.seed, 0, 0, &c.has_seed},
    };
    const struct usage usage = {"play [RUN_DIR] --spend USD [options] | play --join URL [options]",
                                usage_text, rows, sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = play_setup_parse(&c, &usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count > 1) {
        fprintf(stderr, "leeroo play: expected one RUN_DIR; `leeroo play -h` explains\n");
        return 2;
    }
    if ((c.join && (count > 0 || c.redis || c.has_spend)) || (c.run && !c.join)) {
        fprintf(stderr,
                "leeroo play: --join goes with -c, --workers and --run alone: questions and "
                "money are the other machine's; `leeroo play -h` explains\n");
        return 2;
    }
    if (c.join)
        return play_join(&c);
    c.folder = count == 1 ? argv[0] : NULL;
    return play_setup_run(&c);
}

const struct command play_command = {"play", "ask, score and learn within a sum of money",
                                     run_play};
