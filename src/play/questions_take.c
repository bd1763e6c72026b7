/* Questions that are there for the taking: see questions.h. Those of files and traffic come in the order drawn at the
 * beginning, by the mix of the round; those of the sandbox are drawn for it.
 *
 * On the thread that plays; nobody is asked. */
#include <string.h>

#include "base/check.h"
#include "base/rng.h"
#include "play/questions_int.h"
#include "pose/sandbox_pose.h"

#define SANDBOX_DRAWS 50 /* for each question wanted, before giving up on finding another text */

/* Files and traffic */

/* Items that nobody has been asked yet, in their order. */
static size_t find_left(const struct posing *p, enum posed_source source, uint32_t *left)
{
    const struct question_source_sum *sum = &p->q->listed[source];
    size_t count = 0;
    for (size_t i = 0; i < sum->count; i++) {
        uint32_t at = p->q->orders[source][i];
        if (!run_set_has(&p->q->known, sum->items[at].query.text_hash))
            left[count++] = at;
    }
    return count;
}

/* The domains and levels of what is left, as many as there are being the mass of each. */
static enum status gather_left(struct posing *p, const struct posed *items, const uint32_t *left,
                               size_t count, struct arena *a, size_t *ret_cells, struct error *err)
{
    struct mix_point *points = ARENA_ARRAY(a, count, struct mix_point);
    if (!points)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    for (size_t i = 0; i < count; i++)
        points[i] = (struct mix_point){.domain = items[left[i]].query.domain,
                                       .level = items[left[i]].level};
    enum status status = mix_gather(points, count, p->q->cells, ret_cells, err);
    for (size_t i = 0; status == OK && i < *ret_cells; i++)
        p->q->cells[i].mass = (double)p->q->cells[i].count;
    return status;
}

/* Whether the item's cell has a place left; takes it. */
static bool take_place(struct posing *p, const struct posed *item, size_t cells)
{
    const struct mix_cell *cell = mix_find(p->q->cells, cells, item->query.domain, item->level);
    if (!cell)
        return false;
    size_t *quota = &p->q->quotas[cell - p->q->cells];
    if (*quota == 0)
        return false;
    --*quota;
    return true;
}

/* Twice through what is left: by the quotas of the mix, then whatever comes until there are enough. */
static enum status take_left(struct posing *p, const struct posed *items, uint32_t *left,
                             size_t count, size_t cells, size_t wanted, size_t *ret_taken,
                             struct error *err)
{
    enum status status = OK;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count && *ret_taken < wanted && status == OK; i++) {
            if (left[i] == UINT32_MAX || (pass == 0 && !take_place(p, &items[left[i]], cells)))
                continue;
            status = posing_add(p, &items[left[i]], err);
            left[i] = UINT32_MAX;
            ++*ret_taken;
        }
    return status;
}

enum status posing_listed(struct posing *p, enum posed_source source, size_t wanted,
                          size_t *ret_taken, struct error *err)
{
    const struct question_source_sum *sum = &p->q->listed[source];
    struct arena *a = arena_create(QUESTIONS_BYTES_MAX);
    uint32_t *left = a ? ARENA_ARRAY(a, sum->count, uint32_t) : NULL;
    size_t cells = 0, count, taken = 0;
    enum status status = left ? OK : error_set(err, ERR_MEMORY, "out of memory for questions");
    if (status == OK && (count = find_left(p, source, left)) > 0) {
        status = gather_left(p, sum->items, left, count, a, &cells, err);
        if (status == OK)
            status = posing_mix(p, cells, wanted < count ? wanted : count,
                                posing_seed(p, "mix", source), err);
        if (status == OK)
            status = take_left(p, sum->items, left, count, cells, wanted, &taken, err);
    }
    arena_free(a);
    if (status == OK)
        *ret_taken = taken;
    return status;
}

/* The sandbox */

/* One that was not asked yet; *ret_found is false when so many draws have brought none. */
static enum status draw_one(struct posing *p, struct rng *rng, size_t domain, unsigned level,
                            struct posed *ret, bool *ret_found, struct error *err)
{
    *ret_found = false;
    for (size_t draws = 0; draws < SANDBOX_DRAWS && !*ret_found; draws++) {
        struct sieve_verdict v;
        enum status status = sandbox_pose(rng, domain, level, p->q->arena, ret, err);
        if (status == OK)
            status = sieve_look(p->q->sieve, &ret->query, SIEVE_EXACT, &v, err);
        if (status != OK)
            return status;
        *ret_found = !v.held;
    }
    return OK;
}

static enum status sandbox_add(struct posing *p, struct posed *item, struct error *err)
{
    char *id =
        arena_printf(p->q->arena, "s%zu-%zu", p->wanted->round, p->sums.from[POSED_SANDBOX] + 1);
    if (!id)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    item->query.id = str_from(id);
    enum status status = sieve_add(p->q->sieve, &item->query, err);
    return status == OK ? posing_add(p, item, err) : status;
}

static size_t sandbox_cells(struct posing *p)
{
    size_t count = 0;
    for (size_t d = 0; d < sandbox_domain_count(); d++)
        for (unsigned level = 1; level <= sandbox_levels(); level++) {
            CHECK(count < MIX_CELLS_MAX);
            p->q->cells[count++] = (struct mix_cell){.domain = sandbox_domain(d), .level = level};
        }
    return count;
}

enum status posing_sandbox(struct posing *p, size_t wanted, size_t *ret_taken, struct error *err)
{
    struct rng rng;
    size_t cells = sandbox_cells(p), taken = 0;
    rng_seed(&rng, posing_seed(p, "sandbox", p->sums.from[POSED_SANDBOX]));
    enum status status = posing_mix(p, cells, wanted, rng_next(&rng), err);
    for (size_t c = 0; c < cells && status == OK; c++)
        for (size_t i = 0; i < p->q->quotas[c] && status == OK; i++) {
            struct posed item;
            bool found;
            status =
                draw_one(p, &rng, c / sandbox_levels(), p->q->cells[c].level, &item, &found, err);
            if (status == OK && found)
                status = sandbox_add(p, &item, err);
            taken += status == OK && found;
        }
    if (status == OK)
        *ret_taken = taken;
    return status;
}
