/* What is still worth asking about a question: see probe_int.h. It hangs on the standing of the candidates and on what
 * was answered, nothing else. The cheap members for good are asked one by one, because each answer may spare all that
 * follows; then all that are open at once; a dear member last, and only where it makes a difference. */
#include "probe/probe_int.h"

#include <string.h>

#include "base/check.h"

#define ALONE                                                                                      \
    3.0 /* a member costs less than so many times all that it may spare: it is asked first */

struct row_view {
    size_t members;       /* for good */
    size_t cheapest;      /* of these, the unknown one; SIZE_MAX: none */
    bool solved;          /* by one of these */
    size_t open;          /* candidates neither in nor out */
    size_t open_unsolved; /* of these, without a whole score */
    size_t open_unknown;
    double open_cost;  /* of the unknown ones */
    float least, most; /* scores of the known ones */
};

static void see_member(const struct probe *p, const float *row, size_t c, struct row_view *v)
{
    v->members++;
    v->solved = v->solved || row[c] >= 1;
    if (row[c] < 0 && (v->cheapest == SIZE_MAX || p->cost[c] < p->cost[v->cheapest]))
        v->cheapest = c;
}

static void see_open(const struct probe *p, const float *row, size_t c, struct row_view *v)
{
    v->open++;
    v->open_unsolved += row[c] < 1;
    if (row[c] < 0) {
        v->open_unknown++;
        v->open_cost += p->cost[c];
        return;
    }
    v->least = row[c] < v->least ? row[c] : v->least;
    v->most = row[c] > v->most ? row[c] : v->most;
}

static struct row_view see(const struct probe *p, const float *row)
{
    struct row_view v = {.cheapest = SIZE_MAX, .least = 2, .most = -1};
    for (size_t c = 0; c < p->o.candidates; c++)
        if (p->standing[c] == PROBE_MEMBER)
            see_member(p, row, c, &v);
        else if (p->standing[c] == PROBE_OPEN)
            see_open(p, row, c, &v);
    return v;
}

/* Whether all sets in question do the same on it, whatever is still unknown: a member has solved it; or so few of the
 * open have not that every set has one that did; or all of the open did alike. Where cost is limited a set may have
 * none of the open. */
static bool tells_nothing(const struct probe *p, const struct row_view *v)
{
    const size_t places = p->o.members > v->members ? p->o.members - v->members : 0;
    const bool is_limited = p->o.cost_max_nano_usd > 0;
    if (v->solved || (!is_limited && v->open_unsolved < places))
        return true;
    if (v->open_unknown > 0)
        return false;
    return v->open == 0 || (is_limited ? v->most <= 0 : v->least >= v->most);
}

size_t probe_row_wants(const struct probe *p, const float *row, bool *wanted)
{
    const struct row_view v = see(p, row);
    memset(wanted, 0, p->o.candidates * sizeof(*wanted));
    if (tells_nothing(p, &v) || (v.open_unknown == 0 && v.cheapest == SIZE_MAX))
        return 0;
    if (v.cheapest != SIZE_MAX &&
        (v.open_unknown == 0 || p->cost[v.cheapest] < ALONE * v.open_cost)) {
        wanted[v.cheapest] = true;
        return 1;
    }
    for (size_t c = 0; c < p->o.candidates; c++)
        wanted[c] = p->standing[c] == PROBE_OPEN && row[c] < 0;
    return v.open_unknown;
}

/* One row asked from the beginning under the standing of now, as far as its answers are known. */
static double row_again(const struct probe *p, const float *row)
{
    float seen[CANDIDATES_MAX];
    bool wanted[CANDIDATES_MAX];
    double cost = 0;
    bool goes_on = true;
    for (size_t c = 0; c < p->o.candidates; c++)
        seen[c] = PROBE_UNKNOWN;
    while (goes_on && probe_row_wants(p, seen, wanted) > 0) {
        goes_on = true;
        for (size_t c = 0; c < p->o.candidates; c++)
            if (wanted[c]) {
                cost += p->cost[c];
                seen[c] = row[c];
                goes_on = goes_on && row[c] >= 0;
            }
    }
    return cost;
}

double probe_row_cost(const struct probe *p)
{
    double cost = 0;
    for (size_t at = 0; at < p->decided; at++)
        cost += row_again(p, probe_row(p, at));
    if (p->decided > 0)
        return cost / (double)p->decided;
    for (size_t c = 0; c < p->o.candidates; c++)
        cost += p->standing[c] == PROBE_OUT ? 0 : p->cost[c];
    return cost;
}
