/* The places that were hit, as a list that only grows: whoever reads it needs no lock. */
#include "base/count_if.h"

#include <stddef.h>
#include <string.h>

static struct count_place *_Atomic newest;

bool count_place_hit(struct count_place *place)
{
    atomic_fetch_add_explicit(&place->count, 1, memory_order_relaxed);
    if (atomic_exchange_explicit(&place->listed, true, memory_order_relaxed))
        return true;
    place->older = atomic_load_explicit(&newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&newest, &place->older, place,
                                                  memory_order_release, memory_order_relaxed))
        continue;
    return true;
}

/* The compiler's path depends on where the build folder lies; behind the last "src/" it does not. */
static const char *path_in_tree(const char *file)
{
    const char *path = file;
    for (const char *at = file; (at = strstr(at, "src/")); at += 4)
        if (at == file || at[-1] == '/')
            path = at + 4;
    while (strncmp(path, "../", 3) == 0)
        path += 3;
    return path;
}

void count_places_each(void (*on_place)(const struct count_reading *place, void *arg), void *arg)
{
    const struct count_place *place = atomic_load_explicit(&newest, memory_order_acquire);
    for (; place; place = place->older) {
        const struct count_reading reading = {
            .file = path_in_tree(place->file),
            .line = place->line,
            .condition = place->condition,
            .count = atomic_load_explicit(&place->count, memory_order_relaxed)};
        on_place(&reading, arg);
    }
}
