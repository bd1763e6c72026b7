/* Whole files, and outputs that appear whole or not at all: an output is written beside its target, fsynced and renamed
 * over it. A device or a pipe is written directly, and standard output is never closed.
 *
 * Everything here waits for the disk: it is for commands and for threads of their own, never for an event loop. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

static enum status open_error(struct error *err, const char *path)
{
    return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
}

/* The file goes to a buffer of its own first, so that `into` is untouched on failure. The size is not asked for
 * beforehand: pipes have none, and a file may grow; one byte over the limit is enough to know that it is too large. */
enum status file_read(const char *path, size_t limit, struct buf *into, struct error *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return open_error(err, path);
    struct buf b;
    buf_init(&b, limit);
    for (;;) {
        size_t room = limit - b.len < 65536 ? limit - b.len + 1 : 65536;
        char chunk[65536];
        size_t n = fread(chunk, 1, room < sizeof(chunk) ? room : sizeof(chunk), f);
        if (!n)
            break;
        buf_add(&b, (struct str){chunk, n});
        if (b.status != OK)
            break;
    }
    int failed = ferror(f) ? (errno ? errno : EIO) : 0;
    fclose(f);
    enum status status = buf_status(&b, err);
    if (failed == EISDIR)
        status = error_set(err, ERR_IO, "%s: a folder, where a file is expected", path);
    else if (failed)
        status = error_set_errno(err, ERR_IO, failed, "%s", path);
    else if (status != OK)
        error_prefix(err, "%s", path);
    if (status == OK)
        buf_add(into, buf_str(&b));
    buf_done(&b);
    return status == OK ? buf_status(into, err) : status;
}

static enum status read_all(int fd, unsigned char *into, size_t len, const char *path,
                            struct error *err)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, into + at, len - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, ERR_IO, errno, "%s", path);
        if (n == 0)
            return error_set(err, ERR_IO, "%s: it was cut while it was read", path);
        at += (size_t)n;
    }
    return OK;
}

static bool is_unchanged(int fd, const struct stat *before)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_size == before->st_size &&
           now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* Not mapped: a file that is cut under a mapping ends the process (SIGBUS), and one that is written in place changes
 * what has been checked already. */
static enum status copy_fd(int fd, const char *path, struct file_copy *ret, struct error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return open_error(err, path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERR_IO,
                         S_ISDIR(st.st_mode) ? "%s: a folder, where a file is expected"
                                             : "%s: not a regular file",
                         path);
    size_t len = (size_t)st.st_size;
    if (!len) {
        *ret = (struct file_copy){NULL, 0};
        return OK;
    }
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return error_set_errno(err, ERR_MEMORY, errno, "%s: %zu bytes", path, len);
    (void)madvise(p, len, MADV_HUGEPAGE); /* fewer faults while it is filled and used */
    enum status status = read_all(fd, p, len, path, err);
    if (status == OK && !is_unchanged(fd, &st))
        status = error_set(err, ERR_IO, "%s: it was written to while it was read", path);
    if (status != OK || mprotect(p, len, PROT_READ) != 0) {
        munmap(p, len);
        return status != OK ? status : error_set_errno(err, ERR_IO, errno, "%s", path);
    }
    *ret = (struct file_copy){p, len};
    return OK;
}

enum status file_copy_open(const char *path, struct file_copy *ret, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for its writer */
    if (fd < 0)
        return open_error(err, path);
    enum status status = copy_fd(fd, path, ret, err);
    close(fd);
    return status;
}

void file_copy_close(struct file_copy *c)
{
    if (c->ptr)
        munmap((void *)c->ptr, c->len);
    *c = (struct file_copy){NULL, 0};
}

/* A device or a pipe is written as it is: renaming a file over /dev/null would replace the device. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

enum status file_out_check(const char *path, struct error *err)
{
    struct stat found;
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (!strcmp(path, "-") || is_special(path))
        return OK;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return error_set(err, ERR_IO, "%s: that is a directory; name a file in it", path);
    if (access(folder, W_OK | X_OK) != 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot write there: %s", path, folder);
    return OK;
}

enum status file_out_open(const char *path, struct file_out *ret, struct error *err)
{
    struct file_out out = {NULL, NULL, NULL};
    if (!strcmp(path, "-")) {
        out.stream = stdout;
        *ret = out;
        return OK;
    }
    out.path = strdup(path);
    if (out.path && is_special(path))
        out.temporary = NULL;
    else if (!out.path || asprintf(&out.temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        free(out.path);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    out.stream = fopen(out.temporary ? out.temporary : path, "wbe");
    if (!out.stream) {
        error_set_errno(err, ERR_IO, errno, "%s", path);
        free(out.path);
        free(out.temporary);
        return ERR_IO;
    }
    *ret = out;
    return OK;
}

static void forget(struct file_out *out)
{
    free(out->path);
    free(out->temporary);
    *out = (struct file_out){NULL, NULL, NULL};
}

static int rename_new(const char *from, const char *to)
{
    if (link(from, to) != 0)
        return -1;
    unlink(from);
    return 0;
}

static enum status commit(struct file_out *out, int (*give_name)(const char *from, const char *to),
                          struct error *err)
{
    bool good = !ferror(out->stream) && fflush(out->stream) == 0 &&
                (!out->temporary || fsync(fileno(out->stream)) == 0);
    int failed = good ? 0 : (errno ? errno : EIO);
    if (fclose(out->stream) != 0 && !failed)
        failed = errno;
    if (!failed && out->temporary && give_name(out->temporary, out->path) != 0)
        failed = errno;
    enum status status = OK;
    if (failed) {
        status = error_set_errno(err, ERR_IO, failed, "%s", out->path);
        if (out->temporary)
            unlink(out->temporary);
    }
    forget(out);
    return status;
}

enum status file_out_commit(struct file_out *out, struct error *err)
{
    CHECK(out->stream);
    if (out->path)
        return commit(out, rename, err);
    bool bad = fflush(out->stream) != 0 || ferror(out->stream);
    return bad ? error_set_errno(err, ERR_IO, errno, "standard output") : OK;
}

enum status file_out_commit_new(struct file_out *out, struct error *err)
{
    CHECK(out->stream && out->temporary);
    return commit(out, rename_new, err);
}

/* A buffer that nothing was added to has no bytes to point at, which fwrite wants even for none. */
static bool put(const struct buf *b, FILE *out)
{
    return b->len == 0 || fwrite(b->ptr, 1, b->len, out) == b->len;
}

enum status file_write(const char *path, const struct buf *b, struct error *err)
{
    struct file_out out;
    enum status status = buf_status(b, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    (void)put(b, out.stream); /* commit looks at the stream's error */
    return file_out_commit(&out, err);
}

void file_out_abort(struct file_out *out)
{
    if (!out->path)
        return;
    fclose(out->stream);
    if (out->temporary)
        unlink(out->temporary);
    forget(out);
}

enum status file_print(FILE *out, struct buf *b, struct error *err)
{
    enum status status = buf_status(b, err);
    if (status == OK && (!put(b, out) || fflush(out) != 0))
        status = error_set(err, ERR_IO, "cannot write to standard output");
    buf_done(b);
    return status;
}

static bool is_temporary(const char *file, const char *name)
{
    size_t len = name ? strlen(name) : 0;
    const char *tail =
        strstr(file + (!name || strncmp(file, name, len) == 0 ? len : strlen(file)), ".tmp.");
    return tail && (!name || tail == file + len) && tail[5] != '\0' &&
           strspn(tail + 5, "0123456789") == strlen(tail + 5);
}

void file_out_sweep(const char *folder, const char *name)
{
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (is_temporary(e->d_name, name))
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

bool file_is_same(const char *a, const char *b)
{
    struct stat x, y;
    return !strcmp(a, b) ||
           (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

enum status file_make_folders(const char *path, bool whole, struct error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part))
        return error_set(err, ERR_TOO_LARGE, "the path is too long");
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && !(path[i] == '\0' && whole))
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return error_set_errno(err, ERR_IO, errno, "cannot make the folder %s", part);
    }
    return OK;
}

enum status file_make_temporary(const char *name, char *ret, size_t size, struct error *err)
{
    char path[PATH_MAX];
    const char *base = getenv("TMPDIR");
    base = base && base[0] != '\0' ? base : "/tmp";
    int len = snprintf(path, sizeof(path), "%s/leeroo-%s-XXXXXX", base, name);
    if (len < 0 || (size_t)len >= sizeof(path) || (size_t)len >= size)
        return error_set(err, ERR_TOO_LARGE, "the path in TMPDIR is too long");
    if (!mkdtemp(path))
        return error_set_errno(err, ERR_IO, errno, "cannot make a folder in %s (TMPDIR)", base);
    memcpy(ret, path, (size_t)len + 1);
    return OK;
}
