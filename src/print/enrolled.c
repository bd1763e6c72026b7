/* See enrolled.h. What the decisions become is found on the sample of the model with the newcomer, at the lambda at
 * which half of what the best expert costs is spent: how many of its queries the newcomer would get. Everything else is
 * told as it was learnt. For a command's thread, after the file is written; it reads both models and changes
 * nothing. */
#include <inttypes.h>
#include <math.h>

#include "base/json.h"
#include "print/enrolled.h"

#define ALIKE_MIN   0.05 /* shares that are worth a word */
#define ALIKE_SHOWN 3
#define HALF        0.5

/* Over the sample of the model with the newcomer. */
struct decided {
    double share; /* of its queries that the newcomer would get at half of what the best costs */
    size_t rank;  /* by accuracy, the first is 1 */
    size_t reference; /* the most accurate other */
};

static void find_rank(const struct model *m, struct decided *ret)
{
    size_t last = model_expert_count(m) - 1;
    double own = model_expert_at(m, last)->accuracy;
    ret->rank = 1;
    for (size_t e = 0; e < last; e++) {
        ret->rank += model_expert_at(m, e)->accuracy > own;
        if (model_expert_at(m, e)->accuracy > model_expert_at(m, ret->reference)->accuracy)
            ret->reference = e;
    }
}

static size_t best_arm(const struct model_sample *s, size_t row, double lambda)
{
    size_t best = 0;
    double most = -INFINITY;
    for (size_t a = 0; a < s->arms; a++) {
        double utility =
            (double)s->quality[row * s->arms + a] - lambda * (double)s->cost_usd[row * s->arms + a];
        if (utility > most) {
            most = utility;
            best = a;
        }
    }
    return best;
}

static struct decided decide_sample(const struct model *m)
{
    struct decided d = {.share = (double)NAN};
    const struct model_sample s = model_sample(m);
    size_t last = model_expert_count(m) - 1, got = 0;
    find_rank(m, &d);
    if (!s.rows)
        return d;
    const struct model_expert *own = model_expert_at(m, last),
                              *other = model_expert_at(m, d.reference);
    double usd = own->accuracy > other->accuracy ? own->mean_cost_usd : other->mean_cost_usd;
    double lambda = model_lambda_for_budget(m, NULL, 1000 * HALF * usd);
    for (size_t row = 0; row < s.rows; row++)
        got += best_arm(&s, row, lambda) == last;
    d.share = (double)got / (double)s.rows;
    return d;
}

/* Experts of the newcomer's accuracy, the most alike first, into alike[]; returns how many are worth a word. */
static size_t find_alike(const struct enrolled *e, size_t *alike)
{
    const double *share = e->figures->share;
    size_t count = model_expert_count(e->into), n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = n;
        if (share[i] < ALIKE_MIN)
            continue;
        for (n++; at > 0 && share[alike[at - 1]] < share[i]; at--)
            alike[at] = alike[at - 1];
        alike[at] = i;
    }
    return n;
}

static struct str name_at(const struct enrolled *e, size_t expert)
{
    return model_expert_at(e->into, expert)->name;
}

static double per_million(int64_t nano_usd)
{
    return (double)nano_usd / (double)NANO_PER_USD;
}

static void print_basis(const struct enrolled *e, struct buf *out)
{
    const struct str none = STR("no outcomes yet: ");
    const struct enroll_figures *f = e->figures;
    struct str words = str_from(e->place->words);
    buf_add_c(out, "\n  by           ");
    if (f->outcomes) {
        buf_addf(out, "%zu outcome%s of its own, %zu beside others' on the same question",
                 f->outcomes, f->outcomes == 1 ? "" : "s", f->compared);
        buf_add_c(out, "\n  before       ");
        if (str_starts(words, none))
            words = str_slice(words, none.len, words.len);
    }
    buf_add(out, words);
}

static void print_alike(const struct enrolled *e, struct buf *out)
{
    size_t alike[MODEL_EXPERTS_MAX], n = find_alike(e, alike);
    buf_add_c(out, "\n  as accurate  ");
    for (size_t i = 0; i < n && i < ALIKE_SHOWN; i++)
        buf_addf(out, "%s%.*s", i ? ", " : "", STR_FMT(name_at(e, alike[i])));
}

static void print_place(const struct enrolled *e, struct buf *out)
{
    const struct enroll_figures *f = e->figures;
    const struct price *price = &e->newcomer->price;
    const struct decided d = decide_sample(e->after);
    buf_addf(out, "\n  accuracy     %.1f %% ± %.1f, number %zu of %zu", 100 * f->accuracy,
             100 * f->accuracy_sd, d.rank, model_expert_count(e->after));
    buf_addf(out,
             "\n  price        %.6g and %.6g USD per million tokens; %.4f USD per 1,000 questions",
             per_million(price->input_nano_usd_per_m), per_million(price->output_nano_usd_per_m),
             f->usd_per_1k);
    print_alike(e, out);
    if (d.share == d.share)
        buf_addf(out,
                 "\n  decisions    it gets %.1f %% of the questions at half of what the best costs",
                 100 * d.share);
}

void enrolled_print(const struct enrolled *e, struct buf *out)
{
    size_t count = model_expert_count(e->after);
    buf_addf(out, "%.*s joins %zu expert%s%s", STR_FMT(e->newcomer->name), count - 1,
             count == 2 ? "" : "s", e->replaced ? ", in place of what it was" : "");
    print_basis(e, out);
    print_place(e, out);
    if (e->plans_gone)
        buf_addf(out, "\n  plans        %zu that asked it as it was %s away", e->plans_gone,
                 e->plans_gone == 1 ? "falls" : "fall");
    buf_addf(out, "\n%s: %zu experts, %zu plans (%016" PRIx64 ")\n", e->path, count,
             model_arm_count(e->after) - count, model_checksum(e->after));
    if (e->in_place)
        buf_addf(out, "the model from before is %s.previous; `leeroo rollback %s` puts it back\n",
                 e->path, e->path);
}

static void add_double(struct buf *out, const char *name, double value)
{
    buf_addf(out, ",\"%s\":", name);
    json_write_double(out, value);
}

static void add_figures(const struct enrolled *e, struct buf *out)
{
    const struct enroll_figures *f = e->figures;
    const struct price *price = &e->newcomer->price;
    const struct decided d = decide_sample(e->after);
    add_double(out, "accuracy", f->accuracy);
    add_double(out, "accuracy_sd", f->accuracy_sd);
    buf_addf(out, ",\"rank\":%zu", d.rank);
    add_double(out, "usd_per_m_input", per_million(price->input_nano_usd_per_m));
    add_double(out, "usd_per_m_output", per_million(price->output_nano_usd_per_m));
    add_double(out, "usd_per_1k", f->usd_per_1k);
    add_double(out, "share_at_half", d.share);
}

void enrolled_print_json(const struct enrolled *e, struct buf *out)
{
    size_t alike[MODEL_EXPERTS_MAX], n = find_alike(e, alike), count = model_expert_count(e->after);
    buf_add_c(out, "{\"model\":");
    json_write_string(out, str_from(e->path));
    buf_addf(out, ",\"checksum\":\"%016" PRIx64 "\",\"expert\":", model_checksum(e->after));
    json_write_string(out, e->newcomer->name);
    buf_addf(out, ",\"replaced\":%s,\"outcomes\":%zu,\"compared\":%zu,\"placed\":\"%s\"",
             e->replaced ? "true" : "false", e->figures->outcomes, e->figures->compared,
             prior_basis_name(e->place->basis));
    add_figures(e, out);
    buf_add_c(out, ",\"as_accurate\":{");
    for (size_t i = 0; i < n; i++)
        buf_addf(out, "%s\"%.*s\":%.3f", i ? "," : "", STR_FMT(name_at(e, alike[i])),
                 e->figures->share[alike[i]]);
    buf_addf(out, "},\"experts\":%zu,\"plans\":%zu}\n", count, model_arm_count(e->after) - count);
}
