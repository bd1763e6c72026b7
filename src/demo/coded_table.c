/* What checks are worth, on tasks that nothing was learnt from: single coders, routing without checks, and verified
 * plans, all from what was recorded of every coder on every task. The figures are those of `leeroo eval` on the same
 * folder, which is read back for it, and the commands for that are printed.
 *
 * Nothing is asked or run here. Memory is the demo's arena; one thread. */
#include <math.h>
#include <stdio.h>

#include "demo/coded.h"
#include "eval/build.h"
#include "eval/report.h"
#include "eval/verify_columns.h"
#include "plan/decide.h"

static const double FRACTIONS[] = {0.02, 0.05, 0.1, 0.2, 0.5};
#define FRACTION_COUNT (sizeof(FRACTIONS) / sizeof(FRACTIONS[0]))
#define FRACTION_LIST  ".02,.05,.1,.2,.5" /* the same */
#define REFERENCE      "master"

struct row {
    double right, usd_per_1k, calls, lambda; /* 0..1; calls and lambda NaN: not said */
};

static void print_row(const struct demo *d, const char *who, const struct row *r, double reference,
                      bool bold)
{
    fprintf(d->out, "  %s%-38s  %6.1f %%  %9.4f  %7.1f %%", bold && d->bold ? "\033[1m" : "", who,
            100 * r->right, r->usd_per_1k, 100 * r->usd_per_1k / reference);
    if (!isnan(r->calls))
        fprintf(d->out, "  %5.2f", r->calls);
    fprintf(d->out, "%s\n", bold && d->bold ? "\033[0m" : "");
}

/* What decide() makes of all tasks at DEMO_LAMBDA. */
static enum status at_policy(const struct eval_table *t, struct row *ret, struct error *err)
{
    const struct policy policy = {.lambda = DEMO_LAMBDA};
    double right = 0, usd = 0, calls = 0;
    for (size_t q = 0; q < t->queries; q++) {
        struct decision decision;
        enum status status = decide(&policy, DEMO_LAMBDA, eval_estimate(t, q, 0), t->pool,
                                    t->experts, &decision, err);
        if (status != OK)
            return status;
        const struct outcome *o = eval_outcome(t, q, decision.arm);
        right += (double)o->score;
        usd += (double)o->cost_nano_usd / (double)NANO_PER_USD;
        calls += eval_is_plan(t, decision.arm)
                     ? __builtin_popcount(eval_plan_run(t, q, decision.arm)->calls)
                     : 1;
    }
    const double n = (double)t->queries;
    *ret = (struct row){right / n, 1000 * usd / n, calls / n, DEMO_LAMBDA};
    return OK;
}

static void print_curve(const struct demo *d, const struct report *r)
{
    const double reference = r->experts[r->reference].usd_per_1k;
    bool ended = false;
    for (size_t i = 0; i < r->at_count; i++) {
        const struct report_at *at = &r->at[i];
        char who[64];
        if (isnan(at->spent_usd_per_1k) || ended)
            continue;
        ended = at->spent_usd_per_1k < 0.999 * at->usd_per_1k; /* nothing is dearer */
        const struct row row = {at->accuracy.value, at->spent_usd_per_1k,
                                r->verified ? r->verified->at[i].calls : NAN, at->cut.lambda};
        snprintf(who, sizeof(who), "  for %g %% of the cost, lambda %.*f", 100 * at->fraction,
                 at->cut.lambda > 0 && at->cut.lambda < 10, at->cut.lambda);
        print_row(d, who, &row, reference, false);
    }
}

static void print_singles(const struct demo *d, const struct report *r)
{
    const double reference = r->experts[r->reference].usd_per_1k;
    for (size_t e = 0; e < r->expert_count; e++) {
        char who[64];
        const struct row row = {r->experts[e].accuracy.value, r->experts[e].usd_per_1k, NAN, NAN};
        snprintf(who, sizeof(who), "always %.*s", STR_FMT(r->experts[e].name));
        print_row(d, who, &row, reference, false);
    }
}

/* The sentence that it is all about. */
static void print_verdict(const struct demo *d, const struct report *r, const struct row *policy)
{
    const struct report_verified *v = r->verified;
    const struct report_expert *best = &r->experts[r->best_single.expert];
    fprintf(d->out,
            "\n  %sVerified answers are right in %.1f %% at %.2f USD per 1,000; the best single\n"
            "  coder, %.*s, in %.1f %% at %.2f: %.1f times cheaper.%s\n",
            d->bold ? "\033[1m" : "", 100 * policy->right, policy->usd_per_1k, STR_FMT(best->name),
            100 * best->accuracy.value, best->usd_per_1k, best->usd_per_1k / policy->usd_per_1k,
            d->bold ? "\033[0m" : "");
    if (isnan(v->usd))
        fprintf(d->out, "  What %.*s alone gets right is not reached by verified plans.\n",
                STR_FMT(best->name));
    else
        fprintf(d->out,
                "  As often right as %.*s they are for %.2f USD per 1,000, which is %.1f times\n"
                "  cheaper, by %.2f calls a question.\n",
                STR_FMT(best->name), 1000 * v->usd, v->single_usd / v->usd, v->matched.calls);
}

static enum status measure(const struct demo *d, struct eval_set *set, struct report *ret,
                           struct row *policy, struct error *err)
{
    const struct report_options options = {.fractions = FRACTIONS,
                                           .fraction_count = FRACTION_COUNT};
    enum status status = report_make(&set->table, &options, d->arena, ret, err);
    return status == OK ? at_policy(&set->table, policy, err) : status;
}

static void print_table(const struct demo *d, const struct report *plain,
                        const struct row *plain_policy, const struct report *verified,
                        const struct row *policy)
{
    const double reference = plain->experts[plain->reference].usd_per_1k;
    fprintf(d->out,
            "  %zu tasks that nothing was learnt from, by all of their tests. Costs have the\n"
            "  checks in them, and the answers that were rejected.\n\n"
            "  %-38s  %8s  %9s  %9s  %5s\n",
            plain->queries, "who answers", "right", "USD/1,000", "of " REFERENCE, "calls");
    print_singles(d, plain);
    print_row(d, "routed, a right one worth a cent", plain_policy, reference, false);
    print_curve(d, plain);
    print_row(d, "verified, a right one worth a cent", policy, reference, true);
    print_curve(d, verified);
    print_verdict(d, verified, policy);
}

static void print_commands(const struct demo *d)
{
    const char *dir = demo_shown(d, d->dir);
    fprintf(d->out,
            "\n  The same from outside, with errors, and every call as a CSV file:\n\n"
            "    %s eval %s/" DEMO_MODEL_FILE " %s/" CODED_HELD " \\\n"
            "         --reference " REFERENCE " --at " FRACTION_LIST " \\\n"
            "         --verify-column " CODED_COLUMN " --verify-price " CODED_CHECK_USD " \\\n"
            "         --decisions %s/decisions.csv\n\n",
            demo_program(d), dir, dir, dir);
}

/* One piece: the set is measured as it is, then again with its verified columns. */
enum status coded_compare(struct demo *d, struct error *err)
{
    char path[DEMO_PATH_BYTES];
    struct eval_set set;
    struct report plain, verified;
    struct row plain_policy, policy;
    const struct verify_options verify = {.column = CODED_COLUMN,
                                          .price_nano_usd = CODED_CHECK_PRICE};
    demo_heading(d, 4, "What checks are worth");
    enum status status = demo_path(d, CODED_HELD, path, err);
    if (status == OK)
        status = dataset_load(path, DATASET_ALL, &d->exam, err);
    if (status == OK)
        status = eval_set_build(d->model, d->exam, &(struct eval_pool){.reference = REFERENCE},
                                d->arena, &set, err);
    if (status == OK)
        status = measure(d, &set, &plain, &plain_policy, err);
    if (status == OK)
        status = eval_verify(&set, d->exam, &verify, d->arena, err);
    if (status == OK)
        status = measure(d, &set, &verified, &policy, err);
    if (status != OK)
        return status;
    print_table(d, &plain, &plain_policy, &verified, &policy);
    print_commands(d);
    return OK;
}
