/* Directories that appear whole: see new_folder.h. */
#include "base/new_folder.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define WALK_FILES_MAX 16 /* folders held open while one is removed */

static bool is_dataset_entry(const char *name)
{
    static const char *const names[] = {".",
                                        "..",
                                        "queries.jsonl",
                                        "queries.jsonl.gz",
                                        "experts.csv",
                                        "experts.csv.gz",
                                        "outcomes.csv",
                                        "outcomes.csv.gz",
                                        "responses"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

static enum status check_entries(const char *path, struct error *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot replace it", path);
    enum status status = OK;
    for (struct dirent *e; status == OK && (e = readdir(folder));)
        if (!is_dataset_entry(e->d_name))
            status = error_set(err, ERR_IO, "%s: not replaced, it holds '%.80s' beside a data set",
                               path, e->d_name);
    closedir(folder);
    return status;
}

enum status new_folder_check(const char *path, const char *source, bool replace, struct error *err)
{
    struct stat found, from;
    if (lstat(path, &found) != 0)
        return OK;
    if (stat(source, &from) == 0 && from.st_ino == found.st_ino && from.st_dev == found.st_dev)
        return error_set(err, ERR_INPUT, "%s: that is the data set to read; name another", path);
    if (!replace)
        return error_set(err, ERR_IO, "%s: already there; --force replaces it", path);
    return check_entries(path, err);
}

enum status new_folder_begin(const char *path, bool replace, struct new_folder *ret,
                             struct error *err)
{
    struct new_folder f;
    struct str name = str_from(path);
    while (name.len > 1 && name.ptr[name.len - 1] == '/')
        name.len--;
    int a = snprintf(f.path, sizeof(f.path), "%.*s", STR_FMT(name));
    int b =
        snprintf(f.temporary, sizeof(f.temporary), "%.*s.tmp.%ld", STR_FMT(name), (long)getpid());
    if (a <= 0 || b < 0 || (size_t)b >= sizeof(f.temporary))
        return error_set(err, ERR_INPUT, "'%.100s' cannot name a directory", path);
    f.replace = replace;
    *ret = f;
    return OK;
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *place)
{
    (void)s;
    (void)type;
    (void)place;
    return remove(path);
}

/* Follows no link and leaves no file system. */
static void remove_folder(const char *path)
{
    nftw(path, remove_entry, WALK_FILES_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

enum status new_folder_commit(struct new_folder *f, struct error *err)
{
    char old[PATH_MAX + 32];
    snprintf(old, sizeof(old), "%s.old.%ld", f->path, (long)getpid());
    bool replaced = f->replace && rename(f->path, old) == 0;
    if (rename(f->temporary, f->path) != 0) {
        enum status status = error_set_errno(err, ERR_IO, errno, "cannot make %s", f->path);
        if (replaced && rename(old, f->path) != 0)
            status = error_set_errno(err, ERR_IO, errno, "%s is now %s: cannot be put back",
                                     f->path, old);
        new_folder_abort(f);
        return status;
    }
    if (replaced)
        remove_folder(old);
    return OK;
}

void new_folder_abort(struct new_folder *f)
{
    remove_folder(f->temporary);
}
