/* The asking of a round that looks for a set: probe/probe.h chooses what to ask, here it is asked and scored.
 *
 * A pass is the cells that the race wants next. What it may spend is reckoned by what answers have cost as they were
 * told, not by what a killed process had in flight, so that a run which goes on wants the same cells again, and finds
 * them in the journal. So it does with what earlier rounds have bought: the race runs again as if it bought that now,
 * for had it less money to plan with, it would decide by less. One thread, which waits for the experts. */
#include "play/play_int.h"

#include <math.h>

#include "base/clock.h"

#define SAVE_MS 10000 /* between writings of the data set, amid the round */

struct probing {
    struct play *play;
    struct probe *race;
    int64_t *cost_nano_usd; /* [questions × experts] */
    struct cell *cells;     /* [questions × experts], of the round */
    size_t count;
    int64_t known_nano_usd; /* what it wanted, and earlier rounds had paid for */
    uint64_t saved_ms;
};

/* Before */

static bool is_scorable(const struct play *p, const struct query *q)
{
    return q->check.len > 0 || evaluate_reference_method(q) != EVALUATE_UNSCORED || p->s->teacher ||
           p->s->judges.count > 0;
}

/* Experts agree only where several were asked the same, which is what is to be spared. */
static enum status check_questions(const struct play *p, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    size_t without = 0;
    for (size_t q = 0; q < d->query_count; q++)
        without += !is_scorable(p, &d->queries[q]);
    if (d->query_count == 0)
        return error_set(err, ERR_INPUT, "there is no question to ask");
    if (without > 0)
        return error_set(err, ERR_USAGE,
                         "%zu of %zu questions have no answer that theirs can be compared with: "
                         "name --teacher or --judge, or give \"answer\" or \"check\"",
                         without, d->query_count);
    if (p->s->members >= d->expert_count && p->s->cost_max_nano_usd == 0)
        return error_set(err, ERR_USAGE, "-k %zu: there are %zu experts, and all would be taken",
                         p->s->members, d->expert_count);
    return OK;
}

/* What has no score though it was answered, or never will be, was not solved. */
static void tell(struct probing *b, size_t query, size_t expert)
{
    const struct outcome *o = dataset_outcome(run_dataset(b->play->run), query, expert);
    if (o->present)
        probe_tell(b->race, query, expert, o->known ? (double)o->score : 0);
}

static enum status begin(struct probing *b, struct error *err)
{
    struct play *p = b->play;
    const struct dataset *d = run_dataset(p->run);
    const size_t cells = d->query_count * d->expert_count;
    const struct probe_options o = {.questions = d->query_count,
                                    .candidates = d->expert_count,
                                    .members = p->s->members < d->expert_count ? p->s->members
                                                                               : d->expert_count,
                                    .cost_max_nano_usd = p->s->cost_max_nano_usd,
                                    .seed = p->s->seed};
    enum status status = check_questions(p, err);
    if (status == OK)
        status = probe_create(&o, &b->race, err);
    if (status != OK)
        return status;
    b->cost_nano_usd = ARENA_ARRAY(p->arena, cells, int64_t);
    b->cells = ARENA_ARRAY(p->arena, cells, struct cell);
    if (!b->cost_nano_usd || !b->cells)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    b->saved_ms = clock_now_ms();
    return OK;
}

/* A pass */

static int64_t money(const struct probing *b)
{
    const int64_t cap = b->play->s->spend_nano_usd;
    const int64_t spent = b->play->r.spent_nano_usd + b->known_nano_usd;
    if (cap == INT64_MAX)
        return INT64_MAX;
    return cap > spent ? cap - spent : 0;
}

/* What is known of the cells that are wanted is told, the others are to be asked. */
static void sort_out(struct probing *b, const struct probe_cells *wanted)
{
    const struct dataset *d = run_dataset(b->play->run);
    for (size_t i = 0; i < wanted->count; i++) {
        const struct probe_cell *c = &wanted->cells[i];
        const struct outcome *o = dataset_outcome(d, c->question, c->candidate);
        if (o->present) {
            tell(b, c->question, c->candidate);
            b->known_nano_usd += o->cost_known ? o->cost_nano_usd : 0;
        } else {
            b->cells[b->count++] = (struct cell){
                .question = c->question, .expert = c->candidate, .quality = NAN, .quality_sd = NAN};
        }
    }
}

/* The next cells to ask; none: it is over. */
static enum status next(struct probing *b, struct cells *ret, struct error *err)
{
    struct play *p = b->play;
    struct probe_cells wanted = {.count = 1};
    const size_t before = b->count;
    enum status status = OK;
    while (status == OK && wanted.count > 0 && b->count == before) {
        play_guess_costs(p->run, p->o, b->cost_nano_usd);
        status = probe_next(b->race, b->cost_nano_usd, money(b), &wanted, err);
        if (status == OK)
            sort_out(b, &wanted);
    }
    *ret = (struct cells){.cells = b->cells + before, .count = b->count - before};
    return status;
}

/* Those whose score waits for a teacher or a judge. */
static enum status score(struct probing *b, const struct cells *cells, struct error *err)
{
    const struct run *run = b->play->run;
    for (size_t i = 0; i < cells->count; i++) {
        const struct cell *c = &cells->cells[i];
        const struct outcome *o = dataset_outcome(run_dataset(run), c->question, c->expert);
        if (o->present && !o->known && run_text(run, c->question, c->expert).ptr)
            return play_evaluate(b->play, err);
    }
    return OK;
}

static void take(struct probing *b, const struct cells *cells)
{
    for (size_t i = 0; i < cells->count; i++)
        tell(b, cells->cells[i].question, cells->cells[i].expert);
    for (size_t e = 0; e < b->play->o->expert_count; e++)
        if (calls_left_out(b->play->calls, e))
            probe_drop(b->race, e);
}

/* So that the folder is a data set of what is known, however long the round takes. */
static enum status save(struct probing *b, struct error *err)
{
    if (clock_now_ms() - b->saved_ms < SAVE_MS)
        return OK;
    enum status status = run_save(b->play->run, err);
    b->saved_ms = clock_now_ms();
    return status;
}

static enum status pass(struct probing *b, bool *ret_over, struct error *err)
{
    struct play *p = b->play;
    struct cells cells;
    enum status status = next(b, &cells, err);
    *ret_over = status != OK || cells.count == 0;
    if (*ret_over)
        return status;
    status = play_ask(p, &cells, err);
    if (status == OK)
        status = score(b, &cells, err);
    if (status == OK)
        status = save(b, err);
    take(b, &cells);
    *ret_over = status != OK || p->r.unpaid > 0;
    return status;
}

static enum status finish(struct probing *b, struct error *err)
{
    const struct play *p = b->play;
    struct play_probed probed = {.data = run_dataset(p->run),
                                 .cost_max_nano_usd = p->s->cost_max_nano_usd,
                                 .spent_nano_usd = p->spent_before_nano_usd + p->r.spent_nano_usd,
                                 .cap_nano_usd = p->s->spend_nano_usd};
    enum status status = probe_result(b->race, &probed.result, err);
    if (status == OK && p->r.unpaid > 0)
        probed.result.end = PROBE_MONEY;
    if (status == OK && p->o->on_probed)
        p->o->on_probed(p->o->arg, &probed);
    return status;
}

enum status play_probe(struct play *p, struct cells *ret, struct error *err)
{
    struct probing b = {.play = p};
    bool over = false;
    enum status status = begin(&b, err);
    while (status == OK && !over)
        status = pass(&b, &over, err);
    if (status == OK)
        status = finish(&b, err);
    probe_free(b.race);
    if (status == OK)
        *ret = (struct cells){.cells = b.cells, .count = b.count};
    return status;
}
