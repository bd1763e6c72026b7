/* The race, batch by batch: see probe.h. Rows are opened, asked about until nothing more is wanted of any of them, and
 * then decided by, all of a batch together: those that are settled first are the easy ones, and would mislead.
 *
 * One thread owns a race, and nothing here waits: but for the search of sets, which takes milliseconds for each open
 * candidate, and so belongs on no event loop. */
#include "probe/probe_int.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/rng.h"

#define PROBE_BYTES_MAX (UINT64_C(8) << 30)
#define PILOT_ROWS      12   /* the first batch: what answers cost is a guess until then */
#define FIRST_SHARE     0.25 /* of the money is spent before batches get smaller */
#define BATCH_SHARE     0.12 /* of what is left, for each batch then */
#define BATCH_ROWS_MIN  20
#define BATCH_ROWS_MAX  500 /* or as many as there were before */
#define AGAIN_SHARE     0.1 /* of the money: with more of it left, what is decided is looked at again */
#define AGAIN_MOST      0.6 /* of what is left, for asking the questions there were */
#define AGAIN_SIGMAS    4.0 /* members that are that sure stay so */
#define LAST_SHARE      0.95 /* of what is left, at most: a batch may cost more than those before it */

/* All of its arrays. */
static bool reserve(struct probe *p)
{
    const size_t rows = p->o.questions + 1, cells = p->o.questions * p->o.candidates + 1;
    p->order = ARENA_ARRAY(p->arena, rows, uint32_t);
    p->scores = ARENA_ARRAY(p->arena, cells, float);
    p->cells = ARENA_ARRAY(p->arena, cells, struct probe_cell);
    p->columns = ARENA_ARRAY(p->arena, cells, float);
    p->ease = ARENA_ARRAY(p->arena, rows, double);
    p->fails = ARENA_ARRAY(p->arena, rows, float);
    p->other_fails = ARENA_ARRAY(p->arena, rows, float);
    p->scratch = ARENA_ARRAY(p->arena, rows, float);
    return p->order && p->scores && p->cells && p->columns && p->ease && p->fails &&
           p->other_fails && p->scratch;
}

enum status probe_create(const struct probe_options *o, struct probe **ret, struct error *err)
{
    struct arena *a = arena_create(PROBE_BYTES_MAX);
    struct probe *p = a ? ARENA_NEW(a, struct probe) : NULL;
    struct rng rng;
    CHECK(o->candidates <= CANDIDATES_MAX);
    CHECK(o->members >= 1 && o->members <= o->candidates);
    if (p) {
        p->o = *o;
        p->arena = a;
        p->money_first = -1;
    }
    if (!p || !reserve(p)) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    }
    for (size_t i = 0; i < o->questions * o->candidates; i++)
        p->scores[i] = PROBE_UNKNOWN;
    for (size_t q = 0; q < o->questions; q++)
        p->order[q] = (uint32_t)q;
    rng_seed(&rng, o->seed);
    rng_shuffle_u32(&rng, p->order, o->questions);
    *ret = p;
    return OK;
}

void probe_free(struct probe *p)
{
    if (p)
        arena_free(p->arena); /* it lives there itself */
}

void probe_tell(struct probe *p, size_t question, size_t candidate, double score)
{
    CHECK(question < p->o.questions && candidate < p->o.candidates);
    CHECK(score >= 0 && score <= 1);
    p->scores[question * p->o.candidates + candidate] = (float)score;
}

void probe_drop(struct probe *p, size_t candidate)
{
    CHECK(candidate < p->o.candidates);
    p->standing[candidate] = PROBE_OUT;
    p->dropped[candidate] = true;
}

enum probe_standing probe_standing(const struct probe *p, size_t candidate)
{
    CHECK(candidate < p->o.candidates);
    return p->standing[candidate];
}

/* Over all questions: those to come are like those that were. */
static void see_costs(struct probe *p, const int64_t *cost_nano_usd)
{
    const size_t questions = p->o.questions, candidates = p->o.candidates;
    for (size_t c = 0; c < candidates; c++) {
        double sum = 0;
        for (size_t q = 0; q < questions; q++)
            sum += (double)cost_nano_usd[q * candidates + c];
        p->cost[c] = questions > 0 ? sum / (double)questions : 0;
    }
}

/* What the open rows want; returns what it is expected to cost. */
static double collect(struct probe *p, const int64_t *cost_nano_usd)
{
    bool wanted[CANDIDATES_MAX];
    double cost = 0;
    p->cell_count = 0;
    for (size_t at = p->decided; at < p->opened; at++) {
        if (probe_row_wants(p, probe_row(p, at), wanted) == 0)
            continue;
        for (size_t c = 0; c < p->o.candidates; c++)
            if (wanted[c]) {
                p->cells[p->cell_count++] = (struct probe_cell){p->order[at], (uint32_t)c};
                cost += (double)cost_nano_usd[(size_t)p->order[at] * p->o.candidates + c];
            }
    }
    return cost;
}

/* How many more rows to open. */
static size_t batch_rows(const struct probe *p)
{
    const double row = fmax(probe_row_cost(p), 1);
    const double spent = p->money_first - p->money;
    const double share = fmax(FIRST_SHARE * p->money_first - spent, BATCH_SHARE * p->money);
    double rows = p->opened == 0 ? PILOT_ROWS : fmax(share / row, BATCH_ROWS_MIN);
    rows = fmin(rows, fmax(BATCH_ROWS_MAX, (double)p->decided));
    rows = fmin(rows, LAST_SHARE * p->money / row);
    return (size_t)fmin(rows, (double)(p->o.questions - p->opened));
}

static bool is_over(struct probe *p)
{
    size_t open = 0, members = 0;
    for (size_t c = 0; c < p->o.candidates; c++) {
        open += p->standing[c] == PROBE_OPEN;
        members += p->standing[c] == PROBE_MEMBER;
    }
    const bool all_fit = p->o.cost_max_nano_usd == 0 && members + open <= p->o.members;
    if (open == 0 || members >= p->o.members || all_fit)
        p->end = PROBE_DECIDED;
    else if (p->opened == p->o.questions)
        p->end = PROBE_ASKED_ALL;
    return p->end != PROBE_RUNNING;
}

/* A second look */

void probe_as_before(struct probe *p)
{
    for (size_t c = 0; c < p->o.candidates; c++)
        p->standing[c] = p->dropped[c] ? PROBE_OUT : p->standing_before[c];
    p->decided = p->decided_before;
}

/* Much may have been decided by few questions, before the money was seen to reach for many. Where it does, whoever was
 * put out unclearly is asked those that came since. Once, and with few members in question where that is dear. */
static bool look_again(struct probe *p, const int64_t *cost_nano_usd)
{
    const double sigmas[] = {AGAIN_SIGMAS, 0};
    if (p->is_again || p->decided == 0 || p->money < AGAIN_SHARE * p->money_first)
        return false;
    memcpy(p->standing_before, p->standing, sizeof(p->standing));
    p->decided_before = p->decided;
    for (int i = 0; i < 2; i++) {
        if (!probe_open_again(p, sigmas[i]))
            return false;
        p->decided = 0;
        p->is_again = collect(p, cost_nano_usd) < AGAIN_MOST * p->money;
        if (p->is_again)
            return true;
        probe_as_before(p);
    }
    return false;
}

/* Decides by the batch that is done, where there is one, and opens the next. */
static enum status open_batch(struct probe *p, const int64_t *cost_nano_usd, struct error *err)
{
    enum status status = OK;
    if (p->opened > p->decided) {
        p->decided = p->opened;
        status = probe_decide(p, err);
    }
    if (status != OK)
        return status;
    if (is_over(p)) {
        if (p->end == PROBE_DECIDED && look_again(p, cost_nano_usd))
            p->end = PROBE_RUNNING;
        return OK;
    }
    const size_t rows = batch_rows(p);
    p->opened += rows;
    if (rows == 0)
        p->end = PROBE_MONEY;
    return OK;
}

enum status probe_next(struct probe *p, const int64_t *cost_nano_usd, int64_t money_nano_usd,
                       struct probe_cells *ret, struct error *err)
{
    enum status status = OK;
    see_costs(p, cost_nano_usd);
    p->money = (double)money_nano_usd;
    if (p->money_first < 0)
        p->money_first = p->money;
    double cost = collect(p, cost_nano_usd);
    while (status == OK && p->end == PROBE_RUNNING && p->cell_count == 0) {
        status = open_batch(p, cost_nano_usd, err);
        cost = collect(p, cost_nano_usd);
    }
    if (p->end == PROBE_RUNNING && cost > p->money) {
        p->end = PROBE_MONEY;
        if (p->decided == 0 && p->is_again)
            probe_as_before(p);
    }
    if (status == OK)
        *ret = (struct probe_cells){p->cells, p->end == PROBE_RUNNING ? p->cell_count : 0};
    return status;
}
