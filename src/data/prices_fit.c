/* Prices from costs: what an expert's answers have cost, as prices of input and output that are not negative, by least
 * squares. Where tokens were not recorded, a quarter of the prompt's bytes stands for the input, and a constant for
 * the output, so that at least the mean comes out right.
 *
 * Pure, on a data set that is still being built. */
#include <math.h>

#include "base/check.h"
#include "data/dataset_int.h"

#define BYTES_PER_TOKEN 4.0
#define OUTPUT_TOKENS   256.0 /* of an answer whose tokens were not recorded */
#define COLLINEAR       1e-9  /* of the determinant, as a share of the product of the squares */
#define PRICE_NANO_MAX  1e18  /* USD 1e9 per million tokens */

/* Sums over the recorded costs y of answers with `in` and `out` tokens. */
struct sums {
    double in_in, in_out, out_out, in_y, out_y, y, in, out;
    size_t count;
};

struct fit {
    double in, out; /* nano-USD a token */
};

static void tokens_of(const struct dataset *d, size_t q, const struct outcome *o, bool by_length,
                      double *in, double *out)
{
    *in = by_length ? (double)d->queries[q].prompt.len / BYTES_PER_TOKEN : o->input_tokens;
    *out = by_length ? OUTPUT_TOKENS : o->output_tokens;
}

static bool counts(const struct outcome *o, bool by_length)
{
    return o->present && o->cost_known && (by_length || o->tokens_known);
}

static struct sums sums_of(const struct dataset *d, size_t e, bool by_length)
{
    struct sums s = {0};
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, e);
        double in, out, y = (double)o->cost_nano_usd;
        if (!counts(o, by_length))
            continue;
        tokens_of(d, q, o, by_length, &in, &out);
        s.in_in += in * in;
        s.in_out += in * out;
        s.out_out += out * out;
        s.in_y += in * y;
        s.out_y += out * y;
        s.in += in;
        s.out += out;
        s.y += y;
        s.count++;
    }
    return s;
}

/* With two unknowns and no negative price the best is inside, or on one of the two edges. Where input and output always
 * stand in the same ratio nothing tells their prices apart: they get one. */
static struct fit fit_of(const struct sums *s)
{
    double determinant = s->in_in * s->out_out - s->in_out * s->in_out;
    if (!(determinant > COLLINEAR * s->in_in * s->out_out)) {
        double all = s->in_in + 2 * s->in_out + s->out_out;
        double one = all > 0 ? (s->in_y + s->out_y) / all : 0;
        return (struct fit){one, one};
    }
    struct fit f = {(s->in_y * s->out_out - s->out_y * s->in_out) / determinant,
                    (s->out_y * s->in_in - s->in_y * s->in_out) / determinant};
    if (f.in < 0)
        f = (struct fit){0, s->out_y / s->out_out};
    else if (f.out < 0)
        f = (struct fit){s->in_y / s->in_in, 0};
    return f;
}

static double error_of(const struct dataset *d, size_t e, bool by_length, const struct fit *f,
                       const struct sums *s)
{
    double squares = 0, mean = s->y / (double)s->count;
    for (size_t q = 0; q < d->query_count; q++) {
        const struct outcome *o = dataset_outcome(d, q, e);
        double in, out;
        if (!counts(o, by_length))
            continue;
        tokens_of(d, q, o, by_length, &in, &out);
        double off = (double)o->cost_nano_usd - f->in * in - f->out * out;
        squares += off * off;
    }
    return sqrt(squares / (double)s->count) / mean;
}

static int64_t price_of(double nano_usd_a_token)
{
    return (int64_t)llround(fmin(nano_usd_a_token * 1e6, PRICE_NANO_MAX));
}

static void expert_fit(struct dataset *d, size_t e)
{
    struct dataset_price *found = &d->prices[e];
    bool by_length = false;
    struct sums s = sums_of(d, e, by_length);
    if (!s.count || s.in + s.out <= 0) {
        by_length = true;
        s = sums_of(d, e, by_length);
    }
    if (s.count && !(s.y > 0))
        found->basis = PRICE_GIVEN; /* it is free, as its costs say */
    if (!s.count || !(s.y > 0))
        return;
    struct fit f = fit_of(&s);
    d->experts[e].price = (struct price){.input_nano_usd_per_m = price_of(f.in),
                                         .output_nano_usd_per_m = price_of(f.out)};
    *found = (struct dataset_price){.basis = PRICE_FITTED,
                                    .error = (float)error_of(d, e, by_length, &f, &s),
                                    .costs = s.count,
                                    .by_length = by_length};
}

static void costs_fill(struct dataset *d, size_t e)
{
    const struct price *price = &d->experts[e].price;
    for (size_t q = 0; q < d->query_count; q++) {
        struct outcome *o = &d->outcomes[q * d->expert_count + e];
        if (o->cost_known || !o->tokens_known)
            continue;
        int64_t cost = price_cost_nano_usd(price, o->input_tokens, o->output_tokens);
        if (cost > COST_NANO_USD_MAX)
            continue; /* no answer costs as much: it is unknown */
        o->cost_nano_usd = cost;
        o->cost_known = true;
    }
}

void dataset_price_set(struct dataset *d, size_t expert, const struct price *price)
{
    d->experts[expert].price = *price;
    if (d->prices)
        d->prices[expert] = (struct dataset_price){.basis = PRICE_LISTED};
    if (d->outcomes)
        costs_fill(d, expert);
}

void prices_fit(struct dataset *d)
{
    for (size_t e = 0; d->prices && e < d->expert_count; e++) {
        if (!price_may_be_fitted(d, e))
            continue;
        expert_fit(d, e);
        if (dataset_price_basis(d, e) != PRICE_UNKNOWN)
            costs_fill(d, e);
    }
}
