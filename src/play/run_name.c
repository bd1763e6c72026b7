/* A run's name: see run_name.h. */
#include "play/run_name.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "share/share_entry.h"

#define NAME_MAX_BYTES 80

/* What a name may not hold becomes a dash. */
static enum status make_name(const char *folder, struct arena *a, const char **ret,
                             struct error *err)
{
    char full[PATH_MAX];
    uint32_t chance;
    enum status status = digest_random(&chance, sizeof(chance), err);
    if (status != OK)
        return status;
    if (!realpath(folder, full))
        return error_set_errno(err, ERR_IO, errno, "cannot find %s", folder);
    const char *slash = strrchr(full, '/');
    char *name = arena_printf(a, "run%.*s-%08x", NAME_MAX_BYTES, slash ? slash : "", chance);
    if (!name)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (char *c = name; *c; c++)
        if (!share_run_valid((struct str){c, 1}))
            *c = '-';
    *ret = name;
    return OK;
}

static enum status read_name(const char *path, struct arena *a, const char **ret, struct error *err)
{
    struct buf text;
    buf_init(&text, 4096);
    enum status status = file_read(path, 4096, &text, err);
    struct str name = str_trim(buf_str(&text));
    if (status == OK && !share_run_valid(name))
        status = error_set(err, ERR_CORRUPT,
                           "%s holds no name of a run; without the file it gets a new one", path);
    if (status == OK && !(name = arena_copy(a, name)).ptr)
        status = error_set(err, ERR_MEMORY, "out of memory");
    buf_done(&text);
    if (status == OK)
        *ret = name.ptr;
    return status;
}

enum status run_name(const char *folder, struct arena *a, const char **ret, struct error *err)
{
    char *path = arena_printf(a, "%s/share.txt", folder);
    const char *name = NULL;
    struct file_out out;
    if (!path)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = read_name(path, a, ret, err);
    if (status != ERR_NOT_FOUND)
        return status;
    status = make_name(folder, a, &name, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fprintf(out.stream, "%s\n", name);
    status = file_out_commit(&out, err);
    if (status == OK)
        *ret = name;
    return status;
}
