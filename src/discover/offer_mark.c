/* Which few to begin with. There is something to route among when prices differ, so of each provider the newest model
 * is taken at each of three levels of price; above the third nothing is taken without being asked for. Pure. */
#include <string.h>

#include "discover/offer.h"

enum { LEVELS = 3 };
/* USD per million tokens of output, up to which a level goes. */
static const int64_t level_end[LEVELS] = {1 * NANO_PER_USD, 8 * NANO_PER_USD, 30 * NANO_PER_USD};
static const int level_order[LEVELS] = {0, 2,
                                        1}; /* where there is room for two only, they differ most */

static int level_of(const struct offer *o)
{
    int level = 0;
    while (level < LEVELS && o->price.output_nano_usd_per_m > level_end[level])
        level++;
    return level;
}

static bool has_part(struct str name, struct str part)
{
    return str_find(name, part, 0) != SIZE_MAX;
}

/* What changes under one's hands or goes away soon, and names that stand for another. */
static bool is_passing(const struct offer *o)
{
    static const struct str parts[] = {STR_INIT("preview"), STR_INIT("-exp"), STR_INIT("beta"),
                                       STR_INIT("latest"), STR_INIT(":")};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (has_part(o->model->id, parts[i]))
            return true;
    return o->model->retiring;
}

/* "gpt-4o-2024-08-06" where "gpt-4o" is offered, too. */
static bool is_version_of_another(const struct offer_list *offers, const struct offer *o)
{
    for (size_t i = 0; i < offers->count; i++) {
        const struct offer *other = &offers->items[i];
        if (other->endpoint == o->endpoint && other != o && o->known && other->known == o->known &&
            str_starts(o->model->id, other->model->id))
            return true;
    }
    return false;
}

/* As people compare versions: numbers by their value. */
static int compare_names(struct str a, struct str b)
{
    char left[256], right[256];
    if (a.len >= sizeof(left) || b.len >= sizeof(right))
        return str_compare(a, b);
    memcpy(left, a.ptr, a.len);
    memcpy(right, b.ptr, b.len);
    left[a.len] = right[b.len] = 0;
    return strverscmp(left, right);
}

static bool is_better(const struct offer *o, const struct offer *than)
{
    if (!than)
        return true;
    if (o->model->made_s != than->model->made_s)
        return o->model->made_s > than->model->made_s;
    return compare_names(o->model->id, than->model->id) > 0;
}

static struct offer *newest(struct offer_list *offers, const struct endpoint *s, int level)
{
    struct offer *best = NULL;
    for (size_t i = 0; i < offers->count; i++) {
        struct offer *o = &offers->items[i];
        bool fits = o->endpoint == s && !o->marked && o->price_from != OFFER_UNPRICED &&
                    o->price_from != OFFER_PRICE_OWN && o->known && level_of(o) == level;
        if (fits && !is_passing(o) && !is_version_of_another(offers, o) && is_better(o, best))
            best = o;
    }
    return best;
}

static size_t mark_level(struct offer_list *offers, int level, size_t left)
{
    const struct endpoint *last = NULL;
    for (size_t i = 0; left > 0 && i < offers->count; i++) {
        const struct endpoint *s = offers->items[i].endpoint;
        struct offer *best = s == last ? NULL : newest(offers, s, level);
        last = s;
        if (best) {
            best->marked = true;
            left--;
        }
    }
    return left;
}

/* Two of each server. */
static void mark_own(struct offer_list *offers)
{
    size_t left = OFFER_MARKS_LOCAL_MAX, of_endpoint = 0;
    for (size_t i = 0; i < offers->count; i++) {
        struct offer *o = &offers->items[i];
        of_endpoint = i > 0 && offers->items[i - 1].endpoint == o->endpoint ? of_endpoint : 0;
        if (o->price_from == OFFER_PRICE_OWN && left > 0 && of_endpoint < 2) {
            o->marked = true;
            of_endpoint++;
            left--;
        }
    }
}

/* Whoever says what a model costs wants it. */
static size_t mark_given(struct offer_list *offers, size_t left)
{
    for (size_t i = 0; i < offers->count; i++)
        if (offers->items[i].price_from == OFFER_PRICE_GIVEN) {
            offers->items[i].marked = true;
            left -= left > 0;
        }
    return left;
}

void offers_mark(struct offer_list *offers)
{
    size_t left = mark_given(offers, OFFER_MARKS_MAX);
    for (int i = 0; i < LEVELS; i++)
        left = mark_level(offers, level_order[i], left);
    mark_own(offers);
}
