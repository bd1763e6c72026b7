/* leeroo route: decisions for a stream of queries as JSON lines, by the code that the gateway decides with.
 *
 * No call is made and no socket opened. Reading, deciding and writing go line by line on one thread, so that it may
 * sit in a pipe; a line that cannot be read ends it with its number. With --state the budget is kept in a file as the
 * gateway keeps it: do not give it the file of one that runs. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/gz.h"
#include "cli/commands.h"
#include "data/dataset.h"
#include "plan/budget_state.h"
#include "route/text_json.h"
#include "route/text_router.h"

#define LINE_ARENA_BYTES  (256u << 20) /* for the strings of one query */
#define STATE_PERIOD_MS   2000         /* between two writes of --state */
#define OUTPUT_LINE_BYTES (8u << 20)   /* of one decision */

struct route_options {
    const char *experts, *plans, *state;
    double lambda, budget, min_quality, max_cost;
    bool lambda_given, budget_given, min_quality_given, max_cost_given;
};

struct router {
    struct model *model;
    struct text_router *texts;
    struct text_policy *policy;
    double budget_usd_per_1k; /* 0: none */
    const char *state;        /* the budget's file; NULL: none */
    uint64_t saved_ms;
    struct features features;
    struct arena *arena; /* reset for every line */
    struct buf out;
    size_t refused; /* queries for which nobody was affordable */
};

/* ---- setting up */

static enum status experts_use(struct router *r, const char *names, struct error *err)
{
    struct str rest = str_from(names);
    enum status status = text_router_create(r->model, !names, &r->texts, err);
    while (status == OK && names && rest.len > 0)
        status = text_router_add(r->texts, str_trim(str_split(&rest, ',')), NULL, err);
    return status;
}

static enum status policy_set(struct router *r, const struct route_options *o, struct error *err)
{
    struct text_policy_settings s = {.plans = str_from(o->plans)};
    s.policy.lambda = o->lambda;
    if (o->min_quality_given) /* 0 would mean that there is none */
        s.policy.min_quality = fmax(o->min_quality, 1e-9);
    if (o->max_cost_given)
        s.policy.max_cost_nano_usd = llround(o->max_cost * (double)NANO_PER_USD);
    if (o->budget_given) {
        s.policy.budget_usd_per_1k = r->budget_usd_per_1k = o->budget;
        r->state = o->state;
    }
    return text_policy_create(r->texts, &s, &r->policy, err);
}

/* ---- the budget's file */

static struct budget_named named(const struct router *r)
{
    return (struct budget_named){.name = STR("route"),
                                 .usd_per_1k = r->budget_usd_per_1k,
                                 .state = text_policy_budget(r->policy)};
}

static enum status state_save(struct router *r, struct error *err)
{
    r->saved_ms = clock_now_ms();
    if (!r->state)
        return OK;
    struct budget_named budget = named(r);
    return budget_state_save(r->state, &budget, 1, err);
}

/* What cannot be read is set aside with a warning; the first save says whether the file can be written. */
static enum status state_open(struct router *r, struct error *err)
{
    bool found = false;
    struct error why;
    if (!r->state)
        return OK;
    struct budget_named budget = named(r);
    enum status status = budget_state_load(r->state, &budget, &found, 1, &why);
    if (status == ERR_IO || status == ERR_MEMORY)
        return error_set(err, status, "%s", why.text);
    if (status != OK) {
        fprintf(stderr, "leeroo route: %s; kept as %s.damaged, the budget begins anew\n", why.text,
                r->state);
        status = budget_state_set_aside(r->state, err);
    }
    if (status == OK && found)
        status = text_policy_resume(r->policy, &budget.state, err);
    return status == OK ? state_save(r, err) : status;
}

static enum status router_init(struct router *r, const char *model, const struct route_options *o,
                               struct error *err)
{
    buf_init(&r->out, OUTPUT_LINE_BYTES);
    r->arena = arena_create(LINE_ARENA_BYTES);
    if (!r->arena)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = features_init(&r->features, err);
    if (status == OK)
        status = model_load(model, &r->model, err);
    if (status == OK)
        status = experts_use(r, o->experts, err);
    if (status == OK)
        status = policy_set(r, o, err);
    if (status == OK)
        status = state_open(r, err);
    return status;
}

static void router_done(struct router *r)
{
    buf_done(&r->out);
    arena_free(r->arena);
    features_done(&r->features);
    text_policy_free(r->policy);
    text_router_free(r->texts);
    model_free(r->model);
}

/* ---- one query */

#define NUMBER_BYTES_MAX 24

/* Its own, or the number of its line, written into `number`. */
static struct str id_of(const struct query *q, size_t line, char number[NUMBER_BYTES_MAX])
{
    if (q->id.ptr)
        return q->id;
    snprintf(number, NUMBER_BYTES_MAX, "%zu", line);
    return str_from(number);
}

static enum status route_query(struct router *r, const struct query *q, size_t line,
                               struct error *err)
{
    struct estimate estimates[MODEL_ARMS_MAX];
    struct text_decision d;
    char number[NUMBER_BYTES_MAX];
    struct str id = id_of(q, line, number);
    double lambda = text_policy_lambda(r->policy);
    enum status status = text_router_estimate(r->texts, q->prompt, &r->features, estimates, err);
    if (status == OK)
        status = text_policy_decide(r->policy, estimates, &d, err);
    if (status != OK && status != ERR_BUDGET)
        return status;
    buf_clear(&r->out);
    if (status == OK) {
        text_json_decision(r->policy, &id, &d.decision, &r->out);
        text_policy_observe(r->policy, &d, (double)d.decision.cost_nano_usd / (double)NANO_PER_USD);
    } else {
        text_json_refusal(&id, lambda, &r->out);
        r->refused++;
    }
    text_json_estimates(r->policy, estimates, &r->out);
    buf_add_c(&r->out, "}\n");
    return buf_status(&r->out, err);
}

/* ---- the stream */

static enum status route_line(struct router *r, const struct line_reader *lines, struct str line,
                              struct error *err)
{
    struct query q;
    size_t number = line_reader_number(lines);
    arena_reset(r->arena);
    enum status status = query_parse(line, line_reader_path(lines), number, r->arena, &q, err);
    if (status == OK)
        status = route_query(r, &q, number, err);
    if (status != OK)
        return status;
    if (fwrite(r->out.ptr, 1, r->out.len, stdout) != r->out.len)
        return error_set(err, ERR_IO, "cannot write to standard output");
    return OK;
}

static enum status route_stream(struct router *r, const char *path, struct error *err)
{
    struct line_reader *lines;
    struct str line;
    enum status status = line_reader_open(path, &lines, err);
    if (status != OK)
        return status;
    setvbuf(stdout, NULL, _IOLBF, 1 << 16); /* whoever waits for an answer gets it at once */
    while ((status = line_reader_next(lines, &line, err)) == OK) {
        if (str_trim(line).len > 0)
            status = route_line(r, lines, line, err);
        if (status == OK && clock_now_ms() - r->saved_ms >= STATE_PERIOD_MS)
            status = state_save(r, err);
        if (status != OK)
            break;
    }
    line_reader_close(lines);
    if (fflush(stdout) != 0 && status == CLOSED)
        status = error_set(err, ERR_IO, "cannot write to standard output");
    return status == CLOSED ? state_save(r, err) : status;
}

static int route(const char *model, const char *queries, const struct route_options *o)
{
    struct router r = {0};
    struct error err;
    enum status status = router_init(&r, model, o, &err);
    if (status == OK)
        status = route_stream(&r, queries, &err);
    int rc = status == OK ? 0 : cli_fail("route", &err);
    if (r.refused)
        fprintf(stderr,
                "leeroo route: nobody is within --max-cost for %zu of the queries: their plan is "
                "\"none\"\n",
                r.refused);
    router_done(&r);
    return rc;
}

static const char usage_text[] =
    "Decides which expert each query should go to, and calls none. QUERIES is a file of JSON\n"
    "lines {\"id\", \"text\", \"choices\"?: [...]}, plain or gzip; `-` or nothing is standard "
    "input.\n"
    "One JSON line comes out per query, in input order:\n\n"
    "  {\"id\": \"q1\", \"plan\": \"single\", \"expert\": \"NAME\", \"quality\": 0.83, "
    "\"cost_usd\": 0.004100000,\n"
    "   \"lambda\": 12.5, \"estimates\": {\"NAME\": [quality, cost_usd], ...}}\n\n"
    "quality is the predicted probability of a good answer, cost_usd the predicted cost.\n"
    "\"unfamiliar\", behind the estimates, says how far a query is from all that was trained on,\n"
    "up to 1: by so much the estimates are the experts' averages, and costs are weighed as those "
    "of a\n"
    "text of usual length, which \"weighed_usd\" behind it has. A query\n"
    "without an id gets the number of its line. Where --max-cost leaves nobody, the plan is "
    "\"none\"\n"
    "and expert, quality and cost_usd are null. A malformed line ends the run with exit status "
    "1.\n\n"
    "Policies exclude each other; without one lambda is 0: the best quality, whatever it costs.\n"
    "--max-cost goes with each of them. --budget starts at the lambda at which the training "
    "queries\n"
    "would have cost as much and corrects it by what the stream is predicted to cost: shuffled, "
    "the\n"
    "mean ends within two percent of the target after 1,000 queries and within half a percent "
    "after\n"
    "10,000; subject by subject within three percent, having drifted further on the way. "
    "--min-quality\n"
    "takes the cheapest predicted at Q or above, or somewhat above Q where otherwise queries that\n"
    "nobody can answer so well would pull the mean below Q.\n\n"
    "  leeroo route model.safetensors queries.jsonl --lambda 50\n"
    "  echo '{\"text\": \"What is 2 + 2?\"}' | leeroo route model.safetensors --budget 0.50\n";

/* One piece: the rows of the options point into its variables. */
static int route_run(int argc, char **argv)
{
    struct route_options o = {0};
    const struct option_row rows[] = {
        {"--experts", 0, "NAME,...", "choose among these only", OPTION_STRING, &o.experts, 0, 0,
         NULL},
        {"--plans", 0, "PLAN;...",
         "choose among these plans only: all (default), none, a kind, a name", OPTION_STRING,
         &o.plans, 0, 0, NULL},
        {"--lambda", 0, "L", "highest quality - L * cost, L in quality per USD", OPTION_DOUBLE,
         &o.lambda, 0, INFINITY, &o.lambda_given},
        {"--budget", 0, "USD", "hold the mean predicted cost at this per 1,000 queries",
         OPTION_DOUBLE, &o.budget, 1e-9, INFINITY, &o.budget_given},
        {"--state", 0, "FILE", "where the budget stands: read at the start, kept up to date",
         OPTION_STRING, &o.state, 0, 0, NULL},
        {"--min-quality", 0, "Q",
         "the cheapest predicted good enough for a mean of Q, else the best", OPTION_DOUBLE,
         &o.min_quality, 0, 1, &o.min_quality_given},
        {"--max-cost", 0, "USD", "nobody predicted to cost more than this per query", OPTION_DOUBLE,
         &o.max_cost, 1e-9, 1e9, &o.max_cost_given},
    };
    const struct usage usage = {"route MODEL [QUERIES] [options]", usage_text, rows,
                                sizeof(rows) / sizeof(rows[0])};
    int count;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count < 1 || count > 2) {
        fprintf(stderr, "leeroo route: expected MODEL [QUERIES]; `leeroo route -h` explains\n");
        return 2;
    }
    if (o.state && !o.budget_given) {
        fprintf(stderr, "leeroo route: --state goes with --budget\n");
        return 2;
    }
    if (o.lambda_given + o.budget_given + o.min_quality_given > 1) {
        fprintf(stderr, "leeroo route: --lambda, --budget and --min-quality exclude each other\n");
        return 2;
    }
    return route(argv[0], count > 1 ? argv[1] : "-", &o);
}

const struct command route_command = {"route", "decide a stream of queries, calling nobody",
                                      route_run};
