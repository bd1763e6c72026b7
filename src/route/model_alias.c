/* Finding what another name for a model leads to. */
#include "route/model_alias.h"

#include <string.h>

bool model_alias_is_name(const struct model_alias *a)
{
    return str_find(a->pattern, STR("*"), 0) == SIZE_MAX;
}

/* The last '*' is tried at every length of its text before the name is found not to match: at most as many steps as
 * both lengths multiplied. */
static bool matches(struct str pattern, struct str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_n = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

static size_t count_letters(struct str pattern)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern.len; i++)
        count += pattern.ptr[i] != '*';
    return count;
}

const struct model_alias *model_alias_find(const struct model_alias *aliases, size_t count,
                                           struct str name)
{
    const struct model_alias *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct model_alias *a = &aliases[i];
        if (!matches(a->pattern, name))
            continue;
        if (model_alias_is_name(a))
            return a;
        if (!best || count_letters(a->pattern) > count_letters(best->pattern))
            best = a;
    }
    return best;
}
