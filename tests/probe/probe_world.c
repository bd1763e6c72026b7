/* Planted answers, and whoever asks for them: see probe_world.h. */
#include "probe/probe_world.h"

#include <string.h>

#include <criterion/criterion.h>

#include "base/hash.h"
#include "base/rng.h"

void world_make(struct world *w, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed);
    w->all_nano_usd = 0;
    for (size_t q = 0; q < WORLD_QUESTIONS; q++)
        for (size_t c = 0; c < WORLD_CANDIDATES; c++) {
            const size_t at = q * WORLD_CANDIDATES + c;
            const double chance = c < 3 ? (q % 3 == c ? 1 : .5) : .3 + .2 * (double)(c % 3) / 2;
            w->score[at] = rng_uniform(&rng) < chance;
            w->cost_nano_usd[at] = c == 0 ? 100000 : 1000;
            w->all_nano_usd += w->cost_nano_usd[at];
        }
}

static void answer(const struct world *w, const struct probe_cells *cells, struct probe *p,
                   bool *asked, struct world_end *ret)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct probe_cell *c = &cells->cells[i];
        const size_t at = c->question * WORLD_CANDIDATES + c->candidate;
        cr_assert_not(asked[at], "asked twice: %u of %u", c->candidate, c->question);
        asked[at] = true;
        ret->spent_nano_usd += w->cost_nano_usd[at];
        ret->cells++;
        ret->asked_dear += c->candidate == 0;
        ret->hash = hash64_mix(ret->hash, at);
        probe_tell(p, c->question, c->candidate, (double)w->score[at]);
    }
}

void world_race_of(const struct world *w, const struct probe_options *o, int64_t money_nano_usd,
                   const bool *told, struct world_end *ret)
{
    static bool asked[WORLD_CELLS];
    struct probe *p;
    struct probe_cells cells;
    memset(ret, 0, sizeof(*ret));
    memset(asked, 0, sizeof(asked));
    cr_assert_eq(probe_create(o, &p, NULL), OK);
    for (size_t i = 0; told && i < WORLD_CELLS; i++)
        if (told[i]) {
            asked[i] = true;
            probe_tell(p, i / WORLD_CANDIDATES, i % WORLD_CANDIDATES, (double)w->score[i]);
        }
    do {
        cr_assert_eq(
            probe_next(p, w->cost_nano_usd, money_nano_usd - ret->spent_nano_usd, &cells, NULL),
            OK);
        answer(w, &cells, p, asked, ret);
    } while (cells.count > 0);
    cr_assert_eq(probe_result(p, &ret->result, NULL), OK);
    probe_free(p);
}

void world_race(const struct world *w, size_t members, uint64_t seed, int64_t money_nano_usd,
                const bool *told, struct world_end *ret)
{
    const struct probe_options o = {WORLD_QUESTIONS, WORLD_CANDIDATES, members, 0, seed};
    world_race_of(w, &o, money_nano_usd, told, ret);
}
