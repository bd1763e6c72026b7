/* Who is the best of a query's candidates under lambda, whom it is set against, and which lambda keeps a budget.
 *
 * Everything goes by the matrix alone: a text was found or not before, and is not looked at here. What is drawn depends
 * on the seed and the query's text, not on the other queries. One thread. */
#include "export/export_int.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/rng.h"

#define LAMBDA_MAX   1e18
#define LAMBDA_STEPS 200
#define LAMBDA_CLOSE 1e-9 /* of it, as a share */

static const struct outcome *outcome_at(const struct exporting *x, size_t q, size_t e)
{
    return &x->d->outcomes[q * x->d->expert_count + e];
}

static double usd(const struct outcome *o)
{
    return (double)o->cost_nano_usd / (double)NANO_PER_USD;
}

void export_candidates_mark(struct exporting *x)
{
    const struct dataset *d = x->d;
    for (size_t q = 0; q < d->query_count; q++)
        for (size_t e = 0; e < d->expert_count; e++) {
            const struct outcome *o = outcome_at(x, q, e);
            bool known = o->known && o->cost_known;
            bool doubted = known && (double)outcome_confidence(o) < x->o->confidence_min;
            x->figures->doubted += doubted;
            if (x->o->subject == EXPORT_ANSWERS && !(*export_cell(x, q, e) & CELL_TEXT))
                known = false;
            if (known && !doubted)
                *export_cell(x, q, e) |= CELL_CANDIDATE;
        }
}

static bool is_right(const struct outcome *o)
{
    return (double)o->score >= EXPORT_RIGHT;
}

static double utility(const struct outcome *o, double lambda)
{
    return (double)o->score - lambda * usd(o);
}

static bool is_candidate(const struct exporting *x, size_t q, size_t e)
{
    return *export_cell(x, q, e) & CELL_CANDIDATE;
}

/* Of the candidates, for answers of those that were right; EXPORT_NOBODY. */
static uint32_t best_of(const struct exporting *x, size_t q, double lambda)
{
    uint32_t best = EXPORT_NOBODY;
    double best_utility = 0;
    for (size_t e = 0; e < x->d->expert_count; e++) {
        const struct outcome *o = outcome_at(x, q, e);
        if (!is_candidate(x, q, e) || (x->o->subject == EXPORT_ANSWERS && !is_right(o)))
            continue;
        double u = utility(o, lambda);
        if (best == EXPORT_NOBODY || u > best_utility ||
            (u == best_utility && o->cost_nano_usd < outcome_at(x, q, best)->cost_nano_usd)) {
            best = (uint32_t)e;
            best_utility = u;
        }
    }
    return best;
}

/* Queries */

static bool anybody(const struct exporting *x, size_t q, bool right)
{
    for (size_t e = 0; e < x->d->expert_count; e++)
        if (is_candidate(x, q, e) && (!right || is_right(outcome_at(x, q, e))))
            return true;
    return false;
}

/* EXPORT_REASONS: none, as far as the query alone can say. */
static enum export_reason why_not(const struct exporting *x, size_t q, const struct map *prompts,
                                  uint64_t hash)
{
    uint32_t before;
    if (str_trim(x->d->queries[q].prompt).len == 0)
        return EXPORT_EMPTY;
    if (map_get(prompts, (struct str){(const char *)&hash, sizeof(hash)}, &before))
        return EXPORT_REPEATED;
    if (!anybody(x, q, false))
        return EXPORT_UNKNOWN;
    bool must = x->o->solved || x->o->subject == EXPORT_ANSWERS;
    return must && !anybody(x, q, true) ? EXPORT_UNSOLVED : EXPORT_REASONS;
}

/* usable[*count]: the queries that can have rows. The first of those with one prompt stays, because the same prompt
 * with two labels teaches neither. */
static enum status queries_choose(struct exporting *x, uint32_t *usable, size_t *count,
                                  struct error *err)
{
    const struct dataset *d = x->d;
    struct map *prompts = map_create(d->query_count);
    uint64_t *hashes = ARENA_ARRAY(x->arena, d->query_count + 1, uint64_t);
    enum status status = prompts && hashes ? OK : ERR_MEMORY;
    for (size_t q = 0; q < d->query_count && status == OK; q++) {
        hashes[q] = text_hash(d->queries[q].prompt);
        enum export_reason reason = why_not(x, q, prompts, hashes[q]);
        if (reason != EXPORT_REASONS) {
            x->figures->left_out[reason]++;
            continue;
        }
        status = map_put(prompts, (struct str){(const char *)&hashes[q], sizeof(hashes[q])},
                         (uint32_t)q);
        usable[(*count)++] = (uint32_t)q;
    }
    map_free(prompts);
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* Lambda */

static double mean_cost_usd_per_1k(const struct exporting *x, const uint32_t *usable, size_t count,
                                   double lambda)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += usd(outcome_at(x, usable[i], best_of(x, usable[i], lambda)));
    return count ? 1000 * sum / (double)count : 0;
}

/* What the best cost never rises with lambda, so the least lambda that keeps the budget is found by halving. */
static enum status lambda_find(struct exporting *x, const uint32_t *usable, size_t count,
                               struct error *err)
{
    double budget = x->o->budget_usd_per_1k, low = 0, high = 1;
    x->lambda = x->o->lambda;
    if (budget <= 0)
        return OK;
    x->lambda = 0;
    if (mean_cost_usd_per_1k(x, usable, count, 0) <= budget)
        return OK;
    while (high < LAMBDA_MAX && mean_cost_usd_per_1k(x, usable, count, high) > budget) {
        low = high;
        high *= 4;
    }
    double least = mean_cost_usd_per_1k(x, usable, count, high);
    if (least > budget)
        return error_set(
            err, ERR_BUDGET,
            "--budget %g: the cheapest of every query together cost %.6g USD per 1,000 "
            "queries",
            budget, least);
    for (int i = 0; i < LAMBDA_STEPS && high - low > LAMBDA_CLOSE * high; i++) {
        double middle = low + (high - low) / 2;
        if (mean_cost_usd_per_1k(x, usable, count, middle) > budget)
            low = middle;
        else
            high = middle;
    }
    x->lambda = high;
    return OK;
}

/* Rows */

static enum status add_row(struct exporting *x, struct export_row row, struct error *err)
{
    if (x->row_count == x->row_room) {
        size_t room = x->row_room ? 2 * x->row_room : 1024;
        struct export_row *more = ARENA_ARRAY(x->arena, room, struct export_row);
        if (!more)
            return error_set(err, ERR_MEMORY, "out of memory");
        for (size_t i = 0; i < x->row_count; i++)
            more[i] = x->rows[i];
        x->rows = more;
        x->row_room = room;
    }
    x->rows[x->row_count++] = row;
    *export_cell(x, row.query, row.chosen) |= CELL_NEEDED;
    if (row.rejected != EXPORT_NOBODY)
        *export_cell(x, row.query, row.rejected) |= CELL_NEEDED;
    return OK;
}

/* An answer is rejected where it was wrong, an expert where it is worth less. */
static bool is_worse(const struct exporting *x, size_t q, uint32_t best, size_t e)
{
    const struct outcome *good = outcome_at(x, q, best), *other = outcome_at(x, q, e);
    if (e == best || !is_candidate(x, q, e))
        return false;
    if (x->o->subject == EXPORT_ANSWERS)
        return !is_right(other) && (double)good->score - (double)other->score > x->o->margin;
    return utility(good, x->lambda) - utility(other, x->lambda) > x->o->margin;
}

static enum status add_pairs(struct exporting *x, uint32_t q, uint32_t best, struct error *err)
{
    uint32_t worse[DATASET_EXPERTS_MAX];
    size_t count = 0;
    struct rng rng;
    enum status status = OK;
    for (size_t e = 0; e < x->d->expert_count; e++)
        if (is_worse(x, q, best, e))
            worse[count++] = (uint32_t)e;
    rng_seed(&rng, hash64_mix(x->o->seed, x->d->queries[q].text_hash));
    rng_shuffle_u32(&rng, worse, count);
    for (size_t i = 0; i < count && i < x->o->pairs && status == OK; i++)
        status = add_row(x, (struct export_row){q, best, worse[i]}, err);
    return status;
}

static enum status add_query(struct exporting *x, uint32_t q, struct error *err)
{
    struct export_figures *f = x->figures;
    uint32_t best = best_of(x, q, x->lambda);
    bool pairs = x->o->format == EXPORT_DPO || x->o->format == EXPORT_PREFERENCE;
    size_t before = x->row_count;
    enum status status = pairs ? add_pairs(x, q, best, err)
                               : add_row(x, (struct export_row){q, best, EXPORT_NOBODY}, err);
    if (status != OK)
        return status;
    if (x->row_count == before) {
        f->left_out[EXPORT_NO_PAIR]++;
        return OK;
    }
    const struct outcome *o = outcome_at(x, q, best);
    f->queries++;
    f->labels[best]++;
    f->unsolved += !anybody(x, q, true);
    f->score += (double)o->score;
    f->cost_usd_per_1k += 1000 * usd(o);
    return OK;
}

enum status export_rows_pick(struct exporting *x, struct error *err)
{
    struct export_figures *f = x->figures;
    size_t count = 0;
    uint32_t *usable = ARENA_ARRAY(x->arena, x->d->query_count + 1, uint32_t);
    if (!usable)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = queries_choose(x, usable, &count, err);
    if (status == OK)
        status = lambda_find(x, usable, count, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = add_query(x, usable[i], err);
    f->lambda = x->lambda;
    f->score /= f->queries ? (double)f->queries : 1;
    f->cost_usd_per_1k /= f->queries ? (double)f->queries : 1;
    return status;
}
