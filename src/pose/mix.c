/* Shares of domains and difficulties: see mix.h. */
#include "pose/mix.h"

#include <math.h>

#include "base/check.h"
#include "base/rng.h"

struct means {
    double doubt, value, largest_doubt;
};

/* Over the questions of all cells that have figures. Without any all cells are alike. */
static struct means means_of(const struct mix_cell *cells, size_t count)
{
    struct means m = {0};
    double questions = 0;
    for (size_t i = 0; i < count; i++) {
        double n = (double)cells[i].count;
        questions += n;
        m.doubt += n * cells[i].doubt;
        m.value += n * cells[i].value;
        if (n > 0)
            m.largest_doubt = fmax(m.largest_doubt, cells[i].doubt);
    }
    if (questions == 0)
        return (struct means){1, 1, 1};
    m.doubt /= questions;
    m.value /= questions;
    return m;
}

static double weight(const struct mix_cell *c, const struct means *m)
{
    double n = (double)c->count;
    if (c->count == 0)
        return m->largest_doubt * m->value;
    double doubt = (n * c->doubt + MIX_PRIOR_COUNT * m->doubt) / (n + MIX_PRIOR_COUNT);
    double value = (n * c->value + MIX_PRIOR_COUNT * m->value) / (n + MIX_PRIOR_COUNT);
    return doubt * value;
}

enum status mix_shares(const struct mix_cell *cells, size_t count, double floor, double *shares,
                       struct error *err)
{
    CHECK(floor >= 0 && floor <= 1);
    if (count == 0 || count > MIX_CELLS_MAX)
        return error_set(err, ERR_TOO_LARGE,
                         "%zu domains and levels to mix: at least 1, at most %d", count,
                         MIX_CELLS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!(cells[i].doubt >= 0) || !(cells[i].value >= 0) || !isfinite(cells[i].doubt) ||
            !isfinite(cells[i].value))
            return error_set(err, ERR_INPUT, "the figures of '%.*s' are no doubt and value",
                             STR_FMT(cells[i].domain));
    struct means m = means_of(cells, count);
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weight(&cells[i], &m);
    for (size_t i = 0; i < count; i++) {
        double even = 1.0 / (double)count;
        double follows = sum > 0 ? weight(&cells[i], &m) / sum : even;
        shares[i] = floor * even + (1 - floor) * follows;
    }
    return OK;
}

/* Systematic sampling: marks stand one apart from a drawn beginning, and a cell gets as many as fall on its part of the
 * line. */
enum status mix_plan(const struct mix_cell *cells, size_t count, size_t total, double floor,
                     uint64_t seed, size_t *quotas, struct error *err)
{
    struct rng rng;
    double shares[MIX_CELLS_MAX];
    enum status status = mix_shares(cells, count, floor, shares, err);
    if (status != OK)
        return status;
    rng_seed(&rng, seed);
    double end = 0, mark = rng_uniform(&rng);
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        end += shares[i] * (double)total;
        quotas[i] = 0;
        for (; given < total && (mark < end || i + 1 == count); mark += 1, given++)
            quotas[i]++;
    }
    return OK;
}
