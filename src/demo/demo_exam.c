/* The exam: what an orchestrator is worth on questions it has not seen, against what one could do without it. Costs and
 * scores are recorded ones; predictions only choose.
 *
 * demo_mark says it of any model in three figures, demo_examine of the one in force as a table. Both only read what
 * demo_set_exam has recorded; their scratch memory is the demo's arena. One thread. */
#include <math.h>
#include <stdio.h>

#include "demo/demo.h"
#include "eval/build.h"
#include "eval/report.h"

#define LABEL_BYTES 64

struct line {
    double accuracy, usd_per_1k;
};

/* What decide() makes of the exam at `lambda`. */
static enum status route_all(const struct eval_table *t, double lambda, struct line *ret,
                             struct error *err)
{
    const struct policy policy = {.lambda = lambda};
    double right = 0, cost = 0;
    for (size_t q = 0; q < t->queries; q++) {
        struct decision decision;
        enum status status =
            decide(&policy, lambda, eval_estimate(t, q, 0), t->pool, t->experts, &decision, err);
        if (status != OK)
            return status;
        const struct outcome *o = eval_outcome(t, q, decision.arm);
        right += (double)o->score;
        cost += (double)o->cost_nano_usd / (double)NANO_PER_USD;
    }
    *ret = (struct line){right / (double)t->queries, 1000 * cost / (double)t->queries};
    return OK;
}

/* The best that two single experts, mixed at random, can do for that money; NaN below the cheapest. */
static double mix_at(const struct report *r, double usd_per_1k)
{
    double best = NAN;
    for (size_t i = 0; i < r->expert_count; i++)
        for (size_t j = 0; j < r->expert_count; j++) {
            const struct report_expert *a = &r->experts[i], *b = &r->experts[j];
            if (a->usd_per_1k > usd_per_1k)
                continue;
            double share = b->usd_per_1k > usd_per_1k
                               ? (usd_per_1k - a->usd_per_1k) / (b->usd_per_1k - a->usd_per_1k)
                               : 1;
            double mix = a->accuracy.value + share * (b->accuracy.value - a->accuracy.value);
            best = !(best >= mix) ? mix : best;
        }
    return best;
}

static void print_line(FILE *out, const struct report *r, const char *label, struct line line,
                       bool compare, bool bold)
{
    double reference = r->experts[r->reference].usd_per_1k, mix = mix_at(r, line.usd_per_1k);
    fprintf(out, "  %s%-40s  %6.1f %%  %9.4f %6.0f %%%s", bold ? "\033[1m" : "", label,
            100 * line.accuracy, line.usd_per_1k, 100 * line.usd_per_1k / reference,
            bold ? "\033[0m" : "");
    if (compare && !isnan(mix))
        fprintf(out, "  %.1f %%", 100 * mix);
    fputc('\n', out);
}

static void print_at(FILE *out, const struct report *r, double fraction)
{
    char label[LABEL_BYTES];
    for (size_t i = 0; i < r->at_count; i++) {
        const struct report_at *at = &r->at[i];
        if (fabs(at->fraction - fraction) > 1e-9 || isnan(at->accuracy.value))
            continue;
        snprintf(label, sizeof(label), "leeroo, for %.0f %% of the cost of %.*s", 100 * fraction,
                 STR_FMT(r->experts[r->reference].name));
        print_line(out, r, label, (struct line){at->accuracy.value, at->usd_per_1k}, true, false);
    }
}

static void print_single(FILE *out, const struct report *r, const char *how, size_t expert)
{
    char label[LABEL_BYTES];
    snprintf(label, sizeof(label), "%s: always %.*s", how, STR_FMT(r->experts[expert].name));
    print_line(out, r, label,
               (struct line){r->experts[expert].accuracy.value, r->experts[expert].usd_per_1k},
               false, false);
}

static size_t cheapest(const struct report *r)
{
    size_t best = 0;
    for (size_t i = 1; i < r->expert_count; i++)
        if (r->experts[i].usd_per_1k < r->experts[best].usd_per_1k)
            best = i;
    return best;
}

/* The lines in the order of the page. */
static void print_report(const struct demo *d, const struct report *r, struct line routed)
{
    char of_reference[LABEL_BYTES];
    snprintf(of_reference, sizeof(of_reference), "of %.*s", STR_FMT(r->experts[r->reference].name));
    fprintf(d->out,
            "  %zu questions that it has not seen. \"mix\" is the best that two\n"
            "  experts, mixed at random, would do for the same money.\n\n"
            "  %-40s  %8s  %9s %8s  %6s\n",
            r->queries, "who answers", "right", "USD/1,000", of_reference, "mix");
    print_single(d->out, r, "cheapest", cheapest(r));
    print_line(d->out, r, "anybody, at random",
               (struct line){r->random_mix.accuracy.value, r->random_mix.usd_per_1k}, false, false);
    print_single(d->out, r, "best single", r->best_single.expert);
    print_line(d->out, r, "leeroo, " DEMO_LAMBDA_MEANING, routed, true, d->bold);
    print_at(d->out, r, 0.5);
    print_at(d->out, r, 1);
    print_line(d->out, r, "oracle: knows beforehand who is right",
               (struct line){r->oracle.accuracy.value, r->oracle.usd_per_1k}, false, false);
    const struct report_expert *best = &r->experts[r->best_single.expert];
    fprintf(d->out,
            "\n  The gateway below answers %.1f %% right where always asking %.*s gives\n"
            "  %.1f %%, at %.0f %% of the cost.",
            100 * routed.accuracy, STR_FMT(best->name), 100 * best->accuracy.value,
            100 * routed.usd_per_1k / best->usd_per_1k);
    if (!isnan(r->matched.value))
        fprintf(d->out, " %.*s is matched at %.0f %% of its cost.",
                STR_FMT(r->experts[r->reference].name), 100 * r->matched.value);
    fputc('\n', d->out);
}

enum status demo_mark(struct demo *d, const struct model *m, struct demo_mark *ret,
                      struct error *err)
{
    static const double half[] = {0.5};
    struct eval_set set;
    struct report report;
    struct line routed = {0};
    const struct report_options options = {.fractions = half, .fraction_count = 1};
    enum status status = eval_set_build(m, d->exam, &(struct eval_pool){0}, d->arena, &set, err);
    if (status == OK)
        status = report_make(&set.table, &options, d->arena, &report, err);
    if (status == OK)
        status = route_all(&set.table, DEMO_LAMBDA, &routed, err);
    if (status == OK)
        *ret = (struct demo_mark){routed.accuracy, routed.usd_per_1k, report.at[0].accuracy.value};
    return status;
}

enum status demo_examine(struct demo *d, struct error *err)
{
    struct eval_set set;
    struct report report;
    struct line routed;
    const struct report_options options = {.draws = 0, .seed = d->seed};
    demo_heading(d, 4, "The exam");
    enum status status =
        eval_set_build(d->model, d->exam, &(struct eval_pool){0}, d->arena, &set, err);
    if (status == OK)
        status = report_make(&set.table, &options, d->arena, &report, err);
    if (status == OK)
        status = route_all(&set.table, DEMO_LAMBDA, &routed, err);
    if (status == OK)
        print_report(d, &report, routed);
    return status;
}
