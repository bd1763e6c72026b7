/* Learning one sequential plan: see plan_panel.h. The panel knows no data set: here its rows are gathered from those on
 * which all members are known, and what it did on them is put back in its place. A panel has some ten lambdas, and
 * what it did is kept for each, so that its arms and its worth are read off without running it again. One thread, and
 * the generator of the whole training; scratch is an arena that goes with the call. */
#include "train/plan_panel.h"

#include <math.h>

#include "base/check.h"
#include "stage/panel_learn.h"

static const struct outcome *outcome_of(const struct plan_rows *r, const struct plan *p, size_t row,
                                        size_t member)
{
    return dataset_outcome(r->dataset, row, r->expert[p->members[member]]);
}

static const struct answer_cell *answer_of(const struct plan_rows *r, const struct plan *p,
                                           size_t row, size_t member)
{
    return &r->answers->cells[row * r->dataset->expert_count + r->expert[p->members[member]]];
}

/* The rows of a panel: where each is among the rows of the plans. */
struct gathered {
    struct panel_rows rows;
    struct panel_cell *cells;
    float *characters;
    uint32_t *choice_counts;
    uint8_t *folds;
    size_t *row;
};

static enum status gather_allocate(struct gathered *g, size_t n, size_t members, struct arena *a,
                                   struct error *err)
{
    g->cells = ARENA_ARRAY(a, n * members, struct panel_cell);
    g->characters = ARENA_ARRAY(a, n, float);
    g->choice_counts = ARENA_ARRAY(a, n, uint32_t);
    g->folds = ARENA_ARRAY(a, n, uint8_t);
    g->row = ARENA_ARRAY(a, n, size_t);
    bool good = g->cells && g->characters && g->choice_counts && g->folds && g->row;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static void gather_row(const struct plan_rows *r, const struct plan *p, size_t row,
                       struct gathered *g)
{
    size_t at = g->rows.rows++;
    g->row[at] = row;
    g->characters[at] = r->characters[row];
    g->choice_counts[at] = r->dataset->queries[row].choice_count;
    g->folds[at] = r->folds[row];
    for (size_t i = 0; i < p->member_count; i++) {
        const struct outcome *o = outcome_of(r, p, row, i);
        const struct estimate *e = &r->estimates[row * r->experts + p->members[i]];
        g->cells[at * p->member_count + i] =
            (struct panel_cell){.quality = e->quality,
                                .output_tokens = e->output_tokens,
                                .expected_usd = (float)money_usd(e->cost_nano_usd),
                                .cost_usd = (float)money_usd(o->cost_nano_usd),
                                .score = o->score,
                                .confidence = outcome_confidence(o),
                                .answer_class = o->answer_class,
                                .stats = answer_of(r, p, row, i)->stats,
                                .certainty = answer_of(r, p, row, i)->certainty};
    }
}

static enum status gather(const struct plan_rows *r, const struct panel_course *c, struct arena *a,
                          struct gathered *g, struct error *err)
{
    enum status status = gather_allocate(g, c->usable_count, c->plan.member_count, a, err);
    if (status != OK)
        return status;
    for (size_t row = 0; row < r->rows; row++)
        if (c->usable[row])
            gather_row(r, &c->plan, row, g);
    g->rows.members = c->plan.member_count;
    g->rows.cells = g->cells;
    g->rows.characters = g->characters;
    g->rows.choice_counts = g->choice_counts;
    g->rows.folds = g->folds;
    g->rows.fold_count = r->fold_count;
    return OK;
}

/* What the panel did, in the place of the row that it did it on. */
static void note_results(const struct plan_rows *r, const struct gathered *g,
                         const struct panel_runs *runs, struct panel_course *c)
{
    size_t knots = c->panel.lambda_count, members = c->plan.member_count;
    for (size_t at = 0; at < g->rows.rows; at++)
        for (size_t k = 0; k < knots; k++) {
            const struct panel_cell *cells = g->cells + at * members;
            struct plan_result *to = &c->results[k * r->rows + g->row[at]];
            to->asked = runs->asked[at * knots + k];
            to->score = cells[runs->winner[at * knots + k]].score;
            for (size_t i = 0; i < members; i++)
                if (to->asked >> i & 1)
                    to->cost_usd += cells[i].cost_usd;
        }
}

static enum status learn(const struct plan_rows *r, struct rng *rng, struct arena *a,
                         struct arena *scratch, struct panel_course *c, struct error *err)
{
    struct gathered g = {.rows = {.rows = 0}};
    struct panel_learn_options options;
    struct panel_figures figures;
    struct panel_runs runs;
    panel_learn_options_default(&options);
    size_t knots = options.lambda_count;
    enum status status = gather(r, c, scratch, &g, err);
    if (status != OK)
        return status;
    runs.asked = ARENA_ARRAY(scratch, g.rows.rows * knots, uint8_t);
    runs.winner = ARENA_ARRAY(scratch, g.rows.rows * knots, uint8_t);
    c->results = ARENA_ARRAY(a, r->rows * knots, struct plan_result);
    if (!runs.asked || !runs.winner || !c->results)
        return error_set(err, ERR_MEMORY, "out of memory");
    status = panel_learn(&g.rows, &options, rng, &c->panel, &figures, &runs, err);
    if (status == OK)
        note_results(r, &g, &runs, c);
    return status;
}

enum status panel_course_learn(const struct plan_rows *r, const struct plan *plan,
                               size_t usable_min, struct rng *rng, struct arena *a,
                               struct panel_course *ret, struct error *err)
{
    struct panel_course c = {.plan = *plan, .usable = ARENA_ARRAY(a, r->rows, bool)};
    struct arena *scratch = arena_create((size_t)4 << 30);
    enum status status = c.usable && scratch ? OK : error_set(err, ERR_MEMORY, "out of memory");
    c.plan.rule = PLAN_TRUST;
    for (size_t row = 0; row < r->rows && status == OK; row++) {
        c.usable[row] = plan_row_is_usable(r, plan, row);
        c.usable_count += c.usable[row];
    }
    if (status == OK && c.usable_count >= usable_min)
        status = learn(r, rng, a, scratch, &c, err);
    arena_free(scratch);
    if (status == OK)
        *ret = c;
    return status;
}

void panel_course_done(struct panel_course *c)
{
    panel_done(&c->panel);
}

const struct plan_result *panel_course_results(const struct panel_course *c, size_t rows,
                                               size_t lambda)
{
    CHECK(lambda < c->panel.lambda_count);
    return c->results + lambda * rows;
}

double panel_course_calls(const struct panel_course *c, size_t rows)
{
    double most = 0;
    for (size_t k = 0; k < c->panel.lambda_count; k++) {
        const struct plan_result *r = panel_course_results(c, rows, k);
        double calls = 0;
        for (size_t row = 0; row < rows; row++)
            calls += __builtin_popcount(r[row].asked);
        most = fmax(most, calls / (double)c->usable_count);
    }
    return most;
}

/* At the nearest lambda that was learnt, by ratio. */
static struct plan_result course_at(const struct plan_rows *r, const void *course, double lambda,
                                    size_t row)
{
    const struct panel_course *c = course;
    size_t best = 0;
    for (size_t k = 1; k < c->panel.lambda_count; k++)
        if (fabs(log(lambda / (double)c->panel.lambdas[k])) <
            fabs(log(lambda / (double)c->panel.lambdas[best])))
            best = k;
    return panel_course_results(c, r->rows, best)[row];
}

struct plan_worth panel_course_worth(const struct panel_course *c)
{
    return (struct plan_worth){c->usable, course_at, c};
}
