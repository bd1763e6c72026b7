/* See routed.h. The table of all candidates is made once; a set is measured by copying its columns into a narrow table
 * and making the curve of that, which is the curve that `leeroo eval` makes. Copying costs less than it saves, because
 * the curve looks at every column of every query several times. Memory of one measurement is given back before the
 * next. */
#include "universe/routed_int.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"

#define ROUTED_ARENA_BYTES ((size_t)16 << 30)
#define ROUTED_NAMES_BYTES 65536
#define ROUTED_PER_1K      1000.0

const struct routed_figures *routed_figures(const struct routed *r)
{
    return &r->figures;
}

/* Curves */

enum status routed_curve_make(const struct eval_table *t, const uint32_t *weights, struct arena *a,
                              struct routed_curve *ret, struct error *err)
{
    struct routed_curve c = {.rows = (double)t->queries};
    enum status status = curve_make(t, a, &c.curve, err);
    if (status != OK)
        return status;
    c.points = ARENA_ARRAY(a, c.curve.step_count + 1, struct curve_point);
    if (!c.points)
        return error_set(err, ERR_MEMORY, "out of memory");
    curve_trace(&c.curve, weights, c.points);
    if (weights) {
        c.rows = 0;
        for (size_t q = 0; q < t->queries; q++)
            c.rows += weights[q];
    }
    *ret = c;
    return OK;
}

double routed_nano_usd(const struct routed_curve *c, double usd_per_1k)
{
    return usd_per_1k / ROUTED_PER_1K * (double)NANO_PER_USD * c->rows;
}

void routed_curve_scores(const struct routed_curve *c, const double *usd_per_1k, size_t n,
                         double *scores)
{
    double costs[ROUTED_SCORES_MAX] = {0};
    CHECK(n > 0 && n <= ROUTED_SCORES_MAX);
    for (size_t i = 0; i < n; i++)
        costs[i] = routed_nano_usd(c, usd_per_1k[i]);
    curve_scores_at(c->points, c->curve.step_count + 1, costs, n, scores);
    for (size_t i = 0; i < n; i++) {
        const struct curve_point *start = &c->points[0];
        if (isnan(scores[i]))
            scores[i] = start->score * costs[i] / (double)start->cost_nano_usd;
        scores[i] /= c->rows;
    }
}

/* Sets */

/* The columns of members[count] as a table in `scratch`. */
static enum status columns_take(struct routed *r, const size_t *members, size_t count,
                                struct eval_table *ret, struct error *err)
{
    const struct eval_table *all = &r->set.table;
    arena_reset(r->scratch);
    struct estimate *estimates = ARENA_ARRAY(r->scratch, all->queries * count, struct estimate);
    struct outcome *outcomes = ARENA_ARRAY(r->scratch, all->queries * count, struct outcome);
    if (!estimates || !outcomes)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0, to = 0; q < all->queries; q++)
        for (size_t i = 0; i < count; i++, to++) {
            CHECK(members[i] < r->count);
            estimates[to] = *eval_estimate(all, q, members[i]);
            outcomes[to] = *eval_outcome(all, q, members[i]);
        }
    *ret = (struct eval_table){
        .queries = all->queries, .experts = count, .estimates = estimates, .outcomes = outcomes};
    return OK;
}

enum status routed_scores(struct routed *r, const size_t *members, size_t count,
                          const double *usd_per_1k, size_t n, double *scores, struct error *err)
{
    struct eval_table t;
    struct routed_curve c;
    CHECK(count > 0);
    enum status status = columns_take(r, members, count, &t, err);
    if (status == OK)
        status = routed_curve_make(&t, NULL, r->scratch, &c, err);
    if (status == OK)
        routed_curve_scores(&c, usd_per_1k, n, scores);
    return status;
}

double routed_oracle(const struct routed *r, const size_t *members, size_t count)
{
    const struct eval_table *t = &r->set.table;
    double sum = 0;
    for (size_t q = 0; q < t->queries; q++) {
        double best = 0;
        for (size_t i = 0; i < count; i++)
            best = fmax(best, (double)eval_outcome(t, q, members[i])->score);
        sum += best;
    }
    return sum / (double)t->queries;
}

/* The objective */

void routed_budgets(const struct routed *r, double *usd_per_1k)
{
    for (size_t i = 0; i < ROUTED_BUDGETS; i++)
        usd_per_1k[i] = ldexp(r->figures.budget_usd_per_1k, (int)i + 1 - ROUTED_BUDGETS);
}

double routed_below(const double *scores)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < ROUTED_BUDGETS; i++)
        sum += scores[i];
    return sum / (ROUTED_BUDGETS - 1);
}

static enum status lens_value(void *arg, const size_t *members, size_t count, double *ret,
                              struct error *err)
{
    const struct routed_lens *lens = arg;
    double budgets[ROUTED_BUDGETS], scores[ROUTED_BUDGETS];
    if (count == 0) {
        *ret = 0;
        return OK;
    }
    routed_budgets(lens->r, budgets);
    enum status status =
        routed_scores(lens->r, members, count, budgets, ROUTED_BUDGETS, scores, err);
    if (status == OK)
        *ret = scores[ROUTED_BUDGETS - 1] + lens->lean * routed_below(scores);
    return status;
}

struct objective routed_objective(struct routed_lens *lens)
{
    return (struct objective){
        .name = "routed accuracy", .unit = 1, .value = lens_value, .arg = lens};
}

/* Making it */

/* The most accurate candidate; of equals the cheaper. */
static void figures_fill(struct routed *r, const struct routed_options *options)
{
    const struct eval_table *t = &r->set.table;
    struct routed_figures *f = &r->figures;
    f->queries = t->queries;
    f->left_out = r->set.left_out;
    for (size_t c = 0; c < r->count; c++) {
        double score = 0, nano = 0, rows = (double)t->queries;
        for (size_t q = 0; q < t->queries; q++) {
            score += (double)eval_outcome(t, q, c)->score;
            nano += (double)eval_outcome(t, q, c)->cost_nano_usd;
        }
        double usd_per_1k = nano / (double)NANO_PER_USD / rows * ROUTED_PER_1K;
        score /= rows;
        r->scores[c] = score;
        if (c > 0 &&
            (score < f->best_score || (score == f->best_score && usd_per_1k >= f->best_usd_per_1k)))
            continue;
        f->best = c;
        f->best_score = score;
        f->best_usd_per_1k = usd_per_1k;
    }
    f->budget_usd_per_1k =
        options->share > 0 ? options->share * f->best_usd_per_1k : options->usd_per_1k;
}

enum status routed_names(const struct routed *r, const size_t *members, size_t count,
                         struct arena *a, const char **ret, struct error *err)
{
    struct buf names;
    buf_init(&names, ROUTED_NAMES_BYTES);
    for (size_t i = 0; i < count; i++)
        buf_addf(&names, "%s%.*s", i ? "," : "",
                 STR_FMT(r->d->experts[r->experts[members[i]]].name));
    *ret = arena_printf(a, "%.*s", STR_FMT(buf_str(&names)));
    enum status status = buf_status(&names, err);
    buf_done(&names);
    return status != OK || *ret ? status : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status estimates_make(struct routed *r, const struct routed_options *options,
                                  struct error *err)
{
    size_t all[CANDIDATES_MAX];
    struct folds_options folds = {.folds = ROUTED_FOLDS,
                                  .plans = "none",
                                  .seed = options->seed,
                                  .progress = options->progress,
                                  .arg = options->arg};
    for (size_t c = 0; c < r->count; c++)
        all[c] = c;
    enum status status = routed_names(r, all, r->count, r->arena, &folds.experts, err);
    if (status == OK)
        status = eval_folds_build(r->d, &folds, r->arena, &r->set, err);
    if (status == OK && r->set.table.queries == 0)
        status = error_set(err, ERR_INPUT,
                           "%.*s: there is no query of which score and cost are known for every "
                           "candidate; name some of them by --experts",
                           STR_FMT(r->d->path));
    return status;
}

static enum status has_text(const struct response_line *said, void *arg, struct error *err)
{
    (void)said;
    (void)err;
    *(bool *)arg = true;
    return CLOSED;
}

/* Found out before the work of a minute. */
static enum status texts_check(const struct routed *r, struct error *err)
{
    bool found = false;
    for (size_t c = 0; c < r->count && !found; c++) {
        enum status status = responses_read(r->d->path.ptr, r->d->experts[r->experts[c]].name,
                                            has_text, &found, err);
        if (status != OK && status != CLOSED && status != ERR_NOT_FOUND)
            return status;
    }
    return found ? OK
                 : error_set(err, ERR_NOT_FOUND,
                             "plans: %.*s has no responses/ of these experts to learn them from",
                             STR_FMT(r->d->path));
}

static struct routed *routed_alloc(struct dataset *d, const size_t *experts, size_t count,
                                   const struct routed_options *options)
{
    struct arena *a = arena_create(ROUTED_ARENA_BYTES);
    struct routed *r = a ? ARENA_NEW(a, struct routed) : NULL;
    struct arena *scratch = r ? arena_create(ROUTED_ARENA_BYTES) : NULL;
    if (!scratch) {
        arena_free(a);
        return NULL;
    }
    r->arena = a;
    r->scratch = scratch;
    r->d = d;
    r->count = count;
    r->options = *options;
    memcpy(r->experts, experts, count * sizeof(*experts));
    return r;
}

enum status routed_create(struct dataset *d, const size_t *experts, size_t count,
                          const struct routed_options *options, struct routed **ret,
                          struct error *err)
{
    CHECK(count > 0 && count <= CANDIDATES_MAX);
    CHECK(options->share > 0 || options->usd_per_1k > 0);
    struct routed *r = routed_alloc(d, experts, count, options);
    enum status status = r ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK && options->plans)
        status = texts_check(r, err);
    if (status == OK)
        status = estimates_make(r, options, err);
    if (status != OK) {
        routed_free(r);
        return status;
    }
    figures_fill(r, options);
    *ret = r;
    return OK;
}

void routed_free(struct routed *r)
{
    if (!r)
        return;
    arena_free(r->scratch);
    arena_free(r->arena);
}
