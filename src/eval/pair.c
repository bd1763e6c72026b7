/* RouteLLM's figures for a strong and a weak expert. */
#include "eval/pair.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"

struct wish {
    float wish; /* predicted quality of strong less that of weak */
    uint32_t query;
};

static int compare_wishes(const void *a, const void *b)
{
    const struct wish *x = a, *y = b;
    if (x->wish != y->wish)
        return x->wish < y->wish ? 1 : -1;
    return x->query < y->query ? -1 : x->query > y->query;
}

static void pair_fill(const struct eval_table *t, size_t weak, size_t strong,
                      const struct wish *wishes, struct pair *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t q = wishes[i].query;
        p->order[i] = q;
        p->weak[i] = eval_outcome(t, q, weak)->score;
        p->strong[i] = eval_outcome(t, q, strong)->score;
        if (i + 1 == p->count || wishes[i + 1].wish != wishes[i].wish)
            p->ends[p->group_count++] = i + 1;
    }
}

enum status pair_make(const struct eval_table *t, size_t weak, size_t strong, struct arena *a,
                      struct pair *ret, struct error *err)
{
    CHECK(weak < t->experts);
    CHECK(strong < t->experts);
    CHECK(weak != strong);
    struct pair p = {.count = (uint32_t)t->queries};
    struct wish *wishes = ARENA_ARRAY(a, p.count, struct wish);
    p.order = ARENA_ARRAY(a, p.count, uint32_t);
    p.ends = ARENA_ARRAY(a, p.count, uint32_t);
    p.weak = ARENA_ARRAY(a, p.count, float);
    p.strong = ARENA_ARRAY(a, p.count, float);
    if (p.count && (!wishes || !p.order || !p.ends || !p.weak || !p.strong))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (uint32_t q = 0; q < p.count; q++)
        wishes[q] = (struct wish){
            eval_estimate(t, q, strong)->quality - eval_estimate(t, q, weak)->quality, q};
    if (p.count)
        qsort(wishes, p.count, sizeof(*wishes), compare_wishes);
    pair_fill(t, weak, strong, wishes, &p);
    *ret = p;
    return OK;
}

/* The PGR curve, one straight piece per group; x is the share of strong calls. */
struct pgr_walk {
    double x, y;
    struct pair_figures out;
};

static double crossing(double level, const struct pgr_walk *w, double x, double y)
{
    return w->x + (x - w->x) * (level - w->y) / (y - w->y);
}

static void pgr_step(struct pgr_walk *w, double x, double y)
{
    w->out.apgr += (x - w->x) * (w->y + y) / 2;
    if (isnan(w->out.cpt50) && y >= 0.5)
        w->out.cpt50 = crossing(0.5, w, x, y);
    if (isnan(w->out.cpt80) && y >= 0.8)
        w->out.cpt80 = crossing(0.8, w, x, y);
    w->x = x;
    w->y = y;
}

struct pair_figures pair_measure(const struct pair *p, const uint32_t *weights)
{
    double total = 0, gap = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        double n = weights ? weights[p->order[i]] : 1;
        total += n;
        gap += n * ((double)p->strong[i] - (double)p->weak[i]);
    }
    if (!(gap > 0))
        return (struct pair_figures){NAN, NAN, NAN};
    CHECK(total > 0);
    struct pgr_walk w = {.out = {0, NAN, NAN}};
    double calls = 0, won = 0;
    for (uint32_t g = 0, i = 0; g < p->group_count; g++) {
        for (; i < p->ends[g]; i++) {
            double n = weights ? weights[p->order[i]] : 1;
            calls += n;
            won += n * ((double)p->strong[i] - (double)p->weak[i]);
        }
        pgr_step(&w, calls / total, won / gap);
    }
    return w.out;
}
