/* Files of a data set: see input_file.h. */
#include "data/input_file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/result_table.h"

static bool is_in_folder(const char *path, const char *name, const char *file)
{
    char in[PATH_MAX];
    int length = snprintf(in, sizeof(in), "%s/%s", path, name);
    return length > 0 && (size_t)length < sizeof(in) && file_is_same(in, file);
}

/* Experts' names may hold slashes, so their texts may lie deeper. */
static bool is_response(const char *path, const char *file)
{
    char folder[PATH_MAX], whole[PATH_MAX], in[PATH_MAX];
    int length = snprintf(in, sizeof(in), "%s/responses", path);
    if (length <= 0 || (size_t)length >= sizeof(in) || !realpath(in, folder) ||
        !realpath(file, whole))
        return false;
    size_t bytes = strlen(folder);
    return !strncmp(whole, folder, bytes) && whole[bytes] == '/';
}

bool dataset_holds(const char *path, const char *file)
{
    static const char *const names[] = {"queries.jsonl",    "outcomes.csv",    "experts.csv",
                                        "queries.jsonl.gz", "outcomes.csv.gz", "experts.csv.gz"};
    if (file_is_same(path, file) || is_response(path, file))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (is_in_folder(path, names[i], file))
            return true;
    return table_holds(path, file);
}
