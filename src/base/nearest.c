/* Words that may have been meant: see nearest.h. */
#include "base/nearest.h"

#define SUGGEST_WORD_MAX 40

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance of two short words. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t row[SUGGEST_WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a.ptr[i - 1] != b.ptr[j - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

const char *str_nearest(struct str word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = word.len / 3 < 2 ? 2 : word.len / 3;
    if (word.len > SUGGEST_WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_from(names[i]);
        if (name.len > SUGGEST_WORD_MAX)
            continue;
        size_t distance = edit_distance(word, name);
        if (distance <= best_distance && distance < name.len) {
            best = names[i];
            best_distance = distance - (distance > 0);
        }
    }
    return best;
}
