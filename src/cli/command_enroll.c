/* leeroo enroll: an expert joins a trained model by few outcomes of its own, and the others stay as they are.
 *
 * Reads options, model and data, has the prior say what is believed of the newcomer and enroll learn from its outcomes,
 * and puts the changed model where the user wants it (model_change.h). What is said of it is print/enrolled.h, which
 * questions to ask is enroll_suggest.c. One thread, no network; a gateway that runs sees the new file by itself. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/name.h"
#include "base/nearest.h"
#include "catalogue/catalogue.h"
#include "cli/commands.h"
#include "cli/enrolling.h"
#include "config/config_read.h"
#include "data/input_file.h"
#include "enroll/rows.h"
#include "print/enrolled.h"
#include "setup/dataset_open.h"

#define ARENA_BYTES_MAX  ((size_t)8 << 30)
#define OUTPUT_BYTES_MAX (1u << 20)
#define MEANS_ROWS_MAX   2000 /* questions without an outcome, which say what is usual */
#define SUGGEST_MAX      5000

static const char text[] =
    "Lets an expert join a model by few outcomes of its own, without its data and without "
    "training:\n"
    "50 to 200 do. Where there are none, the prior places it by its name, or by its price. The "
    "others\n"
    "are estimated as before, to the last bit.\n"
    "\n"
    "DATASET has the outcomes of NAME; where it has those of the others on the same questions, "
    "too,\n"
    "each tells more. The changed model is written to OUT; without -o it takes MODEL's place, and "
    "the\n"
    "one before is kept as MODEL.previous: `leeroo rollback MODEL` puts it back.\n"
    "\n"
    "--suggest says before which questions to ask NAME: of every kind and difficulty, as lines "
    "that\n"
    "`leeroo collect --experts NAME` takes.\n"
    "Questions that seem broken by what others made of them are named and left out.\n"
    "\n"
    "  leeroo enroll my.leeroo --expert new-70b --suggest 200 --from data/mine -o ask.jsonl\n"
    "  leeroo collect ask.jsonl --experts new-70b -o data/new\n"
    "  leeroo enroll my.leeroo --expert new-70b data/new\n"
    "  leeroo enroll my.leeroo --expert new-70b --price 0.88/0.88 --like llama-3.1-70b -o "
    "with.leeroo\n";

/* Whom it is about */

/* "0.15/0.6": USD per million tokens of input and output. */
static enum status read_price(const char *given, struct price *ret, struct error *err)
{
    struct str rest = str_from(given), input = str_trim(str_split(&rest, '/'));
    struct price price = {0};
    if (money_parse_usd(input, &price.input_nano_usd_per_m) != OK ||
        money_parse_usd(str_trim(rest), &price.output_nano_usd_per_m) != OK)
        return error_set(err, ERR_USAGE,
                         "--price '%.100s': expected USD per million tokens of input and output, "
                         "as in 0.15/0.6",
                         given);
    *ret = price;
    return OK;
}

/* As given, as its data set has it, as it was before, as the catalogue has it. */
static enum status find_price(const struct enroll_command *c, struct price *ret, struct error *err)
{
    struct str name = str_from(c->name);
    size_t at = c->d && c->d->expert_count ? dataset_expert_index(c->d, name) : SIZE_MAX;
    const struct catalogue_entry *entry = catalogue_find(STR(""), name);
    if (c->price)
        return read_price(c->price, ret, err);
    if (at != SIZE_MAX && dataset_price_basis(c->d, at) != PRICE_UNKNOWN)
        *ret = c->d->experts[at].price;
    else if (c->replaced != SIZE_MAX)
        *ret = model_expert_at(c->model, c->replaced)->price;
    else if (entry)
        *ret = entry->price;
    else
        return error_set(err, ERR_INPUT,
                         "no price of '%s' is known: say --price INPUT/OUTPUT, USD per million "
                         "tokens",
                         c->name);
    return OK;
}

static enum status check_name(struct enroll_command *c, struct error *err)
{
    const char *mistake = expert_name_mistake(str_from(c->name));
    c->replaced = model_expert_index(c->model, str_from(c->name));
    if (mistake)
        return error_set(err, ERR_USAGE, "--expert '%.100s' %s", c->name, mistake);
    if (c->replaced == SIZE_MAX || c->replace || c->suggest)
        return OK;
    return error_set(
        err, ERR_INPUT,
        "%s knows '%s' already; --replace enrols it anew, from what is given now alone", c->path,
        c->name);
}

/* The model as if the expert had never been in it. */
static enum status take_out(struct enroll_command *c, struct error *err)
{
    struct buf bytes;
    const struct model_edit edit = {.remove = &c->replaced, .remove_count = 1};
    if (c->replaced == SIZE_MAX)
        return OK;
    buf_init(&bytes, MODEL_BYTES_MAX);
    enum status status = model_rewrite_bytes(c->model, &edit, &bytes, err);
    if (status == OK)
        status = model_load_bytes(bytes.ptr, bytes.len, &c->without, err);
    buf_done(&bytes);
    return status;
}

/* Name, price, and what is believed of it before its outcomes count. */
static enum status introduce(struct enroll_command *c, struct error *err)
{
    struct price price;
    enum status status = find_price(c, &price, err);
    if (status != OK)
        return status;
    const struct prior_expert as = {
        .name = str_from(c->name), .like = str_from(c->like ? c->like : ""), .price = price};
    c->newcomer.name = as.name;
    c->newcomer.price = price;
    return prior_believe(enroll_into(c), &as, 1, &c->newcomer.belief, &c->place, err);
}

/* What is read must not be written over. */
static enum status check_output(const struct enroll_command *c, struct error *err)
{
    enum status status = model_change_check(c->path, c->output, err);
    if (status == OK && c->output &&
        ((c->dataset && dataset_holds(c->dataset, c->output)) ||
         (c->from && dataset_holds(c->from, c->output))))
        status =
            error_set(err, ERR_USAGE, "-o %s is read here and would be written over", c->output);
    return status;
}

/* A name that the data set has but for a few letters is mistyped, and would join by its prior alone. */
static enum status check_meant(const struct enroll_command *c, struct error *err)
{
    const char *names[DATASET_EXPERTS_MAX], *nearest;
    size_t count = 0;
    if (c->suggest || !c->d || dataset_expert_index(c->d, str_from(c->name)) != SIZE_MAX)
        return OK;
    for (size_t i = 0; i < c->d->expert_count; i++)
        if (model_expert_index(c->model, c->d->experts[i].name) == SIZE_MAX &&
            (names[count] = arena_copy(c->arena, c->d->experts[i].name).ptr))
            count++;
    nearest = str_nearest(str_from(c->name), names, count);
    if (!nearest)
        return OK;
    return error_set(err, ERR_INPUT,
                     "%s has no outcome of '%s'; did you mean '%s'? Without a data set it is "
                     "placed by the prior",
                     c->dataset, c->name, nearest);
}

static enum status prepare(struct enroll_command *c, struct error *err)
{
    enum status status = check_output(c, err);
    if (status == OK)
        status = model_load(c->path, &c->model, err);
    if (status == OK)
        status = check_name(c, err);
    if (status == OK)
        status = take_out(c, err);
    if (status == OK && c->dataset)
        status = dataset_open_any("enroll", c->dataset, stderr, &c->d, err);
    if (status == OK)
        status = check_meant(c, err);
    if (status == OK)
        status = introduce(c, err);
    return status;
}

/* Enrolling */

static enum status take_rows(struct enroll_command *c, struct error *err)
{
    struct enroll_rows rows = {0};
    if (!c->d)
        return OK;
    enum status status = enroll_rows_take(enroll_into(c), c->d, c->newcomer.name, MEANS_ROWS_MAX,
                                          c->arena, &rows, err);
    if (status == OK && !rows.outcomes && !c->quiet)
        fprintf(stderr,
                "leeroo enroll: note: %s has no outcome of '%s': it is placed by the prior\n",
                c->dataset, c->name);
    c->newcomer.rows = rows.rows;
    c->newcomer.row_count = rows.count;
    return status;
}

static enum status write_model(struct enroll_command *c, const struct expert_parameters *p,
                               struct error *err)
{
    const struct model_edit edit = {
        .remove = &c->replaced, .remove_count = c->replaced != SIZE_MAX, .add = p, .add_count = 1};
    return model_change_write(c->model, &edit, c->path, c->output, err);
}

static size_t count_plans(const struct model *m)
{
    return model_arm_count(m) - model_expert_count(m);
}

static void print(const struct enroll_command *c, const struct enroll_figures *figures,
                  const struct model *after, struct buf *out)
{
    const struct enrolled e = {.into = enroll_into(c),
                               .after = after,
                               .newcomer = &c->newcomer,
                               .figures = figures,
                               .place = &c->place,
                               .replaced = c->without,
                               .plans_gone = count_plans(c->model) - count_plans(enroll_into(c)),
                               .path = c->output ? c->output : c->path,
                               .in_place = !c->output};
    (c->json ? enrolled_print_json : enrolled_print)(&e, out);
}

static enum status enroll(struct enroll_command *c, struct error *err)
{
    struct expert_parameters p;
    struct enroll_figures figures;
    struct model *after = NULL;
    struct buf out;
    enum status status = take_rows(c, err);
    if (status == OK)
        status = enroll_fit(enroll_into(c), &c->newcomer, c->arena, &p, &figures, err);
    if (status == OK)
        status = write_model(c, &p, err);
    if (status == OK)
        status = model_load(c->output ? c->output : c->path, &after, err);
    if (status == OK && (c->json || !c->quiet)) {
        buf_init(&out, OUTPUT_BYTES_MAX);
        print(c, &figures, after, &out);
        status = file_print(stdout, &out, err);
    }
    model_free(after);
    return status;
}

/* The command line */

static enum status check_options(struct enroll_command *c, int count, char **argv,
                                 struct error *err)
{
    c->path = count > 0 ? argv[0] : NULL;
    c->dataset = count > 1 ? argv[1] : NULL;
    if (count < 1 || count > 2)
        return error_set(err, ERR_USAGE,
                         "expected a model and a data set: leeroo enroll MODEL --expert NAME "
                         "DATASET");
    if (!c->name || !*c->name)
        return error_set(err, ERR_USAGE, "--expert is missing: who joins?");
    if (c->from && !c->suggest)
        return error_set(err, ERR_USAGE, "--from is for --suggest: how many questions?");
    if (c->suggest && !c->from && !c->dataset)
        return error_set(err, ERR_USAGE,
                         "--suggest wants questions to choose from: --from QUERIES or a data set");
    return OK;
}

static int finish(struct enroll_command *c, enum status status, const struct error *err)
{
    model_free(c->model);
    model_free(c->without);
    dataset_free(c->d);
    dataset_free(c->questions);
    arena_free(c->arena);
    return status == OK ? 0 : cli_fail("enroll", err);
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct enroll_command c = {.replaced = SIZE_MAX};
    const struct option_row rows[] = {
        {"--expert", 0, "NAME", "who joins (needed)", OPTION_STRING, &c.name, 0, 0, NULL},
        {"--price", 0, "IN/OUT",
         "its price, USD per million tokens; default: DATASET's, then known", OPTION_STRING,
         &c.price, 0, 0, NULL},
        {"--like", 0, "NAME", "the known model, or expert, that it is like before it has outcomes",
         OPTION_STRING, &c.like, 0, 0, NULL},
        {"--replace", 0, NULL, "enrol anew an expert that the model knows", OPTION_FLAG, &c.replace,
         0, 0, NULL},
        {"--output", 'o', "OUT", "write there instead, and leave MODEL as it is", OPTION_STRING,
         &c.output, 0, 0, NULL},
        {"--suggest", 0, "N", "only say which N questions to ask it", OPTION_COUNT, &c.suggest, 1,
         SUGGEST_MAX, NULL},
        {"--from", 0, "QUERIES", "questions to choose from, a file or a data set; default: DATASET",
         OPTION_STRING, &c.from, 0, 0, NULL},
        {"--json", 0, NULL, "print one JSON object", OPTION_FLAG, &c.json, 0, 0, NULL},
        {"--quiet", 'q', NULL, "print nothing", OPTION_FLAG, &c.quiet, 0, 0, NULL},
    };
    const struct usage usage = {"enroll MODEL --expert NAME [DATASET] [options]", text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    status = check_options(&c, count, argv, &err);
    c.arena = arena_create(ARENA_BYTES_MAX);
    if (status == OK && !c.arena)
        status = error_set(&err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = prepare(&c, &err);
    if (status == OK)
        status = c.suggest ? enroll_suggest_write(&c, &err) : enroll(&c, &err);
    return finish(&c, status, &err);
}

const struct command enroll_command = {"enroll", "let an expert join a model by few outcomes", run};
