/* Coverage by single experts: see coverage.h. Sums are of whole units, so that gains are exact. */
#include "universe/coverage.h"

#include "base/check.h"

static bool takes_part(const struct candidates *c, size_t row, uint32_t domain)
{
    return domain == UINT32_MAX || c->domain_of[row] == domain;
}

static enum status coverage_make(const struct candidates *c, uint32_t domain, struct arena *a,
                                 struct coverage *ret, struct error *err)
{
    size_t count = 0, taken = 0;
    for (size_t r = 0; r < c->rows; r++)
        count += takes_part(c, r, domain);
    CHECK(count > 0);
    uint32_t *rows = ARENA_ARRAY(a, count, uint32_t);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t r = 0; r < c->rows; r++)
        if (takes_part(c, r, domain))
            rows[taken++] = (uint32_t)r;
    *ret = (struct coverage){c, rows, count};
    return OK;
}

enum status coverage_all(const struct candidates *c, struct arena *a, struct coverage *ret,
                         struct error *err)
{
    return coverage_make(c, UINT32_MAX, a, ret, err);
}

enum status coverage_domain(const struct candidates *c, uint32_t domain, struct arena *a,
                            struct coverage *ret, struct error *err)
{
    CHECK(domain < c->domains);
    return coverage_make(c, domain, a, ret, err);
}

uint16_t coverage_best(const struct coverage *v, size_t place, const size_t *members, size_t count)
{
    const uint16_t *scores = v->c->scores + v->rows[place] * v->c->count;
    uint16_t best = 0;
    for (size_t i = 0; i < count; i++)
        best = scores[members[i]] > best ? scores[members[i]] : best;
    return best;
}

double coverage_value(const struct coverage *v, const size_t *members, size_t count)
{
    uint64_t sum = 0;
    for (size_t r = 0; r < v->row_count; r++)
        sum += coverage_best(v, r, members, count);
    return (double)sum;
}

double coverage_mean(const struct coverage *v, const size_t *members, size_t count)
{
    return coverage_value(v, members, count) / SCORE_ONE / (double)v->row_count;
}

static enum status value(void *arg, const size_t *members, size_t count, double *ret,
                         struct error *err)
{
    (void)err;
    *ret = coverage_value(arg, members, count);
    return OK;
}

struct objective coverage_objective(const struct coverage *v)
{
    return (struct objective){.name = "coverage",
                              .submodular = true,
                              .unit = 1.0 / SCORE_ONE / (double)v->row_count,
                              .value = value,
                              .arg = (void *)(uintptr_t)v};
}
