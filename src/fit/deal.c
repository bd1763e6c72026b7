/* Dealing groups to folds: see deal.h. */
#include "fit/deal.h"

#include <stdlib.h>

#include "base/check.h"

struct group {
    size_t number, rows;
};

/* The largest first; of equal ones the first. */
static int compare(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows < y->rows ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

enum status deal_groups(const uint32_t *groups, size_t rows, size_t group_count, unsigned folds,
                        uint8_t *fold_of, struct error *err)
{
    size_t filled[UINT8_MAX + 1] = {0};
    struct group *g = calloc(group_count + 1, sizeof(*g));
    CHECK(folds > 0 && folds <= UINT8_MAX);
    if (!g)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < group_count; i++)
        g[i].number = i;
    for (size_t i = 0; i < rows; i++)
        if (groups[i] != DEAL_NONE)
            g[groups[i]].rows++;
    qsort(g, group_count, sizeof(*g), compare);
    for (size_t i = 0; i < group_count; i++) {
        size_t least = 0;
        for (size_t f = 1; f < folds; f++)
            least = filled[f] < filled[least] ? f : least;
        fold_of[g[i].number] = (uint8_t)least;
        filled[least] += g[i].rows;
    }
    free(g);
    return OK;
}
