/* What a router has to beat: single experts, their mixes, the oracle. */
#include "eval/baseline.h"

#include <math.h>

static double usd_per_1k(double nano_usd, size_t queries)
{
    return nano_usd / (double)NANO_PER_USD * 1000 / (double)queries;
}

struct figure baseline_mean(double sum, double sum_of_squares, size_t count)
{
    double n = (double)count, mean = sum / n;
    double variance = count > 1 ? fmax(0, sum_of_squares - n * mean * mean) / (n - 1) : NAN;
    return (struct figure){mean, sqrt(variance / n)};
}

struct report_baseline baseline_single(const struct eval_table *t, size_t expert)
{
    double sum = 0, squares = 0, nano_usd = 0;
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = eval_outcome(t, q, expert);
        sum += (double)o->score;
        squares += (double)o->score * (double)o->score;
        nano_usd += (double)o->cost_nano_usd;
    }
    return (struct report_baseline){expert, baseline_mean(sum, squares, t->queries),
                                    usd_per_1k(nano_usd, t->queries)};
}

struct report_baseline baseline_best_single(const struct eval_table *t)
{
    size_t singles = eval_single_count(t);
    struct report_baseline best = {.expert = SIZE_MAX};
    for (size_t e = 0; e < singles; e++) {
        if (!eval_in_pool(t, e))
            continue;
        struct report_baseline one = baseline_single(t, e);
        if (best.expert == SIZE_MAX || one.accuracy.value > best.accuracy.value ||
            (one.accuracy.value == best.accuracy.value && one.usd_per_1k < best.usd_per_1k))
            best = one;
    }
    return best;
}

struct report_baseline baseline_random(const struct eval_table *t)
{
    size_t singles = eval_single_count(t);
    double sum = 0, squares = 0, nano_usd = 0;
    for (size_t q = 0; q < t->queries; q++) {
        double score = 0, cost = 0, pool = 0;
        for (size_t e = 0; e < singles; e++) {
            if (!eval_in_pool(t, e))
                continue;
            score += (double)eval_outcome(t, q, e)->score;
            cost += (double)eval_outcome(t, q, e)->cost_nano_usd;
            pool++;
        }
        sum += score / pool;
        squares += score / pool * (score / pool);
        nano_usd += cost / pool;
    }
    return (struct report_baseline){SIZE_MAX, baseline_mean(sum, squares, t->queries),
                                    usd_per_1k(nano_usd, t->queries)};
}

/* The best recorded answer, the cheapest of equally good ones. */
static const struct outcome *oracle_choice(const struct eval_table *t, size_t q)
{
    size_t singles = eval_single_count(t);
    const struct outcome *best = NULL;
    for (size_t e = 0; e < singles; e++) {
        const struct outcome *o = eval_outcome(t, q, e);
        if (!eval_in_pool(t, e))
            continue;
        if (!best || o->score > best->score ||
            (o->score == best->score && o->cost_nano_usd < best->cost_nano_usd))
            best = o;
    }
    return best;
}

struct report_baseline baseline_oracle(const struct eval_table *t)
{
    double sum = 0, squares = 0, nano_usd = 0;
    for (size_t q = 0; q < t->queries; q++) {
        const struct outcome *o = oracle_choice(t, q);
        sum += (double)o->score;
        squares += (double)o->score * (double)o->score;
        nano_usd += (double)o->cost_nano_usd;
    }
    return (struct report_baseline){SIZE_MAX, baseline_mean(sum, squares, t->queries),
                                    usd_per_1k(nano_usd, t->queries)};
}

/* Mixing a (within the cost) with b (beyond it) up to the cost. */
static double mix_of_two(const struct report_expert *a, const struct report_expert *b, double cost)
{
    double share = (cost - a->usd_per_1k) / (b->usd_per_1k - a->usd_per_1k);
    return a->accuracy.value + share * (b->accuracy.value - a->accuracy.value);
}

double baseline_mix_at(const struct eval_table *t, const struct report_expert *singles, double cost)
{
    size_t count = eval_single_count(t);
    double best = NAN;
    for (size_t a = 0; a < count; a++) {
        if (!eval_in_pool(t, a) || singles[a].usd_per_1k > cost)
            continue;
        best = fmax(best, singles[a].accuracy.value); /* fmax ignores a NaN */
        for (size_t b = 0; b < count; b++)
            if (eval_in_pool(t, b) && singles[b].usd_per_1k > cost)
                best = fmax(best, mix_of_two(&singles[a], &singles[b], cost));
    }
    return best;
}
