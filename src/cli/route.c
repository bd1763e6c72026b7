/* leeroo route: decisions for a stream of queries as JSON lines, by the code that the gateway decides with. No call
 * is made. Reading, deciding and writing go line by line, so that it may sit in a pipe. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/gz.h"
#include "base/json.h"
#include "cli/commands.h"
#include "data/dataset.h"
#include "plan/budget.h"
#include "plan/budget_state.h"
#include "plan/decide.h"
#include "plan/plan_filter.h"
#include "plan/quality_floor.h"

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
    bool use[MODEL_ARMS_MAX]; /* the arms to choose from */
    struct policy policy;
    struct budget budget; /* counts only where the policy has one */
    const char *state;    /* its file; NULL: none */
    uint64_t saved_ms;
    struct features features;
    struct arena *arena; /* reset for every line */
    struct buf out;
    size_t refused; /* queries for which nobody was affordable */
};

/* ---- setting up */

static enum status experts_unknown(const struct model *m, struct str name, struct error *err)
{
    char known[sizeof(err->text)] = "";
    size_t used = 0;
    for (size_t i = 0; i < model_expert_count(m) && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%.*s", i ? ", " : "",
                                 STR_FMT(model_expert_at(m, i)->name));
    return error_set(err, ERR_NOT_FOUND, "the model has no expert '%.*s'; it has %s", STR_FMT(name),
                     known);
}

static enum status experts_use(const struct model *m, const char *names, bool *use,
                               struct error *err)
{
    for (size_t i = 0; i < model_expert_count(m); i++)
        use[i] = !names;
    struct str rest = str_from(names);
    while (names && rest.len > 0) {
        struct str name = str_trim(str_split(&rest, ','));
        size_t at = model_expert_index(m, name);
        if (at == SIZE_MAX)
            return experts_unknown(m, name, err);
        use[at] = true;
    }
    return OK;
}

static void policy_set(struct router *r, const struct route_options *o)
{
    r->policy.lambda = o->lambda;
    struct model_sample sample = model_sample(r->model);
    if (o->min_quality_given) /* 0 would mean that there is none */
        r->policy.min_quality = quality_floor_find(&sample, r->use, fmax(o->min_quality, 1e-9));
    if (o->max_cost_given)
        r->policy.max_cost_nano_usd = llround(o->max_cost * (double)NANO_PER_USD);
    if (!o->budget_given)
        return;
    r->policy.budget_usd_per_1k = o->budget;
    budget_init(&r->budget, r->model, r->use, o->budget);
    r->state = o->state;
}

/* ---- the budget's file */

static struct budget_named named(const struct router *r)
{
    return (struct budget_named){STR("route"), r->policy.budget_usd_per_1k, r->budget.state};
}

static enum status state_save(struct router *r, struct error *err)
{
    struct budget_named budget = named(r);
    r->saved_ms = clock_now_ms();
    return r->state ? budget_state_save(r->state, &budget, 1, err) : OK;
}

/* What cannot be read is set aside with a warning; the first save says whether the file can be written. */
static enum status state_open(struct router *r, struct error *err)
{
    bool found = false;
    struct error why;
    struct budget_named budget = named(r);
    if (!r->state)
        return OK;
    enum status st = budget_state_load(r->state, &budget, &found, 1, &why);
    if (st == ERR_IO || st == ERR_MEMORY)
        return error_set(err, st, "%s", why.text);
    if (st != OK) {
        fprintf(stderr, "leeroo route: %s; kept as %s.damaged, the budget begins anew\n", why.text,
                r->state);
        st = budget_state_set_aside(r->state, err);
    }
    if (st == OK && found)
        st = budget_resume(&r->budget, &budget.state, err);
    return st == OK ? state_save(r, err) : st;
}

static enum status router_init(struct router *r, const char *model, const struct route_options *o,
                               struct error *err)
{
    buf_init(&r->out, OUTPUT_LINE_BYTES);
    r->arena = arena_create(LINE_ARENA_BYTES);
    if (!r->arena)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status st = features_init(&r->features, err);
    if (st == OK)
        st = model_load(model, &r->model, err);
    if (st == OK)
        st = experts_use(r->model, o->experts, r->use, err);
    if (st == OK)
        st = plan_filter_apply(r->model, str_from(o->plans), r->use, err);
    if (st == OK)
        policy_set(r, o);
    if (st == OK)
        st = state_open(r, err);
    return st;
}

static void router_done(struct router *r)
{
    buf_done(&r->out);
    arena_free(r->arena);
    features_done(&r->features);
    model_free(r->model);
}

/* ---- one query */

static void write_name(struct buf *b, const struct router *r, size_t arm)
{
    json_write_string(b, model_arm_at(r->model, arm)->name);
}

/* %.9g gives every float back exactly: whoever sorts by quality sees the ties that there were. */
static void write_estimates(struct buf *b, const struct router *r, const struct estimate *estimates)
{
    const char *comma = "";
    buf_add_c(b, ", \"estimates\": {");
    for (size_t i = 0; i < model_arm_count(r->model); i++) {
        if (!r->use[i])
            continue;
        buf_add_c(b, comma);
        write_name(b, r, i);
        buf_addf(b, ": [%.9g, ", (double)estimates[i].quality);
        money_format_usd(b, estimates[i].cost_nano_usd);
        buf_add_char(b, ']');
        comma = ", ";
    }
    buf_add_char(b, '}');
}

static void write_id(struct buf *b, const struct query *q, size_t line)
{
    buf_add_c(b, "{\"id\": ");
    if (q->id.ptr)
        json_write_string(b, q->id);
    else
        buf_addf(b, "\"%zu\"", line);
}

static void write_decision(struct router *r, const struct decision *d)
{
    struct buf *b = &r->out;
    const struct plan *p = model_arm_at(r->model, d->arm);
    buf_add_c(b, ", \"plan\": ");
    json_write_string(b, p->kind == PLAN_SINGLE ? STR("single") : p->name);
    buf_add_c(b, ", \"expert\": ");
    write_name(b, r, p->members[0]);
    buf_addf(b, ", \"quality\": %.9g, \"cost_usd\": ", d->quality);
    money_format_usd(b, d->cost_nano_usd);
    buf_add_c(b, ", \"lambda\": ");
    json_write_double(b, d->lambda);
}

static void write_refusal(struct router *r, double lambda)
{
    struct buf *b = &r->out;
    buf_add_c(b, ", \"plan\": \"none\", \"expert\": null, \"quality\": null, \"cost_usd\": null"
                 ", \"lambda\": ");
    json_write_double(b, lambda);
    r->refused++;
}

static enum status route_query(struct router *r, const struct query *q, size_t line,
                               struct error *err)
{
    struct estimate estimates[MODEL_ARMS_MAX];
    struct decision d;
    bool budgeted = r->policy.budget_usd_per_1k > 0;
    double lambda = budgeted ? budget_lambda(&r->budget) : r->policy.lambda, usual_usd = -1;
    enum status st = model_estimate_text(r->model, q->prompt, &r->features, estimates, err);
    if (st != OK)
        return st;
    size_t arms = model_arm_count(r->model);
    if (budgeted)
        st = budget_decide(&r->budget, &r->policy, estimates, r->use, arms, &d, &usual_usd, err);
    else
        st = decide(&r->policy, lambda, estimates, r->use, arms, &d, err);
    if (st != OK && st != ERR_BUDGET)
        return st;
    buf_clear(&r->out);
    write_id(&r->out, q, line);
    if (st == OK)
        write_decision(r, &d);
    else
        write_refusal(r, lambda);
    if (st == OK && budgeted)
        budget_observe(&r->budget, (double)d.cost_nano_usd / (double)NANO_PER_USD, usual_usd);
    write_estimates(&r->out, r, estimates);
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
    enum status st = query_parse(line, line_reader_path(lines), number, r->arena, &q, err);
    if (st == OK)
        st = route_query(r, &q, number, err);
    if (st != OK)
        return st;
    if (fwrite(r->out.ptr, 1, r->out.len, stdout) != r->out.len)
        return error_set(err, ERR_IO, "cannot write to standard output");
    return OK;
}

static enum status route_stream(struct router *r, const char *path, struct error *err)
{
    struct line_reader *lines;
    struct str line;
    enum status st = line_reader_open(path, &lines, err);
    if (st != OK)
        return st;
    setvbuf(stdout, NULL, _IOLBF, 1 << 16); /* whoever waits for an answer gets it at once */
    while ((st = line_reader_next(lines, &line, err)) == OK) {
        if (str_trim(line).len > 0)
            st = route_line(r, lines, line, err);
        if (st == OK && clock_now_ms() - r->saved_ms >= STATE_PERIOD_MS)
            st = state_save(r, err);
        if (st != OK)
            break;
    }
    line_reader_close(lines);
    if (fflush(stdout) != 0 && st == CLOSED)
        st = error_set(err, ERR_IO, "cannot write to standard output");
    return st == CLOSED ? state_save(r, err) : st;
}

static int route(const char *model, const char *queries, const struct route_options *o)
{
    struct router r = {0};
    struct error err;
    enum status st = router_init(&r, model, o, &err);
    if (st == OK)
        st = route_stream(&r, queries, &err);
    int rc = st == OK ? 0 : cli_fail("route", &err);
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
    "quality is the predicted probability of a good answer, cost_usd the predicted cost. A query\n"
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
    enum status st = options_parse(&usage, argc, argv, &count);
    if (st != OK)
        return st == CLOSED ? 0 : 2;
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
