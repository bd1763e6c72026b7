/* Whether a file belongs to a data set, so that nobody writes over what they read. */
#pragma once

#include <stdbool.h>

/* Whether `file` is one of those that the data set at `path`, a directory or a table (data/result_table.h), is read
 * from, or would be if it were there: outcomes.csv goes before outcomes.csv.gz. */
bool dataset_holds(const char *path, const char *file);
