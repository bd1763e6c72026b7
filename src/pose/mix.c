/* Shares of domains and difficulties: see mix.h. A weight is made of figures that were drawn towards the mean of all; a
 * share is a floor and a part by weight; quotas are drawn by systematic sampling, which keeps each within one of its
 * share.
 *
 * Pure functions of their arguments, any thread. */
#include "pose/mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "base/rng.h"

#define MIX_DOMAIN_BYTES 200

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

static double mass(const struct mix_cell *c)
{
    return c->mass > 0 ? c->mass : 1;
}

/* Doubt times value. */
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
            !isfinite(cells[i].value) || !(mass(&cells[i]) < 1e300))
            return error_set(err, ERR_INPUT, "the figures of '%.*s' are no doubt and value",
                             STR_FMT(cells[i].domain));
    struct means m = means_of(cells, count);
    double masses = 0, weights = 0;
    for (size_t i = 0; i < count; i++) {
        masses += mass(&cells[i]);
        weights += mass(&cells[i]) * weight(&cells[i], &m);
    }
    for (size_t i = 0; i < count; i++) {
        double even = mass(&cells[i]) / masses;
        double follows = weights > 0 ? mass(&cells[i]) * weight(&cells[i], &m) / weights : even;
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

/* Gathering figures */

/* A domain and level as the bytes of a key; domains longer than it holds share one. */
struct cell_key {
    char bytes[MIX_DOMAIN_BYTES + 1];
    size_t len;
};

static struct str key_of(struct str domain, unsigned level, struct cell_key *key)
{
    domain = str_slice(domain, 0, MIX_DOMAIN_BYTES);
    memcpy(key->bytes, domain.ptr ? domain.ptr : "", domain.len);
    key->bytes[domain.len] = (char)level;
    return (struct str){key->bytes, domain.len + 1};
}

static void add_point(struct mix_cell *c, const struct mix_point *p)
{
    double n = (double)++c->count;
    c->doubt += (p->doubt - c->doubt) / n;
    c->value += (p->value - c->value) / n;
}

/* Keys must outlive their map, so each cell has its own; that, and points without a place, make it one piece. */
enum status mix_gather(const struct mix_point *points, size_t count, struct mix_cell *cells,
                       size_t *ret_count, struct error *err)
{
    struct map *places = map_create(MIX_CELLS_MAX);
    struct cell_key *keys = calloc(MIX_CELLS_MAX, sizeof(*keys));
    size_t used = 0;
    enum status status = places && keys ? OK : ERR_MEMORY;
    for (size_t i = 0; i < count && status == OK; i++) {
        struct cell_key wanted;
        uint32_t at;
        struct str key = key_of(points[i].domain, points[i].level, &wanted);
        if (!map_get(places, key, &at)) {
            if (used == MIX_CELLS_MAX)
                continue;
            at = (uint32_t)used++;
            cells[at] = (struct mix_cell){.domain = points[i].domain, .level = points[i].level};
            status = map_put(places, key_of(points[i].domain, points[i].level, &keys[at]), at);
        }
        add_point(&cells[at], &points[i]);
    }
    map_free(places);
    free(keys);
    if (status != OK)
        return error_set(err, status, "out of memory for figures");
    *ret_count = used;
    return OK;
}

const struct mix_cell *mix_find(const struct mix_cell *cells, size_t count, struct str domain,
                                unsigned level)
{
    const struct mix_cell *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (str_equal(cells[i].domain, domain)) {
            if (cells[i].level == level)
                return &cells[i];
            if (cells[i].level == 0)
                found = &cells[i];
        }
    return found;
}
