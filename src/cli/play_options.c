/* The options that `leeroo play` and `leeroo collect` have in common: see play_setup.h. */
#include <string.h>

#include "base/check.h"
#include "calls/calls.h"
#include "cli/play_setup.h"

#define ROWS_MAX 32 /* of a command */

/* One piece: the rows of the options point into `c`. */
enum status play_setup_parse(struct play_setup *c, const struct usage *own, int argc, char **argv,
                             int *ret_count)
{
    const struct option_row shared[] = {
        {"--config", 'c', "FILE", "the experts (leeroo.yaml)", OPTION_STRING, &c->config, 0, 0,
         NULL},
        {"--teacher", 0, "EXPERT", "whose answer is the reference where a question has none",
         OPTION_STRING, &c->teacher, 0, 0, NULL},
        {"--judge", 0, "EXPERT", "an expert that compares answers; the first that passes its tests",
         OPTION_LIST, &c->judges, 0, 0, NULL},
        {"--allow-commands", 0, NULL, "run the commands that questions name to check answers",
         OPTION_FLAG, &c->allow_commands, 0, 0, NULL},
        {"--workers", 0, "N", "calls at a time (16)", OPTION_COUNT, &c->workers, 0,
         CALLS_CONCURRENCY_MAX, &c->has_workers},
        {"--redis", 0, "URL", "let other machines make calls, too: redis://HOST, unix:/PATH",
         OPTION_STRING, &c->redis, 0, 0, NULL},
        {"--max-output", 0, "N", "tokens of an answer at most (2048)", OPTION_COUNT,
         &c->output_tokens, 1, PLAY_TOKENS_MAX, &c->has_tokens},
        {"--dry-run", 0, NULL, "say what it would cost, and ask nobody", OPTION_FLAG, &c->dry_run,
         0, 0, NULL},
        {"--quiet", 'q', NULL, "say only how it ended", OPTION_FLAG, &c->quiet, 0, 0, NULL},
    };
    const size_t count = sizeof(shared) / sizeof(shared[0]);
    struct option_row rows[ROWS_MAX];
    struct usage all = *own;
    CHECK(own->row_count + count <= ROWS_MAX);
    memcpy(rows, own->rows, own->row_count * sizeof(*rows));
    memcpy(rows + own->row_count, shared, sizeof(shared));
    all.rows = rows;
    all.row_count += count;
    return options_parse(&all, argc, argv, ret_count);
}
