/* See universe_toy.h. Sets are looked at one by one, by other code than the searches have. */
#include "universe/universe_toy.h"

#include <criterion/criterion.h>

static uint16_t draw_score(struct rng *r, enum toy_scores kind, uint64_t right)
{
    if (rng_below(r, 10) >= right)
        return 0;
    if (kind == TOY_BINARY)
        return SCORE_ONE;
    return (uint16_t)(kind == TOY_TENTHS ? rng_below(r, 11) * SCORE_ONE / 10
                                         : rng_below(r, SCORE_ONE + 1));
}

static void name_candidates(struct toy *t)
{
    struct dataset *d = ARENA_NEW(t->a, struct dataset);
    d->path = STR("toy");
    d->experts = ARENA_ARRAY(t->a, t->c.count, struct dataset_expert);
    d->expert_count = t->c.count;
    d->query_count = t->c.rows;
    t->c.d = d;
    for (size_t c = 0; c < t->c.count; c++) {
        t->c.expert[c] = c;
        d->experts[c].name = str_from(arena_printf(t->a, "c%zu", c));
    }
}

void toy_domains(struct toy *t, size_t domains)
{
    t->c.domains = domains;
    t->c.domain = ARENA_ARRAY(t->a, domains, struct str);
    t->c.domain_of = ARENA_ARRAY(t->a, t->c.rows, uint32_t);
    for (size_t i = 0; i < domains; i++)
        t->c.domain[i] = str_from(arena_printf(t->a, "d%zu", i));
    for (size_t row = 0; row < t->c.rows; row++)
        t->c.domain_of[row] = (uint32_t)(row % domains);
}

void toy_draw(struct rng *r, enum toy_scores kind, size_t candidates, size_t rows, struct toy *ret)
{
    struct arena *a = arena_create(UINT64_C(1) << 26);
    cr_assert_not_null(a);
    *ret = (struct toy){.a = a, .c = {.count = candidates, .rows = rows}};
    ret->c.scores = ARENA_ARRAY(a, rows * candidates, uint16_t);
    name_candidates(ret);
    for (size_t c = 0; c < candidates; c++) {
        uint64_t right = 1 + rng_below(r, 6);
        ret->c.cost_nano_usd[c] = (int64_t)rng_below(r, 8) * 10;
        for (size_t row = 0; row < rows; row++) {
            ret->c.scores[row * candidates + c] = draw_score(r, kind, right);
            ret->c.score[c] +=
                (double)ret->c.scores[row * candidates + c] / SCORE_ONE / (double)rows;
        }
    }
}

struct set_rules toy_rules(const struct toy *t)
{
    return (struct set_rules){.candidates = t->c.count,
                              .cost_nano_usd = t->c.cost_nano_usd,
                              .count_max = t->c.count,
                              .cost_max_nano_usd = INT64_MAX};
}

unsigned toy_bits(const struct chosen_set *s)
{
    unsigned set = 0;
    for (size_t i = 0; i < s->count; i++)
        set |= 1U << s->members[i];
    return set;
}

double toy_value(const struct toy *t, unsigned set)
{
    double sum = 0;
    for (size_t row = 0; row < t->c.rows; row++) {
        uint16_t best = 0;
        for (size_t c = 0; c < t->c.count; c++) {
            uint16_t score = t->c.scores[row * t->c.count + c];
            best = set >> c & 1 && score > best ? score : best;
        }
        sum += best;
    }
    return sum;
}

int64_t toy_cost(const struct toy *t, unsigned set)
{
    int64_t cost = 0;
    for (size_t c = 0; c < t->c.count; c++)
        cost += set >> c & 1 ? t->c.cost_nano_usd[c] : 0;
    return cost;
}
