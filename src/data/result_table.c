/* Which files a table is made of, and which form each has. */
#include "data/result_table.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/gz.h"
#include "data/table_int.h"

#define TABLE_FILES_MAX 1024
#define PATH_BYTES_MAX  4096

static bool has_ending(struct str name)
{
    static const struct str endings[] = {{".json", 5},    {".jsonl", 6},    {".csv", 4},
                                         {".json.gz", 8}, {".jsonl.gz", 9}, {".csv.gz", 7}};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (str_ends(name, endings[i]))
            return name.len > endings[i].len && name.ptr[0] != '.';
    return false;
}

static int choose(const struct dirent *e)
{
    return has_ending(str_from(e->d_name));
}

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_BYTES_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    return len > 0 && (size_t)len < sizeof(path) && access(path, F_OK) == 0;
}

static void names_free(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool table_is(const char *path)
{
    struct stat found;
    struct dirent **names;
    if (stat(path, &found) != 0)
        return false;
    if (!S_ISDIR(found.st_mode))
        return true;
    if (is_there(path, "queries.jsonl") || is_there(path, "queries.jsonl.gz") ||
        is_there(path, "outcomes.csv") || is_there(path, "experts.csv"))
        return false;
    int count = scandir(path, &names, choose, NULL);
    if (count < 0)
        return false;
    names_free(names, count);
    return count > 0;
}

bool table_holds(const char *path, const char *file)
{
    char in[PATH_BYTES_MAX];
    struct dirent **names;
    bool holds = false;
    int count = table_is(path) ? scandir(path, &names, choose, NULL) : -1;
    if (count < 0)
        return false;
    for (int i = 0; i < count && !holds; i++) {
        int length = snprintf(in, sizeof(in), "%s/%s", path, names[i]->d_name);
        holds = length > 0 && (size_t)length < sizeof(in) && file_is_same(in, file);
    }
    names_free(names, count);
    return holds;
}

/* By its first character that is no blank. */
static enum status sniff(const char *path, bool *is_json, struct error *err)
{
    struct line_reader *r = NULL;
    struct str line = STR("");
    enum status status = line_reader_open(path, &r, err);
    if (status == OK)
        line_reader_allow(r, TABLE_ARRAY_BYTES_MAX); /* a list may stand on one line */
    while (status == OK && line.len == 0) {
        status = line_reader_next(r, &line, err);
        if (status == OK && str_starts(line, STR("\xEF\xBB\xBF")))
            line = str_slice(line, 3, line.len);
        line = str_trim(line);
    }
    if (status == CLOSED)
        status = error_set(err, ERR_INPUT, "%s is empty", path);
    if (status == OK)
        *is_json = line.ptr[0] == '{' || line.ptr[0] == '[';
    line_reader_close(r);
    return status;
}

static enum status file_read_table(const char *path, struct table_builder *b, struct error *err)
{
    bool is_json = false;
    enum status status = sniff(path, &is_json, err);
    if (status != OK)
        return status;
    return is_json ? table_json_read(path, b, err) : table_csv_read(path, b, err);
}

/* In the order of their names, so that the data set is the same everywhere. */
static enum status folder_read(const char *folder, struct table_builder *b, struct error *err)
{
    struct dirent **names;
    char path[PATH_BYTES_MAX];
    int count = scandir(folder, &names, choose, alphasort);
    if (count < 0)
        return error_set_errno(err, ERR_IO, errno, "%s", folder);
    enum status status = OK;
    if (count > TABLE_FILES_MAX)
        status = error_set(err, ERR_TOO_LARGE, "%s: more than %d tables", folder, TABLE_FILES_MAX);
    for (int i = 0; i < count && status == OK; i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        status = len > 0 && (size_t)len < sizeof(path)
                     ? file_read_table(path, b, err)
                     : error_set(err, ERR_TOO_LARGE, "the path %s is too long", folder);
    }
    names_free(names, count);
    return status;
}

enum status table_load(const char *path, struct dataset **ret, struct error *err)
{
    struct table_builder *b = NULL;
    struct stat found;
    if (stat(path, &found) != 0)
        return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
    enum status status = table_builder_create(path, &b, err);
    if (status == OK)
        status = S_ISDIR(found.st_mode) ? folder_read(path, b, err) : file_read_table(path, b, err);
    if (status == OK)
        status = table_builder_finish(b, ret, err);
    table_builder_free(b);
    return status;
}
