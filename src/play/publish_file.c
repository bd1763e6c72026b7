/* Models take each other's place; see publish_file.h. A new one is written beside as PATH.next, the one in force is
 * kept as PATH.previous by a second name for the same file, and only then does the new one get the name. So a process
 * that is killed anywhere leaves the old model or the new one at PATH, and publishing again ends as it would have. Two
 * processes must not publish to one PATH at a time: whoever plays holds the run directory. */
#include "play/publish_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "predict/model.h"

struct places {
    const char *path;
    char previous[PATH_MAX], next[PATH_MAX], kept[PATH_MAX];
};

static enum status places_of(const char *path, struct places *ret, struct error *err)
{
    ret->path = path;
    if (snprintf(ret->previous, PATH_MAX, "%s.previous", path) >= PATH_MAX ||
        snprintf(ret->next, PATH_MAX, "%s.next", path) >= PATH_MAX ||
        snprintf(ret->kept, PATH_MAX, "%s.kept", path) >= PATH_MAX)
        return error_set(err, ERR_INPUT, "%.60s...: the path is too long", path);
    return OK;
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static enum status move(const char *from, const char *to, struct error *err)
{
    return rename(from, to) == 0 ? OK : error_set_errno(err, ERR_IO, errno, "%s", to);
}

static enum status drop(const char *path, struct error *err)
{
    return unlink(path) == 0 || errno == ENOENT ? OK
                                                : error_set_errno(err, ERR_IO, errno, "%s", path);
}

static enum status copy(const char *from, const char *to, struct error *err)
{
    struct buf bytes;
    buf_init(&bytes, MODEL_BYTES_MAX);
    enum status status = file_read(from, MODEL_BYTES_MAX, &bytes, err);
    if (status == OK)
        status = file_write(to, &bytes, err);
    buf_done(&bytes);
    return status;
}

static enum status can_load(const char *path, struct error *err)
{
    struct model *m;
    enum status status = model_load(path, &m, err);
    if (status == OK)
        model_free(m);
    return status;
}

/* A killed publisher's temporary goes, too. */
static enum status check_folder(const char *path, struct error *err)
{
    char folder[PATH_MAX], next[NAME_MAX + 16];
    const char *slash = strrchr(path, '/');
    if (snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
                 slash ? path : ".") >= PATH_MAX)
        return error_set(err, ERR_INPUT, "%.60s...: the path is too long", path);
    snprintf(next, sizeof(next), "%.*s.next", NAME_MAX, slash ? slash + 1 : path);
    file_out_sweep(folder, next);
    if (access(folder, W_OK | X_OK) == 0)
        return OK;
    return error_set_errno(err, ERR_IO, errno, "no model can be published as %s; its folder", path);
}

enum status publish_check(const char *path, struct error *err)
{
    struct places p;
    enum status status = places_of(path, &p, err);
    if (status == OK)
        status = check_folder(path, err);
    if (status != OK || !exists(path))
        return status;
    status = can_load(path, err);
    if (status != OK)
        error_prefix(err, "the model in force, which a better one would replace; move it away");
    return status;
}

/* PATH's file gets the name `kept`, too; a copy where the file system has no second names. */
static enum status keep(const struct places *p, struct error *err)
{
    enum status status = drop(p->kept, err);
    if (status != OK || link(p->path, p->kept) == 0)
        return status;
    return copy(p->path, p->kept, err);
}

static enum status same_bytes(const char *a, const char *b, bool *ret, struct error *err)
{
    struct file_copy x, y;
    enum status status = file_copy_open(a, &x, err);
    if (status != OK)
        return status;
    status = file_copy_open(b, &y, err);
    if (status == OK) {
        *ret = x.len == y.len && (!x.len || !memcmp(x.ptr, y.ptr, x.len));
        file_copy_close(&y);
    }
    file_copy_close(&x);
    return status;
}

static enum status replace(const struct places *p, struct error *err)
{
    enum status status = keep(p, err);
    if (status == OK)
        status = move(p->kept, p->previous, err);
    if (status == OK)
        status = drop(p->kept, err); /* two names of one file: rename leaves both */
    return status == OK ? move(p->next, p->path, err) : status;
}

/* What was before is the prior, so that a PATH.previous that a rollback has left is no longer it. */
static enum status put_first(const struct places *p, struct error *err)
{
    enum status status = drop(p->previous, err);
    return status == OK ? move(p->next, p->path, err) : status;
}

/* What stands at PATH.next gets its place, unless it is what is in force. */
static enum status put(const struct places *p, enum publish_change *ret, struct error *err)
{
    enum status status = OK;
    bool first = !exists(p->path), same = false;
    if (!first)
        status = same_bytes(p->path, p->next, &same, err);
    if (status == OK)
        status = same ? drop(p->next, err) : first ? put_first(p, err) : replace(p, err);
    if (status != OK)
        unlink(p->next);
    else
        *ret = same ? PUBLISH_SAME : first ? PUBLISH_FIRST : PUBLISH_REPLACED;
    return status;
}

enum status publish_write(const struct trained *t, const char *path, enum publish_change *ret,
                          struct error *err)
{
    struct places p;
    enum status status = places_of(path, &p, err);
    if (status == OK)
        status = model_write(t, p.next, err);
    return status == OK ? put(&p, ret, err) : status;
}

enum status publish_edited(const struct model *m, const struct model_edit *edit, const char *path,
                           enum publish_change *ret, struct error *err)
{
    struct places p;
    enum status status = places_of(path, &p, err);
    if (status == OK)
        status = model_rewrite(m, edit, p.next, err);
    return status == OK ? put(&p, ret, err) : status;
}

enum status publish_copy(const char *from, const char *path, enum publish_change *ret,
                         struct error *err)
{
    struct places p;
    enum status status = places_of(path, &p, err);
    if (status == OK)
        status = check_folder(path, err);
    if (status == OK)
        status = copy(from, p.next, err);
    if (status == OK)
        status = can_load(p.next, err);
    if (status == OK)
        return put(&p, ret, err);
    unlink(p.next);
    return status;
}

/* Back */

/* Both at once where the file system can; else PATH at once, and PATH.previous a moment later. */
static enum status swap(const struct places *p, struct error *err)
{
    if (renameat2(AT_FDCWD, p->path, AT_FDCWD, p->previous, RENAME_EXCHANGE) == 0)
        return OK;
    enum status status = keep(p, err);
    if (status == OK)
        status = move(p->previous, p->path, err);
    return status == OK ? move(p->kept, p->previous, err) : status;
}

enum status publish_rollback(const char *path, enum rollback_change *ret, struct error *err)
{
    struct places p;
    enum status status = places_of(path, &p, err);
    if (status != OK)
        return status;
    bool is = exists(p.path), was = exists(p.previous);
    if (!is && !was)
        return error_set(err, ERR_NOT_FOUND,
                         "%s: no model was published there, so there is nothing to go back to",
                         path);
    if (was)
        status = can_load(p.previous, err);
    if (status == OK)
        status = is && was ? swap(&p, err)
                 : was     ? move(p.previous, p.path, err)
                           : move(p.path, p.previous, err);
    if (status == OK)
        *ret = is && was ? ROLLBACK_TO_PREVIOUS : was ? ROLLBACK_FROM_PRIOR : ROLLBACK_TO_PRIOR;
    return status;
}
