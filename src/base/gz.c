/* Lines of plain and gzip files. Whatever a read brings is handed on at once, so that a reader at the end of a pipe
 * sees a line as soon as it was written; zlib's own gz layer would wait for a full buffer.
 *
 * A line_reader belongs to one thread and blocks in read(2), so it is never used on an event loop. gz_inflate works in
 * memory alone and may be called from anywhere. */
#include "base/gz.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/check.h"

#define CHUNK_BYTES (256u << 10)

enum source_kind { SOURCE_UNKNOWN, SOURCE_PLAIN, SOURCE_GZIP };

/* Bytes as they are in the file, or inflated. */
struct source {
    int fd;
    enum source_kind kind;
    z_stream z;              /* next_in/avail_in: input read but not used yet, in all kinds */
    unsigned char *input;    /* [CHUNK_BYTES] */
    bool member_done, ended; /* the last gzip member was complete; the file is at its end */
};

struct line_reader {
    struct source source;
    char *path;
    char *bytes; /* [capacity] */
    size_t capacity, begin, end;
    size_t number, line_max;
    bool at_end;
};

/* Source */

static int open_file(const char *path)
{
    return strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
                             : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
}

/* `path`, or where there is none `path`.gz; -1 with errno. */
static int open_either(const char *path, char **ret_path)
{
    char *used = strdup(path);
    int fd = used ? open_file(path) : -1;
    if (fd < 0 && errno == ENOENT && used) {
        free(used);
        used = NULL;
        if (asprintf(&used, "%s.gz", path) < 0)
            return -1;
        fd = open_file(used);
    }
    if (fd < 0) {
        int kept = used ? errno : ENOMEM;
        free(used);
        errno = kept;
        return -1;
    }
    *ret_path = used;
    return fd;
}

static ssize_t read_some(int fd, void *into, size_t len)
{
    ssize_t n;
    do
        n = read(fd, into, len);
    while (n < 0 && errno == EINTR);
    return n;
}

/* More input behind what is unused; false with errno when the system refuses. */
static bool source_input(struct source *s)
{
    CHECK(s->z.avail_in < CHUNK_BYTES);
    memmove(s->input, s->z.next_in, s->z.avail_in);
    s->z.next_in = s->input;
    ssize_t n = read_some(s->fd, s->input + s->z.avail_in, CHUNK_BYTES - s->z.avail_in);
    if (n < 0)
        return false;
    s->ended = n == 0;
    s->z.avail_in += (unsigned)n;
    return true;
}

static bool starts_gzip(const struct source *s)
{
    return s->z.avail_in >= 2 && s->z.next_in[0] == 0x1f && s->z.next_in[1] == 0x8b;
}

/* The first two bytes tell gzip from plain text. */
static int source_detect(struct source *s)
{
    while (s->z.avail_in < 2 && !s->ended)
        if (!source_input(s))
            return Z_ERRNO;
    s->kind = starts_gzip(s) ? SOURCE_GZIP : SOURCE_PLAIN;
    return s->kind == SOURCE_GZIP ? inflateInit2(&s->z, 16 + MAX_WBITS) : Z_OK;
}

/* Another member may follow one that ended; anything else behind it is padding, as gzip(1) has it. */
static int next_member(struct source *s)
{
    while (s->z.avail_in < 2 && !s->ended)
        if (!source_input(s))
            return Z_ERRNO;
    if (!starts_gzip(s)) {
        s->z.avail_in = 0;
        return Z_STREAM_END;
    }
    s->member_done = false;
    return inflateReset(&s->z);
}

/* Returns a zlib code: Z_OK (*got is 0 at the end), Z_ERRNO, Z_BUF_ERROR (the file ends early), Z_DATA_ERROR or
 * Z_MEM_ERROR. */
static int source_read_gzip(struct source *s, char *into, size_t len, size_t *got)
{
    s->z.next_out = (unsigned char *)into;
    s->z.avail_out = (unsigned)len;
    while (s->z.avail_out == len) {
        int code = s->member_done ? next_member(s) : Z_OK;
        if (code != Z_OK)
            return code == Z_STREAM_END ? Z_OK : code;
        if (s->z.avail_in == 0 && !s->ended && !source_input(s))
            return Z_ERRNO;
        if (s->z.avail_in == 0 && s->ended)
            return Z_BUF_ERROR;
        code = inflate(&s->z, Z_NO_FLUSH);
        CHECK(s->z.avail_out <= len);
        s->member_done = code == Z_STREAM_END;
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return code == Z_NEED_DICT ? Z_DATA_ERROR : code;
        *got = len - s->z.avail_out;
    }
    return Z_OK;
}

static int source_read(struct source *s, char *into, size_t len, size_t *got)
{
    *got = 0;
    int code = s->kind == SOURCE_UNKNOWN ? source_detect(s) : Z_OK;
    if (code != Z_OK)
        return code;
    if (s->kind == SOURCE_GZIP)
        return source_read_gzip(s, into, len, got);
    if (s->z.avail_in > 0) {
        *got = s->z.avail_in < len ? s->z.avail_in : len;
        memcpy(into, s->z.next_in, *got);
        s->z.next_in += *got;
        s->z.avail_in -= (unsigned)*got;
        return Z_OK;
    }
    ssize_t n = s->ended ? 0 : read_some(s->fd, into, len);
    if (n < 0)
        return Z_ERRNO;
    *got = (size_t)n;
    return Z_OK;
}

static void source_close(struct source *s)
{
    if (s->kind == SOURCE_GZIP)
        inflateEnd(&s->z);
    free(s->input);
    close(s->fd);
}

/* Lines */

enum status line_reader_open(const char *path, struct line_reader **ret, struct error *err)
{
    struct line_reader *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->line_max = LINE_BYTES_MAX;
    r->source.input = malloc(CHUNK_BYTES);
    r->source.z.next_in = r->source.input;
    errno = ENOMEM;
    r->source.fd = r->source.input ? open_either(path, &r->path) : -1;
    if (r->source.fd < 0) {
        int sys_errno = errno;
        free(r->source.input);
        free(r);
        return error_set_errno(err,
                               sys_errno == ENOENT || sys_errno == ENOTDIR ? ERR_NOT_FOUND : ERR_IO,
                               sys_errno, "%s", path);
    }
    *ret = r;
    return OK;
}

void line_reader_close(struct line_reader *r)
{
    if (!r)
        return;
    source_close(&r->source);
    free(r->bytes);
    free(r->path);
    free(r);
}

void line_reader_allow(struct line_reader *r, size_t bytes)
{
    r->line_max = bytes;
}

static enum status read_error(struct line_reader *r, int code, struct error *err)
{
    if (code == Z_ERRNO)
        return error_set_errno(err, ERR_IO, errno, "%s", r->path);
    if (code == Z_MEM_ERROR)
        return error_set(err, ERR_MEMORY, "%s: out of memory", r->path);
    const char *text = r->source.z.msg ? r->source.z.msg : "its data are wrong";
    return error_set_at(err, ERR_CORRUPT, r->path, r->number + 1, 0,
                        "damaged gzip file (%s); copy or pack it again",
                        code == Z_BUF_ERROR ? "it ends early" : text);
}

/* Makes room behind `end` and reads more. */
static enum status fill(struct line_reader *r, struct error *err)
{
    CHECK(r->begin <= r->end);
    if (r->begin) {
        memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->end > r->line_max)
        return error_set_at(err, ERR_TOO_LARGE, r->path, r->number + 1, 0,
                            "a line of more than %zu bytes", r->line_max);
    if (r->capacity - r->end < CHUNK_BYTES) {
        size_t capacity = (r->capacity + CHUNK_BYTES) * 2;
        char *bytes = realloc(r->bytes, capacity);
        if (!bytes)
            return error_set(err, ERR_MEMORY, "out of memory");
        r->bytes = bytes;
        r->capacity = capacity;
    }
    size_t n;
    int code = source_read(&r->source, r->bytes + r->end, CHUNK_BYTES, &n);
    if (code != Z_OK)
        return read_error(r, code, err);
    r->at_end = n == 0;
    r->end += n;
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

/* One loop with four ways out: a line end was found, the last line has none, the input is used up, or reading failed.
 * `searched` keeps a long line from being searched again after every read. */
enum status line_reader_next(struct line_reader *r, struct str *line, struct error *err)
{
    size_t searched = 0;
    for (;;) {
        size_t have = r->end - r->begin;
        char *hit =
            have > searched ? memchr(r->bytes + r->begin + searched, '\n', have - searched) : NULL;
        if (hit) {
            size_t len = (size_t)(hit - (r->bytes + r->begin));
            if (len > r->line_max)
                return error_set_at(err, ERR_TOO_LARGE, r->path, r->number + 1, 0,
                                    "a line of more than %zu bytes", r->line_max);
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

/* Memory */

#define INFLATE_STEP_BYTES (64u << 10)

/* Inflates one member from the front of z's input. Returns a zlib code; Z_STREAM_END when the member was complete. */
static int inflate_member(z_stream *z, struct buf *into)
{
    for (;;) {
        CHECK(into->len <= into->limit);
        size_t left = into->limit - into->len;
        size_t room = left < INFLATE_STEP_BYTES ? left : INFLATE_STEP_BYTES;
        unsigned char spare; /* at the limit: only the member's end may follow */
        char *to = room ? buf_reserve(into, room) : (char *)&spare;
        if (!to)
            return Z_MEM_ERROR;
        z->next_out = (unsigned char *)to;
        z->avail_out = room ? (unsigned)room : 1;
        unsigned before = z->avail_out;
        int code = inflate(z, Z_NO_FLUSH);
        size_t made = before - z->avail_out;
        if (made > room)
            return Z_BUF_ERROR;
        into->len += made;
        /* Z_BUF_ERROR: no input is left, but the member has not ended. */
        if (code != Z_OK)
            return code == Z_BUF_ERROR ? Z_DATA_ERROR : code;
        if (z->avail_in == 0 && z->avail_out > 0)
            return Z_DATA_ERROR;
    }
}

static int inflate_members(z_stream *z, struct buf *into)
{
    int code;
    do
        code = inflate_member(z, into);
    while (code == Z_STREAM_END && z->avail_in > 0 && inflateReset(z) == Z_OK);
    return code;
}

enum status gz_inflate(struct str gzip, struct buf *into, struct error *err)
{
    z_stream z = {.next_in = (unsigned char *)gzip.ptr, .avail_in = (unsigned)gzip.len};
    if (gzip.len > UINT_MAX)
        return error_set(err, ERR_TOO_LARGE, "more than 4 GiB of gzip");
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    int code = inflate_members(&z, into);
    inflateEnd(&z);
    switch (code) {
    case Z_STREAM_END:
        return OK;
    case Z_BUF_ERROR:
        return error_set(err, ERR_TOO_LARGE, "it unpacks to more than %zu bytes", into->limit);
    case Z_MEM_ERROR:
        return error_set(err, ERR_MEMORY, "out of memory");
    default:
        return error_set(err, ERR_CORRUPT, "it is not whole gzip data");
    }
}
