/* Looking models up by their names: what was said exactly first, then plainer and plainer, so that a dated model with
 * prices of its own is never taken for another of its family. */
#include "catalogue/catalogue.h"

#include <string.h>

#include "base/check.h"
#include "catalogue/catalogue_int.h"

static const struct catalogue_entry *find_key(struct str provider, const char *key)
{
    size_t low = 0, high = catalogue_name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(catalogue_names[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < catalogue_name_count && !strcmp(catalogue_names[low].key, key); low++) {
        CHECK(catalogue_names[low].row < catalogue_row_count);
        const struct catalogue_entry *entry = &catalogue_rows[catalogue_names[low].row];
        if (provider.len == 0 || str_equal(entry->provider, provider))
            return entry;
    }
    return NULL;
}

/* Open weights are served as what was made to be talked to, and often called without saying so. */
static const struct catalogue_entry *find_name(struct str provider, struct str name)
{
    static const char *const ends[] = {"", "instruct", "it", "chat"};
    char key[CATALOGUE_KEY_BYTES];
    const struct catalogue_entry *found = NULL;
    if (!catalogue_key(key, name))
        return NULL;
    size_t length = strlen(key);
    for (size_t i = 0; !found && i < sizeof(ends) / sizeof(ends[0]); i++) {
        memcpy(key + length, ends[i], strlen(ends[i]) + 1);
        found = find_key(provider, key);
    }
    return found;
}

const struct catalogue_entry *catalogue_find(struct str provider, struct str name)
{
    const struct catalogue_entry *found = find_name(provider, name);
    for (unsigned step = 0; !found && catalogue_name_strip(&name, step); step++)
        found = find_name(provider, name);
    /* A name may be one host's own for what others serve, too. */
    return found && provider.len == 0 ? find_name(provider, found->model) : found;
}

size_t catalogue_count(void)
{
    return catalogue_row_count;
}

const struct catalogue_entry *catalogue_at(size_t index)
{
    CHECK(index < catalogue_row_count);
    return &catalogue_rows[index];
}
