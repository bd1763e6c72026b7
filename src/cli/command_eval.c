/* leeroo eval: what a trained model is worth on recorded outcomes, or by cross-validation what a model would be.
 *
 * Reads options, data and models, has src/eval measure, and hands the figures to eval_output.c. Outputs are checked
 * before the work, so that an hour is not lost to a name. One thread, no network; the figures depend on the inputs and
 * the seed alone. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "data/input_file.h"
#include "eval/decisions.h"
#include "eval/folds.h"
#include "eval/shared_queries.h"
#include "eval/verify_columns.h"
#include "print/eval_output.h"
#include "setup/dataset_open.h"

#define EVAL_ARENA_BYTES  (UINT64_C(16) << 30)
#define EVAL_FRACTION_MAX 1000 /* of the reference's cost */
#define EVAL_RARER_MIN    20
#define EVAL_DRAWS        500 /* standard errors to about 3 % of themselves */

struct eval_options {
    const char *model, *dataset;
    const char *reference, *experts, *plans;
    const char *report, *compare, *decisions, *at;
    double fractions[REPORT_FRACTIONS_MAX];
    size_t fraction_count; /* 0: the usual ones */
    const char *verify_errors, *verify_price;
    struct verify_options verify; /* column NULL: no check */
    bool json;
    size_t draws, folds; /* folds: 0 with a model file */
    uint64_t seed;
    struct progress progress;
};

static void note_progress(size_t done, void *arg)
{
    progress_update(arg, done);
}

/* Whoever is nearly always right, or wrong, has an AUC that hangs on a few answers. */
static void warn_of_few(const struct eval_table *t)
{
    size_t few = 0;
    for (size_t e = 0; e < eval_single_count(t); e++) {
        size_t rarer = eval_rarer(t, e);
        if (!eval_in_pool(t, e) || rarer == 0 || rarer >= EVAL_RARER_MIN)
            continue;
        fprintf(stderr,
                few++ ? ", %.*s"
                      : "leeroo eval: warning: fewer than 20 answers are right, or "
                        "wrong, which is too few to tell the AUC of %.*s",
                STR_FMT(t->names[e]));
    }
    if (few)
        fputc('\n', stderr);
}

static void warn(const struct eval_measured *m)
{
    const struct eval_set *set = &m->set;
    if (set->trained_on)
        fprintf(stderr,
                "leeroo eval: warning: %zu of %zu queries were in the training set of %s; the "
                "figures flatter it\n",
                set->trained_on, set->table.queries, m->model);
    if (set->plans_without_texts)
        fprintf(stderr,
                "leeroo eval: note: %zu plans of %s are left out: the data set has no responses/ "
                "of all their members\n",
                set->plans_without_texts, m->model);
    warn_of_few(&set->table);
}

static void show_folds(size_t done, size_t total, void *arg)
{
    struct progress *progress = arg;
    progress->total = total;
    progress_update(progress, done);
}

static enum status build_folds(struct eval_options *o, struct dataset *d, struct arena *a,
                               struct eval_measured *m, struct error *err)
{
    const struct folds_options folds = {.folds = (uint32_t)o->folds,
                                        .experts = o->experts,
                                        .reference = o->reference,
                                        .plans = o->plans,
                                        .seed = o->seed,
                                        .progress = show_folds,
                                        .arg = &o->progress};
    m->model = arena_printf(a, "%zu-fold cross-validation", o->folds);
    m->folds = o->folds;
    if (!m->model)
        return error_set(err, ERR_MEMORY, "out of memory");
    progress_begin(&o->progress, "folds", o->folds);
    enum status status = eval_folds_build(d, &folds, a, &m->set, err);
    progress_end(&o->progress);
    return status;
}

static enum status measure(const struct eval_options *o, struct arena *a, struct eval_measured *m,
                           struct error *err)
{
    struct progress progress;
    progress_begin(&progress, "bootstrap", o->draws);
    const struct report_options options = {.draws = o->draws,
                                           .seed = o->seed,
                                           .progress = note_progress,
                                           .arg = &progress,
                                           .fractions = o->fraction_count ? o->fractions : NULL,
                                           .fraction_count = o->fraction_count};
    enum status status = report_make(&m->set.table, &options, a, &m->report, err);
    progress_end(&progress);
    return status;
}

/* The second model is measured on the queries of both, with the first one's reference. */
static enum status build_second(const struct eval_options *o, struct dataset *d, struct arena *a,
                                struct eval_measured *first, struct eval_measured *second,
                                struct error *err)
{
    struct str name = first->set.table.names[first->set.table.reference];
    const char *reference = arena_printf(a, "%.*s", STR_FMT(name));
    if (!reference)
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct eval_pool pool = {o->experts, reference, o->plans};
    second->model = o->compare;
    enum status status = model_load(o->compare, &second->m, err);
    if (status == OK)
        status = eval_set_build(second->m, d, &pool, a, &second->set, err);
    if (status == OK)
        status = eval_sets_common(&first->set, first->m, &second->set, second->m, d, a, err);
    return status;
}

static enum status write_files(const struct eval_options *o, const struct eval_outputs *outputs,
                               struct arena *a, struct error *err)
{
    const struct eval_measured *m = outputs->first;
    enum status status = OK;
    if (o->report)
        status = eval_write_page(outputs, a, o->report, err);
    if (status == OK && o->decisions)
        status = decisions_write(&m->set, outputs->d, &m->report, a, o->decisions, err);
    return status;
}

static enum status evaluate(struct eval_options *o, struct dataset *d, struct arena *a,
                            struct eval_measured models[2], struct error *err)
{
    struct eval_measured *first = &models[0], *second = o->compare ? &models[1] : NULL;
    const struct eval_pool pool = {o->experts, o->reference, o->plans};
    enum status status = o->folds ? build_folds(o, d, a, first, err)
                                  : eval_set_build(first->m, d, &pool, a, &first->set, err);
    if (status == OK && second)
        status = build_second(o, d, a, first, second, err);
    if (status == OK && o->verify.column)
        status = eval_verify(&first->set, d, &o->verify, a, err);
    if (status == OK && o->verify.column && second)
        status = eval_verify(&second->set, d, &o->verify, a, err);
    if (status != OK)
        return status;
    warn(first);
    if (second)
        warn(second);
    status = measure(o, a, first, err);
    if (status == OK && second)
        status = measure(o, a, second, err);
    const struct eval_outputs outputs = {o->dataset, d, first, second, o->json};
    if (status == OK)
        status = write_files(o, &outputs, a, err);
    return status == OK ? eval_print(&outputs, stdout, err) : status;
}

static int eval(struct eval_options *o)
{
    struct eval_measured models[2] = {0};
    struct dataset *d = NULL;
    struct error err;
    struct arena *a = arena_create(EVAL_ARENA_BYTES);
    models[0].model = o->model;
    enum status status = a ? OK : error_set(&err, ERR_MEMORY, "no memory");
    if (status == OK && o->report)
        status = file_out_check(o->report, &err);
    if (status == OK && o->decisions)
        status = file_out_check(o->decisions, &err);
    if (status == OK && o->model)
        status = model_load(o->model, &models[0].m, &err);
    if (status == OK)
        status = dataset_open("eval", o->dataset, stderr, &d, &err);
    if (status == OK)
        status = evaluate(o, d, a, models, &err);
    int rc = status == OK ? 0 : cli_fail("eval", &err);
    dataset_free(d);
    model_free(models[0].m);
    model_free(models[1].m);
    arena_free(a);
    return rc;
}

/* "0.5,0.75": up to REPORT_FRACTIONS_MAX positive numbers. */
static bool read_fractions(const char *text, struct eval_options *o)
{
    if (str_ends(str_from(text), STR(",")))
        return false;
    for (struct str rest = str_from(text); o->fraction_count < REPORT_FRACTIONS_MAX;) {
        double *into = &o->fractions[o->fraction_count];
        if (str_to_double(str_trim(str_split(&rest, ',')), into) != OK || !(*into > 0) ||
            *into > EVAL_FRACTION_MAX)
            return false;
        o->fraction_count++;
        if (rest.len == 0)
            return true;
    }
    return false;
}

static bool read_verify(struct eval_options *o)
{
    const char *wrong = NULL;
    o->verify.seed = o->seed;
    if (!o->verify.column && (o->verify_errors || o->verify_price))
        wrong = "--verify-errors and --verify-price are of a check: name its column, "
                "--verify-column score";
    else if (o->verify_errors && !verify_errors_read(o->verify_errors, &o->verify))
        wrong =
            "--verify-errors: expected a share up to 0.5, or one of wrong answers that pass and "
            "one of right ones that are rejected: 0.05,0.2";
    else if (o->verify_price &&
             money_parse_usd(str_from(o->verify_price), &o->verify.price_nano_usd) != OK)
        wrong = "--verify-price: expected USD for one check, 0.0004";
    if (wrong)
        fprintf(stderr, "leeroo eval: %s\n", wrong);
    return !wrong;
}

/* What is read must not be written over. */
static bool is_input(const struct eval_options *o, const char *path)
{
    return (o->model && file_is_same(path, o->model)) ||
           (o->compare && file_is_same(path, o->compare)) || dataset_holds(o->dataset, path);
}

static bool outputs_are_free(const struct eval_options *o)
{
    const char *outputs[] = {o->report, o->decisions};
    for (size_t i = 0; i < 2; i++)
        if (outputs[i] && is_input(o, outputs[i])) {
            fprintf(stderr, "leeroo eval: %s is read here and would be written over\n", outputs[i]);
            return false;
        }
    if (o->report && o->decisions && file_is_same(o->report, o->decisions)) {
        fprintf(stderr, "leeroo eval: --report and --decisions are the same file\n");
        return false;
    }
    return true;
}

static const char usage_text[] =
    "Measures a model on recorded outcomes; predictions choose, recorded scores and costs count.\n"
    "Nothing is trained: a data set that the model has seen flatters it, and a warning says so.\n"
    "With --folds N there is no model file: N models learn, each from all but one of N parts of\n"
    "the data set (equal texts are in the same part), and each is measured on the part it has\n"
    "not seen. The figures are those to expect of a model trained on all of it.\n\n"
    "  AUC         chance that a right answer was predicted above a wrong one\n"
    "  ECE         expected calibration error over 15 equal bins\n"
    "  oracle      the cheapest right expert; where none is right, the cheapest\n"
    "  curve       every operating point of the lambda sweep; between two of them, their mix\n"
    "  best mix    the best random mix of single experts at the same cost: what to beat\n"
    "  lambda      beside a fraction of the cost: the one that a policy needs to be there\n"
    "  matched     the lowest share of the reference's cost at which its accuracy is reached\n"
    "  verified    with --verify-column: experts asked one by one until a check passes an answer\n"
    "  APGR, CPT   as RouteLLM defines them: calls counted, not dollars; only for a pool of two,\n"
    "              the reference being the strong one\n\n"
    "Queries take part when score and cost of every compared expert are known. The reference is\n"
    "what costs and accuracies are compared with; it need not be among --experts.\n\n"
    "  leeroo eval m.safetensors data/held-out --reference gpt-4-0613\n"
    "  leeroo eval m.safetensors data/held-out --experts small,large --reference large --json\n"
    "  leeroo eval m.safetensors data/held-out --report report.html --decisions decisions.csv\n"
    "  leeroo eval --folds 5 data/mmlu\n"
    "  leeroo eval --folds 5 data/code --verify-column tests --verify-errors 0.05\n";

/* One piece: the rows of the options point into its variables. */
static int eval_run(int argc, char **argv)
{
    struct eval_options o = {.draws = EVAL_DRAWS};
    const struct option_row rows[] = {
        {"--reference", 0, "NAME", "compare with this expert (default: the most accurate)",
         OPTION_STRING, &o.reference, 0, 0, NULL},
        {"--experts", 0, "NAME,...", "the pool (default: all that model and data share)",
         OPTION_STRING, &o.experts, 0, 0, NULL},
        {"--plans", 0, "PLAN;...",
         "plans of the model that take part: all (default), none, a kind, a name", OPTION_STRING,
         &o.plans, 0, 0, NULL},
        {"--folds", 0, "N", "measure N models by cross-validation (2 to 20), without MODEL",
         OPTION_COUNT, &o.folds, FOLDS_MIN, FOLDS_MAX, NULL},
        {"--report", 0, "FILE", "write one HTML page for a browser", OPTION_STRING, &o.report, 0, 0,
         NULL},
        {"--compare", 0, "MODEL", "measure a second model on the same queries", OPTION_STRING,
         &o.compare, 0, 0, NULL},
        {"--decisions", 0, "FILE", "write every call behind the figures as CSV", OPTION_STRING,
         &o.decisions, 0, 0, NULL},
        {"--at", 0, "FRACTION,...", "fractions of the reference's cost (default .35,.5,2/3,.75,1)",
         OPTION_STRING, &o.at, 0, 0, NULL},
        {"--verify-column", 0, "NAME",
         "ask on until a check passes: a column of outcomes.csv, or score itself", OPTION_STRING,
         &o.verify.column, 0, 0, NULL},
        {"--verify-errors", 0, "P[,Q]", "turn so many of its rejections, and passes (default 0)",
         OPTION_STRING, &o.verify_errors, 0, 0, NULL},
        {"--verify-price", 0, "USD", "of one check (default 0)", OPTION_STRING, &o.verify_price, 0,
         0, NULL},
        {"--json", 0, NULL, "one JSON object instead of a table", OPTION_FLAG, &o.json, 0, 0, NULL},
        {"--bootstrap", 0, "N", "draws for standard errors (default 500; 0: none)", OPTION_COUNT,
         &o.draws, 0, 1e6, NULL},
        {"--seed", 0, "N", "of the draws, and of the folds (default 0)", OPTION_SEED, &o.seed, 0, 0,
         NULL},
    };
    const struct usage usage = {"eval MODEL DATASET [options], or eval --folds N DATASET [options]",
                                usage_text, rows, sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != (o.folds ? 1 : 2)) {
        fprintf(stderr, "leeroo eval: expected %s; `leeroo eval -h` explains\n",
                o.folds ? "DATASET alone, since --folds trains its models" : "MODEL DATASET");
        return 2;
    }
    if (o.folds && o.compare) {
        fprintf(stderr, "leeroo eval: --compare takes a model file to compare with, and --folds "
                        "has none\n");
        return 2;
    }
    if (o.at && !read_fractions(o.at, &o)) {
        fprintf(stderr, "leeroo eval: --at %s: expected up to %d positive numbers, \"0.5,0.75\"\n",
                o.at, REPORT_FRACTIONS_MAX);
        return 2;
    }
    if (!read_verify(&o))
        return 2;
    o.model = o.folds ? NULL : argv[0];
    o.dataset = argv[count - 1];
    return outputs_are_free(&o) ? eval(&o) : 2;
}

const struct command eval_command = {"eval", "curves, baselines and figures on recorded outcomes",
                                     eval_run};
