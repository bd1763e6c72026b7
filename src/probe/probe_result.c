/* What the race has come to: the set by its steps, and who may be as good. */
#include "probe/probe_int.h"

#include <math.h>
#include <string.h>

#define ONE_MORE     1.0  /* question made up: that all were solved proves no certainty */
#define DOUBT_SIGMAS 1.28 /* as good with a chance of a tenth */

/* The member that leaves the fewest questions unanswered is first. */
static void order_steps(struct probe *p, struct chosen_set *s)
{
    for (size_t i = 0; i < s->count; i++) {
        double best = INFINITY;
        size_t at = i;
        for (size_t j = i; j < s->count; j++) {
            double fails = 0;
            const size_t other = s->members[i];
            s->members[i] = s->members[j];
            probe_set_fails(p, s->members, i + 1, p->scratch);
            s->members[i] = other;
            for (size_t r = 0; r < p->decided; r++)
                fails += (double)p->scratch[r];
            if (fails < best) {
                best = fails;
                at = j;
            }
        }
        const size_t taken = s->members[at];
        s->members[at] = s->members[i];
        s->members[i] = taken;
    }
}

static void take_steps(struct probe *p, const struct chosen_set *s, struct probe_result *ret)
{
    probe_set_fails(p, NULL, 0, p->scratch);
    probe_set_fails(p, NULL, 0, p->other_fails);
    for (size_t i = 0; i < s->count; i++) {
        probe_set_fails(p, s->members, i + 1, p->fails);
        ret->steps[i] =
            (struct probe_step){.candidate = s->members[i],
                                .cost_nano_usd = probe_cost_of(p, s->members[i]),
                                .coverage = probe_difference(p, p->fails, p->scratch, ONE_MORE),
                                .gain = probe_difference(p, p->fails, p->other_fails, ONE_MORE)};
        memcpy(p->other_fails, p->fails, p->decided * sizeof(*p->fails));
    }
    ret->count = s->count;
}

/* On rows that were asked without a look at answers: others are the hard ones. */
static void measure_steps(struct probe *p, struct chosen_set *s, struct probe_result *ret)
{
    const size_t decided = p->decided;
    probe_fill(p, PROBE_PLAIN);
    probe_set_fails(p, NULL, 0, p->scratch);
    probe_set_fails(p, s->members, s->count, p->fails);
    ret->coverage = probe_difference(p, p->fails, p->scratch, ONE_MORE);
    p->decided = ret->whole = p->whole;
    order_steps(p, s);
    take_steps(p, s, ret);
    p->decided = decided;
}

/* In the place that it has by what it loses, if it has one. */
static void take_doubt(struct probe_result *r, size_t candidate, struct probe_figure loss)
{
    size_t at = r->doubt_count;
    while (at > 0 && r->doubts[at - 1].loss.mean > loss.mean)
        at--;
    if (at == PROBE_DOUBTS_MAX)
        return;
    if (r->doubt_count < PROBE_DOUBTS_MAX)
        r->doubt_count++;
    memmove(&r->doubts[at + 1], &r->doubts[at],
            (r->doubt_count - 1 - at) * sizeof(struct probe_doubt));
    r->doubts[at] = (struct probe_doubt){candidate, loss};
}

enum status probe_result(struct probe *p, struct probe_result *ret, struct error *err)
{
    struct chosen_set s;
    memset(ret, 0, sizeof(*ret));
    if (p->decided == 0 && p->is_again)
        probe_as_before(p);
    ret->questions = p->decided;
    ret->end = p->end;
    if (p->decided == 0)
        return OK;
    probe_fill(p, PROBE_SMOOTHED);
    enum status status = probe_best_set(p, SIZE_MAX, SIZE_MAX, &s, err);
    if (status != OK)
        return status;
    measure_steps(p, &s, ret);
    for (size_t c = 0; c < p->o.candidates; c++) {
        ret->open += p->standing[c] == PROBE_OPEN;
        if (p->weighed[c] > 0 && !probe_set_has(&s, c) &&
            p->loss[c].mean < DOUBT_SIGMAS * p->loss[c].error)
            take_doubt(ret, c, p->loss[c]);
    }
    return OK;
}
