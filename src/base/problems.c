/* A list of mistakes, in the order in which they were found until it is sorted. */
#include "base/problems.h"

#include <string.h>

void problems_add(struct problems *p, const struct error *err)
{
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->list[i].text, err->text))
            return;
    if (p->count < PROBLEMS_MAX)
        p->list[p->count++] = *err;
    else
        p->more++;
}

bool problems_go_on(struct problems *p, enum status status, const struct error *err)
{
    if (status == OK)
        return true;
    if (!p)
        return false;
    problems_add(p, err);
    return status != ERR_MEMORY;
}

static bool stands_before(const struct error *a, const struct error *b)
{
    if (!a->line || !b->line)
        return a->line && !b->line;
    return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* By insertion: what is equal keeps its order. */
void problems_sort(struct problems *p)
{
    for (size_t i = 1; i < p->count; i++) {
        struct error moving = p->list[i];
        size_t at = i;
        for (; at > 0 && stands_before(&moving, &p->list[at - 1]); at--)
            p->list[at] = p->list[at - 1];
        p->list[at] = moving;
    }
}

enum status problems_first(const struct problems *p, struct error *err)
{
    if (!p || p->count == 0)
        return OK;
    if (err)
        *err = p->list[0];
    return p->list[0].status;
}
