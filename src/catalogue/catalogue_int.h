/* Private to catalogue/catalogue*.c. The tables are written by scripts/prices from data/prices.csv at build time. */
#pragma once

#include "catalogue/catalogue.h"

extern const struct catalogue_entry catalogue_rows[];
extern const size_t catalogue_row_count;

struct catalogue_name {
    const char *key; /* as catalogue_key makes it */
    uint16_t row;
};
extern const struct catalogue_name catalogue_names[]; /* by key, then by row */
extern const size_t catalogue_name_count;

#define CATALOGUE_KEY_BYTES (CATALOGUE_NAME_BYTES_MAX + 16)

/* What is left of a name when spelling does not matter: its last part behind slashes, in small letters, without
 * separators, but for a dot between digits. scripts/prices makes the keys of the table in the same way. False: it has
 * bytes that no name of a model has, or is too long. */
bool catalogue_key(char into[CATALOGUE_KEY_BYTES], struct str name);

/* Makes a name plainer by one step of what providers, servers and files put around it; the steps are 0, 1, ... False:
 * there is no such step. `*name` becomes a part of itself. */
bool catalogue_name_strip(struct str *name, unsigned step);
