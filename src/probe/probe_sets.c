/* The best set of those that are still allowed, and what one is worth against another: see probe_int.h. A set answers a
 * question unless all of its members fail, so failures multiply. That is submodular, but its values are no whole
 * numbers, so the search is the plain one of universe/greedy.h, with swaps. */
#include "probe/probe_int.h"

#include <math.h>
#include <string.h>

struct field {
    struct probe *p;
    size_t who[CANDIDATES_MAX];  /* that may be chosen */
    size_t keep[CANDIDATES_MAX]; /* in `who` */
    size_t count, keep_count;
    int64_t cost_nano_usd[CANDIDATES_MAX]; /* as the limit counts it */
    int64_t kept_nano_usd;
};

void probe_set_fails(const struct probe *p, const size_t *members, size_t count, float *fails)
{
    for (size_t r = 0; r < p->decided; r++)
        fails[r] = 1;
    for (size_t i = 0; i < count; i++) {
        const float *column = probe_column(p, members[i]);
        for (size_t r = 0; r < p->decided; r++)
            fails[r] *= column[r];
    }
}

/* The sum over the decided rows. */
static enum status value(void *arg, const size_t *members, size_t count, double *ret,
                         struct error *err)
{
    const struct field *f = arg;
    size_t who[CANDIDATES_MAX];
    double sum = 0;
    (void)err;
    for (size_t i = 0; i < count; i++)
        who[i] = f->who[members[i]];
    probe_set_fails(f->p, who, count, f->p->scratch);
    for (size_t r = 0; r < f->p->decided; r++)
        sum += (double)f->p->scratch[r];
    *ret = (double)f->p->decided - sum;
    return OK;
}

int64_t probe_cost_of(const struct probe *p, size_t candidate)
{
    return (int64_t)fmin(p->cost[candidate] * 1000, (double)CANDIDATE_COST_UNKNOWN);
}

bool probe_is_too_dear(const struct probe *p, size_t candidate)
{
    int64_t cost = probe_cost_of(p, candidate);
    for (size_t c = 0; c < p->o.candidates; c++)
        if (c != candidate && p->standing[c] == PROBE_MEMBER)
            cost += probe_cost_of(p, c);
    return p->o.cost_max_nano_usd > 0 && cost > p->o.cost_max_nano_usd;
}

static void make_field(struct probe *p, size_t with, size_t without, struct field *f)
{
    *f = (struct field){.p = p};
    for (size_t c = 0; c < p->o.candidates; c++) {
        if (c == without || (p->standing[c] == PROBE_OUT && c != with))
            continue;
        f->cost_nano_usd[f->count] = probe_cost_of(p, c);
        if (c == with || p->standing[c] == PROBE_MEMBER) {
            f->kept_nano_usd += f->cost_nano_usd[f->count];
            f->keep[f->keep_count++] = f->count;
        }
        f->who[f->count++] = c;
    }
}

static enum status search(const struct objective *o, const struct set_rules *rules,
                          enum greedy_measure measure, struct chosen_set *ret, struct error *err)
{
    enum status status = greedy_choose(o, rules, measure, false, ret, err);
    return status == OK ? set_swap(o, rules, ret, err) : status;
}

/* One piece: the rules, and by them the search. */
enum status probe_best_set(struct probe *p, size_t with, size_t without, struct chosen_set *ret,
                           struct error *err)
{
    struct field f;
    struct chosen_set other;
    make_field(p, with, without, &f);
    const bool is_limited = p->o.cost_max_nano_usd > 0;
    const struct objective o = {
        .name = "coverage", .unit = 1 / fmax(1, (double)p->decided), .value = value, .arg = &f};
    /* What members for good cost may have been thought less once. */
    const int64_t most = is_limited ? p->o.cost_max_nano_usd : INT64_MAX;
    const struct set_rules rules = {.candidates = f.count,
                                    .cost_nano_usd = f.cost_nano_usd,
                                    .count_max = p->o.members,
                                    .cost_max_nano_usd =
                                        most > f.kept_nano_usd ? most : f.kept_nano_usd,
                                    .keep = f.keep,
                                    .keep_count = f.keep_count};
    enum status status = search(&o, &rules, GREEDY_GAIN, ret, err);
    if (status == OK && is_limited) {
        status = search(&o, &rules, GREEDY_GAIN_PER_COST, &other, err);
        if (status == OK && chosen_value(&other) > chosen_value(ret))
            *ret = other;
    }
    for (size_t i = 0; status == OK && i < ret->count; i++)
        ret->members[i] = f.who[ret->members[i]];
    return status;
}

bool probe_set_has(const struct chosen_set *s, size_t candidate)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->members[i] == candidate)
            return true;
    return false;
}

struct probe_figure probe_difference(const struct probe *p, const float *a, const float *b,
                                     double more)
{
    const double n = fmax(1, (double)p->decided);
    double sum = 0, squares = more;
    for (size_t r = 0; r < p->decided; r++) {
        const double d = (double)(b[r] - a[r]);
        sum += d;
        squares += d * d;
    }
    const double mean = sum / n;
    return (struct probe_figure){mean, sqrt(fmax(squares - sum * mean, 0)) / n};
}
