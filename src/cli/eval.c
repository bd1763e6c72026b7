/* leeroo eval: what a trained model is worth on recorded outcomes. Never trains. */
#include <stdio.h>

#include "base/json.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "eval/build.h"
#include "eval/report_write.h"

#define EVAL_ARENA_BYTES  (UINT64_C(16) << 30)
#define EVAL_OUTPUT_BYTES (64u << 20)
#define EVAL_DRAWS        500 /* standard errors to about 3 % of themselves */

struct eval_options {
    const char *plans;
    const char *model, *dataset;
    const char *reference, *experts;
    bool json;
    size_t draws;
    uint64_t seed;
};

static void note_progress(size_t done, void *arg)
{
    progress_update(arg, done);
}

static void write_json(const struct eval_options *o, const struct eval_set *set,
                       const struct report *r, struct buf *out)
{
    buf_add_c(out, "{\"model\": ");
    json_write_string(out, str_from(o->model));
    buf_add_c(out, ", \"dataset\": ");
    json_write_string(out, str_from(o->dataset));
    buf_addf(out, ",\n \"left_out\": %zu, \"trained_on\": %zu, ", set->left_out, set->trained_on);
    report_write_json(r, out);
    buf_add_c(out, "}\n");
}

static void write_table(const struct eval_options *o, const struct eval_set *set,
                        const struct report *r, struct buf *out)
{
    buf_addf(out, "%s on %s\n", o->model, o->dataset);
    report_write_table(r, out);
    if (set->left_out)
        buf_addf(out, "  %zu queries are left out: for some expert no outcome is recorded\n",
                 set->left_out);
}

static void warn(const struct eval_set *set)
{
    if (set->trained_on)
        fprintf(stderr,
                "leeroo eval: warning: %zu of %zu queries were in the model's training set; the "
                "figures flatter it\n",
                set->trained_on, set->table.queries);
    if (set->plans_without_texts)
        fprintf(stderr,
                "leeroo eval: note: %zu plans of the model are left out: the data set has no "
                "responses/ of all their members\n",
                set->plans_without_texts);
}

static enum status print(const struct eval_options *o, const struct eval_set *set,
                         const struct report *r, struct error *err)
{
    struct buf out;
    buf_init(&out, EVAL_OUTPUT_BYTES);
    (o->json ? write_json : write_table)(o, set, r, &out);
    enum status st = buf_status(&out, err);
    if (st == OK && (fwrite(out.ptr, 1, out.len, stdout) != out.len || fflush(stdout) != 0))
        st = error_set(err, ERR_IO, "cannot write to standard output");
    buf_done(&out);
    return st;
}

static enum status evaluate(const struct eval_options *o, const struct model *m, struct dataset *d,
                            struct arena *a, struct error *err)
{
    struct eval_set set;
    struct report r;
    struct progress progress;
    const struct eval_pool pool = {o->experts, o->reference, o->plans};
    enum status st = eval_set_build(m, d, &pool, a, &set, err);
    if (st != OK)
        return st;
    warn(&set);
    progress_begin(&progress, "bootstrap", o->draws);
    const struct report_options options = {
        .draws = o->draws, .seed = o->seed, .progress = note_progress, .arg = &progress};
    st = report_make(&set.table, &options, a, &r, err);
    progress_end(&progress);
    return st == OK ? print(o, &set, &r, err) : st;
}

static int eval(const struct eval_options *o)
{
    struct model *m = NULL;
    struct dataset *d = NULL;
    struct error err;
    struct arena *a = arena_create(EVAL_ARENA_BYTES);
    enum status st = a ? model_load(o->model, &m, &err) : error_set(&err, ERR_MEMORY, "no memory");
    if (st == OK)
        st = dataset_load(o->dataset, DATASET_ALL, &d, &err);
    if (st == OK)
        st = evaluate(o, m, d, a, &err);
    int rc = st == OK ? 0 : cli_fail("eval", &err);
    dataset_free(d);
    model_free(m);
    arena_free(a);
    return rc;
}

static const char usage_text[] =
    "Measures a model on recorded outcomes; predictions choose, recorded scores and costs count.\n"
    "Nothing is trained: a data set that the model has seen flatters it, and a warning says so.\n\n"
    "  AUC         chance that a right answer was predicted above a wrong one\n"
    "  ECE         expected calibration error over 15 equal bins\n"
    "  oracle      the cheapest right expert; where none is right, the cheapest\n"
    "  curve       every operating point of the lambda sweep; between two of them, their mix\n"
    "  best mix    the best random mix of single experts at the same cost: what to beat\n"
    "  matched     the lowest share of the reference's cost at which its accuracy is reached\n"
    "  APGR, CPT   as RouteLLM defines them: calls counted, not dollars; only for a pool of two,\n"
    "              the reference being the strong one\n\n"
    "Queries take part when score and cost of every compared expert are known. The reference is\n"
    "what costs and accuracies are compared with; it need not be among --experts.\n\n"
    "  leeroo eval m.safetensors data/held-out --reference gpt-4-0613\n"
    "  leeroo eval m.safetensors data/held-out --experts small,large --reference large --json\n";

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
        {"--json", 0, NULL, "one JSON object instead of a table", OPTION_FLAG, &o.json, 0, 0, NULL},
        {"--bootstrap", 0, "N", "draws for standard errors (default 500; 0: none)", OPTION_COUNT,
         &o.draws, 0, 1e6, NULL},
        {"--seed", 0, "N", "of the draws (default 0)", OPTION_SEED, &o.seed, 0, 0, NULL},
    };
    const struct usage usage = {"eval MODEL DATASET [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status st = options_parse(&usage, argc, argv, &count);
    if (st != OK)
        return st == CLOSED ? 0 : 2;
    if (count != 2) {
        fprintf(stderr, "leeroo eval: expected MODEL DATASET; `leeroo eval -h` explains\n");
        return 2;
    }
    o.model = argv[0];
    o.dataset = argv[1];
    return eval(&o);
}

const struct command eval_command = {"eval", "curves, baselines and figures on recorded outcomes",
                                     eval_run};
