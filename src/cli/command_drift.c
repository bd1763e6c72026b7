/* leeroo drift: for whom recent outcomes differ from what the model says, and what learning them anew would cost.
 *
 * Reads options, then a data set with its model, or the configuration's ledger with the model that serves it; the
 * finding is src/eval/drift.c, the printing src/print/drift_output.c. One thread, and nobody is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "print/drift_output.h"
#include "setup/dataset_open.h"
#include "setup/drift_ledger.h"
#include "setup/setup_model.h"
#include "watch/spend_output.h"

#define ARENA_BYTES_MAX ((size_t)8 << 30)

static const char text[] =
    "Says for which experts recent outcomes differ from what a model says of them: a provider may "
    "have\n"
    "changed one without a word. Every difference comes with its error, and all experts are looked "
    "at\n"
    "together, so that nothing is called drift by having looked at many (Holm, level --alpha).\n"
    "\n"
    "DATASET has recent outcomes, best of several experts on the same questions: what these share "
    "is\n"
    "taken off. Questions that the model was trained on tell nothing and are left out.\n"
    "\n"
    "Without DATASET the outcomes are feedback in the ledger of the configuration (POST "
    "/v1/feedback),\n"
    "those since --since compared with those before, each less what its decision had estimated. "
    "Only\n"
    "requests that an expert was chosen for are seen, and only those of which somebody said "
    "something.\n"
    "\n"
    "Of an expert that has drifted it is said what 200 new outcomes cost, and how they are "
    "learnt.\n"
    "Exits with 0 whether or not anything has drifted.\n"
    "\n"
    "  leeroo drift my.leeroo data/this-month\n"
    "  leeroo drift -c leeroo.yaml --since 7d --json\n";

struct drift_command {
    const char *model, *dataset, *config, *since;
    double alpha;
    bool json;
    char *path; /* of the model, owned */
    struct model *m;
    struct arena *arena;
    struct drift_rows rows;
};

static enum status read_dataset(struct drift_command *c, struct error *err)
{
    struct dataset *d = NULL;
    enum status status = model_load(c->model, &c->m, err);
    if (status == OK && !(c->path = strdup(c->model)))
        status = error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = dataset_open("drift", c->dataset, stderr, &d, err);
    if (status == OK)
        status = drift_rows_read(c->m, d, c->arena, &c->rows, err);
    if (status == OK && !c->rows.input.row_count)
        status = error_set(err, ERR_INPUT,
                           c->rows.trained_on
                               ? "%s: the model was trained on all of its questions, so they tell "
                                 "nothing new; bring outcomes of others"
                               : "%s has no outcome of an expert that the model knows",
                           c->dataset);
    dataset_free(d);
    return status;
}

static enum status parse_since(const struct drift_command *c, int64_t *ret, struct error *err)
{
    if (spend_time_parse(c->since, clock_wall_ms(), ret) == OK)
        return OK;
    return error_set(err, ERR_USAGE,
                     "--since '%.40s': expected a date like 2026-11-22, or how long ago like 7d, "
                     "12h, 30m",
                     c->since);
}

/* The model as the gateway has it, and the ledger's store. */
static enum status open_config(struct drift_command *c, struct config **ret, struct error *err)
{
    enum status status = config_load_without_secrets(c->config, ret, err);
    if (status == OK)
        status = setup_model(*ret, &c->m, err);
    if (status == OK && !(*ret)->ledger.store)
        status = error_set(err, ERR_INPUT,
                           "%s names no ledger: give it a state_dir or ledger.store, or bring "
                           "outcomes as a data set: leeroo drift MODEL DATASET",
                           c->config);
    if (status == OK && !(c->path = strdup((*ret)->model_path)))
        status = error_set(err, ERR_MEMORY, "out of memory");
    return status;
}

static enum status read_ledger(struct drift_command *c, struct error *err)
{
    struct config *config = NULL;
    int64_t since_ms = 0;
    enum status status = parse_since(c, &since_ms, err);
    if (status == OK)
        status = open_config(c, &config, err);
    if (status == OK)
        status = drift_ledger_read(config->ledger.store, since_ms, c->m, c->arena, &c->rows, err);
    if (status == OK && !c->rows.input.row_count)
        status = error_set(err, ERR_INPUT,
                           "the ledger has no feedback on a request that one expert answered "
                           "(POST /v1/feedback gives some)");
    config_free(config);
    return status;
}

static enum status drift(struct drift_command *c, struct error *err)
{
    c->arena = arena_create(ARENA_BYTES_MAX);
    if (!c->arena)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = c->dataset ? read_dataset(c, err) : read_ledger(c, err);
    struct drift_expert *found = ARENA_ARRAY(c->arena, MODEL_EXPERTS_MAX, struct drift_expert);
    if (status == OK && !found)
        status = error_set(err, ERR_MEMORY, "out of memory");
    c->rows.input.alpha = c->alpha;
    if (status == OK)
        status = drift_find(&c->rows.input, c->arena, found, err);
    if (status != OK)
        return status;
    const struct drift_told told = {c->path,        c->dataset, c->m,
                                    &c->rows.input, found,      c->rows.trained_on};
    return drift_print(&told, c->json, stdout, err);
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct drift_command c = {.config = "leeroo.yaml", .since = "7d", .alpha = 0.05};
    bool since = false;
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "whose ledger (default leeroo.yaml)", OPTION_STRING, &c.config, 0,
         0, NULL},
        {"--since", 0, "TIME", "of feedback, what is recent: 2026-11-22, 12h (default 7d)",
         OPTION_STRING, &c.since, 0, 0, &since},
        {"--alpha", 0, "A", "chance of calling anything drift where nothing has (0.05)",
         OPTION_DOUBLE, &c.alpha, 1e-9, 0.5, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &c.json, 0, 0, NULL},
    };
    const struct usage usage = {"drift MODEL DATASET | drift -c leeroo.yaml [options]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    c.model = count > 0 ? argv[0] : NULL;
    c.dataset = count > 1 ? argv[1] : NULL;
    if (count == 1 || count > 2)
        status = error_set(&err, ERR_USAGE,
                           "expected a model and a data set, or neither for the ledger of the "
                           "configuration");
    else if (count == 2 && since)
        status = error_set(&err, ERR_USAGE,
                           "--since is of a ledger's feedback; a data set has no dates");
    else
        status = drift(&c, &err);
    model_free(c.m);
    arena_free(c.arena);
    free(c.path);
    return status == OK ? 0 : cli_fail("drift", &err);
}

const struct command drift_command = {"drift", "whose outcomes differ from what the model says",
                                      run};
