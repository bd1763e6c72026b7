/* See greedy.h. A search is one struct on the stack of whoever asked: the set so far, and for each candidate the gain
 * that was last seen of it, which for a submodular objective no later gain exceeds. With at most 256 candidates a scan
 * for the largest of them is nothing beside one question to the objective, so there is no heap. The objective is asked
 * on the caller's thread and may take long; nothing here belongs on a gateway's. */
#include "universe/greedy.h"

#include <math.h>
#include <string.h>

#include "base/check.h"

#define SWAP_ROUNDS_MAX                                                                            \
    1000 /* each is strictly better than the one before; a set of 33 wants two or three */

struct search {
    const struct objective *o;
    const struct set_rules *rules;
    struct chosen_set set;
    bool in[CANDIDATES_MAX];
    double gain[CANDIDATES_MAX];  /* as last seen; infinity: never */
    double value[CANDIDATES_MAX]; /* of the set with it, then */
    size_t seen[CANDIDATES_MAX];  /* the size of the set at which that was */
};

static void search_begin(struct search *s, const struct objective *o, const struct set_rules *rules)
{
    CHECK(rules->candidates <= CANDIDATES_MAX);
    memset(s, 0, sizeof(*s));
    s->o = o;
    s->rules = rules;
    for (size_t c = 0; c < rules->candidates; c++) {
        s->gain[c] = INFINITY;
        s->seen[c] = SIZE_MAX;
    }
}

static enum status search_value(struct search *s, const size_t *members, size_t count, double *ret,
                                struct error *err)
{
    s->set.evaluations++;
    if (s->rules->progress)
        s->rules->progress(s->set.evaluations, s->rules->arg);
    return s->o->value(s->o->arg, members, count, ret, err);
}

/* The set with one more at its end, which is not taken yet. */
static enum status search_look(struct search *s, size_t c, struct error *err)
{
    s->set.members[s->set.count] = c;
    enum status status = search_value(s, s->set.members, s->set.count + 1, &s->value[c], err);
    if (status != OK)
        return status;
    s->gain[c] = s->value[c] - chosen_value(&s->set);
    s->seen[c] = s->set.count;
    return OK;
}

static void search_take(struct search *s, size_t c)
{
    CHECK(!s->in[c]);
    CHECK(s->seen[c] == s->set.count);
    s->in[c] = true;
    s->set.members[s->set.count] = c;
    s->set.values[s->set.count++] = s->value[c];
    s->set.cost_nano_usd += s->rules->cost_nano_usd[c];
}

static enum status search_add(struct search *s, size_t c, struct error *err)
{
    enum status status = search_look(s, c, err);
    if (status == OK)
        search_take(s, c);
    return status;
}

static enum status search_keep(struct search *s, struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < s->rules->keep_count; i++)
        status = search_add(s, s->rules->keep[i], err);
    return status;
}

/* Greedy */

static bool search_fits(const struct search *s, size_t c)
{
    return !s->in[c] && s->set.count < s->rules->count_max &&
           s->rules->cost_nano_usd[c] <= s->rules->cost_max_nano_usd - s->set.cost_nano_usd;
}

/* What comes first: a larger gain, or gain per cost. Division rounds the same way for equal numerators, so that a bound
 * of a gain stays one. What costs nothing and adds something is worth any money. */
static double search_worth(const struct search *s, enum greedy_measure measure, size_t c)
{
    double cost = (double)s->rules->cost_nano_usd[c];
    if (measure == GREEDY_GAIN || s->gain[c] <= 0)
        return s->gain[c];
    return cost > 0 ? s->gain[c] / cost : INFINITY;
}

/* The candidate that stands first by what is known of it now; SIZE_MAX when none fits. */
static size_t search_first(const struct search *s, enum greedy_measure measure)
{
    size_t first = SIZE_MAX;
    double most = 0;
    for (size_t c = 0; c < s->rules->candidates; c++) {
        if (!search_fits(s, c))
            continue;
        double worth = search_worth(s, measure, c);
        if (first == SIZE_MAX || worth > most ||
            (worth == most && s->rules->cost_nano_usd[c] < s->rules->cost_nano_usd[first])) {
            first = c;
            most = worth;
        }
    }
    return first;
}

static enum status search_look_at_all(struct search *s, struct error *err)
{
    enum status status = OK;
    for (size_t c = 0; status == OK && c < s->rules->candidates; c++)
        if (search_fits(s, c))
            status = search_look(s, c, err);
    return status;
}

/* The next to take; SIZE_MAX when nobody fits. Whoever stands first by a gain of an earlier set is looked at again, and
 * may fall behind. */
static enum status search_next(struct search *s, enum greedy_measure measure, bool lazy,
                               size_t *ret, struct error *err)
{
    enum status status = lazy ? OK : search_look_at_all(s, err);
    size_t next = search_first(s, measure);
    while (status == OK && next != SIZE_MAX && s->seen[next] != s->set.count) {
        status = search_look(s, next, err);
        next = search_first(s, measure);
    }
    if (status == OK)
        *ret = next;
    return status;
}

enum status greedy_choose(const struct objective *o, const struct set_rules *rules,
                          enum greedy_measure measure, bool lazy, struct chosen_set *ret,
                          struct error *err)
{
    struct search s;
    CHECK(!lazy || o->submodular);
    search_begin(&s, o, rules);
    enum status status = search_keep(&s, err);
    while (status == OK) {
        size_t next = SIZE_MAX;
        status = search_next(&s, measure, lazy, &next, err);
        if (status != OK || next == SIZE_MAX || s.gain[next] <= 0)
            break;
        search_take(&s, next);
    }
    if (status == OK)
        *ret = s.set;
    return status;
}

/* Order */

enum status set_order(const struct objective *o, const struct set_rules *rules,
                      const size_t *members, size_t count, struct chosen_set *ret,
                      struct error *err)
{
    struct search s;
    struct set_rules all = *rules;
    all.count_max = count;
    all.cost_max_nano_usd = INT64_MAX;
    search_begin(&s, o, &all);
    /* Whoever is not among them is in already, so that it is never looked at. */
    memset(s.in, 1, sizeof(s.in));
    for (size_t i = 0; i < count; i++)
        s.in[members[i]] = false;
    enum status status = search_keep(&s, err);
    while (status == OK && s.set.count < count) {
        size_t next = SIZE_MAX;
        status = search_next(&s, GREEDY_GAIN, o->submodular, &next, err);
        if (status == OK)
            search_take(&s, next);
    }
    if (status == OK)
        *ret = s.set;
    return status;
}

/* Swaps */

struct swap {
    double value;
    int64_t cost_nano_usd;
    size_t at,
        with; /* members[at] goes for `with`; at == count: it is added; with == SIZE_MAX: nobody comes */
};

static bool is_kept(const struct set_rules *rules, size_t c)
{
    for (size_t i = 0; i < rules->keep_count; i++)
        if (rules->keep[i] == c)
            return true;
    return false;
}

/* Makes members[count] of the set after a swap. */
static size_t swap_apply(const struct chosen_set *set, const struct swap *w, size_t *members)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (i != w->at)
            members[count++] = set->members[i];
    if (w->with != SIZE_MAX)
        members[count++] = w->with;
    return count;
}

/* Takes the swap for the best if it is allowed, and better than what there is. */
static enum status swap_try(struct search *s, struct swap w, struct swap *best, struct error *err)
{
    const struct set_rules *rules = s->rules;
    size_t members[CANDIDATES_MAX];
    int64_t cost = s->set.cost_nano_usd;
    cost -= w.at < s->set.count ? rules->cost_nano_usd[s->set.members[w.at]] : 0;
    cost += w.with != SIZE_MAX ? rules->cost_nano_usd[w.with] : 0;
    size_t count = swap_apply(&s->set, &w, members);
    if (count > rules->count_max || cost > rules->cost_max_nano_usd)
        return OK;
    w.cost_nano_usd = cost;
    enum status status = search_value(s, members, count, &w.value, err);
    if (status == OK && (w.value > best->value ||
                         (w.value == best->value && w.cost_nano_usd < best->cost_nano_usd)))
        *best = w;
    return status;
}

/* Every member that may go for every candidate that may come, or for nobody; and everybody beside all members. */
static enum status swap_try_all(struct search *s, struct swap *best, struct error *err)
{
    enum status status = OK;
    for (size_t at = 0; at <= s->set.count; at++) {
        if (at < s->set.count && is_kept(s->rules, s->set.members[at]))
            continue;
        for (size_t c = 0; status == OK && c < s->rules->candidates; c++)
            if (!s->in[c])
                status = swap_try(s, (struct swap){.at = at, .with = c}, best, err);
        if (status == OK && at < s->set.count && s->set.count > 1)
            status = swap_try(s, (struct swap){.at = at, .with = SIZE_MAX}, best, err);
        if (status != OK)
            break;
    }
    return status;
}

/* One piece: what a swap changes in the set is kept in one place. */
enum status set_swap(const struct objective *o, const struct set_rules *rules,
                     struct chosen_set *set, struct error *err)
{
    struct search s;
    search_begin(&s, o, rules);
    s.set = *set;
    for (size_t i = 0; i < set->count; i++)
        s.in[set->members[i]] = true;
    double value = chosen_value(set);
    for (size_t round = 0; round < SWAP_ROUNDS_MAX; round++) {
        struct swap best = {value, s.set.cost_nano_usd, SIZE_MAX, SIZE_MAX};
        size_t members[CANDIDATES_MAX];
        enum status status = swap_try_all(&s, &best, err);
        if (status != OK)
            return status;
        if (best.at == SIZE_MAX)
            break;
        if (best.at < s.set.count)
            s.in[s.set.members[best.at]] = false;
        if (best.with != SIZE_MAX)
            s.in[best.with] = true;
        s.set.count = swap_apply(&s.set, &best, members);
        memcpy(s.set.members, members, s.set.count * sizeof(members[0]));
        s.set.cost_nano_usd = best.cost_nano_usd;
        value = best.value;
    }
    size_t evaluations = s.set.evaluations;
    enum status status = set_order(o, rules, s.set.members, s.set.count, &s.set, err);
    if (status != OK)
        return status;
    s.set.evaluations += evaluations;
    *set = s.set;
    return OK;
}
