/* zlib's gz layer reads plain files as they are, so one reader serves both. */
#include "base/gz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_BYTES (256u << 10)

struct line_reader {
    gzFile file;
    char *path;
    char *bytes; /* [capacity] */
    size_t capacity, begin, end;
    size_t number;
    bool at_end;
};

static gzFile open_file(const char *path)
{
    if (!strcmp(path, "-")) {
        int fd = dup(STDIN_FILENO);
        return fd < 0 ? NULL : gzdopen(fd, "rb");
    }
    return gzopen(path, "rbe");
}

static gzFile open_either(const char *path, char **ret_path)
{
    errno = 0;
    gzFile file = open_file(path);
    char *used = strdup(path);
    if (!file && errno == ENOENT && used) {
        free(used);
        if (asprintf(&used, "%s.gz", path) < 0)
            return NULL;
        file = open_file(used);
        errno = ENOENT;
    }
    if (!file || !used) {
        free(used);
        if (file)
            gzclose(file);
        return NULL;
    }
    *ret_path = used;
    return file;
}

enum status line_reader_open(const char *path, struct line_reader **ret, struct error *err)
{
    struct line_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->file = open_either(path, &r->path);
    if (!r->file) {
        int sys_errno = errno ? errno : ENOMEM;
        free(r);
        return error_set_errno(err, sys_errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, sys_errno, "%s",
                               path);
    }
    gzbuffer(r->file, CHUNK_BYTES);
    *ret = r;
    return OK;
}

void line_reader_close(struct line_reader *r)
{
    if (!r)
        return;
    gzclose(r->file);
    free(r->bytes);
    free(r->path);
    free(r);
}

static enum status read_error(struct line_reader *r, struct error *err)
{
    int code;
    const char *text = gzerror(r->file, &code);
    if (code == Z_ERRNO)
        return error_set_errno(err, ERR_IO, errno, "%s", r->path);
    return error_set_at(err, ERR_CORRUPT, r->path, r->number + 1, 0, "damaged gzip file (%s)",
                        code == Z_BUF_ERROR ? "it ends early" : text);
}

/* Makes room behind `end` and reads more. */
static enum status fill(struct line_reader *r, struct error *err)
{
    if (r->begin) {
        memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->end > LINE_BYTES_MAX)
        return error_set_at(err, ERR_TOO_LARGE, r->path, r->number + 1, 0,
                            "a line of more than %u bytes", LINE_BYTES_MAX);
    if (r->capacity - r->end < CHUNK_BYTES) {
        size_t capacity = (r->capacity + CHUNK_BYTES) * 2;
        char *bytes = realloc(r->bytes, capacity);
        if (!bytes)
            return error_set(err, ERR_MEMORY, "out of memory");
        r->bytes = bytes;
        r->capacity = capacity;
    }
    int n = gzread(r->file, r->bytes + r->end, CHUNK_BYTES);
    int code = Z_OK;
    if (n <= 0)
        gzerror(r->file, &code);
    if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END))
        return read_error(r, err);
    r->at_end = n == 0;
    r->end += (size_t)n;
    return OK;
}

static struct str take(struct line_reader *r, size_t len, size_t with_end)
{
    struct str line = {r->bytes + r->begin, len};
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    r->begin += with_end;
    r->number++;
    return line;
}

enum status line_reader_next(struct line_reader *r, struct str *line, struct error *err)
{
    size_t searched = 0;
    for (;;) {
        size_t have = r->end - r->begin;
        char *hit =
            have > searched ? memchr(r->bytes + r->begin + searched, '\n', have - searched) : NULL;
        if (hit) {
            size_t len = (size_t)(hit - (r->bytes + r->begin));
            if (len > LINE_BYTES_MAX)
                return error_set_at(err, ERR_TOO_LARGE, r->path, r->number + 1, 0,
                                    "a line of more than %u bytes", LINE_BYTES_MAX);
            *line = take(r, len, len + 1);
            return OK;
        }
        if (r->at_end && have == 0)
            return CLOSED;
        if (r->at_end) {
            *line = take(r, have, have);
            return OK;
        }
        searched = have;
        enum status status = fill(r, err);
        if (status != OK)
            return status;
    }
}

size_t line_reader_number(const struct line_reader *r)
{
    return r->number;
}

const char *line_reader_path(const struct line_reader *r)
{
    return !strcmp(r->path, "-") ? "standard input" : r->path;
}
