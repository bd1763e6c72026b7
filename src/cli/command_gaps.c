/* leeroo gaps: where nobody is good enough, and where one expert stands alone.
 *
 * Reads options, data and model, has src/gaps find topics and measure them, and hands them on. Outputs are
 * checked before the work. One thread, no network; the result depends on the inputs and the seed alone. */
#include <stdio.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "data/input_file.h"
#include "print/gaps_table.h"
#include "setup/dataset_open.h"

#define GAPS_ARENA_BYTES (UINT64_C(16) << 30)
#define GAPS_PAGE_BYTES  (256u << 20)
#define GAPS_TOPICS      10
#define GAPS_TOPICS_MAX  1000
#define GAPS_EXAMPLES    3

struct gaps_command {
    const char *model, *dataset, *again, *html;
    struct gaps_options options;
    size_t topics;
    bool json, quiet;
    struct progress progress;
};

static void show_progress(size_t done, void *arg)
{
    progress_update(arg, done);
}

/* Work */

static enum status print(const struct gaps_command *c, const struct gaps *g, struct error *err)
{
    struct buf b;
    if (!c->json)
        return c->quiet ? OK : gaps_print(g, c->topics, stdout, err);
    buf_init(&b, GAPS_PAGE_BYTES);
    gaps_write_json(g, c->topics, &b);
    return file_print(stdout, &b, err);
}

static enum status write_page(const struct gaps_command *c, const struct gaps *g, struct error *err)
{
    const struct gaps_page page = {g, c->model, c->dataset, c->again, c->topics};
    struct buf b;
    buf_init(&b, GAPS_PAGE_BYTES);
    gaps_write_html(&page, &b);
    enum status status = file_write(c->html, &b, err);
    buf_done(&b);
    return status;
}

static enum status measure(struct gaps_command *c, const struct model *m, const struct dataset *d,
                           const struct dataset *again, struct arena *a, struct gaps *g,
                           struct error *err)
{
    c->options.progress = show_progress;
    c->options.arg = &c->progress;
    progress_begin(&c->progress, "topics", 2 * d->query_count);
    enum status status = gaps_find(m, d, &c->options, a, g, err);
    progress_end(&c->progress);
    if (status != OK || !again)
        return status;
    progress_begin(&c->progress, "again", again->query_count);
    status = gaps_again(m, again, &c->options, a, g, err);
    progress_end(&c->progress);
    return status;
}

static enum status find(struct gaps_command *c, const struct model *m, const struct dataset *d,
                        const struct dataset *again, struct arena *a, struct error *err)
{
    struct gaps *g = ARENA_NEW(a, struct gaps);
    if (!g)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = measure(c, m, d, again, a, g, err);
    if (status == OK)
        gaps_print_notes(g, c->model, c->dataset, c->again, stderr);
    if (status == OK && c->html)
        status = write_page(c, g, err);
    return status == OK ? print(c, g, err) : status;
}

static int gaps(struct gaps_command *c)
{
    struct model *m = NULL;
    struct dataset *d = NULL, *again = NULL;
    struct error err;
    struct arena *a = arena_create(GAPS_ARENA_BYTES);
    enum status status = a ? OK : error_set(&err, ERR_MEMORY, "no memory");
    if (status == OK && c->html)
        status = file_out_check(c->html, &err);
    if (status == OK)
        status = model_load(c->model, &m, &err);
    if (status == OK)
        status = dataset_open_any("gaps", c->dataset, stderr, &d, &err);
    if (status == OK && c->again)
        status = dataset_open_any("gaps", c->again, stderr, &again, &err);
    if (status == OK)
        status = find(c, m, d, again, a, &err);
    int rc = status == OK ? 0 : cli_fail("gaps", &err);
    arena_free(a);
    dataset_free(d);
    dataset_free(again);
    model_free(m);
    return rc;
}

/* What is read must not be written over. */
static bool output_is_free(const struct gaps_command *c)
{
    if (!c->html || !(file_is_same(c->html, c->model) || dataset_holds(c->dataset, c->html) ||
                      (c->again && dataset_holds(c->again, c->html))))
        return true;
    fprintf(stderr, "leeroo gaps: %s is read here and would be written over\n", c->html);
    return false;
}

static const char usage_text[] =
    "Says where a new expert would help most: the brief for the next specialised model. Questions\n"
    "are taken together as topics, by their domain and their words. Each topic is measured by the\n"
    "answers of the expert that the model would choose, whatever it costs, and ranked by what an\n"
    "expert that is always right would add per 1,000 questions.\n\n"
    "  routing     of it: another expert here had it right, so that choosing better may get it\n"
    "  nobody      of it: none had it right, so that only a new expert gets it\n"
    "  achieved    recorded scores; where there are few, the model's estimates count beside them\n"
    "  missed more the words that tell a topic's missed questions from its others\n\n"
    "Then, where one expert stands alone: topics that would lose much if it went. Without "
    "outcomes\n"
    "all figures are the model's estimates. --again measures the topics on other questions: gaps\n"
    "that were found by chance are gone there.\n\n"
    "  leeroo gaps m.safetensors data/mine\n"
    "  leeroo gaps m.safetensors questions.jsonl --topics 5 --examples 10\n"
    "  leeroo gaps m.safetensors data/mine --again data/held-out --html gaps.html\n"
    "  leeroo gaps m.safetensors data/mine --level 0.9 --experts small,large --json\n";

/* One piece: the rows of the options point into its variables. */
static int gaps_run(int argc, char **argv)
{
    struct gaps_command c = {.topics = GAPS_TOPICS,
                             .options = {.level = 1, .examples = GAPS_EXAMPLES}};
    const struct option_row rows[] = {
        {"--html", 0, "FILE", "write one HTML page for a browser", OPTION_STRING, &c.html, 0, 0,
         NULL},
        {"--again", 0, "DATASET", "measure the topics again on these questions", OPTION_STRING,
         &c.again, 0, 0, NULL},
        {"--experts", 0, "NAME,...", "the pool (default: all that model and data share)",
         OPTION_STRING, &c.options.experts, 0, 0, NULL},
        {"--topics", 0, "N", "show so many topics (default 10)", OPTION_COUNT, &c.topics, 1,
         GAPS_TOPICS_MAX, NULL},
        {"--examples", 0, "N", "show so many questions of each (default 3)", OPTION_COUNT,
         &c.options.examples, 0, GAPS_EXAMPLES_MAX, NULL},
        {"--level", 0, "Q", "what a new expert would score (default 1: always right)",
         OPTION_DOUBLE, &c.options.level, 0.01, 1, NULL},
        {"--seed", 0, "N", "of how questions are taken together (default 0)", OPTION_SEED,
         &c.options.seed, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a table", OPTION_FLAG, &c.json, 0, 0, NULL},
        {"--quiet", 'q', NULL, "no table", OPTION_FLAG, &c.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"gaps MODEL DATASET [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 2) {
        fprintf(stderr, "leeroo gaps: expected MODEL DATASET; `leeroo gaps -h` explains\n");
        return 2;
    }
    c.model = argv[0];
    c.dataset = argv[1];
    return output_is_free(&c) ? gaps(&c) : 2;
}

const struct command gaps_command = {"gaps", "where no expert is good enough", gaps_run};
